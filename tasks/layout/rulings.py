"""Finds ruling lines in the pixels of a picture or the strokes of a page.

Rulings are `turned` to the frame of reference in which the page's text runs to the right, so that tables on a slightly
skewed sheet are upright.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import atan2, cos, degrees, hypot, radians, sin
from statistics import median

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Point, Ruling, TextLine
from tasks.layout.components import sloping_components_of
from tasks.layout.upright import UprightGrey

MAX_RULINGS = 2000
"""At most this many rulings of a page, the longest ones, are kept in each direction, because each is compared with all
rulings that may cross it. A dense form has 500."""
TOUCH = 0.5
"""A ruling meets another one if the gap between its end and the other ruling is at most this, in line heights."""
_LONGEST_SIDE = 3000
"""Length of the longer side, in pixels, above which a picture is scaled down before it is searched for lines."""
_MAX_SINE = 0.035
"""Sine of the angle (2 degrees) above which a line is neither horizontal nor vertical."""
_LEAST_HORIZONTAL, _LEAST_VERTICAL = 2.0, 1.3
"""Horizontal rulings have at least the first length, and vertical ones the second, in line heights. Strokes of letters
are shorter."""
_MEASURED_LENGTH = 10.0
"""The angle of a page is measured from the rulings with at least this length, in line heights."""
_LEAST_CONTRAST = 12
"""A line differs from its surroundings by at least this many grey levels."""
_BAR_THICKNESS = 0.6
"""A dark stroke is a bar and not a ruling if it is thicker than this, in line heights, and thicker than 4 pixels."""
_DOUBLE_RULE_GAP = 0.3
"""Rulings count as one if they are at most this far apart, in line heights: double rules, or a line drawn cell by
cell."""


def skew_of(lines: Sequence[TextLine]) -> tuple[float, float]:
    """Return the angle of most text on the page, in degrees clockwise, and the usual line height in pixels, which is at
    least 4. Without lines, the result is 0 degrees and 20 pixels."""
    runs: dict[int, list[tuple[float, float]]] = {}
    heights = []
    for line in lines:
        a, b, c, d = line.quad
        dx, dy = (b[0] - a[0] + c[0] - d[0]) / 2, (b[1] - a[1] + c[1] - d[1]) / 2
        heights.append((hypot(d[0] - a[0], d[1] - a[1]) + hypot(c[0] - b[0], c[1] - b[1])) / 2)
        if len(line.text) > 2:
            angle = degrees(atan2(dy, dx))
            runs.setdefault(round(angle / 90) % 4, []).append((angle, hypot(dx, dy)))
    if not runs:
        return 0.0, max(4.0, median(heights)) if heights else 20.0
    turn, longest_runs = max(runs.items(), key=lambda item: sum(length for _, length in item[1]))
    skew = _weighted_median(((angle - 90 * turn + 180) % 360 - 180, length) for angle, length in longest_runs)
    return 90 * turn + skew, max(4.0, median(heights))


def skew_of_rulings(rulings: Sequence[Ruling], angle: float, height: float) -> float:
    """Return the angle of the long rulings along the text. If there are none, return `angle`, which is the angle of the
    text.

    The rulings of a table show the angle of a page more exactly than short words do.
    """
    slopes: list[tuple[float, float]] = []
    for ruling in rulings:
        (x0, y0), (x1, y1) = turned(ruling, -angle)
        length = hypot(x1 - x0, y1 - y0)
        if length >= _MEASURED_LENGTH * height and abs(y1 - y0) <= _MAX_SINE * length:
            slopes.append((degrees(atan2(y1 - y0, x1 - x0) if x1 >= x0 else atan2(y0 - y1, x0 - x1)), length))
    return angle + _weighted_median(slopes) if slopes else angle


def _weighted_median(weighted: Iterable[tuple[float, float]]) -> float:
    """Return the median of values with weights."""
    ordered = sorted(weighted)
    half = sum(weight for _, weight in ordered) / 2
    below = accumulate(weight for _, weight in ordered)
    return next(value for (value, _), weight in zip(ordered, below, strict=True) if weight >= half)


def turned(points: Iterable[Point], angle: float) -> list[Point]:
    """Rotate `points` clockwise by `angle` degrees about the origin."""
    c, s = cos(radians(angle)), sin(radians(angle))
    return [(x * c - y * s, x * s + y * c) for x, y in points]


def rulings_in(page: UprightGrey, lines: Sequence[TextLine]) -> list[Ruling]:
    """Find the straight lines of a page that run along and across its text, given by `lines`. Their ends are in pixels
    of the picture."""
    import cv2

    grey, (left, top), scale = page.at_most(_LONGEST_SIDE)
    height = skew_of(lines)[1] * scale
    window = 2 * int(height / 2) + 3
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, _LEAST_CONTRAST)
    found = _find_strokes(ink, height, _LEAST_HORIZONTAL)
    transposed = _find_strokes(cv2.transpose(ink), height, _LEAST_VERTICAL)
    found += [((ay, ax), (by, bx)) for (ax, ay), (bx, by) in transposed]
    if not found:
        return []
    ends = page.geometry.source(np.array(found, np.float64) / scale + (left, top))
    return [((ax, ay), (bx, by)) for (ax, ay), (bx, by) in ends.tolist()]


def _find_strokes(ink: NDArray[np.uint8], height: float, shortest: float) -> list[Ruling]:
    """Return the ends of the dark strokes that run to the right."""
    import cv2

    reach = max(8, int(shortest * height))
    ink = cv2.dilate(ink, np.ones((2, 1), np.uint8))
    rows = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, reach), np.uint8))
    boxes, centres, slopes = sloping_components_of(rows)
    lefts, widths = boxes[:, cv2.CC_STAT_LEFT], boxes[:, cv2.CC_STAT_WIDTH]
    # A long line that deviates from the direction of the text by half a degree has a high box, but is not thick.
    thickness = boxes[:, cv2.CC_STAT_HEIGHT] - np.abs(slopes) * widths
    kept = np.flatnonzero(thickness <= max(4.0, _BAR_THICKNESS * height))
    kept = kept[np.argsort(-widths[kept], kind="stable")[:MAX_RULINGS]]
    rights = lefts + widths
    starts, ends = (centres[:, 1] + slopes * (x - centres[:, 0]) for x in (lefts, rights))
    return [
        ((float(lefts[index]), float(starts[index])), (float(rights[index]), float(ends[index])))
        for index in kept.tolist()
    ]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A horizontal or vertical ruling."""

    level: float
    """Position of the ruling: y if it is horizontal, x if it is vertical."""
    start: float
    end: float


