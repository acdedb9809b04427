"""Removes the text of a Word document that a reader does not see, and marks the text that is struck through, by the
properties of its runs and of their styles (ECMA-376, part 1, 17.3.2 and 17.7.2)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

_NEEDED = re.compile(
    rb"""anish|strike|sz [^<>]{0,200}["'][012]["']|["'](?:[Ff][C-Fc-f]){3}["']|(?:background|light)1"""
)
"""Pattern of parts with properties that may hide text or strike it through: hidden, tiny or white."""
_BACKGROUNDS = re.compile(rb"[:<](?:anchor|pict|background)[\s/>]")
"""Pattern of parts with pictures and shapes that may lie behind text, or with a colour of the page."""
_WHITE = re.compile(r"(?:f[c-f]){3}", re.IGNORECASE)
_WHITE_THEMES = ("background1", "light1")
_TINY = 2
"""Text of at most this many half points is too small to be seen."""
_OFF = ("0", "false", "off")
_LONGEST_CHAIN = 20
"""A style is based on at most this many others, one on the next."""


class _Look(NamedTuple):
    """Properties of a run, or those that a style sets. None stands for one that is not set."""

    is_hidden: bool | None = None
    is_struck: bool | None = None
    is_white: bool | None = None
    is_tiny: bool | None = None
    is_shaded: bool | None = None

    def over(self, other: "_Look") -> "_Look":
        """Return these properties, with those of `other` in the places of the ones that are not set."""
        return _Look(*(under if own is None else own for own, under in zip(self, other, strict=True)))


