"""Determines the reading order of upright boxes: columns one after the other, everything else row by row.

The algorithm is a recursive XY cut: white space yields possible cuts, and the text decides which of them are made. The
page is divided into *strips*, which are horizontal bands whose edges no box crosses. Consecutive strips with a common
vertical *gutter* form a block. A gutter divides the block into columns if the text on its two sides reads like two
texts; otherwise it separates the cells of rows.

Each row becomes one line of output. A row is split if the type size changes, or if a wide gap separates two fields.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import dist
from operator import attrgetter, itemgetter
from statistics import median

from models.vision.type_size import TypeSize
from tasks.layout.line_boxes import LineBox, Row, is_value

_left, _middle = attrgetter("left"), attrgetter("middle")

_GUTTER = 0.6
"""White space separates columns if it is at least this wide, in line heights. The space between words is about 0.3."""
_BREAK = 2.5
"""A strip begins a new block if the white space above it is higher than this, in line heights. A blank line is about
1.5 line heights of white space."""
_BRIDGE_WIDTH = 0.6
"""A line wider than this share of its block may be two lines that a detector merged across a gutter (a "bridge")."""
_OVERLAP = 0.2
"""A box may overlap adjacent lines by this share of its height, at top and bottom. Detectors draw boxes higher than
their text, and tightly set lines touch."""
_MAX_DEPTH = 8
"""Parts of a page are divided into parts at most this many levels deep. Pages have two or three levels, and each level
takes a pass over the boxes."""
_HEIGHT_RATIO = 1.45
"""Two boxes go together if the ratio of their heights is smaller than this. Otherwise, their texts and type sizes
decide."""
_VALUES = 8
"""A column of text has more than this many rows for each row that is a value."""
_FEWEST_PARAGRAPHS = 3
_OWN_SHARE = 0.3
"""Two columns are two texts if each has at least this many paragraphs, and at least this share of them begins where the
other column has no beginning."""
_BLANK = 0.5
"""White space between paragraphs is higher than that between lines by at least this, in line heights."""
_FIELD_GAP = 1.5
"""White space separates the fields of a row if it is at least this wide, in line heights. A label after it begins a
separate line."""
_TEXT_GAP = 3.0
"""A text that is not a label begins a separate line if the white space before it is at least this wide, in line
heights. Cells and values stay in their row."""
_LABEL_SIZE = 1.25
"""The type of values is larger than that of the labels above them by more than this factor."""
_SLACK = 0.2
"""Two lines are level if their edges or their middles differ by less than this, in line heights."""
_SHIFT = 0.4
"""On a bent page, the cells of one row are shifted vertically against each other by less than this, in line heights."""
_LEAST_HEIGHT = 1e-6
"""Lines count as at least this high, because the text of a PDF may have no height."""
_LABEL = re.compile(r"[^\W\d_][^:：\d]{0,30}[:：](?!//)")
_AMOUNT = re.compile(r"\W*[^\W\d_]{0,3}\W{0,2}\d[\d.,]*[^\w.,]*")
_COLONS = (":", "：")


def rows_in_order(boxes: Sequence[LineBox]) -> list[Row]:
    """Return the visual rows of `boxes` in reading order. The boxes may have any order."""
    if not boxes:
        return []
    ordered = sorted(boxes, key=lambda box: (box.top, box.left, box.right, box.bottom, box.line.text))
    height = max(_LEAST_HEIGHT, median(box.height for box in ordered))
    return _order_rows(ordered, height, _MAX_DEPTH)


def _order_rows(boxes: Sequence[LineBox], height: float, depth: int) -> list[Row]:
    if depth == 0:
        return _split_lines(_group_rows(boxes))
    rows = []
    for block in _group_blocks(boxes, height):
        parts = _split_columns(block, height)
        if len(parts) == 1:
            parts = _parts_between_bridges(block, height)
        if len(parts) == 1:
            rows += _split_lines(_group_rows(parts[0]))
        else:
            for part in parts:
                rows += _order_rows(part, height, depth - 1)
    return rows


def _group_blocks(boxes: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """Group consecutive strips into blocks. A strip begins a new block if it has no gutter in common with the block
    above although one of the two has a gutter, or if wide white space separates it from that block."""
    blocks: list[list[LineBox]] = []
    spans: list[Span] = []
    bottom = 0.0
    for strip in _group_strips(boxes):
        own, parts_above = _covered_spans(strip, height), len(spans)
        for span in own:
            _add_span(spans, span, height)
        hides_gutters = len(spans) == 1 and (len(own) > 1 or parts_above > 1)
        if not blocks or hides_gutters or strip[0].top - bottom > _BREAK * height:
            blocks.append([])
            spans, bottom = own, strip[0].bottom
        blocks[-1] += strip
        bottom = max(bottom, *(box.bottom for box in strip))
    return blocks


def _group_strips(boxes: Sequence[LineBox]) -> list[list[LineBox]]:
    """Group boxes that overlap vertically, directly or through others, from top to bottom."""
    strips: list[list[LineBox]] = []
    reach = float("-inf")
    for box in sorted(boxes, key=lambda box: box.top + _OVERLAP * box.height):
        if box.top + _OVERLAP * box.height >= reach:
            strips.append([])
        strips[-1].append(box)
        reach = max(reach, box.bottom - _OVERLAP * box.height)
    return strips


Span = tuple[float, float]
"""Left and right end of an interval that text covers."""


def _covered_spans(boxes: Sequence[LineBox], height: float) -> list[Span]:
    """Return the spans that `boxes` cover, from left to right; gaps narrower than a gutter are closed."""
    spans: list[Span] = []
    for box in sorted(boxes, key=_left):
        _add_span(spans, (box.left, box.right), height)
    return spans


def _add_span(spans: list[Span], span: Span, height: float) -> None:
    """Add `span` to `spans`. The new span is merged with all spans that no gutter separates from it."""
    left, right = span
    first = bisect_right(spans, left - _GUTTER * height, key=itemgetter(1))
    end = bisect_left(spans, right + _GUTTER * height, key=itemgetter(0))
    if first < end:
        left, right = min(left, spans[first][0]), max(right, spans[end - 1][1])
    spans[first:end] = [(left, right)]


def _split_columns(block: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """Return the columns of a block from left to right. If its gutters only separate the cells of rows, the whole block
    is a single column."""
    spans = _covered_spans(block, height)
    slices: list[list[LineBox]] = [[] for _ in spans]
    for box in block:
        slices[bisect_right(spans, box.left, key=itemgetter(0)) - 1].append(box)
    slices, marks = _without_columns_of_marks(slices)
    rows = [_group_rows(part) for part in slices]
    columns = [marks[0] + slices[0]]
    for index, (left_rows, right_rows) in enumerate(pairwise(rows), 1):
        part = marks[index] + slices[index]
        if _are_two_texts(left_rows, right_rows):
            columns.append(part)
        else:
            columns[-1] += part
    return columns


def _without_columns_of_marks(slices: Sequence[list[LineBox]]) -> tuple[list[list[LineBox]], list[list[LineBox]]]:
    """Return the columns that have letters or figures, and for each of these columns the marks (bullets, or flags of
    values) that are read with it. Marks are read with the column after them, and the marks after the last column are
    read with the last column. Marks are kept out of the comparison of columns, because the box of a dash is too flat to
    show at which height its row is."""
    texts: list[list[LineBox]] = []
    marks: list[list[LineBox]] = []
    waiting: list[LineBox] = []
    for part in slices:
        if any(map(str.isalnum, "".join([box.line.text for box in part]))):
            texts.append(part)
            marks.append(waiting)
            waiting = []
        else:
            waiting = waiting + part
    if not texts:
        return [waiting], [[]]
    marks[-1] = marks[-1] + waiting
    return texts, marks


def _parts_between_bridges(block: Sequence[LineBox], height: float) -> list[list[LineBox]]:
    """Split `block` above and below the wide lines that hide its gutter. Without such lines, it stays whole.

    A detector may merge two lines across a narrow gutter. If the lines of the columns are not at the same heights,
    every strip then seems to have no gutter.
    """
    least_bridge_width = _BRIDGE_WIDTH * (max(box.right for box in block) - min(box.left for box in block))
    bridges = sorted((box for box in block if box.right - box.left > least_bridge_width), key=_middle)
    narrow_boxes = [box for box in block if box.right - box.left <= least_bridge_width]
    if not bridges or not narrow_boxes or len(_split_columns(narrow_boxes, height)) == 1:
        return [list(block)]
    levels = [bridge.middle for bridge in bridges]
    parts: list[list[LineBox]] = [[] for _ in range(2 * len(bridges) + 1)]
    for index, bridge in enumerate(bridges):
        parts[2 * index + 1].append(bridge)
    for box in narrow_boxes:
        parts[2 * bisect_left(levels, box.middle)].append(box)
    return [part for part in parts if part]


def _are_two_texts(left: Sequence[Row], right: Sequence[Row]) -> bool:
    """True if the two sides of a gutter are read one after the other.

    The sides must lie side by side, and one of these conditions must hold: both are running text; both have headings;
    most rows have no counterpart at the same height; or most counterparts have another type size, and both sides reach
    equally far; or both are texts whose paragraphs begin at different heights. Sides that alternate, as in a chat, are
    one sequence.
    """
    fewer, more = sorted(([row[-1] for row in left], [row[0] for row in right]), key=len)
    more.sort(key=_middle)
    facing = [(box, nearest) for box in fewer if _shared_height(box, nearest := _nearest(box, more)) > 0]
    if 3 * len(facing) < len(fewer):
        return False
    height = median(box.height for box in fewer)
    are_at_one_height = _are_at_one_height([box for box, _ in facing], more, height)
    level = [pair for pair, is_level in zip(facing, are_at_one_height, strict=True) if is_level]
    if 2 * len(level) <= len(facing):
        return True
    if 2 * sum(_go_together(*pair) for pair in level) <= len(facing):
        # Unless both sides reach equally far, large type beside small lines is a title and not a text of its own.
        return _reaches_as_far(left, right) and _reaches_as_far(right, left)
    if (_is_prose(left) and _is_prose(right)) or (_is_headed(left) and _is_headed(right)):
        return True
    return _is_wordy(left) and _is_wordy(right) and _have_own_paragraphs(left, right)


def _are_at_one_height(fewer: Sequence[LineBox], more: Sequence[LineBox], height: float) -> list[bool]:
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


def _reaches_as_far(rows: Sequence[Row], other_rows: Sequence[Row]) -> bool:
    slack = 2 * max(box.height for row in rows for box in row)
    top, bottom = min(row[0].top for row in rows) - slack, max(row[0].bottom for row in rows) + slack
    return all(top <= row[0].top and row[0].bottom <= bottom for row in other_rows)


def _nearest(box: LineBox, candidates: Sequence[LineBox]) -> LineBox:
    """Return the box of `candidates`, which are sorted by their middles, whose middle is nearest to the middle of
    `box`."""
    index = bisect_left(candidates, box.middle, key=_middle)
    return min(candidates[max(index - 1, 0) : index + 1], key=lambda candidate: abs(candidate.middle - box.middle))


def _is_prose(rows: Sequence[Row]) -> bool:
    """True if a column is running text. It has at least three rows, most of which do not end in a value. Many of them
    fill the width of the column, or continue a sentence."""
    if len(rows) < 3 or 2 * sum(len(row) > 1 and is_value(row[-1].line.text) for row in rows) >= len(rows):
        return False
    left, right = min(row[0].left for row in rows), max(row[-1].right for row in rows)
    widths = [row[-1].right - row[0].left for row in rows]
    width, height = median(widths), median(row[0].height for row in rows)
    full = sum(row_width >= 0.75 * (right - left) for row_width in widths)
    going_on = sum(row[0].line.words[0].text[0].islower() for row in rows)
    # A character is about 0.4 line heights wide, so 10 heights have 25 characters, as in a narrow newspaper column.
    if width >= 10 * height and full >= 0.6 * len(rows):
        return True
    return width >= 5 * height and going_on >= 0.4 * len(rows)


def _is_wordy(rows: Sequence[Row]) -> bool:
    """True if at least half of the rows of a column have three words or more, and hardly any is a value."""
    texts = [" ".join(box.line.text for box in row) for row in rows]
    return 2 * sum(text.count(" ") > 1 for text in texts) >= len(texts) > _VALUES * sum(map(is_value, texts))


def _have_own_paragraphs(left: Sequence[Row], right: Sequence[Row]) -> bool:
    """True if the paragraphs of two columns begin at different heights. The cells of a table's row begin at one height,
    however many lines they have."""
    starts = [_paragraph_starts(rows) for rows in (left, right)]
    if min(map(len, starts)) < _FEWEST_PARAGRAPHS:
        return False
    height = median(box.height for one in starts for box in one)
    top, bottom = max(left[0][0].top, right[0][0].top), min(left[-1][0].bottom, right[-1][0].bottom)
    own = [
        all(abs(box.middle - other.middle) > height / 2 for other in others)
        for one, others in (starts, starts[::-1])
        for box in one
        if top < box.middle < bottom
    ]
    return sum(own) >= _OWN_SHARE * len(own)


def _paragraph_starts(rows: Sequence[Row]) -> list[LineBox]:
    """Return the first box of each paragraph: of the first row, and of rows below more white space than usual."""
    gaps = [below[0].top - above[0].bottom for above, below in pairwise(rows)]
    usual = median(gaps) if gaps else 0.0
    below_blank = [row[0] for row, gap in zip(rows[1:], gaps, strict=True) if gap > usual + _BLANK * row[0].height]
    return [rows[0][0], *below_blank]


def _is_headed(rows: Sequence[Row]) -> bool:
    """True if the first row is a heading that ends with a colon, and the rows below it have no labels and are not
    mostly values."""
    (head, *others), *rest = rows
    if others or not rest or not head.line.text.endswith(_COLONS):
        return False
    texts = [box.line.text for row in rest for box in row]
    return not any(map(_LABEL.match, texts)) and 2 * sum(map(is_value, texts)) < len(texts)


def _group_rows(boxes: Sequence[LineBox]) -> list[Row]:
    """Group boxes on one base line, from left to right. Rows run from top to bottom."""
    rows: list[Row] = []
    for box in sorted(boxes, key=lambda box: (box.middle, box.left)):
        for row in rows[:-4:-1]:
            index = bisect_left(row, box.left, key=_left)
            # On a photographed page, rows may bend, so a box is compared with its neighbour and not with the whole row.
            neighbours = row[max(index - 1, 0) : index + 1]
            nearest = min(neighbours, key=lambda member: abs(member.left - box.left))
            if _on_one_line(nearest, box) and all(_shared_width(box, member) <= 0 for member in neighbours):
                row.insert(index, box)
                break
        else:
            rows.append([box])
    return rows


def _on_one_line(first: LineBox, second: LineBox) -> bool:
    small, large = sorted((first.height, second.height))
    is_near = abs(first.middle - second.middle) < max(0.4 * small, 0.2 * large)
    return _shared_height(first, second) >= 0.5 * small and (is_near or _have_an_edge_in_common(first, second))


def _have_an_edge_in_common(first: LineBox, second: LineBox) -> bool:
    """True if the top or the bottom edges agree. The other edge of a box may move because of a descender or a table's
    rule."""
    small, large = sorted((first.height, second.height))
    edge = min(abs(first.top - second.top), abs(first.bottom - second.bottom))
    return edge < 0.25 * small and large < 2.5 * small


def _shared_height(first: LineBox, second: LineBox) -> float:
    return min(first.bottom, second.bottom) - max(first.top, second.top)


def _shared_width(first: LineBox, second: LineBox) -> float:
    """Return the horizontal overlap of two boxes, less 0.3 times the smaller height, because detectors draw boxes wider
    than their text."""
    return min(first.right, second.right) - max(first.left, second.left) - 0.3 * min(first.height, second.height)


def _split_lines(rows: Sequence[Row]) -> list[Row]:
    """Split the `rows` of a part of the page into lines with separate content."""
    lines: list[list[Row]] = []
    above: Row = []
    for row in rows:
        if _are_labels(above, row):
            lines[-1] = [[box] for pair in zip(above, row, strict=True) for box in pair]
            above = []
        else:
            lines.append(_split_fields(row))
            # This row may hold the labels of the next row.
            above = row
    with_fields = sum(any(len(line) > 1 for line in fields) for fields in lines)
    if 2 * with_fields > len(rows):
        return [line for fields in lines for line in fields]
    # Most rows have no two texts that belong together, so this is not a table.
    values = [box for row in rows for box in row if is_value(box.line.text)]
    edges = [sorted(getattr(box, edge) for box in values) for edge in ("left", "centre", "right")]
    return [part for fields in lines for line in fields for part in _split_far_apart(line, edges)]


def _are_labels(row: Row, below: Row) -> bool:
    """True if `row` consists of labels, in smaller type, for the values `below`."""
    if len(row) < 2 or len(row) != len(below):
        return False
    if any(right.left - left.right < _FIELD_GAP * right.height for left, right in pairwise(below)):
        return False
    return all(
        abs(value.left - label.left) < label.height
        and value.top - label.bottom < 1.5 * label.height
        and not is_value(label.line.text)
        and _is_larger(_type_size(value), _type_size(label))
        for label, value in zip(row, below, strict=True)
    )


def _is_larger(value: TypeSize, label: TypeSize) -> bool:
    return value.high > _LABEL_SIZE * label.high and value.wide > _LABEL_SIZE * label.wide


def _split_fields(row: Row) -> list[Row]:
    """Split `row` where the type size changes and where a label follows a complete field."""
    lines = [row[:1]]
    for previous, box in pairwise(row):
        is_far = box.left - previous.right >= _FIELD_GAP * min(previous.height, box.height)
        if not _go_together(previous, box) or (is_far and _begins_anew(lines[-1], box.line.text)):
            lines.append([])
        lines[-1].append(box)
    return lines


def _begins_anew(line: Row, text: str) -> bool:
    """True if `text` is a label and `line` a label with its value, or if both are headings."""
    # A label and its colon may be separate boxes.
    if not _LABEL.match(text) or not _LABEL.match(" ".join(box.line.text for box in line[:2])):
        return False
    return not line[-1].line.text.endswith(_COLONS) or text.endswith(_COLONS)


def _split_far_apart(line: Row, edges: Sequence[Sequence[float]]) -> list[Row]:
    """Split `line` if it consists of two texts far from each other, unless the second one is a value or in a column of
    values. `edges` contains three sorted lists: the left edges, centres and right edges of all values."""
    if len(line) != 2:
        return [line]
    left, right = line
    height = min(left.height, right.height)
    texts = left.line.text, right.line.text
    if right.left - left.right < _TEXT_GAP * height or texts[0].endswith(_COLONS) or is_value(texts[1]):
        return [line]
    for value_edges, edge in zip(edges, (right.left, right.centre, right.right), strict=True):
        nearest = bisect_left(value_edges, edge - 0.7 * height)
        if nearest < len(value_edges) and value_edges[nearest] <= edge + 0.7 * height:
            return [line]
    return [[left], [right]]


def _go_together(first: LineBox, second: LineBox) -> bool:
    """True if two boxes in a row may belong together, by the sizes of their type. A box after a colon, and an amount on
    the right, may have any size."""
    smaller, larger = sorted((first, second), key=attrgetter("height"))
    if larger.height < _HEIGHT_RATIO * smaller.height:
        return True
    left, right = sorted((first, second), key=_left)
    if left.line.text.endswith(_COLONS) or _AMOUNT.fullmatch(right.line.text):
        return True
    return not _type_size(first).is_another(_type_size(second))


def _type_size(box: LineBox) -> TypeSize:
    width = sum(dist(word.quad[0], word.quad[1]) for word in box.line.words)
    return TypeSize.of("".join(word.text for word in box.line.words), box.height, width)
