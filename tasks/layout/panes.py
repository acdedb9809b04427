"""Finds panes: parts of a page that lie side by side but do not belong together, such as a box beside a table.

The rows of one table are level on both sides of a gutter, while the lines of two panes are spaced independently. A
gutter therefore separates panes where most lines of the shorter side have no line at their height on the other side.
Above and below, the gutter ends at a line of text or a ruling that crosses it, at wide white space, or where a table
begins.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from tasks.layout.line_boxes import LineBox, Row, is_value
from tasks.layout.rulings import Stroke

_GUTTER = 0.8
"""White space separates panes if it is at least this wide, in line heights."""
_FEWEST_ROWS = 3
"""A pane has at least this many rows."""
_MAX_BOXES = 600
"""Panes are looked for only in parts of a page with at most this many boxes, because all boxes are examined at each
gutter."""
_MAX_GUTTERS = 40
"""At most this many places in one part of a page are examined as gutters: the places at which the most boxes begin or
end."""
_SLACK = 0.2
"""Two lines are level if their edges or their middles differ by less than this, in line heights."""
_SHIFT = 0.4
"""On a bent page, the cells of one row are shifted vertically against each other by less than this, in line heights."""
_LEVEL_WEIGHT = 0.5
"""A level row counts this much against panes, and a row that is not level counts 1 for them. The weight is less than 1,
because some rows of two panes are level by chance."""
_EVIDENCE = 3.0
"""Panes are found if the rows that are not level outweigh the level rows and the pauses by at least this. A pause is
white space of at least _PAUSE line heights, and has the weight 1."""
_EVIDENCE_BESIDE_RULINGS = 1.0
"""Least evidence for panes if rulings end at the gutter on both of its sides, as the rulings of two frames do."""
_FEWEST_LEVEL, _LEVEL_SHARE = 3, 0.75
"""The rows above or below panes are a table if at least _FEWEST_LEVEL of them, and at least the share _LEVEL_SHARE of
them, are level."""
_PAUSE, _BREAK = 1.5, 2.5
"""White space of at least _PAUSE line heights speaks for the end of a pane. White space of at least _BREAK line heights
ends it."""
_MAX_DISTANCE = 2.5
"""Two rulings end at a gutter between them if their ends are less than this far from it, in line heights."""
_RULING = 5.0
"""Rulings that end at a gutter count only if they are longer than this, in line heights."""


@dataclass(frozen=True, slots=True)
class _Panes:
    """Two panes and the gutter between them."""

    evidence: float
    boxes: int
    gutter: float
    top: float
    bottom: float

    @property
    def rank(self) -> tuple[float, int]:
        return self.evidence, self.boxes


def split_at_panes(boxes: Sequence[LineBox], across: Sequence[Stroke], height: float) -> list[list[LineBox]]:
    """Split `boxes` into the part above two panes, the left one, the right one, and the part below. If there are no
    panes, all boxes are one part. `across` are the page's horizontal rulings, and `height` is the height of its
    lines."""
    found = _find_panes(boxes, across, height) if len(boxes) <= _MAX_BOXES else None
    if found is None:
        return [list(boxes)]
    parts: list[list[LineBox]] = [[], [], [], []]
    for box in boxes:
        side = 1 if box.left < found.gutter else 2
        parts[0 if box.middle < found.top else 3 if box.middle > found.bottom else side].append(box)
    return [part for part in parts if part]


def _find_panes(boxes: Sequence[LineBox], across: Sequence[Stroke], height: float) -> _Panes | None:
    if len(boxes) < 2 * _FEWEST_ROWS:
        return None
    ordered = sorted(boxes, key=lambda box: box.middle)
    lefts, rights, middles = (np.array([getattr(box, edge) for box in ordered]) for edge in ("left", "right", "middle"))
    breaks = _white_levels(ordered, _BREAK * height)
    half = _GUTTER / 2 * height
    best: _Panes | None = None
    for gutter in _gutters(ordered, height):
        start, end = gutter - half, gutter + half
        crosses = (lefts < end) & (rights > start)
        ends = [*breaks, *middles[crosses], *(one.level for one in across if one.start < start and one.end > end)]
        uncrossed = [box for box, is_crossing in zip(ordered, crosses, strict=True) if not is_crossing]
        cuts = np.searchsorted(middles[~crosses], sorted(ends)).tolist()
        for first, last in pairwise([0, *cuts, len(uncrossed)]):
            if last - first >= 2 * _FEWEST_ROWS:
                found = _panes_at(gutter, uncrossed[first:last], across, height)
                if found is not None and (best is None or found.rank > best.rank):
                    best = found
    return best


def _gutters(boxes: Sequence[LineBox], height: float) -> list[float]:
    """Return the horizontal positions beside the most frequent edges of boxes, the most frequent first."""
    half = _GUTTER / 2 * height
    often = Counter[tuple[int, int]]()
    farthest: dict[tuple[int, int], float] = {}
    for side, edges in ((1, [box.right for box in boxes]), (-1, [box.left for box in boxes])):
        for edge in edges:
            key = side, int(edge / height)
            often[key] += 1
            farthest[key] = max(farthest.get(key, float("-inf")), side * edge)
    return [side * (farthest[side, index] + half) for (side, index), _ in often.most_common(_MAX_GUTTERS)]


def _panes_at(gutter: float, boxes: Sequence[LineBox], across: Sequence[Stroke], height: float) -> _Panes | None:
    """Return the panes on the two sides of a gutter that none of `boxes` crosses."""
    sides = [_rows(box for box in boxes if box.left < gutter), _rows(box for box in boxes if box.left >= gutter)]
    if min(map(len, sides)) < _FEWEST_ROWS:
        return None
    top, bottom = max(rows[0][0].top for rows in sides), min(rows[-1][0].bottom for rows in sides)
    fewer, more = sorted(([row[0] for row in rows if top <= row[0].middle <= bottom] for rows in sides), key=len)
    if len(fewer) < _FEWEST_ROWS:
        return None
    level = are_level(fewer, more, height)
    pauses = _white_levels(boxes, _PAUSE * height)
    evidence, first, last = _weigh(fewer, level, pauses)
    if evidence < (_EVIDENCE_BESIDE_RULINGS if _are_framed(gutter, boxes, across, height) else _EVIDENCE):
        return None
    top, bottom = float("-inf"), float("inf")
    begin, stop = 0, len(level)
    if _is_table(level[:first]):
        begin = first
        top = _widest_white(boxes, fewer[first - 1].middle, fewer[first].middle)
    if _is_table(level[last + 1 :]):
        stop = last + 1
        bottom = _widest_white(boxes, fewer[last].middle, fewer[last + 1].middle)
    panes = [[row for row in rows if top <= row[0].middle <= bottom] for rows in sides]
    for rows in panes:
        if len(rows) < _FEWEST_ROWS or _are_values(rows):
            return None
    end = min(rows[-1][0].bottom for rows in panes)
    middles = [box.middle for rows in panes for row in _without_tail(rows, end, height) for box in row]
    evidence = sum(_weight(is_level) for is_level in level[begin:stop])
    return _Panes(evidence, len(middles), gutter, min(middles), max(middles))


def _rows(boxes: Iterable[LineBox]) -> list[Row]:
    """Group boxes, which are sorted by their middles, into rows."""
    rows: list[Row] = []
    for box in boxes:
        if rows and box.middle - rows[-1][0].middle < 0.4 * min(box.height, rows[-1][0].height):
            rows[-1].append(box)
        else:
            rows.append([box])
    return rows


def _are_values(rows: Sequence[Row]) -> bool:
    """True if most rows are values alone. A column of values belongs to the texts beside it."""
    return 2 * sum(all(is_value(box.line.text) for box in row) for row in rows) > len(rows)


def are_level(fewer: Sequence[LineBox], more: Sequence[LineBox], height: float) -> list[bool]:
    """Return, for each box of `fewer`, True if a box of `more` is at its height. Both sequences are sorted by their
    middles. An offset that most boxes share is disregarded."""
    middles = [box.middle for box in more]
    offsets = []
    for box in fewer:
        index = bisect_left(middles, box.middle)
        near = more[max(index - 1, 0) : index + 1]
        # Boxes in two sizes of type have only the middles or one of the edges in common.
        differences = ((one.top - box.top, one.middle - box.middle, one.bottom - box.bottom) for one in near)
        offsets.append(min((offset for each in differences for offset in each), key=abs))
    near_offsets = [offset for offset in offsets if abs(offset) < _SHIFT * height]
    shift = median(near_offsets) if 3 * len(near_offsets) >= 2 * len(offsets) else 0.0
    return [abs(offset - shift) < _SLACK * height for offset in offsets]


def _weigh(rows: Sequence[LineBox], level: Sequence[bool], pauses: Sequence[float]) -> tuple[float, int, int]:
    """Return the largest weight for panes that successive rows have, with the indices of the first and the last of
    these rows."""
    best, weight, first = (0.0, 0, 0), 0.0, 0
    for index, is_level in enumerate(level):
        if index and bisect_left(pauses, rows[index - 1].middle) < bisect_left(pauses, rows[index].middle):
            weight -= 1
        if weight <= 0:
            weight, first = 0.0, index
        weight += _weight(is_level)
        best = max(best, (weight, first, index), key=lambda one: one[0])
    return best


def _weight(is_level: bool) -> float:
    return -_LEVEL_WEIGHT if is_level else 1.0


def _is_table(level: Sequence[bool]) -> bool:
    return sum(level) >= max(_FEWEST_LEVEL, _LEVEL_SHARE * len(level))


def _are_framed(gutter: float, boxes: Sequence[LineBox], across: Sequence[Stroke], height: float) -> bool:
    """True if two level rulings end at the gutter, one on each side of it."""
    margin = 2 * _PAUSE * height
    top, bottom, max_distance = boxes[0].middle - margin, boxes[-1].middle + margin, _MAX_DISTANCE * height
    nearby = [one for one in across if top < one.level < bottom and one.end - one.start > _RULING * height]
    levels_before = [one.level for one in nearby if gutter - max_distance < one.end <= gutter]
    levels_after = [one.level for one in nearby if gutter <= one.start < gutter + max_distance]
    return any(abs(one - other) < _SLACK * height for one in levels_before for other in levels_after)


def _without_tail(rows: Sequence[Row], end: float, height: float) -> list[Row]:
    """Return the rows of a side. Rows below the end of the other side are left out if wide white space separates them
    from the others."""
    gaps = [below[0].top - above[0].bottom for above, below in pairwise(rows) if below[0].middle <= end]
    widest = 1.5 * max([*gaps, height])
    for position, (above, below) in enumerate(pairwise(rows), 1):
        if below[0].middle > end and below[0].top - above[0].bottom > widest:
            return list(rows[:position])
    return list(rows)


def _white_levels(boxes: Sequence[LineBox], least: float) -> list[float]:
    """Return, from top to bottom, the middle levels of all white spaces that no box interrupts and that are at least
    `least` high."""
    found = []
    reach = float("inf")
    for box in sorted(boxes, key=lambda box: box.top):
        if box.top - reach >= least:
            found.append((box.top + reach) / 2)
        reach = box.bottom if reach == float("inf") else max(reach, box.bottom)
    return found


def _widest_white(boxes: Sequence[LineBox], start: float, end: float) -> float:
    """Return the middle of the tallest white space between two levels."""
    inside = sorted((box for box in boxes if start <= box.middle <= end), key=lambda box: box.top)
    reach, best, level = inside[0].bottom, float("-inf"), start
    for box in inside[1:]:
        if box.top - reach > best:
            best, level = box.top - reach, (box.top + reach) / 2
        reach = max(reach, box.bottom)
    return level
