"""Removes the text of a Word document that a reader does not see, and marks the text that is struck through, by the
properties of its runs, paragraphs and styles (ECMA-376, part 1, 17.3 and 17.7.2)."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from tasks.inputs.contrast import WHITE, is_seen
from tasks.inputs.office import colors, drawings, shifted_text, word_doubts, word_markup
from tasks.inputs.office.colors import Grounds
from tasks.inputs.office.measures import LETTER_WIDTH, TWIPS, is_overprinted, is_tiny, points
from tasks.inputs.office.word_covers import Flow, doubt_what_is_covered
from tasks.inputs.office.word_pages import PaperSize
from tasks.inputs.office.word_parts import is_of_word
from tasks.inputs.office.word_places import Backs, Place, WordPlaces, shading, theme_color
from tasks.inputs.office.word_styles import SIZE, ParagraphLayout, RunLook, WordStyles

_BEHIND = re.compile(rb"""behindDoc=["'](?:1|true)|z-index: *-""")
"""Pattern of parts with shapes that lie behind the text."""
_DRAWN = re.compile(rb"[:<](?:blip|imagedata|fill|solidFill|gradFill|pattFill)[\s/>]|fillcolor")
"""Pattern of parts with pictures or filled shapes, on which boxes without a fill may lie."""
_SMALL = 4.0
"""Smaller text, in points, is perhaps not seen."""
_SMALLEST_FRAME = 3.0
"""Height or width of a frame, in points, that shows no line."""
_FAR = 144.0
"""Indent or margin of a table, in points, that no style needs."""
_TAB = 36.0
"""Distance of the tab stops that are there by default, in points."""
_BELOW = (True, True)
_OFF = ("0", "false", "off")
_OF_CORNERS = {
    "nwCell": ("firstRow", "firstCol"),
    "neCell": ("firstRow", "lastCol"),
    "swCell": ("lastRow", "firstCol"),
    "seCell": ("lastRow", "lastCol"),
}
"""Parts of a table with the same shade as its corners, unless these have their own."""
_NARROW_LETTER = 0.4
"""The average width of letters and digits of a narrow font, for a size of 1."""
_WIDE_LETTER = 0.75
"""The average width of capital letters, for a size of 1."""
_LARGE = 12.0
"""The size in points of an empty line, at most."""
_MOST_LOOKS = 10_000
"""At most this many looks of runs are held."""
_MOST_COLORS = 50
"""The cells of a style of tables have at most this many colours; it cannot be judged if there are more."""


class _Around(NamedTuple):
    """Properties that a run has from its paragraph."""

    style: str
    layout: ParagraphLayout
    place: Place
    page: PaperSize

    def with_place(self, *, is_unseen: bool, is_unsure: bool) -> "_Around":
        """Return these properties of a run that is not seen for another reason, or perhaps not seen."""
        if not is_unseen and not is_unsure:
            return self
        place = self.place
        return self._replace(
            place=place._replace(is_unseen=place.is_unseen or is_unseen, is_unsure=place.is_unsure or is_unsure)
        )