def strokes_of(rulings: Iterable[Ruling], angle: float, height: float) -> tuple[list[Stroke], list[Stroke]]:
    """Return the horizontal and the vertical rulings for text at `angle`. Rulings that continue each other are
    joined."""
    across, down = [], []
    for ruling in rulings:
        (x0, y0), (x1, y1) = turned(ruling, -angle)
        length = hypot(x1 - x0, y1 - y0)
        if abs(y1 - y0) <= _MAX_SINE * length:
            across.append(Stroke((y0 + y1) / 2, min(x0, x1), max(x0, x1)))
        elif abs(x1 - x0) <= _MAX_SINE * length:
            down.append(Stroke((x0 + x1) / 2, min(y0, y1), max(y0, y1)))
    return _join_strokes(across, height, _LEAST_HORIZONTAL), _join_strokes(down, height, _LEAST_VERTICAL)


def _join_strokes(strokes: list[Stroke], height: float, shortest: float) -> list[Stroke]:
    strokes = sorted(strokes, key=lambda stroke: stroke.start - stroke.end)[:MAX_RULINGS]
    found = []
    for level, members in levels(strokes, height):
        start, end = float("inf"), float("-inf")
        for stroke in sorted(members, key=lambda stroke: stroke.start):
            if start < end < stroke.start - TOUCH * height:
                found.append(Stroke(level, start, end))
                start = stroke.start
            start, end = min(start, stroke.start), max(end, stroke.end)
        found.append(Stroke(level, start, end))
    return [stroke for stroke in found if stroke.end - stroke.start >= shortest * height]


def levels(strokes: Iterable[Stroke], height: float) -> list[tuple[float, list[Stroke]]]:
    """Group `strokes` of nearly the same level, ascending, each group with its mean level."""
    groups: list[list[Stroke]] = []
    for stroke in sorted(strokes, key=lambda stroke: stroke.level):
        if groups and stroke.level - groups[-1][0].level <= _DOUBLE_RULE_GAP * height:
            groups[-1].append(stroke)
        else:
            groups.append([stroke])
    return [(sum(stroke.level for stroke in group) / len(group), group) for group in groups]
