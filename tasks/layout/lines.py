"""Detected lines, in no order, to the lines of the page in the order in which a person reads them.

Everything happens in the text's own frame: lines that run the same way (to the right, down, to the left, up) are
ordered together, after their common skew is taken out. The direction in which most of the page's text runs comes
first.
"""

from collections import defaultdict
from collections.abc import Sequence
from math import atan2, cos, degrees, hypot, radians, sin

from models.vision.text import Point, Quad, TextLine
from tasks.layout.column_gaps import split_at_gutters
from tasks.layout.dewarp import straightened
from tasks.layout.reading_order import LineBox, Row, rows_in_order


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
