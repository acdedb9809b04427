"""Sorts detected lines into reading order.

All coordinates are on the upright, flat page (`models.vision.page_geometry`). Most of the text runs in one direction.
Lines that run in any other direction (down, left, up) come after it. Each direction is sorted in its own frame.

A detector may read a line across a narrow gutter; such lines are split first. A single line does not show a gutter,
because a gutter of ten points is no wider than the spaces of a justified line. Many successive lines show a gutter,
because words of all lines begin at the same position only if the lines are in columns.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import atan2, degrees, hypot

from models.vision.page_geometry import PageGeometry
from models.vision.text import Quad, TextLine, Word
from tasks.layout.line_boxes import LineBox, Row
from tasks.layout.reading_order import rows_in_order

_GAP = 0.6
"""White space between words may be a gutter if it is at least this wide, in line heights."""
_BEGINNING_DIFFERENCE = 0.35
"""The beginnings of lines in one column differ by at most this, in line heights."""
_LINES_AROUND = 8
"""At most this many lines above a line, and this many below it, are examined for a gutter."""
_BEGINNING_SHARE = 2 / 3
"""At least this share of the lines that reach the x position of a gutter must begin there or have a word there after
wide white space."""
_FEWEST_IN_COLUMN = 4
"""A column has at least this many lines."""


@dataclass(frozen=True, slots=True)
class _PlacedLine:
    """A line on the upright page."""

    line: TextLine
    left: float
    right: float
    middle: float
    tolerance: float
    """Largest difference between the beginnings of lines in one column."""
    gaps: Sequence[tuple[int, float]]
    """Index in the line, and left end, of each word after wide white space."""
    starts: Sequence[float]
    """Ascending left ends of these words."""

    def reaches(self, x: float) -> bool:
        return self.left - self.tolerance < x < self.right

    def begins_at(self, x: float) -> bool:
        if abs(self.left - x) < self.tolerance:
            return True
        index = bisect_left(self.starts, x - self.tolerance)
        return index < len(self.starts) and self.starts[index] < x + self.tolerance


def split_at_gutters(lines: Sequence[TextLine]) -> list[TextLine]:
    """Split `lines` of an upright page at gutters that most lines around them have, too. The result runs from top to
    bottom.

    Cells of a table may be split as well. The cells of a row are joined again when rows are made.
    """
    runs = sorted(map(_place_line, lines), key=lambda run: (run.middle, run.left))
    parts = []
    for index, run in enumerate(runs):
        nearby_runs = runs[max(index - _LINES_AROUND, 0) : index + _LINES_AROUND + 1]
        parts += _cut_at_gaps(run.line, [word for word, x in run.gaps if _is_gutter(x, nearby_runs)])
    return parts


def _place_line(line: TextLine) -> _PlacedLine:
    top_left, top_right, bottom_right, bottom_left = (y for _, y in line.quad)
    height = (bottom_left + bottom_right - top_left - top_right) / 2
    left, right = _side_middles(line.quad)
    gaps, end = [], right
    for index, word in enumerate(line.words):
        start, after = _side_middles(word.quad)
        if index and start - end >= _GAP * height:
            gaps.append((index, start))
        end = after
    starts = sorted(start for _, start in gaps)
    return _PlacedLine(line, left, right, (top_left + bottom_right) / 2, _BEGINNING_DIFFERENCE * height, gaps, starts)


def _side_middles(quad: Quad) -> tuple[float, float]:
    """Return the middles of the left and right sides, measured along the text."""
    (ax, _), (bx, _), (cx, _), (dx, _) = quad
    return (ax + dx) / 2, (bx + cx) / 2


def _is_gutter(x: float, nearby_runs: Sequence[_PlacedLine]) -> bool:
    reaching = [run for run in nearby_runs if run.reaches(x)]
    beginning = sum(run.begins_at(x) for run in reaching)
    return beginning >= max(_FEWEST_IN_COLUMN, _BEGINNING_SHARE * len(reaching))


def _cut_at_gaps(line: TextLine, places: Sequence[int]) -> list[TextLine]:
    """Split `line` before the words at `places`."""
    if not places:
        return [line]
    ends = pairwise([0, *places, len(line.words)])
    return [line_of(line.words[start:end]) for start, end in ends]


def line_of(words: Sequence[Word]) -> TextLine:
    """Build a line of `words`, which are side by side."""
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


def in_reading_order(lines: Sequence[TextLine], geometry: PageGeometry | None = None) -> list[TextLine]:
    """Return `lines` in reading order, with those on one visual row joined. `geometry` is the page's; by default it is
    fitted to the lines.

    A joined line has the words of its parts from left to right, and the quadrilateral that encloses them on the upright
    page. Columns are read one after the other, tables and receipts row by row. The result does not depend on the order
    of `lines`.
    """
    if geometry is None:
        geometry = PageGeometry.of_lines(lines)
    ordered = []
    for frame, group in _group_by_direction(lines, geometry):
        upright = frame.upright_lines(group)
        source = {id(flat): line for flat, line in zip(upright, group, strict=True)}
        words = {
            id(flat): word
            for one, line in zip(upright, group, strict=True)
            for flat, word in zip(one.words, line.words, strict=True)
        }
        boxes = [_line_box(line) for line in split_at_gutters(upright)]
        for row in rows_in_order(boxes):
            whole = source.get(id(row[0].line)) if len(row) == 1 else None
            ordered.append(whole or _join_row(row, [words[id(word)] for box in row for word in box.line.words], frame))
    return ordered


def _group_by_direction(lines: Sequence[TextLine], geometry: PageGeometry) -> list[tuple[PageGeometry, list[TextLine]]]:
    """Group lines by direction, each group with its frame, beginning with the direction of most of the page's text."""
    turns: dict[int, list[TextLine]] = defaultdict(list)
    bystanders = []
    for line in lines:
        # The direction of one or two characters is unreliable, so they join the rest of the page.
        if len(line.text) <= 2:
            bystanders.append(line)
        else:
            turns[round((_direction(line.quad) - geometry.angle) / 90) % 4].append(line)
    groups = [(geometry, turns.pop(0, []) + bystanders)]
    rest = sorted(turns.items(), key=lambda item: (-sum(_length(line.quad) for line in item[1]), item[0]))
    groups += [(PageGeometry.of_lines(members), members) for _, members in rest]
    return [group for group in groups if group[1]]


