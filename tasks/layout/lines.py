"""Detected lines, in no order, to the lines of the page in the order in which a person reads them.

Everything happens in the text's own frame: lines that run the same way (to the right, down, to the left, up) are
ordered together, after their common skew is taken out. The direction in which most of the page's text runs comes
first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import atan2, cos, degrees, hypot, radians, sin
from statistics import median

import numpy as np

from models.vision.text import Point, Quad, TextLine
from tasks.layout.reading_order import LineBox, Row, rows_in_order, split_at_gutters

_BANDS = 8
"""Vertical bands of the page, in each of which the lines run at one slope."""
_FEWEST = 5
"""Lines that show the slope of a band."""
_LONG = 4
"""Length of a line whose slope can be relied on, in heights."""
_BENT = 0.4
"""Rise of the page, in heights of a line, from which it counts as bent. Less is no trouble to those who make rows."""


def straightened(boxes: Sequence[LineBox]) -> Sequence[LineBox]:
    """`boxes`, moved up and down as if the page lay flat; as they are if it does.

    A sheet bends about an upright axis as a rule: lines above each other run at one slope, and the slopes along a
    row add up to its curve.
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


def in_reading_order(lines: Sequence[TextLine]) -> list[TextLine]:
    """`lines` in reading order, the ones on the same visual row joined into one.

    A joined line has the words of its parts from left to right, and the smallest quadrilateral along the text's
    direction that covers them. Columns are read one after the other, tables and receipts row by row. The result
    does not depend on the order of `lines`.
    """
    ordered = []
    for angle, group in _by_direction(lines):
        boxes = [_box(line, angle) for line in split_at_gutters(group, angle)]
        ordered += [_joined(row, angle) for row in rows_in_order(straightened(boxes))]
    return ordered


def _by_direction(lines: Sequence[TextLine]) -> list[tuple[float, list[TextLine]]]:
    """Lines by the way they run, most text first, each group with its angle in degrees, clockwise."""
    turns: dict[int, list[tuple[float, float, TextLine]]] = defaultdict(list)
    bystanders = []
    for line in lines:
        angle, length = _direction(line.quad)
        # One or two characters have no reliable direction: they go with the rest of the page.
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
    """The angle of the text in degrees (0 runs right, 90 runs down) and its length in pixels."""
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


def _box(line: TextLine, angle: float) -> LineBox:
    a, b, c, d = corners = _turned(line.quad, -angle)
    along, fall = b[0] + c[0] - a[0] - d[0], b[1] + c[1] - a[1] - d[1]
    slope = fall / along if along > abs(fall) else 0.0
    xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
    # The middles of the sides: a line that runs a little askew does not grow into its neighbours.
    return LineBox((xs[0] + xs[1]) / 2, (ys[0] + ys[1]) / 2, (xs[2] + xs[3]) / 2, (ys[2] + ys[3]) / 2, slope, line)


def _joined(row: Row, angle: float) -> TextLine:
    if len(row) == 1:
        return row[0].line
    corners = [corner for box in row for corner in _turned(box.line.quad, -angle)]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    a, b, c, d = _turned(((left, top), (right, top), (right, bottom), (left, bottom)), angle)
    return TextLine(tuple(word for box in row for word in box.line.words), (a, b, c, d))


def _turned(points: Sequence[Point], angle: float) -> list[Point]:
    """`points` turned clockwise by `angle` degrees about the origin; exact where there is nothing to turn."""
    if angle == 0:
        return list(points)
    c, s = cos(radians(angle)), sin(radians(angle))
    return [(x * c - y * s, x * s + y * c) for x, y in points]
