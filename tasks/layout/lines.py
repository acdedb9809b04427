"""Sorting detected lines into reading order.

Everything happens in the text's own frame of reference: lines of one direction (right, down, left, up) are ordered
together, after their common skew is removed. The direction of most of the page's text comes first.

Lines that a detector ran across a narrow gutter are split first. A single line is not enough for that: a gutter of ten
points is no wider than the spaces of a justified line. But only in columns do words begin below each other line after
line.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians, sin
from statistics import median

import numpy as np

from models.vision.text import Point, Quad, TextLine, Word
from tasks.layout.reading_order import LineBox, Row, rows_in_order

_BANDS = 8
"""Number of vertical bands of the page, within each of which the lines have one slope."""
_FEWEST = 5
"""Least number of lines that determine the slope of a band."""
_LONG = 4
"""Least length, in line heights, of a line whose slope is reliable."""
_BENT = 0.4
"""Least rise, in line heights, at which the page counts as bent; a smaller one does not disturb the grouping into
rows."""


def straightened(boxes: Sequence[LineBox]) -> Sequence[LineBox]:
    """Move `boxes` up and down as if the page lay flat; they are unchanged if it does.

    A sheet usually bends about a vertical axis: lines above each other have one slope, and the slopes along a row add
    up to its curve.
    """
    long = [box for box in boxes if box.right - box.left >= _LONG * box.height]
    if len(long) < 2 * _FEWEST:
        return boxes
    edges = np.linspace(min(box.left for box in boxes), max(box.right for box in boxes), _BANDS + 1)
    bands: list[list[LineBox]] = [[] for _ in range(_BANDS)]
    for box, place in zip(long, np.searchsorted(edges[1:-1], [box.centre for box in long]).tolist(), strict=True):
        bands[place].append(box)
    known = [band for band in bands if len(band) >= _FEWEST]
    if len(known) < 2:
        return boxes
    centres = [median(box.centre for box in band) for band in known]
    slopes = [median(box.slope for box in band) for band in known]
    rises = np.interp((edges[1:] + edges[:-1]) / 2, centres, slopes) * np.diff(edges)
    curve = np.concatenate([[0], rises.cumsum()])
    if np.ptp(curve) < _BENT * median(box.height for box in boxes):
        return boxes
    drops = np.interp([box.centre for box in boxes], edges, curve).tolist()
    return [replace(box, top=box.top - drop, bottom=box.bottom - drop) for box, drop in zip(boxes, drops, strict=True)]


_GAP = 0.6
"""Narrowest white space between words that may be a gutter, in line heights."""
_NEAR = 0.35
"""Largest difference, in line heights, between the beginnings of lines in one column."""
_AROUND = 8
"""Number of lines above and below that are examined for a gutter."""
_SHARE = 2 / 3
"""Least share of the lines with text at a gutter that must begin there."""
_FEWEST_IN_COLUMN = 4
"""Least number of lines in a column."""


@dataclass(frozen=True, slots=True)
class _PlacedLine:
    """A line in the frame of reference in which the page's text runs to the right."""

    line: TextLine
    left: float
    right: float
    middle: float
    near: float
    gaps: Sequence[tuple[int, float]]
    """Index in the line, and left end, of each word after a wide white space."""
    starts: Sequence[float]
    """Ascending left ends of these words."""

    def reaches(self, x: float) -> bool:
        return self.left - self.near < x < self.right

    def begins_at(self, x: float) -> bool:
        if abs(self.left - x) < self.near:
            return True
        place = bisect_left(self.starts, x - self.near)
        return place < len(self.starts) and self.starts[place] < x + self.near


def split_at_gutters(lines: Sequence[TextLine], angle: float) -> list[TextLine]:
    """Split `lines`, which run at `angle` degrees, where most lines around them have a gutter. The result runs from top
    to bottom.

    Cells of a table may be split as well: they stand on one row, and are joined again when rows are made.
    """
    c, s = cos(radians(angle)), sin(radians(angle))
    runs = sorted((_place_line(line, c, s) for line in lines), key=lambda run: (run.middle, run.left))
    parts = []
    for place, run in enumerate(runs):
        around = runs[max(place - _AROUND, 0) : place + _AROUND + 1]
        parts += _cut_at_gaps(run.line, [word for word, x in run.gaps if _is_gutter(x, around)])
    return parts


def _place_line(line: TextLine, c: float, s: float) -> _PlacedLine:
    top_left, top_right, bottom_right, bottom_left = (y * c - x * s for x, y in line.quad)
    height = (bottom_left + bottom_right - top_left - top_right) / 2
    left, right = _side_middles(line.quad, c, s)
    gaps, end = [], right
    for place, word in enumerate(line.words):
        start, after = _side_middles(word.quad, c, s)
        if start - end >= _GAP * height:
            gaps.append((place, start))
        end = after
    starts = sorted(start for _, start in gaps)
    return _PlacedLine(line, left, right, (top_left + bottom_right) / 2, _NEAR * height, gaps, starts)


