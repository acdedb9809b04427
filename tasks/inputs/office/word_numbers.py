"""Writes out the numbers of Word's headings, clauses and lists, which are not in the text of a document: `1.1`, `(a)`
(ECMA-376, part 1, 17.9)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from tasks.inputs.text.html_text import NUMBER

_MOST_LEVELS: Final = 9
_LONGEST_CHAIN: Final = 20
"""A style is based on at most this many others, one on the next."""
_MOST_LETTERS: Final = 780
"""Word has letters for numbers up to this one, which is thirty times `z`."""
_PLACE: Final = re.compile(r"%([1-9])")
"""Pattern of the place of a level's number in the text of a label."""
_ROMAN: Final = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_HAN_DIGITS: Final = " 一二三四五六七八九"
_HAN_FORMS: Final = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCountingThousand")


def _letters(number: int) -> str:
    repeats, index = divmod(number - 1, 26)
    return chr(ord("a") + index) * (repeats + 1) if 0 < number <= _MOST_LETTERS else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, sign in _ROMAN:
        text += sign * (number // value)
        number %= value
    return text


def _han(number: int) -> str:
    tens, ones = divmod(number, 10)
    if not 0 < number < 100:
        return str(number)
    return f"{_HAN_DIGITS[tens] if tens > 1 else ''}{'十' if tens else ''}{_HAN_DIGITS[ones]}".strip()


_FORMS: Final[Mapping[str, Callable[[int], str]]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    **dict.fromkeys(_HAN_FORMS, _han),
}
"""Numbers in the forms that Word knows, by name (17.18.59). A form that is not here is shown in decimals."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A level of a numbering."""

    form: str
    label: str
    """Text of the label, with `%1` for the number of the first level."""
    start: int
    restarts_after: int
    """The level starts again after a paragraph of a level below this number."""
    is_legal: bool
    """True if the numbers of all levels are shown in decimals."""
    style: str
    """Id of the style whose paragraphs have this level."""


@dataclass(slots=True)
class _Definition:
    """A definition of numbered paragraphs (`w:num`)."""

    counted: str
    """Id of the abstract definition. All definitions with the same one count together."""
    levels: dict[int, _Level] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    """Numbers with which levels start again where the definition is used first."""


class _Numbers:
    """Counts the numbered paragraphs of a document."""

    def __init__(self, numbering: etree._Element, styles: etree._Element | None, name: str) -> None:
        self._name = name
        self._styles = {} if styles is None else {self._value(one, "styleId"): one for one in styles if len(one)}
        abstract = {self._value(one, "abstractNumId"): one for one in numbering.iterchildren(f"{name}abstractNum")}
        self._nums = {self._value(one, "numId"): one for one in numbering.iterchildren(f"{name}num")}
        self._definitions = {number: self._definition(num, abstract) for number, num in self._nums.items()}
        self._counts: dict[str, dict[int, int]] = {}

    def label_of(self, paragraph: etree._Element) -> str:
        """Return the label of the next paragraph of a document, or "" if it has none."""
        found, level = self._place_of(paragraph)
        if found is None or level not in found.levels:
            return ""
        counts = self._counts.setdefault(found.counted, {})
        starts, found.starts = found.starts, {}
        for index, start in starts.items():
            counts[index] = start - 1
        for index in range(level):
            counts.setdefault(index, found.levels[index].start if index in found.levels else 1)
        own = found.levels[level]
        counts[level] = counts.get(level, own.start - 1) + 1
        for index in [index for index in counts if index > level]:
            if index not in found.levels or level < found.levels[index].restarts_after:
                del counts[index]

        def number(place: re.Match[str]) -> str:
            index = int(place[1]) - 1
            form = "decimal" if own.is_legal or index not in found.levels else found.levels[index].form
            return _FORMS.get(form, str)(counts.get(index, 1))

        return "" if own.form in ("bullet", "none") else _PLACE.sub(number, own.label).strip()

    def _place_of(self, paragraph: etree._Element) -> tuple[_Definition | None, int]:
        """Return the definition and the level of a paragraph, by its own properties or those of its style."""
        own = paragraph.find(f"{self._name}pPr/{self._name}numPr")
        style = self._child(paragraph.find(f"{self._name}pPr"), "pStyle")
        chain = self._based_on(style)
        properties = [one.find(f"{self._name}pPr/{self._name}numPr") for _, one in chain]
        number = next(filter(None, (self._child(one, "numId") for one in (own, *properties))), "")
        found = self._definitions.get(number)
        if found is None:
            return None, 0
        linked = [index for index, level in found.levels.items() if level.style in [name for name, _ in chain]]
        stated = next(filter(None, (self._child(one, "ilvl") for one in (own, *properties))), "0")
        is_stated = self._child(own, "ilvl") or not linked
        return found, _whole(stated, 0) if is_stated else linked[0]

    def _based_on(self, style: str) -> list[tuple[str, etree._Element]]:
        chain: list[tuple[str, etree._Element]] = []
        while style in self._styles and len(chain) < _LONGEST_CHAIN:
            chain.append((style, self._styles[style]))
            style = self._child(self._styles[style], "basedOn")
        return chain

    def _definition(self, num: etree._Element, abstract: Mapping[str, etree._Element]) -> _Definition:
        number = self._child(num, "abstractNumId")
        for _ in range(_LONGEST_CHAIN):
            # A definition may be that of a style.
            style = self._styles.get(self._child(abstract.get(number), "numStyleLink"))
            linked = None if style is None else self._nums.get(self._child(style.find(f"{self._name}pPr/*"), "numId"))
            if linked is None:
                break
            number = self._child(linked, "abstractNumId")
        found = _Definition(number)
        overrides = list(num.iterchildren(f"{self._name}lvlOverride"))
        for one in (abstract.get(number), *overrides):
            for level in () if one is None else one.iterchildren(f"{self._name}lvl"):
                index = _whole(self._value(level, "ilvl"), 0)
                if index < _MOST_LEVELS:
                    found.levels[index] = self._level(level, index)
        for one in overrides:
            if start := self._child(one, "startOverride"):
                found.starts[_whole(self._value(one, "ilvl"), 0)] = _whole(start, 1)
        return found

    def _level(self, level: etree._Element, index: int) -> _Level:
        return _Level(
            self._child(level, "numFmt") or "decimal",
            self._child(level, "lvlText"),
            _whole(self._child(level, "start"), 0),
            _whole(self._child(level, "lvlRestart"), index),
            level.find(f"{self._name}isLgl") is not None,
            self._child(level, "pStyle"),
        )

    def _child(self, element: etree._Element | None, kind: str) -> str:
        """Return the value of a child, or "" without one."""
        child = None if element is None else element.find(f"{self._name}{kind}")
        return "" if child is None else self._value(child, "val")

    def _value(self, element: etree._Element, kind: str) -> str:
        return element.get(f"{self._name}{kind}", "")


def write_numbers(
    document: etree._Element, numbering: etree._Element, styles: etree._Element | None, namespace: str
) -> None:
    """Write the label of each numbered paragraph of a document before its text, between two signs NUMBER."""
    name = f"{{{namespace}}}"
    numbers = _Numbers(numbering, styles, name)
    for paragraph in document.iter(f"{name}p"):
        label = numbers.label_of(paragraph)
        if not label or next(paragraph.iter(f"{name}t"), None) is None:
            continue
        run = etree.Element(f"{name}r")
        text = etree.SubElement(run, f"{name}t")
        text.text = f"{NUMBER}{label}{NUMBER} "
        properties = paragraph.find(f"{name}pPr")
        paragraph.insert(0 if properties is None else paragraph.index(properties) + 1, run)


def _whole(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else default