class Runs:
    """The looks of runs, by the styles of a document."""

    def __init__(self, members: Mapping[str, bytes], namespace: str, others: Mapping[str, etree._Element]) -> None:
        """`members` are the parts of the document by their names, `others` the roots of its styles, numbering and
        settings."""
        self._namespace = namespace
        self._name = f"{{{namespace}}}"
        self._looks: dict[tuple[str, str, bytes], RunLook] = {}
        self._tables: dict[str, Grounds] = {}
        self._unsure_tables: set[str] = set()
        self._alone: dict[etree._Element, _Around] = {}
        self._bottoms: dict[etree._Element, dict[etree._Element, tuple[bool, bool]] | None] = {}
        self._overflows: dict[etree._Element, tuple[bool, bool]] = {}
        self._theme = colors.Theme(None)
        parts = [part for part in members.values() if is_of_word(part)]
        is_behind, is_drawn = (any(map(pattern.search, parts)) for pattern in (_BEHIND, _DRAWN))
        self._backs = Backs(
            colors.UNKNOWN if is_behind else (WHITE,), colors.UNKNOWN if is_behind or is_drawn else None
        )
        parsed = {kind: root for kind, root in others.items() if root.tag == f"{self._name}{kind}"}
        settings = parsed.get("settings")
        mapping = None if settings is None else settings.find(f"{self._name}clrSchemeMapping")
        names = {} if mapping is None else {etree.QName(str(name)).localname: str(to) for name, to in mapping.items()}
        themes = (part for name, part in members.items() if name.startswith("word/theme/") and name.endswith(".xml"))
        if parsed:
            self._theme = colors.Theme(next(themes, None), names)
        self._shows_background = (
            settings is not None and settings.find(f"{self._name}displayBackgroundShape") is not None
        )
        self._styles = WordStyles(namespace, self._theme, parsed)
        self.are_doubtful = self._styles.are_doubtful or (
            settings is not None and bool(word_doubts.doubted_elements(settings))
        )
        """True if the styles, the numbering or the settings have unusual markup that may concern all text."""
        self._judge_table_styles()

    def apply_to(self, root: etree._Element) -> None:
        """Remove what is not seen from a part, and put the property for struck text where only a style has it."""
        places = WordPlaces(
            root, self._namespace, self._theme, self._tables, self._styles.default_table, self._backs_of(root)
        )
        for held in (self._alone, self._bottoms, self._overflows):
            held.clear()
        shaded = {style for style, grounds in self._tables.items() if grounds}
        flow = Flow(root, self._name, places.page_of(root), lambda one: self._heights(one, places), shaded)
        doubt_what_is_covered(root, self._name, flow)
        word_markup.simplify(root, self._namespace)
        arounds: dict[etree._Element | None, _Around] = {
            None: _Around("", ParagraphLayout(), places.around(root), places.page_of(root))
        }
        # Within a run, a smart tag is the text that has ruby.
        texts = "{*}t", f"{self._name}sym", f"{self._name}smartTag"
        shifted: defaultdict[etree._Element | None, list[tuple[etree._Element, float]]] = defaultdict(list)
        drawn = tuple(f"{self._name}{name}" for name in ("t", "tab", "br"))
        for run in root.iter("{*}r"):
            paragraph = next(run.iterancestors(f"{self._name}p"), None)
            if paragraph not in arounds:
                arounds[paragraph] = self._around(paragraph, places)
            around = arounds[paragraph]
            look = self._look_of(run, around)
            if look.is_hidden:
                _clear(run, *texts, *(f"{self._name}{name}" for name in ("drawing", "pict", "object")))
            elif self._is_unseen(look, around):
                _clear(run, *texts)
            else:
                if self._is_unsure(look, around):
                    drawings.mark_unsure(run.iter("{*}t"))
                shift = (look.raised or 0.0) / max(look.points, 1.0)
                shifted[paragraph] += ((part, shift) for part in run.iterchildren(*drawn))
                if look.is_struck:
                    self._strike(run)
        for pieces in shifted.values():
            shifted_text.divide(pieces)

    def _backs_of(self, root: etree._Element) -> Backs:
        background = root.find(f"{self._name}background") if self._shows_background else None
        if background is None:
            return self._backs
        color = theme_color(background, self._name, self._theme, "color", "themeColor")
        if len(background) or color is None:
            return self._backs._replace(page=colors.UNKNOWN)
        return self._backs if self._backs.page == colors.UNKNOWN else self._backs._replace(page=(color,))

    def _around(self, paragraph: etree._Element | None, places: WordPlaces) -> _Around:
        """Return the properties around the runs of a paragraph."""
        assert paragraph is not None
        around = self._around_alone(paragraph, places)
        is_below, is_perhaps_below = self._overflow(paragraph, places)
        return around.with_place(is_unseen=is_below, is_unsure=is_perhaps_below)

    def _overflow(self, block: etree._Element, places: WordPlaces) -> tuple[bool, bool]:
        """Return whether something begins below the end of a cell or a box around it, and whether it may end there."""
        for container in block.iterancestors():
            if container.tag in (f"{self._name}tc", f"{self._name}txbxContent"):
                if container not in self._overflows:
                    self._bottoms[container] = self._bottoms_within(container, places)
                    self._overflows[container] = self._overflow(container, places)
                (is_below, is_perhaps_below), bottoms = self._overflows[container], self._bottoms[container]
                here = (False, False) if bottoms is None else bottoms.get(block, _BELOW)
                return is_below or here[0], is_perhaps_below or here[1]
            block = container
        return False, False

    def _bottoms_within(
        self, container: etree._Element, places: WordPlaces
    ) -> dict[etree._Element, tuple[bool, bool]] | None:
        """Return whether the paragraphs and tables of a cell or a box begin below its end at least, and whether they
        end there; those that are missing do. None if it is as high as its text."""
        width, height = places.room(container)
        if height == float("inf"):
            return None
        found: dict[etree._Element, tuple[bool, bool]] = {}
        bottom = 0.0
        for block in container.iterchildren("{*}*"):
            if bottom >= height:
                return found
            if block.tag != f"{self._name}p":
                lines = (
                    block.iterchildren(f"{self._name}tr")
                    if block.tag == f"{self._name}tbl"
                    else block.iter(f"{self._name}p")
                )
                bottom += SIZE * sum(1 for _ in lines)
                found[block] = False, bottom > height
                continue
            around = self._around_alone(block, places)
            top = bottom + max(around.layout.before or 0.0, 0.0)
            text_height = self._height(block, around, width)
            # The first line is seen as far as it is within the room.
            is_first_line = not top and text_height <= self._line(block, around)
            found[block] = top >= height, not is_first_line and top + text_height > height
            bottom = top + text_height + max(around.layout.after or 0.0, 0.0)
        return found

    def _line(self, paragraph: etree._Element, around: _Around) -> float:
        runs = paragraph.findall(f"{self._name}r") or paragraph.findall(f"{self._name}pPr")
        size = max((self._look_of(run, around).points for run in runs), default=SIZE)
        return min(size, around.layout.line or float("inf"))

    def _height(self, paragraph: etree._Element, around: _Around, width: float) -> float:
        """Return at least how high the lines of a paragraph are."""
        line = self._line(paragraph, around)
        return line * self._lines(paragraph, _NARROW_LETTER * line, width)

    def _lines(self, paragraph: etree._Element, letter: float, width: float) -> int:
        """Return how many lines the text of a paragraph takes if its letters are of a width in points."""
        length = sum(len(text.text or "") for text in paragraph.iter(f"{self._name}t"))
        breaks = sum(1 for _ in paragraph.iter(f"{self._name}br"))
        return 1 + breaks + int(length * letter / max(width, 1.0))

    def _heights(self, paragraph: etree._Element, places: WordPlaces) -> tuple[float, float]:
        """Return how high a paragraph is at least and at most, with the space around it."""
        around = self._around_alone(paragraph, places)
        page, layout = around.page, around.layout
        width = page.width - page.left - page.right
        runs = list(paragraph.iter(f"{self._name}r")) or paragraph.findall(f"{self._name}pPr")
        looks = [self._look_of(run, around) for run in runs]
        size = max((look.points for look in looks), default=_LARGE)
        line = max(layout.line, size) if layout.line < float("inf") else layout.most_line(size)
        room = width - (layout.left or 0.0) - (layout.right or 0.0)
        space = max(layout.before or 0.0, 0.0) + max(layout.after or 0.0, 0.0)
        most = line * self._lines(paragraph, _WIDE_LETTER * size, room) + space
        is_in_flow = layout.frame is None and paragraph.find(f".//{self._name}del") is None
        if not is_in_flow or any(look.is_hidden for look in looks) or paragraph.find(".//{*}vanish") is not None:
            return 0.0, most
        return self._height(paragraph, around, 2 * width), most

    def _around_alone(self, paragraph: etree._Element, places: WordPlaces) -> _Around:
        """Return the properties around runs, without those of the text before them."""
        if paragraph not in self._alone:
            place = places.around(paragraph)
            style, layout = self._styles.layout_of(paragraph, place.table_style)
            around = _Around(style, layout, place, places.page_of(paragraph))
            is_beside, is_perhaps_beside = self._is_beside_page(paragraph, around)
            self._alone[paragraph] = around.with_place(is_unseen=is_beside, is_unsure=is_perhaps_beside)
        return self._alone[paragraph]

    def _is_beside_page(self, paragraph: etree._Element, around: _Around) -> tuple[bool, bool]:
        """Return whether a paragraph is outside the page, and whether a part of it may be: by its indents and tab
        stops, or as a frame."""
        page, layout = around.page, around.layout
        is_beside, is_partly_beside = self._is_line_beside_page(paragraph, around)
        stop = layout.farthest_stop
        if stop is not None and page.left + stop >= page.width:
            tabs = paragraph.iter(f"{self._name}tab")
            is_partly_beside = is_partly_beside or any(
                next(tab.iterancestors()).tag == f"{self._name}r" for tab in tabs
            )
        if layout.frame is None:
            return is_beside, is_partly_beside
        left, top = page.position(layout.frame, ("x", "y", "hAnchor", "vAnchor"))
        width, height = (points(layout.frame.get(side), TWIPS) for side in ("w", "h"))
        is_flat = any(side is not None and side < _SMALLEST_FRAME for side in (width, height))
        is_cut = min(left, top) < 0 or (width is not None and left + width > page.width)
        is_outside = page.misses(left, width or page.width, top, page.height)
        return is_outside, is_flat or is_cut or is_beside or is_partly_beside

    def _is_line_beside_page(self, paragraph: etree._Element, around: _Around) -> tuple[bool, bool]:
        """Return whether the lines of a paragraph are outside the page by its indents, and whether parts are."""
        page, layout = around.page, around.layout
        left = page.left + (layout.left or 0.0)
        right = page.width - page.right - (layout.right or 0.0)
        first = left + (layout.first or 0.0)
        if min(left, first, right) >= 0 and max(left, first) < page.width >= right:
            return False, False
        size = max(
            (self._look_of(run, around).points for run in paragraph.iterchildren(f"{self._name}r")), default=SIZE
        )
        length = sum(len(text.text or "") for text in paragraph.iter(f"{self._name}t"))
        tabs = sum(1 for _ in self._tabs(paragraph)) * (layout.farthest_stop or _TAB)
        if layout.alignment == "distribute":
            tabs = 2 * page.width
        start, end = _line(layout.alignment, first, right, length * LETTER_WIDTH * size + tabs)
        widest_start, widest_end = _line(layout.alignment, min(left, first), right, length * size + tabs)
        return page.misses(start, end - start), widest_start < 0 or widest_end > page.width

    def _tabs(self, paragraph: etree._Element) -> Iterator[etree._Element]:
        """Yield the tabs in the text of a paragraph."""
        tabs = paragraph.iter(f"{self._name}tab", f"{self._name}ptab")
        return (tab for tab in tabs if next(tab.iterancestors()).tag == f"{self._name}r")

    def _is_unsure(self, look: RunLook, around: _Around) -> bool:
        """True if text is not seen on some of the grounds that it may stand on, or by some programs, or is very small.

        Text that is seen on paper is taken for seen, because documents have it on pictures and tables of all colours.
        """
        place = around.place
        if look.is_doubtful or around.layout.is_doubtful or place.is_unsure or place.table_style in self._unsure_tables:
            return True
        size = look.points
        if min(size, size * (look.width or 1.0), around.layout.least_line(size)) < _SMALL:
            return True
        drawn = [color for color in (look.color, look.fill) if isinstance(color, tuple)]
        return any(
            not all(is_seen(color, (ground,)) for ground in self._grounds(look, around))
            for color in drawn
            if not is_seen(color, (WHITE,))
        )

    def _grounds(self, look: RunLook, around: _Around) -> Grounds:
        return look.highlight or look.shade or around.layout.shade or around.place.grounds

    def _is_unseen(self, look: RunLook, around: _Around) -> bool:
        line = around.layout.line
        height, width = min(look.points, line), look.points * min(look.width or 1.0, 1.0)
        if around.place.is_unseen or is_tiny(min(height, width)) or is_overprinted(look.spacing or 0.0, look.points):
            return True
        if abs(look.raised or 0.0) >= min(around.page.height, line):
            return True
        color = look.color if look.fill is None else look.fill
        if look.has_effect or color is None or color == "auto":
            return False
        return isinstance(color, str) or not is_seen(color, self._grounds(look, around))

    def _look_of(self, run: etree._Element, around: _Around) -> RunLook:
        own = run.find(f"{self._name}rPr")
        if own is None:
            return self._styles.look_of(None, around.place.table_style, around.style)
        # Most runs of a document have the properties of another.
        key = around.place.table_style, around.style, etree.tostring(own, with_tail=False)
        if key not in self._looks:
            if len(self._looks) > _MOST_LOOKS:
                self._looks.clear()
            self._looks[key] = self._styles.look_of(own, *key[:2])
        return self._looks[key]

    def _judge_table_styles(self) -> None:
        """Find the colours of the styles of tables, and which of them hide text."""
        styles = self._styles.tables
        shades = {
            key: _distinct([shading(one, self._name, self._theme) for one in style.iter(f"{self._name}shd")])
            for key, style in styles.items()
        }
        hiding = {key for key, style in styles.items() if self._perhaps_hides(style)}
        for key in styles:
            chain = self._styles.chain_of_table(key)
            self._tables[key] = _distinct([shades[one] for one in chain])
            if not hiding.isdisjoint(chain):
                self._unsure_tables.add(key)

    def _perhaps_hides(self, style: etree._Element) -> bool:
        """True if a style of tables may hide text in them, or in a part of them, such as the first row."""
        for name in ("tblInd", "left", "right", "start", "end", "top", "bottom"):
            for one in style.iter(f"{self._name}{name}"):
                if abs(points(one.get(f"{self._name}w"), TWIPS) or 0.0) > _FAR:
                    return True
        for height in style.iter(f"{self._name}trHeight"):
            if (
                height.get(f"{self._name}hRule") == "exact"
                and (points(height.get(f"{self._name}val"), TWIPS) or 0) < SIZE
            ):
                return True
        if any(one.get(f"{self._name}val") not in _OFF for one in style.iter(f"{self._name}hidden")):
            return True
        whole = self._styles.read_look(style.find(f"{self._name}rPr"))
        return any(self._hides(part, whole) for part in style.iterchildren(f"{self._name}tblStylePr"))

    def _hides(self, part: etree._Element, whole: RunLook) -> bool:
        """True if a style of tables hides the text in a part of them, such as the first row."""
        look = self._styles.read_look(part.find(f"{self._name}rPr")).over(whole)
        layout = self._styles.read_layout(part.find(f"{self._name}pPr"))
        place = Place(self._grounds_of(part))
        around = _Around("", layout, place, PaperSize())
        is_beside, is_partly_beside = self._is_beside_page(part, around)
        if look.is_hidden or is_beside or is_partly_beside:
            return True
        return self._is_unseen(look, around) or self._is_unsure(look, around)

    def _grounds_of(self, part: etree._Element) -> Grounds:
        """Return the colours of a part of the tables of a style."""
        parts = _OF_CORNERS.get(part.get(f"{self._name}type", ""), ())
        whole_table = next(part.iterancestors())
        neighbours = [one for one in whole_table.iterchildren(part.tag) if one.get(f"{self._name}type") in parts]
        around_corner = tuple(color for one in neighbours for color in self._shade_of(one))
        return self._shade_of(part) or around_corner or self._shade_of(whole_table) or (WHITE,)

    def _shade_of(self, style: etree._Element) -> Grounds:
        shade = style.find(f"{self._name}tcPr/{self._name}shd")
        return () if shade is None else shading(shade, self._name, self._theme)

    def _strike(self, run: etree._Element) -> None:
        properties = run.find(f"{self._name}rPr")
        if properties is None:
            properties = etree.Element(f"{self._name}rPr")
            run.insert(0, properties)
        for strike in properties.findall(f"{self._name}strike"):
            properties.remove(strike)
        etree.SubElement(properties, f"{self._name}strike")


def _line(alignment: str | None, left: float, right: float, length: float) -> tuple[float, float]:
    """Return where a line of text of a length begins and ends between two borders."""
    width = max(min(length, right - left), 1.0)
    match alignment:
        case "right" | "end":
            return right - width, right
        case "center":
            return (left + right - width) / 2, (left + right + width) / 2
        case _:
            return left, left + width


def _distinct(grounds: list[Grounds]) -> Grounds:
    colors_ = tuple(dict.fromkeys(color for ground in grounds for color in ground))
    return colors_ if len(colors_) <= _MOST_COLORS else colors.UNKNOWN


def _clear(run: etree._Element, *tags: str) -> None:
    for part in list(run.iterchildren(*tags)):
        run.remove(part)
