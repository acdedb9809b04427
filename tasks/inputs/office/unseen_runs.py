"""Removes the text of a Word document that a reader does not see, and marks the text that is struck through, by the
properties of its runs, paragraphs and styles (ECMA-376, part 1, 17.3 and 17.7.2)."""

import copy
import re
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from tasks.inputs.contrast import WHITE, Color, is_seen
from tasks.inputs.office import colors, drawings, word_markup
from tasks.inputs.office.colors import Grounds
from tasks.inputs.office.measures import HALF_POINTS, LETTER_WIDTH, TWIPS, is_overprinted, is_tiny, points
from tasks.inputs.office.word_places import Backs, PaperSize, Place, WordPlaces, shading, theme_color

_BEHIND = re.compile(rb"""behindDoc=["'](?:1|true)|z-index: *-""")
"""Pattern of parts with shapes that lie behind the text."""
_DRAWN = re.compile(rb"[:<](?:blip|imagedata|fill|solidFill|gradFill|pattFill)[\s/>]|fillcolor")
"""Pattern of parts with pictures or filled shapes, on which boxes without a fill may lie."""
_OFF = ("0", "false", "off")
_LONGEST_CHAIN = 20
"""A style is based on at most this many others, one on the next."""
_SMALL = 4.0
"""Smaller text, in points, is perhaps not seen."""
_SIZE = 10.0
"""The size of text in points if nothing sets one."""
_FAINT = 0.1
"""Text that is less opaque is not seen."""
_OF_CORNERS = {
    "nwCell": ("firstRow", "firstCol"),
    "neCell": ("firstRow", "lastCol"),
    "swCell": ("lastRow", "firstCol"),
    "seCell": ("lastRow", "lastCol"),
}
"""Parts of a table with the same shade as its corners, unless these have their own."""
_NARROW_LETTER = 0.4
"""The average width of letters and digits of a narrow font, for a size of 1."""
_MOST_LOOKS = 10_000
"""At most this many looks of runs are held."""
_MOST_COLORS = 50
"""The cells of a style of tables have at most this many colours; it cannot be judged if there are more."""


class _Look(NamedTuple):
    """Properties of a run, or those that a style sets. None stands for one that is not set."""

    is_hidden: bool | None = None
    is_struck: bool | None = None
    color: Color | str | None = None
    """"auto" if the program chooses one that is seen, or if it is not known; "none" for letters that are not filled."""
    shade: Grounds | None = None
    highlight: Grounds | None = None
    has_effect: bool | None = None
    """True if letters have outlines, shadows or the like, which are seen where the letters themselves are not."""
    size: float | None = None
    complex_size: float | None = None
    is_complex: bool | None = None
    """True if the size is that for complex scripts."""
    width: float | None = None
    """Share of the usual width of the letters."""
    spacing: float | None = None
    """Points between letters."""
    raised: float | None = None
    """Points above the line."""

    def over(self, other: "_Look") -> "_Look":
        """Return these properties, with those of `other` in the places of the ones that are not set."""
        return self._replace(**{name: value for name, value in other._asdict().items() if getattr(self, name) is None})

    @property
    def points(self) -> float:
        return (self.complex_size if self.is_complex else self.size) or _SIZE


class _Layout(NamedTuple):
    """Properties of a paragraph, or those that a style sets. None stands for one that is not set."""

    shade: Grounds | None = None
    left: float | None = None
    right: float | None = None
    first: float | None = None
    alignment: str | None = None
    line: float | None = None
    """The exact height of lines; infinite if they are as high as their text."""
    before: float | None = None
    after: float | None = None

    def over(self, other: "_Layout") -> "_Layout":
        return self._replace(**{name: value for name, value in other._asdict().items() if getattr(self, name) is None})


class _Around(NamedTuple):
    """Properties that a run has from its paragraph."""

    style: str
    layout: _Layout
    place: Place
    page: PaperSize


