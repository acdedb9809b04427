"""Lines that a detector ran across a narrow gutter, parted again.

One line alone does not tell: the white space of a gutter of ten points is no wider than that between the words of
a justified line. But words do not begin below each other by chance, line after line, as columns do.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin

from models.vision.text import Quad, TextLine

_GAP = 0.6
"""Narrowest white space between words that may be a gutter, in heights of the line."""
_NEAR = 0.35
"""How far apart the lines of a column may begin, in heights of the line."""
_AROUND = 8
"""Lines above and below that are asked."""
_SHARE = 2 / 3
"""Of the lines with text at a gutter, those that begin there anew."""
_FEWEST = 4
"""Lines that make a column."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A line in the frame in which the page's text runs to the right."""

    line: TextLine
    left: float
    right: float
    middle: float
    near: float
    gaps: Sequence[tuple[int, float]]
    """Place in the line, and left end, of each word that follows a wide white space."""
    starts: Sequence[float]
    """These left ends, ascending."""

    def reaches(self, x: float) -> bool:
        return self.left - self.near < x < self.right

    def begins_at(self, x: float) -> bool:
        if abs(self.left - x) < self.near:
            return True
        place = bisect_left(self.starts, x - self.near)
        return place < len(self.starts) and self.starts[place] < x + self.near


def split_at_gutters(lines: Sequence[TextLine], angle: float) -> list[TextLine]:
    """`lines`, which run at `angle` degrees, top to bottom, in parts where most lines around them have a gutter.

    Cells of a table may be parted as well: they stand on one row, and whoever makes rows joins them again.
    """
    c, s = cos(radians(angle)), sin(radians(angle))
    runs = sorted((_run(line, c, s) for line in lines), key=lambda run: (run.middle, run.left))
    parts = []
    for place, run in enumerate(runs):
        around = runs[max(place - _AROUND, 0) : place + _AROUND + 1]
        parts += _cut(run.line, [word for word, x in run.gaps if _is_gutter(x, around)])
    return parts


def _run(line: TextLine, c: float, s: float) -> _Run:
    top_left, top_right, bottom_right, bottom_left = (y * c - x * s for x, y in line.quad)
    height = (bottom_left + bottom_right - top_left - top_right) / 2
    left, right = _ends(line.quad, c, s)
    gaps, end = [], right
    for place, word in enumerate(line.words):
        start, after = _ends(word.quad, c, s)
        if start - end >= _GAP * height:
            gaps.append((place, start))
        end = after
    starts = sorted(start for _, start in gaps)
    return _Run(line, left, right, (top_left + bottom_right) / 2, _NEAR * height, gaps, starts)


def _ends(quad: Quad, c: float, s: float) -> tuple[float, float]:
    """The middles of the left and of the right side, along the text."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    return ((ax + dx) * c + (ay + dy) * s) / 2, ((bx + cx) * c + (by + cy) * s) / 2


def _is_gutter(x: float, around: Sequence[_Run]) -> bool:
    reaching = [run for run in around if run.reaches(x)]
    beginning = sum(run.begins_at(x) for run in reaching)
    return beginning >= max(_FEWEST, _SHARE * len(reaching))


def _cut(line: TextLine, places: Sequence[int]) -> list[TextLine]:
    """`line` in parts, of which all but the first begin with the words at `places`."""
    if not places:
        return [line]
    ends = [*places, len(line.words)]
    return [_part(line, start, end) for start, end in zip([0, *places], ends, strict=True)]


def _part(line: TextLine, start: int, end: int) -> TextLine:
    words = line.words[start:end]
    return TextLine(words, (words[0].quad[0], words[-1].quad[1], words[-1].quad[2], words[0].quad[3]))
