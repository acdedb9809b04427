"""Finds the properties that runs and paragraphs of a Word document have: by themselves, their numbering, their styles,
those that these are based on, and the defaults (ECMA-376, part 1, 17.7.2)."""

import copy
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from tasks.inputs.contrast import Color
from tasks.inputs.office import colors
from tasks.inputs.office.colors import Grounds
from tasks.inputs.office.measures import HALF_POINTS, TWIPS, points
from tasks.inputs.office.word_doubts import doubted_elements
from tasks.inputs.office.word_places import shading, theme_color

SIZE = 10.0
"""The size of text in points if nothing sets one."""
_OFF = ("0", "false", "off")
_ON = ("1", "true", "on")
_FAINT = 0.1
"""Text that is less opaque is not seen."""
_LINES = 240
"""The height of lines that is not in twips is in parts of a line, of which this is one."""
_LINE_OF_SIZE = 1.2
"""The height of a line, for text of size 1."""
_MOST_LINE_OF_SIZE = 1.5
_CHARS = 100 / SIZE
"""Number of hundredths of a character in a point."""
_LONGEST_CHAIN_OF_TABLES = 20
"""A style of tables is based on at most this many others, one on the next."""
_FRAME = ("x", "y", "w", "h", "hAnchor", "vAnchor")
_INDENTS = ("left", "start", "right", "end", "firstLine", "hanging")


class RunLook(NamedTuple):
    """Properties of a run, or those that a style sets. None stands for one that is not set."""

    is_hidden: bool | None = None
    is_struck: bool | None = None
    is_doubtful: bool | None = None
    """True if the text may not be legible, only some programs show it, or they show it in other colours, or if a style
    has unusual markup; otherwise None."""
    color: Color | str | None = None
    """"auto" if the program chooses one that is seen, or if it is not known."""
    fill: Color | str | None = None
    """The colour with which Word 2010 and later programs fill letters, instead of `color`; "none" for none."""
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

    def over(self, other: "RunLook") -> "RunLook":
        """Return these properties, with those of `other` in the places of the ones that are not set."""
        return self._replace(**{name: value for name, value in other._asdict().items() if getattr(self, name) is None})

    @property
    def points(self) -> float:
        """The size of the text."""
        return (self.complex_size if self.is_complex else self.size) or SIZE


class ParagraphLayout(NamedTuple):
    """Properties of a paragraph, or those that a style sets. None stands for one that is not set."""

    shade: Grounds | None = None
    left: float | None = None
    right: float | None = None
    first: float | None = None
    alignment: str | None = None
    spacing: str | None = None
    """The height of lines as it is written, of which `rule` tells the unit."""
    rule: str | None = None
    before: float | None = None
    after: float | None = None
    farthest_stop: float | None = None
    """The tab stop farthest to the right, in points."""
    frame: Mapping[str, str] | None = None
    """The size and the place of the frame that the paragraph is in, as they are written."""
    number: str | None = None
    level: str | None = None
    is_doubtful: bool | None = None
    """True if the list has unusual markup; otherwise None."""

    def over(self, other: "ParagraphLayout") -> "ParagraphLayout":
        """Return these properties, with those of `other` in the places of the ones that are not set. Tab stops and
        properties of frames add up."""
        merged = {name: value for name, value in other._asdict().items() if getattr(self, name) is None}
        if self.frame is not None and other.frame is not None:
            merged["frame"] = {**other.frame, **self.frame}
        if self.farthest_stop is not None and other.farthest_stop is not None:
            merged["farthest_stop"] = max(self.farthest_stop, other.farthest_stop)
        return self._replace(**merged)

    @property
    def line(self) -> float:
        """The exact height of lines in points; infinite if they are as high as their text."""
        exact = points(self.spacing, TWIPS) if self.rule == "exact" else None
        return exact or float("inf")

    def least_line(self, size: float) -> float:
        """Return how high lines with text of a size are, if it is less than their text needs; infinite otherwise."""
        share = None if self.rule in ("exact", "atLeast") else points(self.spacing, _LINES)
        return self.line if not share or share >= 1 else share * _LINE_OF_SIZE * size

    def most_line(self, size: float) -> float:
        """Return how high lines with text of a size are at most, if their height is not exact."""
        if self.rule == "atLeast":
            return max(points(self.spacing, TWIPS) or 0.0, _MOST_LINE_OF_SIZE * size)
        return _MOST_LINE_OF_SIZE * size * max(points(self.spacing, _LINES) or 1.0, 1.0)


