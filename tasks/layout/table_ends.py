"""Finds where a table ends on a page, if other lines follow below it that fill some of its columns, too: fees below the
cover that is insured, or the averages below the marks of a report."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from tasks.layout.cells import Cell, Table
from tasks.notation.cells import looks_numeric

FEWEST_ROWS = 2
"""At least this many rows show what all rows of a table have in common, and how far they are apart."""
FEWEST_CELLS = 2
"""A line with fewer cells is a heading or continues a row."""
FULL = 0.75
"""A row is like those above it if it has more than this share of the cells that all of them have."""
FURTHER = 0.5
"""Lines are not rows of a table only if the gap above them exceeds all gaps between its rows by more than this, in
heights of a line. The sides of two cells are in line if they differ by at most this."""
_LABEL = re.compile(r"(?<!\S)(?:_|[^\w\s])*+[^\W_]\S*+(?<=:)")
"""Pattern of a word with a letter or digit and a colon at its end."""


class PlacedRow(NamedTuple):
    top: float
    bottom: float
    height: float
    """Height of a line."""
    texts: Mapping[int, str]
    """The texts of the filled cells, by column."""
    spans: Mapping[int, tuple[float, float]]
    """The left and right side of the filled cells, by column."""
    is_below: bool = True
    """False if the row above is on another page."""


class _Sides:
    """The sides that the cells of a column have in common: left, right or middle."""

    def __init__(self, span: tuple[float, float]) -> None:
        self._least = self._most = _sides(span)

    def add(self, span: tuple[float, float]) -> None:
        sides = _sides(span)
        self._least = tuple(map(min, self._least, sides))
        self._most = tuple(map(max, self._most, sides))

    def exclude(self, span: tuple[float, float], slack: float) -> bool:
        """True if the cells have a side in common, and a cell has none of these sides."""
        shared = [
            (least, most, side)
            for least, most, side in zip(self._least, self._most, _sides(span), strict=True)
            if most - least <= slack
        ]
        return bool(shared) and all(side < most - slack or side > least + slack for least, most, side in shared)


def end_of_rows(rows: Sequence[PlacedRow]) -> int:
    """Return how many of the `rows` belong to one table, below its header.

    The rows below a gap that is larger than all gaps between the rows above it, or below the edges of their columns,
    are not rows of the table if each of them lacks cells that all rows above have, or has a label with a colon, which
    no row above has.
    """
    common: set[int] = set()
    figures: set[int] = set()
    columns: dict[int, _Sides] = {}
    has_labels = False
    largest = 0.0
    count = 0
    bottom = 0.0
    for index, row in enumerate(rows):
        gap = row.top - bottom if row.is_below else 0.0
        bottom = row.bottom
        if len(row.texts) < FEWEST_CELLS:
            continue
        slack = FURTHER * row.height
        is_apart = gap > largest + slack or (
            not _is_full(row, common, figures)
            and any(columns[column].exclude(span, slack) for column, span in row.spans.items() if column in columns)
        )
        if count >= FEWEST_ROWS and is_apart:
            belongs = False
            for other in rows[index:]:
                if len(other.texts) >= FEWEST_CELLS and _is_full(other, common, figures):
                    belongs = has_labels or not _has_label(other)
                    if belongs:
                        break
            if not belongs:
                return index
        largest = max(largest, gap) if count else 0.0
        common = common & set(row.texts) if count else set(row.texts)
        numeric = {column for column, text in row.texts.items() if looks_numeric(text)}
        figures = figures & numeric if count else numeric
        for column, span in row.spans.items():
            if column in columns:
                columns[column].add(span)
            else:
                columns[column] = _Sides(span)
        has_labels = has_labels or _has_label(row)
        count += 1
    return len(rows)


def _sides(span: tuple[float, float]) -> tuple[float, ...]:
    left, right = span
    return left, right, (left + right) / 2


def _is_full(row: PlacedRow, columns: Set[int], figures: Set[int]) -> bool:
    """True if a row is like those above it. Several words in a column of `figures` do not count; one word may stand for
    a figure, such as `unlimited`."""
    texts = {column: text for column, text in row.texts.items() if column in columns}
    odd = sum(" " in text and not looks_numeric(text) for column, text in texts.items() if column in figures)
    return len(texts) - odd > FULL * len(columns) or not columns


def _has_label(row: PlacedRow) -> bool:
    return any(_LABEL.search(text) for text in row.texts.values())


def end_of_table(table: Table) -> int:
    """Return how many rows of a table were printed as its rows: `end_of_rows` below its first row."""
    cells: dict[int, dict[int, Cell]] = {}
    for cell in table.cells:
        if cell.words:
            cells.setdefault(cell.row, {})[cell.column] = cell
    numbers = sorted(number for number in cells if number)
    rows: list[PlacedRow] = []
    page = 0
    for number in numbers:
        own = cells[number]
        sides = [(word.quad[0][1], word.quad[2][1]) for cell in own.values() for word in cell.words]
        first = next(iter(own.values()))
        height = first.words[0].quad[2][1] - first.words[0].quad[0][1]
        tops, bottoms = zip(*sides, strict=True)
        texts = {column: cell.text for column, cell in own.items()}
        spans = {column: (cell.words[0].quad[0][0], cell.words[-1].quad[1][0]) for column, cell in own.items()}
        rows.append(PlacedRow(min(tops), max(bottoms), height, texts, spans, is_below=first.pages_on == page))
        page = first.pages_on
    end = end_of_rows(rows)
    return numbers[end] if end < len(rows) else table.rows
