"""Finds tables on pages by rows that have their texts at the same places, whatever the header says and in any
language."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import MAX_PLACED, WordOnPage, cell_of, rows_in_columns, segments_of_row, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

FEWEST_COLUMNS: Final = 3
"""Aligned rows have at least this many texts. Rows of two are labels and values, or columns of a text."""
FEWEST_ROWS: Final = 3
"""A table has at least this many rows with a text in each column."""
ENDING_DISTANCE: Final = 3.0
"""A table ends if the next row is farther away than this, in heights of a line."""

Segments = Sequence[Sequence[WordOnPage]]


class _Extent(NamedTuple):
    """Left and right edge of a column."""

    left: float
    right: float


def aligned_tables(passages: Sequence[Passage]) -> list[tuple[Passage, ReadTable]]:
    """Return the tables of pages whose rows have a text in each of at least FEWEST_COLUMNS columns."""
    found: list[tuple[Passage, ReadTable]] = []
    for passage in passages:
        if len(passage.words) <= MAX_PLACED:
            rows = [[*segments_of_row(row)] for row in rows_in_columns(passage)]
            found += [(passage, table) for table in _tables_of(passage, rows)]
    return found


def _tables_of(passage: Passage, rows: Sequence[Segments]) -> Iterator[ReadTable]:
    index = 0
    while index < len(rows):
        end, columns = _block_at(rows, index)
        if columns:
            first = index - 1 if index and _places(rows[index - 1], columns) else index
            heading = " ".join([text_of(passage, one) for one in rows[first - 1]]) if first else ""
            cells = [_cells_of(passage, row, columns) for row in rows[first:end]]
            yield ReadTable(cells, heading, is_exact=False)
        index = max(end, index + 1)


def _block_at(rows: Sequence[Segments], start: int) -> tuple[int, list[_Extent]]:
    """Return the index after the last row that is aligned with the row at `start`, and the columns, of which there are
    none if the rows make no table. Rows of a single text, such as headings, are among the others."""
    count = len(rows[start])
    columns = [_Extent(one[0].box[0], one[-1].box[2]) for one in rows[start]]
    if count < FEWEST_COLUMNS:
        return start, []
    end, full = start + 1, 1
    for index in range(start + 1, len(rows)):
        row = rows[index]
        height = row[0][0].height
        if row[0][0].box[1] - rows[index - 1][0][0].box[3] > ENDING_DISTANCE * height:
            break
        if len(row) == count:
            wider = [
                _Extent(min(old.left, one[0].box[0]), max(old.right, one[-1].box[2]))
                for old, one in zip(columns, row, strict=True)
            ]
            if any(one.right > other.left for one, other in pairwise(wider)):
                break
            columns, full, end = wider, full + 1, index + 1
        elif len(row) > 1:
            if not _places(row, columns):
                break
            end = index + 1
    return (end, columns) if full >= FEWEST_ROWS else (start, [])


def _places(row: Segments, columns: Sequence[_Extent]) -> dict[int, int]:
    """Return the index of each text of a row by its column; empty if a text is in no column or in several, or two texts
    are in one."""
    found: dict[int, int] = {}
    for index, segment in enumerate(row):
        left, right = segment[0].box[0], segment[-1].box[2]
        own = [at for at, one in enumerate(columns) if left < one.right and right > one.left]
        if len(own) != 1 or own[0] in found:
            return {}
        found[own[0]] = index
    return found


def _cells_of(passage: Passage, row: Segments, columns: Sequence[_Extent]) -> list[ReadCell]:
    places = {at: at for at in range(len(row))} if len(row) == len(columns) else _places(row, columns)
    if not places:
        places = {0: 0}
    return [cell_of(passage, row[places[at]]) if at in places else NO_CELL for at in range(len(columns))]
