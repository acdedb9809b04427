"""Adds a sign to the lines of a page for each box to be ticked, at the place of the box: `Smoker: ☒ yes ☐ no`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.vision.text import Quad, TextLine, Word
from tasks.layout.lines import line_of
from tasks.layout.tick_boxes import BOX_READ_AS, ENDS_AS_BOX

TICKED, EMPTY = "☒", "☐"
MAX_WORD_GAP = 4.0
"""A box is at most this far from the nearest word of its line, in sides of the box."""
MAX_OPTION_GAP = 8.0
"""Two parts of one row of options are at most this far apart, in heights of a line."""
CONFIDENCE = 0.95
"""Confidence of a sign that stands for a box."""
MAX_PAIRS = 20_000
"""At most this many pairs of a box and a word of its line that shares a part of its width are compared. A line has one
for each box, unless words overlie each other."""
_COVERED_SHARE = 0.5
"""OCR has read boxes as a word if they cover at least this share of the word, and the word has at most two characters
per box."""
_LABEL_ENDS = ":：?"


Edges = tuple[float, float, float, float]
"""Left, top, right and bottom edge."""


class UprightBox(NamedTuple):
    """A box to be ticked on the upright page."""

    quad: Quad
    is_ticked: bool
    confidence: float = CONFIDENCE


class TickedWord(NamedTuple):
    """A word of a line, or the sign of a box."""

    word: Word
    line: int
    """Index of the line, or −1 for a sign."""
    number: int
    """Index of the word in its line, or of the box."""


class TickedRow(NamedTuple):
    """The words and signs of a line with boxes, and of the lines on its right that continue its options."""

    words: Sequence[TickedWord]
    lines: Sequence[int]
    """Indices of the lines, from left to right."""


def with_ticks(lines: Sequence[TextLine], boxes: Sequence[UprightBox]) -> list[TickedRow]:
    """Return the rows that have boxes. Boxes that are far from all words are left out."""
    boxes_by_line: dict[int, list[int]] = {}
    places = [_edges(line.quad) for line in lines]
    line_of_word = np.repeat(np.arange(len(lines)), [len(line.words) for line in lines])
    line_tops, line_bottoms = np.array(places).reshape(-1, 4)[line_of_word][:, [1, 3]].T
    words = np.array([_edges(word.quad) for line in lines for word in line.words]).reshape(-1, 4)
    starts, tops, ends, bottoms = words.T
    for at, box in enumerate(boxes):
        left, top, right, bottom = _edges(box.quad)
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        is_level = (
            (line_tops <= middle) & (middle <= line_bottoms) & (tops - half <= middle) & (middle <= bottoms + half)
        )
        gaps = np.where(is_level, np.maximum(0, np.maximum(starts - right, left - ends)), np.inf)
        if len(gaps) and gaps.min() <= MAX_WORD_GAP * (right - left):
            boxes_by_line.setdefault(int(line_of_word[gaps.argmin()]), []).append(at)
    rows: list[list[int]] = []
    for index in sorted(boxes_by_line, key=lambda index: places[index][0]):
        row = next((row for row in rows if _goes_on(lines, places, row[-1], index)), None)
        if row is None:
            rows.append([index])
        else:
            row.append(index)
    return [_row(lines, row, [(at, boxes[at]) for index in row for at in boxes_by_line[index]]) for row in rows]


def lines_with_ticks(lines: Sequence[TextLine], boxes: Sequence[UprightBox]) -> list[TextLine]:
    """Return the lines of a page with the signs of all boxes as words. The sign of a box that is far from all words is
    a line of its own."""
    rows = with_ticks(lines, boxes)
    joined = {index for row in rows for index in row.lines}
    placed = {one.number for row in rows for one in row.words if one.line < 0}
    alone = [TextLine((_sign(box),), box.quad) for number, box in enumerate(boxes) if number not in placed]
    kept = [line for index, line in enumerate(lines) if index not in joined]
    return [*kept, *(line_of([one.word for one in row.words]) for row in rows), *alone]


def _sign(box: UprightBox) -> Word:
    return Word(TICKED if box.is_ticked else EMPTY, box.quad, box.confidence)


def _edges(quad: Quad) -> Edges:
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    return min(xs), min(ys), max(xs), max(ys)


def _goes_on(lines: Sequence[TextLine], places: Sequence[Edges], left: int, right: int) -> bool:
    """True if a line continues the options of the line on its left, being in the same row and having no label."""
    one, other = places[left], places[right]
    height = min(one[3] - one[1], other[3] - other[1])
    is_level = min(one[3], other[3]) - max(one[1], other[1]) >= height / 2
    is_near = 0 <= other[0] - one[2] <= MAX_OPTION_GAP * height
    return is_level and is_near and not any(sign in lines[right].text for sign in _LABEL_ENDS)


def _row(lines: Sequence[TextLine], row: Sequence[int], boxes: Sequence[tuple[int, UprightBox]]) -> TickedRow:
    signs = np.array([_edges(box.quad) for _, box in boxes])
    found = [TickedWord(_sign(box), -1, at) for at, box in boxes]
    for line in row:
        edges = np.array([_edges(word.quad) for word in lines[line].words])
        near = (signs[:, 0] < edges[:, 2].max()) & (signs[:, 2] > edges[:, 0].min())
        over: dict[int, list[Edges]] = {}
        pairs = 0
        for left, top, right, bottom in signs[near].tolist():
            shares = np.flatnonzero((left < edges[:, 2]) & (right > edges[:, 0]))[: MAX_PAIRS - pairs].tolist()
            pairs += len(shares)
            for index in shares:
                over.setdefault(index, []).append((left, top, right, bottom))
        for index, word in enumerate(lines[line].words):
            if (rest := _without_boxes(word, over[index]) if index in over else word) is not None:
                found.append(TickedWord(rest, line, index))
    found.sort(key=lambda one: _edges(one.word.quad)[0])
    return TickedRow(found, row)


def _without_boxes(word: Word, over: Sequence[Edges]) -> Word | None:
    """Return a word without the characters that stand for boxes at its ends; None if nothing else is left. `over` are
    the edges of the boxes that share a part of its width."""
    start, high, end, low = _edges(word.quad)
    covered = sum(min(end, edges[2]) - max(start, edges[0]) for edges in over)
    if covered >= _COVERED_SHARE * (end - start) and len(word.text) <= 2 * len(over):
        return None
    text, begin, finish = word.text, start, end
    for left, _, right, _ in over:
        if right < (start + end) / 2 and len(text) > 1 and BOX_READ_AS.match(text):
            text, begin = text[1:], max(begin, right)
        elif left > (start + end) / 2 and len(text) > 1 and ENDS_AS_BOX.fullmatch(text):
            text, finish = text[:-1], min(finish, left)
    if text == word.text:
        return word
    return Word(text, ((begin, high), (finish, high), (finish, low), (begin, low)), word.confidence)
