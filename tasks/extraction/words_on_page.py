"""Groups the words of a page by their places: into rows, pieces of a row, and cells."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tasks.extraction.boxes import bounds_of_words, box_of, confidence_of_words
from tasks.extraction.passages import Passage
from tasks.read_table import ReadCell
from tasks.result import Box

GAP = 1.0
"""Largest gap between two words of one piece of a row, in heights of the taller word."""
MAX_WORDS = 400
"""Largest number of words of a row. A longer line is a text, and patterns of rows would take minutes for it."""

MAX_PLACED = 20_000
"""Largest number of words of a page, or of a text without pages, whose rows are examined as a whole."""
MAX_ROWS = 4_000
"""Largest number of rows of a page, or of a text without pages, in which lists are searched for."""


_rows: "WeakKeyDictionary[Passage, list[list[WordOnPage]]]" = WeakKeyDictionary()
_columns_of: "WeakKeyDictionary[Passage, list[list[list[WordOnPage]]]]" = WeakKeyDictionary()
"""Rows of the passages in use, and their rows by column, which each reader of lists needs."""


class WordOnPage(NamedTuple):
    at: int
    """Index of the word in the passage."""
    box: Box

    @property
    def middle(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    @property
    def height(self) -> int:
        return max(1, self.box[3] - self.box[1])


def rows_of(passage: Passage) -> list[list[WordOnPage]]:
    """Return the rows of a page from top to bottom, each with its words from left to right."""
    if passage not in _rows:
        _rows[passage] = _rows_of(_placed(passage))
    return _rows[passage]


def rows_by_column(passage: Passage) -> list[list[list[WordOnPage]]]:
    """Return the rows of each column of a page, in reading order. A line that is higher on the page than the line
    before it begins a column."""
    if passage not in _columns_of:
        _columns_of[passage] = _rows_by_column(passage, _placed(passage))
    return _columns_of[passage]


def rows_in_columns(passage: Passage) -> list[list[WordOnPage]]:
    """Return the rows of a page in reading order. Words at the same height in two columns are two rows."""
    return [row for rows in rows_by_column(passage) for row in rows]


def _rows_by_column(passage: Passage, words: Sequence[WordOnPage]) -> list[list[list[WordOnPage]]]:
    columns: list[list[WordOnPage]] = []
    last = float("inf")
    line_end = 0
    for word in words:
        if word.at >= line_end:
            line_end = passage.line_words(passage.line_at(word.at)).stop
            middle = (word.box[1] + word.box[3]) / 2
            if not columns or middle < last - word.height:
                columns.append([])
            last = middle
        columns[-1].append(word)
    found: list[list[list[WordOnPage]]] = []
    left = MAX_ROWS
    for column in columns:
        rows = _rows_of(column)
        found.append(rows[:left])
        left -= len(found[-1])
    return [rows for rows in found if rows]


def _placed(passage: Passage) -> list[WordOnPage]:
    boxes = ((index, box_of(passage, [index])) for index in range(len(passage.words)))
    return [WordOnPage(index, box) for index, box in boxes if box is not None]


def _rows_of(words: Sequence[WordOnPage]) -> list[list[WordOnPage]]:
    middles = [word.box[1] + word.box[3] for word in words]
    rows: list[list[WordOnPage]] = []
    for index in sorted(range(len(words)), key=middles.__getitem__):
        word = words[index]
        for row in rows[-2:]:
            first = row[0].box
            common = min(first[3], word.box[3]) - max(first[1], word.box[1])
            if 2 * common > min(first[3] - first[1], word.height):
                row.append(word)
                break
        else:
            rows.append([word])
    rows = [row for row in rows if len(row) <= MAX_WORDS]
    for row in rows:
        row.sort(key=lambda one: one.box[0])
    return rows


def text_of(passage: Passage, words: Sequence[WordOnPage]) -> str:
    return " ".join([passage.words[word.at] for word in words])


def segments_of_row(row: Sequence[WordOnPage]) -> Iterator[list[WordOnPage]]:
    segment = [row[0]]
    for before, word in pairwise(row):
        # The box of a dash is only as high as the dash.
        if word.box[0] - before.box[2] > GAP * max(before.height, word.height):
            yield segment
            segment = []
        segment.append(word)
    yield segment


def cell_of(passage: Passage, words: Sequence[WordOnPage]) -> ReadCell:
    own = [word.at for word in words]
    line = passage.lines[passage.line_at(own[0])]
    confidence, bounds = confidence_of_words(passage, own), bounds_of_words(passage, own)
    known = {
        **{key: line.place[key] for key in ("page", "url") if key in line.place},
        "bounds": bounds,
        "confidence": None if confidence is None else round(confidence, 2),
    }
    place = {key: value for key, value in known.items() if value is not None}
    return ReadCell(text_of(passage, words), line.pointer, place)


def cell_with(passage: Passage, words: Iterable[int], text: str) -> ReadCell:
    """Return a cell with `text` and the place of the words with these indices, if any of them has a place."""
    placed = [WordOnPage(word, box) for word in words if (box := box_of(passage, [word])) is not None]
    return cell_of(passage, placed)._replace(text=text) if placed else ReadCell(text)
