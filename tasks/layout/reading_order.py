"""The reading order of upright boxes: columns one after the other, everything else row by row.

A recursive XY cut in which white space proposes and the text decides. The page falls into *strips* that no box
crosses; consecutive strips with a vertical *gutter* in common form a block; a gutter parts the block into columns
if the text on its two sides reads like two texts, and is the space between the cells of one row if not.

Lines that a detector ran across a narrow gutter are parted again. One line alone does not tell: the white space of a
gutter of ten points is no wider than that between the words of a justified line. But words do not begin below each
other by chance, line after line, as columns do.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, radians, sin
from operator import attrgetter, itemgetter
from statistics import median

from models.vision.text import Quad, TextLine, Word

_GAP = 0.6
"""Narrowest white space between words that may be a gutter, in heights of the line."""
_NEAR = 0.35
"""How far apart the lines of a column may begin, in heights of the line."""
_AROUND = 8
"""Lines above and below that are asked."""
_SHARE = 2 / 3
"""The share of the lines with text at a gutter that must begin there anew."""
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
        parts += _cut_at_gaps(run.line, [word for word, x in run.gaps if _is_gutter(x, around)])
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


def _cut_at_gaps(line: TextLine, places: Sequence[int]) -> list[TextLine]:
    """`line` in parts, of which all but the first begin with the words at `places`."""
    if not places:
        return [line]
    ends = pairwise([0, *places, len(line.words)])
    return [line_of(line.words[start:end]) for start, end in ends]


def line_of(words: Sequence[Word]) -> TextLine:
    """A line of `words`, which stand side by side."""
    first, last = words[0].quad, words[-1].quad
    return TextLine(tuple(words), (first[0], last[1], last[2], first[3]))


_left, _middle = attrgetter("left"), attrgetter("middle")

Row = list["LineBox"]
"""What stands on one visual row, left to right; never empty."""

_GUTTER = 0.6
"""Narrowest white space between columns, in heights of a line. Between words there is about 0.3."""
_BREAK = 2.5
"""White space above a strip that ends a block, in heights of a line. A blank line leaves about 1.5."""
_BRIDGE = 0.6
"""Share of a block's width from which a line may lie across a gutter."""
_OVERLAP = 0.2
"""Share of a box's height, at the top and at the bottom, that may reach into the lines beside it: detectors draw
generous boxes, and tight lines touch."""
_DEPTH = 8
"""Columns within columns within columns that are looked for: pages have two or three, and each costs a pass."""


@dataclass(frozen=True, slots=True)
class LineBox:
    """One detected line in the frame in which the page's text runs to the right."""

    left: float
    top: float
    right: float
    bottom: float
    slope: float
    """Fall of the line per pixel to the right; the box stands upright nevertheless."""
    line: TextLine

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def rows_in_order(boxes: Sequence[LineBox]) -> list[Row]:
    """The visual rows of `boxes` in reading order. The order of `boxes` does not matter."""
    if not boxes:
        return []
    ordered = sorted(boxes, key=lambda box: (box.top, box.left, box.right, box.bottom, box.line.text))
    return _cut(ordered, median(box.height for box in ordered), _DEPTH)


def _cut(boxes: Sequence[LineBox], height: float, depth: int) -> list[Row]:
    if depth == 0:
        return _rows(boxes)
    rows = []
    for block in _blocks(boxes, height):
        parts = _columns(block, height)
        if len(parts) == 1:
            parts = _parts_between_bridges(block, height)
        for part in parts:
            rows += _rows(part) if len(parts) == 1 else _cut(part, height, depth - 1)
    return rows