def _direction(quad: Quad) -> float:
    """Return the angle of the text in degrees: 0 runs right, 90 runs down."""
    a, b, c, d = quad
    return degrees(atan2(b[1] - a[1] + c[1] - d[1], b[0] - a[0] + c[0] - d[0]))


def _length(quad: Quad) -> float:
    a, b, c, d = quad
    return hypot(b[0] - a[0] + c[0] - d[0], b[1] - a[1] + c[1] - d[1]) / 2


def _line_box(line: TextLine) -> LineBox:
    xs, ys = sorted(x for x, _ in line.quad), sorted(y for _, y in line.quad)
    # The middles of the sides are used, so that a slightly skewed line does not extend into its neighbours.
    return LineBox((xs[0] + xs[1]) / 2, (ys[0] + ys[1]) / 2, (xs[2] + xs[3]) / 2, (ys[2] + ys[3]) / 2, line)


def _join_row(row: Row, words: Sequence[Word], frame: PageGeometry) -> TextLine:
    """Join a row of the upright page into one line in the picture's coordinates. `words` are the row's words, already
    in these coordinates."""
    if len(row) == 1:
        return line_of(words)
    corners = [corner for box in row for corner in box.line.quad]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    return TextLine(tuple(words), frame.source_quad(((left, top), (right, top), (right, bottom), (left, bottom))))
