"""Finds the runs of a Word document that are hidden or struck through, by their properties and styles (ECMA-376,
part 1, 17.3.2 and 17.7.2)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from lxml import etree

_OFF = ("0", "false", "off")
_LONGEST_CHAIN = 20
"""A style is based on at most this many others, one on the next."""
_NOT_SHOWN = ("rPr", "fldChar", "instrText")
"""Elements of a run that show nothing themselves, but say how it and others are shown."""


class _Look(NamedTuple):
    """Properties of a run, or those that a style sets. None stands for one that is not set."""

    is_hidden: bool | None = None
    is_struck: bool | None = None

    def over(self, other: "_Look") -> "_Look":
        """Return these properties, with those of `other` in the places of the ones that are not set."""
        return _Look(*(under if own is None else own for own, under in zip(self, other, strict=True)))


class WordRuns:
    """The looks of runs, by the styles of a document."""

    def __init__(self, parts: Iterable[etree._Element], namespace: str) -> None:
        """`parts` are the roots of the document's parts, one of which may have its styles."""
        self._name = f"{{{namespace}}}"
        self._based_on: dict[str, str] = {}
        self._own: dict[str, _Look] = {}
        self._default = _Look()
        self._paragraph_style = ""
        self._looks: dict[tuple[str, str], _Look] = {}
        for root in parts:
            if root.tag == f"{self._name}styles":
                self._read_styles(root)

    def apply_to(self, root: etree._Element) -> None:
        """Remove the content of hidden runs, and put the property that mammoth reads into those that are struck."""
        kept = [f"{self._name}{name}" for name in _NOT_SHOWN]
        for run in list(root.iter(f"{self._name}r")):
            look = self._look_of(run)
            if look.is_hidden:
                for one in [one for one in run if one.tag not in kept]:
                    run.remove(one)
            elif look.is_struck:
                properties = run.find(f"{self._name}rPr")
                if properties is None:
                    properties = etree.Element(f"{self._name}rPr")
                    run.insert(0, properties)
                for strike in properties.findall(f"{self._name}strike"):
                    properties.remove(strike)
                etree.SubElement(properties, f"{self._name}strike")

    def _look_of(self, run: etree._Element) -> _Look:
        paragraph = next(run.iterancestors(f"{self._name}p"), None)
        around = None if paragraph is None else paragraph.find(f"{self._name}pPr")
        own = run.find(f"{self._name}rPr")
        styles = self._style_of(around, "pStyle") or self._paragraph_style, self._style_of(own, "rStyle")
        if styles not in self._looks:
            below, above = (self._look_of_style(style) for style in styles)
            # A style of characters toggles what the style of the paragraph has (17.7.3).
            toggled = (
                None if first is None and second is None else bool(first) != bool(second)
                for first, second in zip(below, above, strict=True)
            )
            self._looks[styles] = _Look(*toggled).over(self._default)
        return self._read(own).over(self._looks[styles])

    def _look_of_style(self, style: str) -> _Look:
        look = _Look()
        for one in islice(self._chain(style), _LONGEST_CHAIN):
            look = look.over(one)
        return look

    def _chain(self, style: str) -> Iterator[_Look]:
        while style in self._own:
            yield self._own[style]
            style = self._based_on[style]

    def _style_of(self, properties: etree._Element | None, name: str) -> str:
        style = None if properties is None else properties.find(f"{self._name}{name}")
        return "" if style is None else style.get(f"{self._name}val", "")

    def _read_styles(self, root: etree._Element) -> None:
        for defaults in root.findall(f"{self._name}docDefaults/{self._name}rPrDefault/{self._name}rPr"):
            self._default = self._read(defaults)
        for style in root.findall(f"{self._name}style"):
            key = style.get(f"{self._name}styleId", "")
            if style.get(f"{self._name}type") == "paragraph" and style.get(f"{self._name}default") in ("1", "true"):
                self._paragraph_style = key
            self._based_on[key] = self._style_of(style, "basedOn")
            self._own[key] = self._read(style.find(f"{self._name}rPr"))

    def _read(self, properties: etree._Element | None) -> _Look:
        return _Look(self._value_of(properties, "vanish"), self._value_of(properties, "strike", "dstrike"))

    def _value_of(self, properties: etree._Element | None, *names: str) -> bool | None:
        """Return whether one of these properties is on; None if none of them is set."""
        tags = [f"{self._name}{name}" for name in names]
        found = [] if properties is None else list(properties.iterchildren(*tags))
        return any(one.get(f"{self._name}val") not in _OFF for one in found) if found else None