class WordStyles:
    """The styles and the numbering of a document."""

    def __init__(self, namespace: str, theme: colors.Theme, parts: Mapping[str, etree._Element]) -> None:
        """`parts` are those of the names "styles", "numbering" and "settings" that the document has."""
        self._name = f"{{{namespace}}}"
        self._theme = theme
        self._based_on: dict[str, str] = {}
        self._own: dict[str, tuple[RunLook, ParagraphLayout]] = {}
        self._chains: dict[str, tuple[RunLook, ParagraphLayout]] = {}
        self._looks: dict[tuple[str, ...], RunLook] = {}
        self._layouts: dict[tuple[str, str], ParagraphLayout] = {}
        self._default = RunLook(), ParagraphLayout()
        self._default_styles: dict[str, str] = {}
        self._lists: dict[str, str] = {}
        self._levels: dict[tuple[str, str], ParagraphLayout] = {}
        self._tables: dict[str, etree._Element] = {}
        self._doubted: set[etree._Element] = set()
        if "styles" in parts:
            self._read_styles(parts["styles"])
        if "numbering" in parts:
            self._read_numbering(parts["numbering"])
        for stop in parts["settings"].iterchildren(f"{self._name}defaultTabStop") if "settings" in parts else ():
            distance = points(stop.get(f"{self._name}val"), TWIPS)
            self._default = self._default[0], self._default[1].over(ParagraphLayout(farthest_stop=distance))

    @property
    def are_doubtful(self) -> bool:
        """True if the styles or the numbering have unusual markup that may concern all text."""
        return any(one.tag not in (f"{self._name}style", f"{self._name}lvl") for one in self._doubted)

    @property
    def default_table(self) -> str:
        """The style of tables that name none."""
        return self._default_styles.get("table", "")

    @property
    def tables(self) -> Mapping[str, etree._Element]:
        """The styles of tables by their keys."""
        return self._tables

    def chain_of_table(self, key: str) -> list[str]:
        """Return the key of a style of tables and the keys of the styles that it is based on."""
        chain: dict[str, None] = {}
        while key in self._tables and key not in chain and len(chain) < _LONGEST_CHAIN_OF_TABLES:
            chain[key] = None
            key = self._based_on.get(key, "")
        return list(chain)

    def style_of(self, properties: etree._Element | None, name: str) -> str:
        """Return the style that properties name in an element of this name."""
        style = None if properties is None else properties.find(f"{self._name}{name}")
        return "" if style is None else style.get(f"{self._name}val", "")

    def layout_of(self, paragraph: etree._Element, table_style: str) -> tuple[str, ParagraphLayout]:
        """Return the style and the properties of a paragraph in a table of a style, or of "" in none."""
        properties = paragraph.find(f"{self._name}pPr")
        style = self.style_of(properties, "pStyle") or self._default_styles.get("paragraph", "")
        below = self._layout_of_styles(style, table_style)
        if properties is None:
            return style, below
        own = self.read_layout(properties)
        if own.number is not None or own.level is not None:
            own = own.over(self._layout_of_list(own.number or below.number, own.level, style))
        return style, own.over(below)

    def _layout_of_styles(self, style: str, table_style: str) -> ParagraphLayout:
        """Return what the styles of a paragraph, with its list, and of a table set."""
        if (style, table_style) not in self._layouts:
            own = self._chain(style)[1]
            own = own.over(self._layout_of_list(own.number, own.level, style))
            self._layouts[style, table_style] = own.over(self._chain(table_style)[1]).over(self._default[1])
        return self._layouts[style, table_style]

    def look_of(self, properties: etree._Element | None, table_style: str, paragraph_style: str) -> RunLook:
        """Return the properties of a run, whose own ones are in an element."""
        style = self.style_of(properties, "rStyle") or self._default_styles.get("character", "")
        of_styles = self._look_of_styles(table_style, paragraph_style, style)
        return of_styles if properties is None else self.read_look(properties).over(of_styles)

    def _look_of_styles(self, *styles: str) -> RunLook:
        """Return what the styles of a table, of a paragraph and of characters set."""
        if styles not in self._looks:
            table, below, above = (self._chain(style)[0] for style in styles)
            # A style of characters toggles what the style of the paragraph has.
            toggled = RunLook(
                _toggled(below.is_hidden, above.is_hidden),
                _toggled(below.is_struck, above.is_struck),
            )
            look = toggled.over(above).over(below).over(table).over(self._default[0])
            if not look.is_hidden and any(one.is_hidden for one in (table, below, above, self._default[0])):
                look = look._replace(is_doubtful=True)  # Programs differ in what toggles what.
            self._looks[styles] = look
        return self._looks[styles]

    def _chain(self, style: str) -> tuple[RunLook, ParagraphLayout]:
        """Return what a style sets, with what it has from those that it is based on."""
        chain: dict[str, None] = {}
        based = style
        while based in self._own and based not in self._chains and based not in chain:
            chain[based] = None
            based = self._based_on.get(based, "")
        look, layout = self._chains.get(based, (RunLook(), ParagraphLayout()))
        for one in reversed(chain):
            look, layout = self._own[one][0].over(look), self._own[one][1].over(layout)
            self._chains[one] = look, layout
        return look, layout

    def _layout_of_list(self, number: str | None, level: str | None, style: str) -> ParagraphLayout:
        list_ = self._lists.get(number or "", "")
        for numbered in (f"num {number}", list_):
            for key in (f"style {style}", "0") if level is None else (level,):
                if (numbered, key) in self._levels:
                    return self._levels[numbered, key]
        return ParagraphLayout()

    def _read_styles(self, root: etree._Element) -> None:
        look, layout = (
            root.find(f"{self._name}docDefaults/{self._name}{kind}Default/{self._name}{kind}")
            for kind in ("rPr", "pPr")
        )
        self._default = self.read_look(look), self.read_layout(layout)
        doubted = doubted_elements(root)
        self._doubted |= doubted
        for style in root.findall(f"{self._name}style"):
            key, kind = style.get(f"{self._name}styleId", ""), style.get(f"{self._name}type", "")
            if style.get(f"{self._name}default") in _ON:
                self._default_styles[kind] = key
            self._based_on[key] = self.style_of(style, "basedOn")
            own_look = self.read_look(style.find(f"{self._name}rPr"))
            self._own[key] = (
                own_look._replace(is_doubtful=True) if style in doubted else own_look,
                self.read_layout(style.find(f"{self._name}pPr")),
            )
            if kind == "table":
                self._tables[key] = style

    def _read_numbering(self, root: etree._Element) -> None:
        """Read the properties of paragraphs by the levels of lists: those of "num 1" go before those of its list."""
        self._doubted |= doubted_elements(root)
        by_style: dict[str, str] = {}
        others: dict[str, str] = {}
        for list_ in root.iterchildren(f"{self._name}abstractNum"):
            key = list_.get(f"{self._name}abstractNumId", "")
            by_style[self.style_of(list_, "styleLink")] = key
            if link := self.style_of(list_, "numStyleLink"):
                others[key] = link
            self._read_levels(key, list_)
        for number in root.iterchildren(f"{self._name}num"):
            key = number.get(f"{self._name}numId", "")
            list_key = self.style_of(number, "abstractNumId")
            self._lists[key] = by_style.get(others.get(list_key, ""), list_key) if list_key in others else list_key
            for override in number.iterchildren(f"{self._name}lvlOverride"):
                self._read_levels(f"num {key}", override)

    def _read_levels(self, key: str, list_: etree._Element) -> None:
        for level in list_.iterchildren(f"{self._name}lvl"):
            layout = self.read_layout(level.find(f"{self._name}pPr"))
            if level in self._doubted or self._joins_its_number(level):
                layout = layout._replace(is_doubtful=True)
            self._levels[key, level.get(f"{self._name}ilvl", "0")] = layout
            if style := self.style_of(level, "pStyle"):
                self._levels[key, f"style {style}"] = layout

    def _joins_its_number(self, level: etree._Element) -> bool:
        """True if the number of a paragraph looks like a part of the number that its text begins with."""
        written = self.style_of(level, "lvlText")
        return self.style_of(level, "suff") == "nothing" and written[:-1].endswith("%")

    def read_look(self, properties: etree._Element | None) -> RunLook:
        """Return the properties of runs in an element."""
        set_: dict[str, object] = {}
        for one in () if properties is None else properties:
            value = one.get(f"{self._name}val", "")
            match etree.QName(one).localname if isinstance(one.tag, str) else "":
                case "vanish" | "specVanish":
                    set_["is_hidden"] = bool(set_.get("is_hidden")) or value not in _OFF
                case "strike" | "dstrike":
                    set_["is_struck"] = bool(set_.get("is_struck")) or value not in _OFF
                case "color":
                    set_["color"] = theme_color(one, self._name, self._theme, "val", "themeColor") or "auto"
                case "textFill":
                    set_["fill"], is_doubtful = self._filled(one)
                    set_.update({"is_doubtful": True} if is_doubtful else {})
                case "shd":
                    set_["shade"] = shading(one, self._name, self._theme)
                case "highlight":
                    color = colors.of_css(value)
                    set_["highlight"] = () if value == "none" else colors.UNKNOWN if color is None else (color,)
                case "emboss" | "imprint" | "outline" | "textOutline":
                    is_on = value not in _OFF and one.find("{*}noFill") is None
                    set_["has_effect"] = bool(set_.get("has_effect")) or is_on
                    set_.update({"is_doubtful": True} if is_on else {})
                case "shadow" | "glow" | "reflection":
                    set_["has_effect"] = bool(set_.get("has_effect")) or value not in _OFF
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
        return RunLook(**set_)  # type: ignore[arg-type]

    def _filled(self, fill: etree._Element) -> tuple[Color | str, bool]:
        """Return the colour with which letters are filled, and whether it is not sure what a reader sees of it."""
        if any(True for _ in fill.iterchildren("{*}noFill")):
            return "none", False
        for solid in fill.iterchildren("{*}solidFill"):
            plain = copy.deepcopy(solid)
            for one in plain.iter("{*}*"):
                one.attrib.update({etree.QName(str(name)).localname: value for name, value in one.attrib.items()})
                if etree.QName(one).localname == "alpha":
                    # In this namespace, it is the share that is transparent.
                    one.set("val", str(100_000 - int(points(one.get("val"), 1) or 0)))
            found = self._theme.read(plain)
            if found is not None:
                return (found[0] if found[1] >= _FAINT else "none"), found[1] < 1
        return "auto", True

    def read_layout(self, properties: etree._Element | None) -> ParagraphLayout:
        """Return the properties of paragraphs in an element."""
        set_: dict[str, object] = {}
        for one in () if properties is None else properties:
            match etree.QName(one).localname if isinstance(one.tag, str) else "":
                case "shd":
                    set_["shade"] = shading(one, self._name, self._theme)
                case "ind":
                    side = {name: self._indent(one, name) for name in _INDENTS}
                    hanging = None if side["hanging"] is None else -side["hanging"]
                    set_["left"] = side["left"] if side["start"] is None else side["start"]
                    set_["right"] = side["right"] if side["end"] is None else side["end"]
                    set_["first"] = side["firstLine"] if hanging is None else hanging
                case "jc":
                    set_["alignment"] = one.get(f"{self._name}val")
                case "spacing":
                    set_["before"], set_["after"] = (
                        points(one.get(f"{self._name}{name}"), TWIPS) for name in ("before", "after")
                    )
                    set_["spacing"], set_["rule"] = (one.get(f"{self._name}{name}") for name in ("line", "lineRule"))
                case "tabs":
                    stops = one.iterchildren(f"{self._name}tab")
                    places = [points(stop.get(f"{self._name}pos"), TWIPS) for stop in stops]
                    set_["farthest_stop"] = max((place for place in places if place is not None), default=None)
                case "framePr":
                    written = ((name, one.get(f"{self._name}{name}")) for name in _FRAME)
                    set_["frame"] = {name: value for name, value in written if value is not None}
                case "numPr":
                    set_["number"] = self.style_of(one, "numId") or None
                    set_["level"] = self.style_of(one, "ilvl") or None
        return ParagraphLayout(**set_)  # type: ignore[arg-type]

    def _indent(self, indents: etree._Element, name: str) -> float | None:
        """Return an indent; one in characters goes before one in points."""
        return points(indents.get(f"{self._name}{name}Chars"), _CHARS) or points(
            indents.get(f"{self._name}{name}"), TWIPS
        )


def _toggled(below: bool | None, above: bool | None) -> bool | None:
    return None if below is None and above is None else bool(below) != bool(above)