def _blocks(boxes: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """Consecutive strips, kept together as long as they have a gutter in common or none has one."""
    blocks: list[list[LineBox]] = []
    spans: list[Span] = []
    bottom = 0.0
    for strip in _strips(boxes):
        own, parts_above = _spans(strip, height), len(spans)
        for span in own:
            _cover(spans, span, height)
        hides_gutters = len(spans) == 1 and (len(own) > 1 or parts_above > 1)
        if not blocks or hides_gutters or strip[0].top - bottom > _BREAK * height:
            blocks.append([])
            spans, bottom = own, strip[0].bottom
        blocks[-1] += strip
        bottom = max(bottom, *(box.bottom for box in strip))
    return blocks


def _strips(boxes: Sequence[LineBox]) -> list[list[LineBox]]:
    """Boxes that overlap vertically, directly or through others, top to bottom."""
    strips: list[list[LineBox]] = []
    reach = float("-inf")
    for box in sorted(boxes, key=lambda box: box.top + _OVERLAP * box.height):
        if box.top + _OVERLAP * box.height >= reach:
            strips.append([])
        strips[-1].append(box)
        reach = max(reach, box.bottom - _OVERLAP * box.height)
    return strips


Span = tuple[float, float]
"""Left and right end of a stretch that is covered with text."""


def _spans(boxes: Sequence[LineBox], height: float) -> list[Span]:
    """What `boxes` cover, left to right; what parts two spans is wide enough for a gutter."""
    spans: list[Span] = []
    for box in sorted(boxes, key=_left):
        _cover(spans, (box.left, box.right), height)
    return spans


def _cover(spans: list[Span], span: Span, height: float) -> None:
    """Adds `span` to `spans`, as one with those that no gutter parts it from."""
    left, right = span
    first = bisect_right(spans, left - _GUTTER * height, key=itemgetter(1))
    end = bisect_left(spans, right + _GUTTER * height, key=itemgetter(0))
    if first < end:
        left, right = min(left, spans[first][0]), max(right, spans[end - 1][1])
    spans[first:end] = [(left, right)]


def _columns(block: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """The columns of a block, left to right; one column if its gutters only part the cells of rows."""
    spans = _spans(block, height)
    slices: list[list[LineBox]] = [[] for _ in spans]
    for box in block:
        slices[bisect_right(spans, box.left, key=itemgetter(0)) - 1].append(box)
    rows = [_rows(part) for part in slices]
    columns = [slices[0]]
    for part, (before, after) in zip(slices[1:], pairwise(rows), strict=True):
        if _are_two_texts(before, after):
            columns.append(part)
        else:
            columns[-1] += part
    return columns


def _parts_between_bridges(block: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """`block`, cut above and below the wide lines that hide its gutter; whole if they do not.

    A detector takes two lines for one where a gutter is tight. Lines on different levels left and right of it then
    leave no strip in which the gutter shows.
    """
    wide = _BRIDGE * (max(box.right for box in block) - min(box.left for box in block))
    bridges = sorted((box for box in block if box.right - box.left > wide), key=_middle)
    others = [box for box in block if box.right - box.left <= wide]
    if not bridges or not others or len(_columns(others, height)) == 1:
        return [list(block)]
    levels = [bridge.middle for bridge in bridges]
    parts: list[list[LineBox]] = [[] for _ in range(2 * len(bridges) + 1)]
    for place, bridge in enumerate(bridges):
        parts[2 * place + 1].append(bridge)
    for box in others:
        parts[2 * bisect_left(levels, box.middle)].append(box)
    return [part for part in parts if part]


def _are_two_texts(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Whether the rows on the two sides of a gutter are read one side after the other.

    They are if they stand beside each other, and either both run as prose or most of them have no counterpart
    on their own level. Sides that take turns (a chat) have nothing beside each other: they are one sequence.
    """
    fewer, more = sorted(([row[-1] for row in one], [row[0] for row in other]), key=len)
    more.sort(key=_middle)
    facing = [(box, beside) for box in fewer if _shared_height(box, beside := _nearest(box, more)) > 0]
    if 3 * len(facing) < len(fewer):
        return False
    offsets = [beside.middle - box.middle for box, beside in facing]
    shift, height = median(offsets), median(box.height for box in fewer)
    # On a page that bends, the cells of every row stand off by about as much.
    slack = 0.25 * height if abs(shift) < 0.4 * height else 0
    level = sum(
        abs(offset - shift) < slack or _have_an_edge_in_common(*pair)
        for offset, pair in zip(offsets, facing, strict=True)
    )
    if 2 * level <= len(facing):
        return True
    return _is_prose(one) and _is_prose(other)


def _nearest(box: LineBox, others: Sequence[LineBox]) -> LineBox:
    """The one of `others`, sorted by their middles, whose middle is nearest to that of `box`."""
    place = bisect_left(others, box.middle, key=_middle)
    return min(others[max(place - 1, 0) : place + 1], key=lambda other: abs(other.middle - box.middle))


def _is_prose(rows: Sequence[Row]) -> bool:
    """Whether three rows or more fill their column, or go on in the middle of sentences, as wide text does."""
    if len(rows) < 3:
        return False
    left, right = min(row[0].left for row in rows), max(row[-1].right for row in rows)
    widths = [row[-1].right - row[0].left for row in rows]
    width, height = median(widths), median(row[0].height for row in rows)
    full = sum(one >= 0.75 * (right - left) for one in widths)
    going_on = sum(row[0].line.words[0].text[0].islower() for row in rows)
    # A character is about 0.4 line heights wide: 10 heights are 25 characters, a narrow newspaper column.
    if width >= 10 * height and full >= 0.6 * len(rows):
        return True
    return width >= 5 * height and going_on >= 0.4 * len(rows)


def _rows(boxes: Sequence[LineBox]) -> list[Row]:
    """Boxes on one base line, left to right; rows top to bottom."""
    rows: list[Row] = []
    for box in sorted(boxes, key=lambda box: (box.middle, box.left)):
        for row in rows[:-4:-1]:
            place = bisect_left(row, box.left, key=_left)
            # A photographed page bends: only the neighbour shows whether the box goes on with the row.
            neighbours = row[max(place - 1, 0) : place + 1]
            nearest = min(neighbours, key=lambda member: abs(member.left - box.left))
            if _on_one_line(nearest, box) and all(_shared_width(box, member) <= 0 for member in neighbours):
                row.insert(place, box)
                break
        else:
            rows.append([box])
    return rows


def _on_one_line(one: LineBox, other: LineBox) -> bool:
    small, large = sorted((one.height, other.height))
    near = abs(one.middle - other.middle) < max(0.4 * small, 0.2 * large)
    return _shared_height(one, other) >= 0.5 * small and (near or _have_an_edge_in_common(one, other))


def _have_an_edge_in_common(one: LineBox, other: LineBox) -> bool:
    """A box grows on one side alone around the tail of a letter or a rule of the table."""
    small, large = sorted((one.height, other.height))
    edge = min(abs(one.top - other.top), abs(one.bottom - other.bottom))
    return edge < 0.25 * small and large < 2.5 * small


def _shared_height(one: LineBox, other: LineBox) -> float:
    return min(one.bottom, other.bottom) - max(one.top, other.top)


def _shared_width(one: LineBox, other: LineBox) -> float:
    """How far two boxes overlap horizontally, beyond the slack that generous boxes take."""
    return min(one.right, other.right) - max(one.left, other.left) - 0.3 * min(one.height, other.height)