def _side_middles(quad: Quad, c: float, s: float) -> tuple[float, float]:
    """Return the middles of the left and right sides, measured along the text."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad
    return ((ax + dx) * c + (ay + dy) * s) / 2, ((bx + cx) * c + (by + cy) * s) / 2


def _is_gutter(x: float, around: Sequence[_PlacedLine]) -> bool:
    reaching = [run for run in around if run.reaches(x)]
    beginning = sum(run.begins_at(x) for run in reaching)
    return beginning >= max(_FEWEST_IN_COLUMN, _SHARE * len(reaching))


def _cut_at_gaps(line: TextLine, places: Sequence[int]) -> list[TextLine]:
    """Split `line` before the words at `places`."""
    if not places:
        return [line]
    ends = pairwise([0, *places, len(line.words)])
    return [line_of(line.words[start:end]) for start, end in ends]


def line_of(words: Sequence[Word]) -> TextLine:
    """Build a line of `words`, which stand side by side."""
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return `lines` in reading order, with those on one visual row joined.

    A joined line has the words of its parts from left to right, and the smallest enclosing quadrilateral along the
    text's direction. Columns are read one after the other, tables and receipts row by row. The result does not depend
    on the order of `lines`.
    """
    ordered = []
    for angle, group in _group_by_direction(lines):
        boxes = [_line_box(line, angle) for line in split_at_gutters(group, angle)]
        ordered += [_join_row(row, angle) for row in rows_in_order(straightened(boxes))]
    return ordered


def _group_by_direction(lines: Sequence[TextLine]) -> list[tuple[float, list[TextLine]]]:
    """Group lines by direction, most text first, each group with its angle in degrees clockwise."""
    turns: dict[int, list[tuple[float, float, TextLine]]] = defaultdict(list)
    bystanders = []
    for line in lines:
        angle, length = _direction(line.quad)
        # The direction of one or two characters is unreliable, so they join the rest of the page.
        if len(line.text) <= 2:
            bystanders.append(line)
        else:
            turns[round(angle / 90) % 4].append((angle, length, line))
    if not turns:
        return [(0.0, bystanders)] if bystanders else []
    groups = []
    for turn, members in sorted(turns.items(), key=lambda item: (-sum(m[1] for m in item[1]), item[0])):
        skew = _weighted_median([((angle - 90 * turn + 180) % 360 - 180, length) for angle, length, _ in members])
        groups.append((90 * turn + skew, [line for _, _, line in members]))
    groups[0][1].extend(bystanders)
    return groups


def _direction(quad: Quad) -> tuple[float, float]:
    """Return the angle of the text in degrees (0 runs right, 90 runs down) and its length in pixels."""
    a, b, c, d = quad
    dx, dy = (b[0] - a[0] + c[0] - d[0]) / 2, (b[1] - a[1] + c[1] - d[1]) / 2
    return degrees(atan2(dy, dx)), hypot(dx, dy)


def _weighted_median(values: list[tuple[float, float]]) -> float:
    values.sort()
    half = sum(weight for _, weight in values) / 2
    for value, weight in values:
        half -= weight
        if half <= 0:
            return value
    return values[-1][0]


def _line_box(line: TextLine, angle: float) -> LineBox:
    a, b, c, d = corners = _rotate(line.quad, -angle)
    along, fall = b[0] + c[0] - a[0] - d[0], b[1] + c[1] - a[1] - d[1]
    slope = fall / along if along > abs(fall) else 0.0
    xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
    # The middles of the sides are used, so that a slightly skewed line does not extend into its neighbours.
    return LineBox((xs[0] + xs[1]) / 2, (ys[0] + ys[1]) / 2, (xs[2] + xs[3]) / 2, (ys[2] + ys[3]) / 2, slope, line)


def _join_row(row: Row, angle: float) -> TextLine:
    if len(row) == 1:
        return row[0].line
    corners = [corner for box in row for corner in _rotate(box.line.quad, -angle)]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    a, b, c, d = _rotate(((left, top), (right, top), (right, bottom), (left, bottom)), angle)
    return TextLine(tuple(word for box in row for word in box.line.words), (a, b, c, d))


def _rotate(points: Sequence[Point], angle: float) -> list[Point]:
    """Rotate `points` clockwise by `angle` degrees about the origin; exact for 0."""
    if angle == 0:
        return list(points)
    c, s = cos(radians(angle)), sin(radians(angle))
    return [(x * c - y * s, x * s + y * c) for x, y in points]