class Runs:
    """The looks of runs, by the styles of a document."""

    def __init__(self, members: Mapping[str, bytes], namespace: str) -> None:
        """`members` are the parts of the document by their names."""
        self._namespace = namespace
        self._name = f"{{{namespace}}}"
        self._based_on: dict[str, str] = {}
        self._own: dict[str, tuple[_Look, _Layout]] = {}
        self._default = _Look(), _Layout()
        self._paragraph_style = ""
        self._chains: dict[str, tuple[_Look, _Layout]] = {}
        self._looks: dict[tuple[str, str, bytes], _Look] = {}
        self._looks_of_styles: dict[tuple[str, ...], _Look] = {}
        self._tables: dict[str, Grounds] = {}
        self._unsure_tables: set[str] = set()
        self._bottoms: dict[etree._Element, dict[etree._Element, tuple[float, float, float]]] = {}
        self._theme = colors.Theme(None)
        parts = [part for name, part in members.items() if name.startswith("word/") and name.endswith(".xml")]
        is_behind, is_drawn = (any(map(pattern.search, parts)) for pattern in (_BEHIND, _DRAWN))
        self._backs = Backs(
            colors.UNKNOWN if is_behind else (WHITE,), colors.UNKNOWN if is_behind or is_drawn else None
        )
        settings, styles = (self._parsed(members.get(f"word/{name}.xml", b"")) for name in ("settings", "styles"))
        mapping = None if settings is None else settings.find(f"{self._name}clrSchemeMapping")
        names = {} if mapping is None else {etree.QName(str(name)).localname: str(to) for name, to in mapping.items()}
        themes = (part for name, part in members.items() if name.startswith("word/theme/") and name.endswith(".xml"))
        if settings is not None or styles is not None:
            self._theme = colors.Theme(next(themes, None), names)
        self._shows_background = (
            settings is not None and settings.find(f"{self._name}displayBackgroundShape") is not None
        )
        if styles is not None:
            self._read_styles(styles)

    def apply_to(self, root: etree._Element) -> None:
        """Remove what is not seen from a part, and put the property for struck text where only a style has it."""
        places = WordPlaces(root, self._namespace, self._theme, self._tables, self._backs_of(root))
        word_markup.simplify(root, self._namespace)
        self._bottoms.clear()
        arounds: dict[etree._Element | None, _Around] = {
            None: _Around("", _Layout(), places.around(root), places.page_of(root))
        }
        # Within a run, a smart tag is the text that has ruby.
        texts = "{*}t", f"{self._name}sym", f"{self._name}smartTag"
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
                    drawings.mark_unsure(run.iter(f"{self._name}t"))
                if look.is_struck:
                    self._strike(run)

    def _parsed(self, part: bytes) -> etree._Element | None:
        if f'"{self._namespace}"'.encode() not in part and f"'{self._namespace}'".encode() not in part:
            return None
        return etree.fromstring(part, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))

    def _backs_of(self, root: etree._Element) -> Backs:
        background = root.find(f"{self._name}background") if self._shows_background else None
        if background is None:
            return self._backs
        color = theme_color(background, self._name, self._theme, "color", "themeColor")
        if len(background) or color is None:
            return self._backs._replace(page=colors.UNKNOWN)
        return self._backs if self._backs.page == colors.UNKNOWN else self._backs._replace(page=(color,))

    def _around(self, paragraph: etree._Element | None, places: WordPlaces) -> _Around:
        assert paragraph is not None
        around = self._around_alone(paragraph, places)
        block = paragraph
        for container in paragraph.iterancestors():
            if container.tag in (f"{self._name}tc", f"{self._name}txbxContent"):
                if container not in self._bottoms:
                    self._bottoms[container] = self._bottoms_within(container, places)
                top, bottom, room = self._bottoms[container].get(block, (0.0, 0.0, float("inf")))
                place = around.place
                place = place._replace(
                    is_unseen=place.is_unseen or top >= room, is_unsure=place.is_unsure or bottom > room
                )
                around = around._replace(place=place)
            block = container
        return around

    def _bottoms_within(
        self, container: etree._Element, places: WordPlaces
    ) -> dict[etree._Element, tuple[float, float, float]]:
        """Return at least where the paragraphs and tables of a cell or a box begin and end, and its height; none if it
        is as high as its text."""
        width, height = places.room(container)
        found: dict[etree._Element, tuple[float, float, float]] = {}
        if height == float("inf"):
            return found
        bottom = 0.0
        for block in container.iterchildren("{*}*"):
            if block.tag != f"{self._name}p":
                lines = (
                    block.iterchildren(f"{self._name}tr")
                    if block.tag == f"{self._name}tbl"
                    else block.iter(f"{self._name}p")
                )
                found[block] = bottom, bottom + _SIZE * sum(1 for _ in lines), height
                bottom = found[block][1]
                continue
            around = self._around_alone(block, places)
            top = bottom + (around.layout.before or 0.0)
            text_height = self._height(block, around, width)
            # The first line is seen as far as it is within the room.
            is_first_line = not top and text_height <= self._line(block, around)
            found[block] = top, 0.0 if is_first_line else top + text_height, height
            bottom = top + text_height + (around.layout.after or 0.0)
        return found

    def _line(self, paragraph: etree._Element, around: _Around) -> float:
        runs = paragraph.findall(f"{self._name}r") or paragraph.findall(f"{self._name}pPr")
        size = max((self._look_of(run, around).points for run in runs), default=_SIZE)
        return min(size, around.layout.line or float("inf"))

    def _height(self, paragraph: etree._Element, around: _Around, width: float) -> float:
        """Return at least how high the lines of a paragraph are."""
        line = self._line(paragraph, around)
        length = sum(len(text.text or "") for text in paragraph.iter(f"{self._name}t"))
        breaks = sum(1 for _ in paragraph.iter(f"{self._name}br"))
        return line * (1 + breaks + int(length * _NARROW_LETTER * line / max(width, 1.0)))

    def _around_alone(self, paragraph: etree._Element, places: WordPlaces) -> _Around:
        """Return the properties around runs, without those of the text before them."""
        properties = paragraph.find(f"{self._name}pPr")
        style = self._style_of(properties, "pStyle") or self._paragraph_style
        layout = self._chain(style)[1]
        if properties is not None:
            layout = self._read_layout(properties).over(layout)
        around = _Around(style, layout, places.around(paragraph), places.page_of(paragraph))
        if self._is_beside_page(paragraph, around, places):
            return around._replace(place=around.place._replace(is_unseen=True))
        return around

    def _is_beside_page(self, paragraph: etree._Element, around: _Around, places: WordPlaces) -> bool:
        """True if a paragraph is outside the page: by its indents, or as a frame."""
        page, layout = around.page, around.layout
        frame = paragraph.find(f"{self._name}pPr/{self._name}framePr")
        if frame is not None:
            left, top = places.left_and_top(frame, ("x", "y", "hAnchor", "vAnchor"))
            width = points(frame.get(f"{self._name}w"), TWIPS) or page.width
            return page.misses(left, width, top, page.height)
        left = page.left + (layout.left or 0.0)
        right = page.width - page.right - (layout.right or 0.0)
        first = left + (layout.first or 0.0)
        if min(left, first) >= 0 and max(left, first, right) < page.width and right >= 0:
            return False
        size = max(
            (self._look_of(run, around).points for run in paragraph.iterchildren(f"{self._name}r")), default=_SIZE
        )
        length = sum(len(text.text or "") for text in paragraph.iter(f"{self._name}t"))
        width = max(min(length * LETTER_WIDTH * size, right - first), 1.0)
        match layout.alignment:
            case "right" | "end":
                return page.misses(right - width, width)
            case "center":
                return page.misses((first + right - width) / 2, width)
            case _:
                return page.misses(first, width)

    def _is_unsure(self, look: _Look, around: _Around) -> bool:
        """True if text is not seen on some of the grounds that it may stand on, or is very small. Text that is seen on
        paper is taken for seen, because documents have it on pictures and tables of all colours."""
        if look.points < _SMALL or around.place.is_unsure or around.place.table_style in self._unsure_tables:
            return True
        if look.has_effect or not isinstance(look.color, tuple) or is_seen(look.color, (WHITE,)):
            return False
        color = look.color
        return not all(is_seen(color, (ground,)) for ground in self._grounds(look, around))

    def _grounds(self, look: _Look, around: _Around) -> Grounds:
        return look.highlight or look.shade or around.layout.shade or around.place.grounds

    def _is_unseen(self, look: _Look, around: _Around) -> bool:
        line = around.layout.line or float("inf")
        height, width = min(look.points, line), look.points * min(look.width or 1.0, 1.0)
        if around.place.is_unseen or is_tiny(min(height, width)) or is_overprinted(look.spacing or 0.0, look.points):
            return True
        if abs(look.raised or 0.0) >= min(around.page.height, line):
            return True
        if look.has_effect or look.color is None or look.color == "auto":
            return False
        return isinstance(look.color, str) or not is_seen(look.color, self._grounds(look, around))

    def _look_of(self, run: etree._Element, around: _Around) -> _Look:
        own = run.find(f"{self._name}rPr")
        if own is None:
            return self._look_of_styles(around.place.table_style, around.style, "")
        # Most runs of a document have the properties of another.
        key = around.place.table_style, around.style, etree.tostring(own, with_tail=False)
        if key not in self._looks:
            if len(self._looks) > _MOST_LOOKS:
                self._looks.clear()
            styles = self._look_of_styles(around.place.table_style, around.style, self._style_of(own, "rStyle"))
            self._looks[key] = self._read(own).over(styles)
        return self._looks[key]

    def _look_of_styles(self, *styles: str) -> _Look:
        """Return what the styles of a table, of a paragraph and of characters set."""
        if styles not in self._looks_of_styles:
            table, below, above = (self._chain(style)[0] for style in styles)
            # A style of characters toggles what the style of the paragraph has.
            toggled = _Look(
                _toggled(below.is_hidden, above.is_hidden),
                _toggled(below.is_struck, above.is_struck),
            )
            self._looks_of_styles[styles] = toggled.over(above).over(below).over(table).over(self._default[0])
        return self._looks_of_styles[styles]

    def _style_of(self, properties: etree._Element | None, name: str) -> str:
        style = None if properties is None else properties.find(f"{self._name}{name}")
        return "" if style is None else style.get(f"{self._name}val", "")

    def _chain(self, style: str) -> tuple[_Look, _Layout]:
        """Return what a style sets, with what it has from those that it is based on."""
        if style not in self._chains:
            look, layout, based = _Look(), _Layout(), style
            for _ in range(_LONGEST_CHAIN):
                if based not in self._own:
                    break
                look, layout = look.over(self._own[based][0]), layout.over(self._own[based][1])
                based = self._based_on.get(based, "")
            self._chains[style] = look, layout.over(self._default[1])
        return self._chains[style]

    def _read_styles(self, root: etree._Element) -> None:
        look, layout = (
            root.find(f"{self._name}docDefaults/{self._name}{kind}Default/{self._name}{kind}")
            for kind in ("rPr", "pPr")
        )
        self._default = self._read(look), self._read_layout(layout)
        shades: dict[str, Grounds] = {}
        for style in root.findall(f"{self._name}style"):
            key = style.get(f"{self._name}styleId", "")
            if style.get(f"{self._name}type") == "paragraph" and style.get(f"{self._name}default") in ("1", "true"):
                self._paragraph_style = key
            self._based_on[key] = self._style_of(style, "basedOn")
            self._own[key] = (
                self._read(style.find(f"{self._name}rPr")),
                self._read_layout(style.find(f"{self._name}pPr")),
            )
            if style.get(f"{self._name}type") == "table":
                found = [shading(one, self._name, self._theme) for one in style.iter(f"{self._name}shd")]
                shades[key] = _distinct(found)
                if any(self._hides(part, self._own[key][0]) for part in style.iterchildren(f"{self._name}tblStylePr")):
                    self._unsure_tables.add(key)
        for key in shades:
            chain = [key]
            while len(chain) < _LONGEST_CHAIN and (based := self._based_on.get(chain[-1], "")) in shades:
                chain.append(based)
            self._tables[key] = _distinct([shades[one] for one in chain])
            if not self._unsure_tables.isdisjoint(chain):
                self._unsure_tables.add(key)

    def _hides(self, part: etree._Element, whole: _Look) -> bool:
        """True if a style of tables hides the text in a part of them, such as the first row."""
        look = self._read(part.find(f"{self._name}rPr")).over(whole)
        if look.is_hidden or is_tiny(look.points):
            return True
        if not isinstance(look.color, tuple):
            return look.color == "none"
        parts = _OF_CORNERS.get(part.get(f"{self._name}type", ""), ())
        whole_table = next(part.iterancestors())
        neighbours = [one for one in whole_table.iterchildren(part.tag) if one.get(f"{self._name}type") in parts]
        around_corner = tuple(color for one in neighbours for color in self._shade_of(one))
        grounds = self._shade_of(part) or around_corner or self._shade_of(whole_table) or (WHITE,)
        return not is_seen(look.color, grounds)

    def _shade_of(self, style: etree._Element) -> Grounds:
        shade = style.find(f"{self._name}tcPr/{self._name}shd")
        return () if shade is None else shading(shade, self._name, self._theme)

    def _read(self, properties: etree._Element | None) -> _Look:
        set_: dict[str, object] = {}
        for one in () if properties is None else properties:
            value = one.get(f"{self._name}val", "")
            match etree.QName(one).localname if isinstance(one.tag, str) else "":
                case "vanish" | "specVanish":
                    set_["is_hidden"] = bool(set_.get("is_hidden")) or value not in _OFF
                case "strike" | "dstrike":
                    set_["is_struck"] = bool(set_.get("is_struck")) or value not in _OFF
                case "color":
                    set_.setdefault("color", theme_color(one, self._name, self._theme, "val", "themeColor") or "auto")
                case "textFill":
                    set_["color"] = self._filled(one)
                case "shd":
                    set_["shade"] = shading(one, self._name, self._theme)
                case "highlight":
                    color = colors.of_css(value)
                    set_["highlight"] = () if value == "none" else colors.UNKNOWN if color is None else (color,)
                case "emboss" | "imprint" | "shadow" | "outline" | "glow" | "reflection" | "textOutline":
                    is_off = value in _OFF or any(True for _ in one.iterchildren("{*}noFill"))
                    set_["has_effect"] = bool(set_.get("has_effect")) or not is_off
                case "sz":
                    set_["size"] = points(value, HALF_POINTS)
                case "szCs":
                    set_["complex_size"] = points(value, HALF_POINTS)
                case "cs" | "rtl":
                    set_["is_complex"] = bool(set_.get("is_complex")) or value not in _OFF
                case "w":
                    width = points(value.removesuffix("%"), 100)
                    set_["width"] = width or None
                case "spacing":
                    set_["spacing"] = points(value, TWIPS)
                case "position":
                    set_["raised"] = points(value, HALF_POINTS)
        return _Look(**set_)  # type: ignore[arg-type]

    def _filled(self, fill: etree._Element) -> Color | str:
        """Return the colour of letters that Word 2010 and later programs fill with it, instead of their colour."""
        if any(True for _ in fill.iterchildren("{*}noFill")):
            return "none"
        for solid in fill.iterchildren("{*}solidFill"):
            plain = copy.deepcopy(solid)
            for one in plain.iter("{*}*"):
                one.attrib.update({etree.QName(str(name)).localname: value for name, value in one.attrib.items()})
                if etree.QName(one).localname == "alpha":
                    # In this namespace, it is the share that is transparent.
                    one.set("val", str(100_000 - int(points(one.get("val"), 1) or 0)))
            found = self._theme.read(plain)
            if found is not None:
                return found[0] if found[1] >= _FAINT else "none"
        return "auto"

    def _read_layout(self, properties: etree._Element | None) -> _Layout:
        layout = _Layout()
        for one in () if properties is None else properties:
            match etree.QName(one).localname if isinstance(one.tag, str) else "":
                case "shd":
                    layout = layout._replace(shade=shading(one, self._name, self._theme))
                case "ind":
                    side = {name: points(one.get(f"{self._name}{name}"), TWIPS) for name in _INDENTS}
                    hanging = None if side["hanging"] is None else -side["hanging"]
                    layout = layout._replace(
                        left=side["left"] if side["start"] is None else side["start"],
                        right=side["right"] if side["end"] is None else side["end"],
                        first=side["firstLine"] if hanging is None else hanging,
                    )
                case "jc":
                    layout = layout._replace(alignment=one.get(f"{self._name}val"))
                case "spacing":
                    before, after, line = (one.get(f"{self._name}{name}") for name in ("before", "after", "line"))
                    layout = layout._replace(before=points(before, TWIPS), after=points(after, TWIPS))
                    if line is not None:
                        is_exact = one.get(f"{self._name}lineRule") == "exact"
                        layout = layout._replace(line=(points(line, TWIPS) if is_exact else None) or float("inf"))
        return layout

    def _strike(self, run: etree._Element) -> None:
        properties = run.find(f"{self._name}rPr")
        if properties is None:
            properties = etree.Element(f"{self._name}rPr")
            run.insert(0, properties)
        for strike in properties.findall(f"{self._name}strike"):
            properties.remove(strike)
        etree.SubElement(properties, f"{self._name}strike")


_INDENTS = ("left", "start", "right", "end", "firstLine", "hanging")


def _toggled(below: bool | None, above: bool | None) -> bool | None:
    return None if below is None and above is None else bool(below) != bool(above)


def _distinct(grounds: list[Grounds]) -> Grounds:
    colors_ = tuple(dict.fromkeys(color for ground in grounds for color in ground))
    return colors_ if len(colors_) <= _MOST_COLORS else colors.UNKNOWN


def _clear(run: etree._Element, *tags: str) -> None:
    for part in list(run.iterchildren(*tags)):
        run.remove(part)
