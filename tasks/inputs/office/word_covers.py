"""Marks the text of a Word document as unsure over which something may be drawn (ECMA-376, part 1, 20.4.2). Only Word
knows where lines really are."""

import math
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import cache, cached_property
from itertools import islice
from typing import NamedTuple

from lxml import etree

from tasks.inputs.office.drawings import mark_unsure
from tasks.inputs.office.measures import EMU, TWIPS, points
from tasks.inputs.office.word_doubts import doubted_elements
from tasks.inputs.office.word_markup import branches_not_shown
from tasks.inputs.office.word_pages import PaperSize

_LEAST_SIDE = 8.0
"""A shape of fewer points in width or height hides no text."""
_LARGE_AREA = 120_000.0
"""A shape of as many square points, a quarter of a page, may hide text anywhere."""
_LONGEST_STYLE = 2_000
_HIGHEST = 2_000.0
"""At most this many points above and below a shape are looked through."""
_MOST_TEXTS = 300_000
"""At most this many texts are looked at for the shapes above them one by one; with more, all are marked."""
_LINE = 12.0
"""Height of a line, and of an empty paragraph, in points, at least."""
_SLACK = 1.15
"""Estimated heights are off by this factor at most."""
_MOST_IN_A_ROW = 10
"""After at most this many floating tables, the paragraph is looked for that they are beside."""
_ANYWHERE = 1e6
"""The end of what may stand on any page, in points."""
_SIDE = 21_600
"""The sides of a shape, in the units of the polygons around it."""
_LEAST_SHARE = 0.5
"""Text gives way to a shape if it keeps off this share of it."""
_WRAPS = ("square", "tight", "topAndBottom")
_CHARS_OF_LINE = 100
"""A line has about as many characters, at most."""
_FILLS = (
    "{*}solidFill",
    "{*}gradFill",
    "{*}pattFill",
    "{*}blipFill",
    "{*}fillRef",
    "{*}blip",
    "{*}graphicFrame",
    "{*}chart",
    "{*}relIds",
)
_OFF = ("0", "false", "off")
_VML = "{urn:schemas-microsoft-com:vml}"