class Runs:
    """The looks of runs, by the styles of a document."""

    def __init__(self, members: Mapping[str, bytes], namespace: str) -> None:
        """`members` are the parts of the document by their names."""
        self._name = f"{{{namespace}}}"
        self._based_on: dict[str, str] = {}
        self._own: dict[str, _Look] = {}
        self._default = _Look()
        self._paragraph_style = ""
        self._looks: dict[tuple[str, str], _Look] = {}
        texts = [part for name, part in members.items() if name.startswith("word/") and name.endswith(".xml")]
        self._may_be_backed = any(map(_BACKGROUNDS.search, texts))
        styles = members.get("word/styles.xml", b"")
        if f'"{namespace}"'.encode() in styles or f"'{namespace}'".encode() in styles:
            self._read_styles(etree.fromstring(styles, etree.XMLParser(resolve_entities=False, no_network=True)))
        self._styles_matter = _NEEDED.search(styles) is not None

    def matter_in(self, part: bytes) -> bool:
        """True if a run of a part may be hidden or struck through."""
        return self._styles_matter or _NEEDED.search(part) is not None

    def apply_to(self, root: etree._Element) -> None:
        """Remove what is not seen from a part, and put the property for struck text where only a style has it.

        White text is kept if something may lie behind it, or if it makes up half of the part or more.
        """
        white: list[etree._Element] = []
        for run in root.iter(f"{self._name}r"):
            look = self._look_of(run)
            if look.is_hidden:
                _clear(run, *self._texts(), *(f"{self._name}{name}" for name in ("drawing", "pict", "object")))
            elif look.is_tiny:
                _clear(run, *self._texts())
            elif look.is_white and not (look.is_shaded or self._may_be_backed or self._is_backed(run)):
                white.append(run)
            elif look.is_struck:
                self._strike(run)
        length = sum(len(text.text or "") for text in root.iter(f"{self._name}t"))
        if 2 * sum(len(text.text or "") for run in white for text in run.iter(f"{self._name}t")) < length:
            for run in white:
                _clear(run, *self._texts())

    def _texts(self) -> tuple[str, str]:
        return f"{self._name}t", f"{self._name}sym"

    def _look_of(self, run: etree._Element) -> _Look:
        paragraph = next(run.iterancestors(f"{self._name}p"), None)
        around = None if paragraph is None else paragraph.find(f"{self._name}pPr")
        own = run.find(f"{self._name}rPr")
        styles = self._style_of(around, "pStyle") or self._paragraph_style, self._style_of(own, "rStyle")
        if styles not in self._looks:
            below, above = map(self._look_of_style, styles)
            # A style of characters toggles what the style of the paragraph has.
            toggled = (
                None if first is None and second is None else bool(first) != bool(second)
                for first, second in zip(below[:2], above[:2], strict=True)
            )
            self._looks[styles] = _Look(*toggled).over(above).over(below).over(self._default)
        look = self._read(own).over(self._looks[styles])
        return look if look.is_shaded else look._replace(is_shaded=self._read(around).is_shaded)

    def _style_of(self, properties: etree._Element | None, name: str) -> str:
        style = None if properties is None else properties.find(f"{self._name}{name}")
        return "" if style is None else style.get(f"{self._name}val", "")

    def _look_of_style(self, style: str) -> _Look:
        look = _Look()
        for _ in range(_LONGEST_CHAIN):
            if style not in self._own:
                break
            look = look.over(self._own[style])
            style = self._based_on.get(style, "")
        return look

    def _read_styles(self, root: etree._Element) -> None:
        for defaults in root.findall(f"{self._name}docDefaults/{self._name}rPrDefault/{self._name}rPr"):
            self._default = self._read(defaults)
        for style in root.findall(f"{self._name}style"):
            key = style.get(f"{self._name}styleId", "")
            if style.get(f"{self._name}type") == "paragraph" and style.get(f"{self._name}default") in ("1", "true"):
                self._paragraph_style = key
            self._based_on[key] = self._style_of(style, "basedOn")
            around = self._read(style.find(f"{self._name}pPr"))
            self._own[key] = self._read(style.find(f"{self._name}rPr")).over(_Look(is_shaded=around.is_shaded))

    def _read(self, properties: etree._Element | None) -> _Look:
        look = _Look()
        for one in () if properties is None else properties:
            value = one.get(f"{self._name}val", "")
            match etree.QName(one).localname if isinstance(one.tag, str) else "":
                case "vanish" | "specVanish":
                    look = look._replace(is_hidden=look.is_hidden or value not in _OFF)
                case "strike" | "dstrike":
                    look = look._replace(is_struck=look.is_struck or value not in _OFF)
                case "color":
                    is_theme = one.get(f"{self._name}themeColor") in _WHITE_THEMES
                    # A colour of the theme goes before the value, which is for programs that know no themes.
                    is_shaded = one.get(f"{self._name}themeShade") is not None
                    is_white = (is_theme and not is_shaded) or _WHITE.fullmatch(value) is not None
                    look = look._replace(is_white=is_white)
                case "sz":
                    look = look._replace(is_tiny=value.isdecimal() and len(value) < 9 and int(value) <= _TINY)
                case "shd":
                    look = look._replace(is_shaded=self._is_dark(one))
                case "highlight":
                    look = look._replace(is_shaded=look.is_shaded or value not in ("none", "white"))
        return look

    def _is_dark(self, shading: etree._Element) -> bool:
        fill = shading.get(f"{self._name}fill", "auto")
        pattern = shading.get(f"{self._name}val", "clear")
        return pattern not in ("clear", "nil") or not (fill == "auto" or _WHITE.fullmatch(fill))

    def _is_backed(self, run: etree._Element) -> bool:
        """True if a text box, or the shading of a cell or a table, may lie behind a run."""
        for around in run.iterancestors(*(f"{self._name}{name}" for name in ("txbxContent", "tc", "tbl"))):
            if around.tag.endswith("txbxContent"):
                return True
            for kind in ("tcPr", "tblPr"):
                properties = around.find(f"{self._name}{kind}")
                if properties is not None and (
                    properties.find(f"{self._name}tblStyle") is not None
                    or any(map(self._is_dark, properties.findall(f"{self._name}shd")))
                ):
                    return True
        return False

    def _strike(self, run: etree._Element) -> None:
        properties = run.find(f"{self._name}rPr")
        if properties is None:
            properties = etree.Element(f"{self._name}rPr")
            run.insert(0, properties)
        for strike in properties.findall(f"{self._name}strike"):
            properties.remove(strike)
        etree.SubElement(properties, f"{self._name}strike")


def _clear(run: etree._Element, *tags: str) -> None:
    for part in list(run.iterchildren(*tags)):
        run.remove(part)
