"""Estimates where the paragraphs of a shape on a slide are, and marks those that may be off the slide.

A paragraph is below the lines of those before it (ECMA-376, part 1, 21.1.2), whatever the size of the shape.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from lxml import etree

from tasks.inputs.office.alternatives import doubt
from tasks.inputs.office.measures import EMU, LETTER_WIDTH, points

_SIZE = 18.0
_HUNDREDTHS = 100
_LINE = 1.2
"""The height of a line, for a size of 1."""
_LEAST_LINE = 0.4
"""The height of a line, for a size of 1, from which the lines of a paragraph are legible."""
_TAB = 72.0
_INSETS = {"lIns": 7.2, "tIns": 3.6, "rIns": 7.2, "bIns": 3.6}
_MOST_RUNS = 1_000
_SLACK = 0.8
"""The share of the estimated width and height that a paragraph has at least."""

Area = tuple[float, float, float, float]
"""The left, the top, the right and the bottom side of a rectangle, in points."""


class Paragraph(NamedTuple):
    """A paragraph with what its text is set in."""

    element: etree._Element
    properties: list[etree._Element]
    """The properties of its text that are not those of a run, the nearest first."""
    layouts: list[etree._Element]
    """The properties of the paragraph itself, the nearest first."""
    scale: float
    """The factor of its sizes, with which the text fits into its shape."""

    def lines(self, room: float, *, wraps: bool) -> "Lines":
        usual = next((found for one in self.properties if (found := _size_of(one)) is not None), _SIZE)
        marks = list(islice(self.element.iter("{*}r", "{*}fld", "{*}br", "{*}endParaRPr"), _MOST_RUNS + 1))
        sizes, width, breaks, tabs = [], 0.0, 0, 0
        for one in marks:
            kind = etree.QName(one).localname
            own = one if kind == "endParaRPr" else one.find("{*}rPr")
            size = usual if own is None else _size_of(own) or usual
            if kind == "endParaRPr" and len(marks) > 1:
                continue  # it is behind the last letter
            sizes.append(size)
            breaks += kind == "br"
            text = "".join(letters.text or "" for letters in one.iterchildren("{*}t"))
            tabs += text.count("\t")
            spacing = None if own is None else points(own.get("spc"), _HUNDREDTHS)
            width += len(text) * max(size * LETTER_WIDTH + (spacing or 0.0), 0.0)
        size = max(sizes, default=usual) * self.scale
        width = width * self.scale + (0.0 if wraps else tabs * _TAB)
        start, end = self.length("marL"), self.length("marR")
        count = breaks + (max(math.ceil(width / max(room - start, size)), 1) if wraps else 1)
        line = self._space("lnSpc", size * _LINE, size * _LINE)
        around = self._space("spcBef", size * _LINE, 0.0), self._space("spcAft", size * _LINE, 0.0)
        stops = [points(one.get("pos"), EMU) or 0.0 for one in self._first("tabLst")]
        stops += [self.length("defTabSz")]
        is_far = (bool(tabs) and max(stops) > room) or len(marks) > _MOST_RUNS
        is_squeezed = line < _LEAST_LINE * size or end > max(room - start, 0.0)
        return Lines(around[0], count * line, around[1], width, is_far or is_squeezed)

    def length(self, name: str) -> float:
        """Return a length that the paragraph has, or that one of its styles has."""
        return next((found for one in self.layouts if (found := points(one.get(name), EMU)) is not None), 0.0)

    @property
    def alignment(self) -> str:
        if any(one.get("rtl") in ("1", "true") for one in self.layouts):
            return "rtl"
        return next((found for one in self.layouts if (found := one.get("algn"))), "l")

    def _space(self, name: str, line: float, usual: float) -> float:
        for one in self._first(name):
            value = one.get("val", "")
            if not one.tag.endswith("}spcPct"):
                return points(value, _HUNDREDTHS) or 0.0
            share = points(value.removesuffix("%"), 1 if value.endswith("%") else 1000)
            return usual if share is None else line * share / 100
        return usual

    def _first(self, name: str) -> Iterable[etree._Element]:
        return next((list(found) for one in self.layouts if (found := one.find(f"{{*}}{name}")) is not None), [])


class Lines(NamedTuple):
    """The room that the lines of a paragraph take, in points."""

    before: float
    height: float
    after: float
    width: float
    """The width of all lines together."""
    is_doubtful: bool
    """True if a tab stop is beyond the shape, if the lines have no room, or if there are too many runs to know."""


class Frame:
    """The paragraphs of a shape, or of a cell, between its left and its right side."""

    def __init__(self, paragraphs: list[Paragraph], about: Mapping[str, str], left: float, right: float) -> None:
        """`about` has the properties of the text's body, such as `anchor` and `tIns`."""
        read = {side: points(about.get(side), EMU) for side in _INSETS}
        self._inset = {side: _INSETS[side] if found is None else found for side, found in read.items()}
        self._left, self._right = left + self._inset["lIns"], right - self._inset["rIns"]
        self._wraps = about.get("wrap") != "none"
        self._anchor = about.get("anchor", "t")
        self._columns = max(points(about.get("numCol"), 1) or 1.0, 1.0)
        self._is_turned = about.get("vert", "horz") != "horz"
        room = (self._right - self._left) / self._columns
        self._paragraphs = [(one, one.lines(room, wraps=self._wraps)) for one in paragraphs]
        self._height = sum(lines.before + lines.height + lines.after for _, lines in self._paragraphs)

    @property
    def height(self) -> float:
        """The height that the text needs."""
        return self._inset["tIns"] + self._height + self._inset["bIns"]

    def doubt_what_is_off(self, window: Area, top: float, bottom: float, *, is_upright: bool) -> None:
        """Mark the paragraphs that are perhaps not on the slide. Of a text that is turned, or in columns, it is only
        known that what fits into the shape is on it."""
        start = top + self._inset["tIns"]
        room = bottom - self._inset["bIns"] - start
        is_plain = is_upright and not self._is_turned and self._columns == 1
        over = {"ctr": 0.5, "b": 1.0}.get(self._anchor, 0.0) * (room - self._height) if is_plain else 0.0
        end = start + over
        for paragraph, lines in self._paragraphs:
            begin, end = end + lines.before, end + lines.before + lines.height
            if is_plain:
                is_off = begin + (1 - _SLACK) * lines.height < window[1] - _SIZE
                is_off |= begin + _SLACK * lines.height > window[3] or self._is_beside(paragraph, lines, window)
            else:
                is_off = (end - start) * _SLACK > max(room, _SIZE * _LINE) * self._columns
            if is_off or lines.is_doubtful:
                doubt(paragraph.element)
            end += lines.after

    def _is_beside(self, paragraph: Paragraph, lines: Lines, window: Area) -> bool:
        left, right = self._left + paragraph.length("marL"), self._right - paragraph.length("marR")
        width = _SLACK * (min(lines.width, max(right - left, 0.0)) if self._wraps else lines.width)
        match paragraph.alignment:
            case "ctr":
                begin = (left + right - width) / 2
            case "r":
                begin = right - width
            case "rtl":
                return False
            case _:
                begin = left + paragraph.length("indent")
        return begin < window[0] - _SIZE or begin + width > window[2]


def _size_of(properties: etree._Element) -> float | None:
    return points(properties.get("sz"), _HUNDREDTHS)