class Flow:
    """The places on its pages that the paragraphs and tables of a text may have."""

    def __init__(
        self,
        root: etree._Element,
        name: str,
        page: PaperSize,
        heights: Callable[[etree._Element], tuple[float, float]],
        shaded_styles: AbstractSet[str],
    ) -> None:
        """`heights` are how high a paragraph is at least and at most, with the space around it. `shaded_styles` are the
        styles of tables with colours."""
        self._root = root
        self._shaded_styles = shaded_styles
        self._name = name
        self._page = page
        self._heights = cache(heights)

    @cached_property
    def _blocks(self) -> dict[etree._Element, tuple[float, float]]:
        """The distances from the beginning of the text at which each paragraph and table of a body begins at least, and
        ends at most. A page follows at once on the one before."""
        body = self._root.find(f"{self._name}body")
        found: dict[etree._Element, tuple[float, float]] = {}
        least = most = 0.0
        for block in () if body is None else body.iterchildren("{*}*"):
            paragraphs = [block] if block.tag == f"{self._name}p" else list(block.iter(f"{self._name}p"))
            heights = [self._heights(paragraph) for paragraph in paragraphs]
            most += _SLACK * sum(height for _, height in heights) + self._other_height(block)
            is_placed = next(block.iter(f"{self._name}tblpPr", f"{self._name}framePr"), None) is not None
            found[block] = (0.0, _ANYWHERE) if is_placed else (least, most)
            # The rows of a table may be hidden, or float beside other text.
            least += heights[0][0] / _SLACK if block.tag == f"{self._name}p" else 0.0
        return found

    def _other_height(self, block: etree._Element) -> float:
        """Return at most how high pictures, rows and the rest of a page before a break are."""
        name, height = self._name, 0.0
        for extent in block.iter("{*}extent"):
            height += points(extent.get("cy"), EMU) or 0.0
        for shape in block.iter("{urn:schemas-microsoft-com:vml}*"):
            height += points(_style_of(shape).get("height"), 1) or 0.0
        for row in block.iter(f"{name}trHeight"):
            height += points(row.get(f"{name}val"), TWIPS) or 0.0
        breaks = block.iter(f"{name}br", f"{name}pageBreakBefore", f"{name}sectPr")
        pages = sum(1 for one in breaks if one.tag != f"{name}br" or one.get(f"{name}type") == "page")
        return max(height, 0.0) + pages * self._height_of_page

    @property
    def _height_of_page(self) -> float:
        return max(self._page.height - self._page.top - self._page.bottom, _LINE)

    @cached_property
    def _has_columns(self) -> bool:
        return any(
            one.get(f"{self._name}num", "1") != "1" or len(one) > 1 for one in self._root.iter(f"{self._name}cols")
        )

    @cached_property
    def _boxes(self) -> list[tuple[etree._Element, etree._Element]]:
        """The text boxes that float, each with what anchors it."""
        boxes = self._root.iter(f"{self._name}txbxContent")
        anchored = ((box, next(box.iterancestors("{*}anchor"), None)) for box in boxes)
        return [(box, anchor) for box, anchor in anchored if anchor is not None]

    def __len__(self) -> int:
        return len(self._blocks) + len(self._boxes)

    def overlapping_tables(self) -> Iterator[etree._Element]:
        """Yield the floating tables on which others may lie that have colours: those that are placed on the page, and
        those beside the same paragraph."""
        groups: dict[object, list[_FloatingTable]] = {}
        for placed in self._root.iter(f"{self._name}tblpPr"):
            table = next(placed.iterancestors(f"{self._name}tbl"))
            down = placed.get(f"{self._name}vertAnchor", "text")
            groups.setdefault(self._paragraph_after(table) if down == "text" else down, []).append(
                self._floating_table(table, placed)
            )
        left = _MOST_TEXTS
        for tables in groups.values():
            left -= len(tables) ** 2
            for one in tables:
                if left < 0 or any(other.covers(one) for other in tables if other.table is not one.table):
                    yield one.table

    def _paragraph_after(self, table: etree._Element) -> etree._Element | None:
        following = table.itersiblings(f"{self._name}p", f"{self._name}tbl")
        floating = f"{self._name}tblPr/{self._name}tblpPr"
        return next((one for one in islice(following, _MOST_IN_A_ROW) if one.find(floating) is None), None)

    def _floating_table(self, table: etree._Element, placed: etree._Element) -> "_FloatingTable":
        name = self._name
        left, top = (points(placed.get(f"{name}{key}"), TWIPS) or 0.0 for key in ("tblpX", "tblpY"))
        if placed.get(f"{name}horzAnchor") != "page":
            left += self._page.left
        columns = (points(one.get(f"{name}w"), TWIPS) for one in table.iterfind(f"{name}tblGrid/{name}gridCol"))
        width = sum(filter(None, columns)) or self._page.width
        is_aligned = placed.get(f"{name}tblpXSpec") is not None
        across = (0.0, self._page.width) if is_aligned else (left, left + width)
        height = sum(self._height_of_row(row) for row in table.iterchildren(f"{name}tr"))
        down = (0.0, _ANYWHERE) if placed.get(f"{name}tblpYSpec") is not None else (top, top + height)
        style = next((one.get(f"{name}val", "") for one in table.iterfind(f"{name}tblPr/{name}tblStyle")), "")
        is_shaded = any(
            one.get(f"{name}fill", "auto") != "auto" or one.get(f"{name}themeFill") or one.get(f"{name}val") != "clear"
            for one in table.iter(f"{name}shd")
        )
        return _FloatingTable(table, across, down, is_shaded or style in self._shaded_styles)

    def _height_of_row(self, row: etree._Element) -> float:
        name = self._name
        for height in row.iterfind(f"{name}trPr/{name}trHeight"):
            least = points(height.get(f"{name}val"), TWIPS) or 0.0
            if height.get(f"{name}hRule") == "exact":
                return least
            break
        else:
            least = 0.0
        cells = (
            sum(self._heights(paragraph)[1] for paragraph in cell.iter(f"{name}p"))
            for cell in row.iterchildren(f"{name}tc")
        )
        return max(least, _SLACK * max(cells, default=0.0))

    def covered_by(self, anchor: etree._Element, width: float, height: float) -> list[etree._Element] | None:
        """Return the paragraphs, tables and text boxes that may stand where a shape is placed on its page; None if that
        is not known, because it is within another text."""
        block = next((one for one in anchor.iterancestors() if one in self._blocks), None)
        if block is None or block.tag != f"{self._name}p":
            return None
        room, (least, most) = self._height_of_page, self._blocks[block]
        across, (top, bottom) = self._across(anchor, width), self._down(anchor, height)
        depth = _whole(anchor.get("relativeHeight", ""))
        covered = [
            box
            for box, other in self._boxes
            if other is not anchor
            and _whole(other.get("relativeHeight", "")) <= depth
            and _overlap(across, self._across(other, _size(other, "{*}extent")[0]))
            and _overlap((top, bottom), self._down(other, _size(other, "{*}extent")[1]))
        ]
        if not _overlap(across, (self._page.left, self._page.width - self._page.right)):
            return covered
        pages = range(int(least // room), int(most // room) + 1)
        for one, (begin, end) in self._blocks.items():
            # What begins on one page may end on another.
            own = range(max(pages.start, int(begin // room)), min(pages.stop, int(end // room) + 1))
            spans = ((page * room + max(top, 0.0), page * room + min(bottom, room)) for page in own)
            if self._has_columns or any(_overlap((begin, end), span) for span in spans):
                covered.append(one)
        return covered

    def _across(self, anchor: etree._Element, width: float) -> tuple[float, float]:
        """Return where a shape begins and ends from the left of the page; the whole page if it is not known."""
        for position in anchor.iterchildren("{*}positionH"):
            start = {"page": 0.0, "margin": self._page.left}.get(position.get("relativeFrom", ""))
            for offset in position.iterchildren("{*}posOffset"):
                if start is not None:
                    left = start + (points(offset.text, EMU) or 0.0)
                    return left, left + width
        return 0.0, self._page.width

    def _down(self, anchor: etree._Element, height: float) -> tuple[float, float]:
        """Return where a shape begins and ends below the upper margin of its page; the whole page if it is not
        known."""
        page = self._page
        for position in anchor.iterchildren("{*}positionV"):
            sides = {
                "page": (0.0, page.height),
                "topMargin": (0.0, page.top),
                "margin": (page.top, page.height - page.bottom),
            }
            if (start_and_end := sides.get(position.get("relativeFrom", ""))) is None:
                continue
            start, end = start_and_end
            aligned = {"top": start, "center": (start + end - height) / 2, "bottom": end - height}
            for one in position.iterchildren("{*}posOffset", "{*}align"):
                top = aligned.get(one.text or "", start + (points(one.text, EMU) or 0.0))
                return top - page.top, top + height - page.top
        return -page.top, page.height


class _FloatingTable(NamedTuple):
    """A table with its place, in points from the left of the page and from a line that others are placed from."""

    table: etree._Element
    across: tuple[float, float]
    down: tuple[float, float]
    is_shaded: bool

    def covers(self, other: "_FloatingTable") -> bool:
        """True if this table may hide the text of another one."""
        return self.is_shaded and _overlap(self.across, other.across) and _overlap(self.down, other.down)


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _is_on_page(anchor: etree._Element) -> bool:
    """True if a shape is placed on the page instead of beside a paragraph."""
    return any(
        one.get("relativeFrom", "line") not in ("paragraph", "line") for one in anchor.iterchildren("{*}positionV")
    )


def _whole(value: str) -> int:
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 12 else 0


def doubt_what_is_covered(root: etree._Element, name: str, flow: Flow) -> None:
    """Mark the text of a part. `name` is the namespace of its elements in braces."""
    for phantom in root.iter("{*}phant"):
        if any(one.get(key) in _OFF for one in phantom.iterfind("{*}phantPr/{*}show") for key in one.attrib):
            for text in phantom.iter("{*}t"):
                text.text = ""
    for table in flow.overlapping_tables():
        _mark(table, name)
    left = _MOST_TEXTS
    for anchor in root.iter("{*}anchor"):
        left -= len(flow) if _is_on_page(anchor) else 0
        covered = None if left < 0 else _covered_by(anchor, name, flow)
        if covered is None:
            _mark(root, name, anchor)
            break
        for one in covered:
            left -= _mark(one, name, anchor)
    not_shown = branches_not_shown(root)
    for picture in root.iter(f"{name}pict"):
        is_placed = any("absolute" in shape.get("style", "") for shape in picture.iter(f"{_VML}*"))
        is_shown = not_shown.isdisjoint(picture.iterancestors("{*}Fallback"))
        if is_placed and is_shown and picture in doubted_elements(picture):
            _mark(root, name, picture)
            return
    for shape in root.iter(f"{_VML}*"):
        if not not_shown.isdisjoint(shape.iterancestors("{*}Fallback")):
            continue
        for one in _covered_by_vml(shape, name):
            left -= _mark(one, name, shape)
        if left < 0:
            _mark(root, name)
            break


def _covered_by(anchor: etree._Element, name: str, flow: Flow) -> list[etree._Element] | None:
    """Return the paragraphs and tables on which a shape may lie that floats in front of text; None for all."""
    width, height = _size(anchor, "{*}extent")
    drawn_width, drawn_height = next((_size(one, "{*}ext") for one in anchor.iter("{*}xfrm")), (0.0, 0.0))
    is_larger = max(drawn_width - width, drawn_height - height) > _LEAST_SIDE
    if anchor.get("behindDoc") in ("1", "true") or not (is_larger or _is_in_front(anchor)):
        return []
    width, height = max(width, drawn_width), max(height, drawn_height)
    paragraph = _paragraph_of(anchor, name)
    if paragraph is None or min(width, height) < _LEAST_SIDE or next(anchor.iter(*_FILLS), None) is None:
        return []
    if width * height >= _LARGE_AREA or anchor in doubted_elements(anchor):
        return None
    offset = sum(points(one.text, EMU) or 0.0 for one in anchor.iterfind("{*}positionV/{*}posOffset"))
    if _is_on_page(anchor) and (covered := flow.covered_by(anchor, width, height)) is not None:
        return covered
    below, above = (height, height) if _is_on_page(anchor) else (height + offset, -offset)
    return [*_near(paragraph, below), *_near(paragraph, above, forwards=False)]


def _size(element: etree._Element, name: str) -> tuple[float, float]:
    extent = element.find(name)
    width, height = ((0.0 if extent is None else points(extent.get(side), EMU) or 0.0) for side in ("cx", "cy"))
    return width, height


def _is_in_front(anchor: etree._Element) -> bool:
    """True if text does not give way to a shape, or only to a part of it."""
    if anchor.find("{*}wrapNone") is not None:
        return True
    wraps = list(anchor.iterchildren("{*}wrapSquare", "{*}wrapTight", "{*}wrapThrough", "{*}wrapTopAndBottom"))
    for one in (anchor, *wraps):
        if any((points(one.get(f"dist{side}"), EMU) or 0.0) < 0 for side in "TBLR"):
            return True
        for effect in one.iterchildren("{*}effectExtent"):
            if any((points(effect.get(side), EMU) or 0.0) < -_LEAST_SIDE for side in "tblr"):
                return True
    polygons = (polygon for wrap in wraps for polygon in wrap.iterchildren("{*}wrapPolygon"))
    return any(_area(polygon) < _LEAST_SHARE for polygon in polygons)


def _area(polygon: etree._Element) -> float:
    """Return the share of a shape that a polygon has."""
    corners = [(points(one.get("x"), _SIDE) or 0.0, points(one.get("y"), _SIDE) or 0.0) for one in polygon]
    sides = zip(corners, [*corners[1:], *corners[:1]], strict=True)
    return abs(sum(left * down - right * up for (left, up), (right, down) in sides)) / 2


def _covered_by_vml(shape: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the paragraphs and tables on which a shape in the older language for drawings may lie."""
    style = _style_of(shape)
    wrap = shape.find("{*}wrap")
    is_apart = wrap is not None and wrap.get("type") in _WRAPS
    is_behind = style.get("z-index", "0").startswith("-") or is_apart
    paragraph = _paragraph_of(shape, name)
    if style.get("position") != "absolute" or is_behind or shape.get("filled") in ("f", "false") or paragraph is None:
        return
    height = points(style.get("height"), 1) or 0.0
    if height >= _LEAST_SIDE:
        yield from _near(paragraph, height)
        yield from _near(paragraph, height, forwards=False)


def _style_of(shape: etree._Element) -> dict[str, str]:
    declared = (one.partition(":") for one in shape.get("style", "")[:_LONGEST_STYLE].split(";"))
    return {key.strip(): value.strip() for key, _, value in declared}


def _near(paragraph: etree._Element, height: float, *, forwards: bool = True) -> Iterator[etree._Element]:
    """Yield the paragraphs and tables from one on that begin within a height, in points."""
    yield paragraph
    left = min(height, _HIGHEST)
    for one in paragraph.itersiblings(preceding=not forwards):
        if left <= 0:
            return
        yield one
        length = sum(len(text.text or "") for text in one.iter("{*}t"))
        left -= _LINE * max(1, math.ceil(length / _CHARS_OF_LINE))


def _paragraph_of(element: etree._Element, name: str) -> etree._Element | None:
    return next(element.iterancestors(f"{name}p"), None)


def _mark(element: etree._Element | None, name: str, apart_from: etree._Element | None = None) -> int:
    """Mark the texts in an element, and return their number."""
    # A text box stands in the file in two forms.
    boxes = () if apart_from is None else (apart_from, *apart_from.iterancestors("{*}AlternateContent"))
    own = {*boxes[-1].iter(f"{name}t")} if boxes else ()
    texts = [] if element is None else list(element.iter(f"{name}t"))
    mark_unsure(text for text in texts if text not in own)
    return len(own) + len(texts) + 1
