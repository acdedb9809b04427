"""Estimates where the cells of a sheet lie, and how much of their text they show (ECMA-376, part 1, 18.3.1.13,
18.3.1.73 and 18.8.1).

Programs measure text with fonts that are not known here. A text counts as cut only if it were in narrow letters, too.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from openpyxl.cell.read_only import EMPTY_CELL

from tasks.inputs.office.conditional_formats import MAX_COLUMNS, Box

MAX_ROWS = 1_048_576
USUAL_WIDTH = 12.0
"""The width of columns for which a file has none, in digits: 8.4 in Excel, up to 12.6 in other programs."""
USUAL_HEIGHT = 15.0
_DIGIT = 0.48
"""The width of a digit, for a font size of 1."""
_LETTER = 0.8
"""The width of narrow letters in digits."""
_WIDE = 1.6
"""The width of letters of East Asia in digits."""
_SIGN = 0.5
"""The width in digits of what stands between those of numbers."""
_INDENT = 1.3
"""The width in digits of one unit of indent."""
_LONGEST = 2_000
"""A text with more signs counts as one of narrow letters."""
_FIGURE = re.compile(r"\d")
_FIRST_WIDE = "\u1100"
_PADDING = 0.6
"""The least width of a column that its text does not use, in digits."""
_LINE = 1.2
"""The height of a line, for a font size of 1."""
_CUT_LINE = 0.6
"""The part of a line that may be cut while it can be read."""
_SMALLEST_SHRUNK = 4.0
"""Text that its cell shrinks to less points than this cannot be read."""


class Axis:
    """The rows of a sheet with their heights in points, or its columns with their widths in digits, from 1."""

    def __init__(self, usual: float, most: int) -> None:
        self.usual = usual
        """The size of a row or column without one of its own."""
        self.sizes: dict[int, float] = {}
        self._most = most

    def size(self, number: int) -> float:
        return self.sizes.get(number, self.usual)

    def start(self, number: int) -> float:
        """Return the distance of a row's or column's beginning from the first one's."""
        numbers, surplus = self._surplus
        return (number - 1) * self.usual + surplus[bisect_left(numbers, number)]

    def at(self, distance: float) -> int:
        """Return the number of the row or column that begins nearest to a distance."""
        after = bisect_right(range(1, self._most + 1), distance, key=self.start) + 1
        before = max(after - 1, 1)
        return before if distance - self.start(before) <= self.start(after) - distance else after

    @cached_property
    def _surplus(self) -> tuple[list[int], list[float]]:
        """The rows or columns with sizes of their own, and by how much all those before one are larger than usual."""
        numbers = sorted(self.sizes)
        return numbers, [0.0, *accumulate(self.sizes[number] - self.usual for number in numbers)]


class Layout(NamedTuple):
    """The way in which a cell lays out its text."""

    size: float = 11.0
    """The size of the font in points."""
    horizontal: str = "general"
    wraps: bool = False
    shrinks: bool = False
    """True if text becomes smaller until it is no wider than its cell."""
    degrees: int = 0
    """The angle by which the text is turned, in either direction."""
    indent: int = 0
    """Blank paper before or after the text, in units of three blanks."""


class Grid:
    """The rows and columns of a sheet, and its merged cells."""

    def __init__(self, base: float) -> None:
        """`base` is the size in points of the font in whose digits the widths of columns are given."""
        self._base = base
        self.columns = Axis(USUAL_WIDTH, MAX_COLUMNS)
        self.rows = Axis(USUAL_HEIGHT, MAX_ROWS)
        self.are_rows_fixed = False
        """True if rows without a height of their own have the usual one, whatever their text needs."""
        self.merges: dict[tuple[int, int], Box] = {}
        """Merged cells by the row and column of their first one."""
        self.uncalculated: set[tuple[int, int]] = set()
        """The rows and columns of cells with a formula whose value the file lacks."""

    def cuts(self, row: Sequence[Any], index: int, text: str, layout: Layout, *, is_number: bool) -> bool:
        """True if a cell shows its text in a way that may be taken for another one: without some of its figures, or
        without most of it.

        `row` has the cells of the row by their indices.
        """
        cell = row[index]
        scale = layout.size / self._base
        width = _width(text) * scale + _INDENT * layout.indent
        merged = self.merges.get((cell.row, cell.column))
        room, height = self._room(cell, merged)
        if layout.degrees:
            across = math.sin(math.radians(layout.degrees)) * width * _DIGIT * self._base
            return height is not None and across > height
        if layout.wraps and not is_number:
            lines = sum(max(1, math.ceil(_width(line) * scale / max(room, 1))) for line in text.split("\n"))
            return height is not None and _is_low(height, lines, layout.size)
        if height is not None and _is_low(height, 1, layout.size):
            return True
        if layout.shrinks:
            return width > room and layout.size * max(room, 0) / width < _SMALLEST_SHRUNK
        if is_number:
            return _width(text, _SIGN) * scale > room
        return width > room and _loses(text, width, *self._losses(row, index, room, width, layout.horizontal, merged))

    def _room(self, cell: Any, merged: Box | None) -> tuple[float, float | None]:
        """Return the width of a cell, and its height if that does not follow from its text."""
        if merged is None:
            height = self.rows.size(cell.row) if self.are_rows_fixed or cell.row in self.rows.sizes else None
            return self.columns.size(cell.column) - _PADDING, height
        top, bottom, left, right = merged
        width = self.columns.start(right + 1) - self.columns.start(left)
        return width - _PADDING, self.rows.start(bottom + 1) - self.rows.start(top)

    def _losses(
        self, row: Sequence[Any], index: int, room: float, width: float, horizontal: str, merged: Box | None
    ) -> tuple[float, float]:
        """Return how much is lost of the beginning and of the end of a text that is wider than its cell, for the empty
        cells beside it show it, too."""
        missing = width - room
        sides = {"right": (1.0, 0.0), "center": (0.5, 0.5), "centerContinuous": (0.5, 0.5)}.get(horizontal, (0.0, 1.0))
        lost = []
        for side, step in zip(sides, (-1, 1), strict=True):
            left_over, place = missing * side, index + step
            while merged is None and left_over > 0 and 0 <= place < MAX_COLUMNS and not self._is_filled(row, place):
                left_over -= self.columns.size(place + 1)
                place += step
            lost.append(max(left_over, 0.0))
        return lost[0], lost[1]

    def _is_filled(self, row: Sequence[Any], index: int) -> bool:
        """True if text does not go on into this cell: it has a value, if only an empty text."""
        if index >= len(row) or row[index] is EMPTY_CELL:
            return False
        cell = row[index]
        return cell.value is not None or cell.data_type != "n" or (cell.row, cell.column) in self.uncalculated


def _loses(text: str, width: float, before: float, after: float) -> bool:
    """True if the parts of a text that are lost before and after what is seen have figures, or are most of it."""
    first, last = (math.ceil(len(text) * lost / width) for lost in (before, after))
    if 2 * len(text[first : len(text) - last].strip()) < len(text.strip()):
        return True
    return _FIGURE.search(text[:first] + text[len(text) - last :]) is not None


def _is_low(height: float, lines: int, size: float) -> bool:
    return (lines - _CUT_LINE) * _LINE * size > height


def _width(text: str, letter: float = _LETTER) -> float:
    """Return the least width in digits of a text in which a letter has this width."""
    width = letter * len(text)
    if len(text) > _LONGEST:
        return width
    width += (1 - letter) * sum(map(str.isdigit, text))
    return width if text.isascii() else width + (_WIDE - _LETTER) * sum(sign >= _FIRST_WIDE for sign in text)
