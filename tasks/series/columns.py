"""Which columns of a table are values, and which of them a request is about."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.series.date_columns import MOST, SAMPLE, YEAR_NAME, Times, are_dates, dates_of, is_empty, is_moment, is_month
from tasks.series.dates import MONTHS
from tasks.series.numbers import decimal_comma, is_missing, looks_numeric, number
from tasks.series.table import Cell, Column, Table

_LEAST_DATES = 5
_MOST_OTHERS = 3
"""Columns beside the dates that may say what a row is."""


def upright(table: Table) -> Table:
    """Tables whose dates run along the top: a row for each series, or a row for each year and a column for each
    month."""
    columns = table.columns
    months = [at for at, one in enumerate(columns) if is_month(one.name)]
    dated = [at for at, one in enumerate(columns) if is_moment(one.name)]
    if len(months) == 12 and (year := next((one for one in columns if YEAR_NAME.fullmatch(one.name.strip())), None)):
        cells = [(year.cells[row], columns[at], row) for row in range(len(year.cells)) for at in months]
        dates = [f"{_whole(of)}-{MONTHS[column.name.lower()]:02}" for of, column, _ in cells]
        values = [column.cells[row] for _, column, row in cells]
        return Table([Column("date", dates), Column("value", values)], table.comma_likely)
    if len(dated) < _LEAST_DATES or len(dated) < len(columns) - _MOST_OTHERS:
        return table
    names = [column for at, column in enumerate(columns) if at not in dated]
    turned = [Column("date", [columns[at].name for at in dated])]
    for row in range(len(columns[0].cells)):
        name = next((str(column.cells[row]) for column in names if isinstance(column.cells[row], str)), "")
        turned.append(Column(name[:80], [columns[at].cells[row] for at in dated]))
    return Table(turned, table.comma_likely)


def _whole(cell: Cell) -> str:
    return f"{cell:.0f}" if isinstance(cell, float) else str(cell).removesuffix(".0")


_ROW_NAME = re.compile(r"|unnamed: ?0|index|idx|id|row|no|nr|#", re.IGNORECASE)
_SERIES_NAME = re.compile(r"unique_id|series(?:_?id|_?name)?|item_?id|ts_?id|ticker|symbol", re.IGNORECASE)
"""Columns that say of which series a row is."""
_EACH = r"\b(?:by|per|each|every|for (?:each|every|all)|pro|je|par|chaque|por|cada|per ogni)\W+(?:\w+\W+)?"
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Observed:
    """One series as its file has it."""

    name: str
    """Empty where nothing names it."""
    times: Times | None
    """One for each value; None: there are no dates."""
    values: Sequence[float | None]


def observed(table: Table, words: str) -> list[Observed]:
    """The series of `table`: those that `words` name, else all. Empty where it has no column of numbers."""
    table = upright(table)
    comma = decimal_comma(_texts(table.columns), likely=table.comma_likely)
    numeric = {at: found for at, one in enumerate(table.columns) if (found := _numbers(one.cells, comma)) is not None}
    used, times = dates_of(table.columns, numeric)
    values = {at: found for at, found in numeric.items() if at not in used}
    values = _without_row_numbers(table.columns, values)
    labels = [at for at in range(len(table.columns)) if at not in used and at not in numeric]
    every = [Observed(table.columns[at].name, times, numbers) for at, numbers in values.items()]
    wanted = [one for one in every if mentions(words, one.name)] or every
    return [part for one in wanted for part in _split(one, [table.columns[at] for at in labels], words)]


def mentions(words: str, name: str) -> bool:
    """Whether `words` name a column or a series, in any case, in one number or the other."""
    parts = _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    if not parts or len(name) < 2:
        return False
    pattern = r"[\W_]*".join(re.escape(part.removesuffix("s")) + "s?" for part in parts)
    return re.search(rf"(?<![^\W_]){pattern}(?![^\W_])", words, re.IGNORECASE) is not None


def _texts(columns: Iterable[Column]) -> Iterable[str]:
    """The texts of columns that are mostly numbers."""
    for column in columns:
        texts = [cell for cell in column.cells if isinstance(cell, str) and not is_missing(cell)]
        sample = texts[:SAMPLE]
        if sum(looks_numeric(text) for text in sample) >= MOST * max(1, len(sample)) and not are_dates(sample):
            yield from texts


def _numbers(cells: Sequence[Cell], comma: bool) -> list[float | None] | None:
    """None for a column that is not one of numbers."""
    there = [cell for cell in cells if not is_empty(cell)]
    sample = there[:SAMPLE]
    texts = [cell for cell in sample if isinstance(cell, str)]
    if not there or any(isinstance(cell, dt.datetime) for cell in sample) or are_dates(texts):
        return None
    if sum(not isinstance(cell, str) or looks_numeric(cell) for cell in sample) < MOST * len(sample):
        return None
    return [_number(cell, comma) for cell in cells]


def _number(cell: Cell, comma: bool) -> float | None:
    match cell:
        case str():
            return number(cell, comma=comma)
        case int() | float():
            return float(cell)
    return None


def _without_row_numbers(
    columns: Sequence[Column], values: dict[int, list[float | None]]
) -> dict[int, list[float | None]]:
    """`values` without columns that only count the rows, unless there is nothing else."""

    def counts_rows(at: int) -> bool:
        if not _ROW_NAME.fullmatch(columns[at].name.strip()):
            return False
        cells = values[at]
        return all(cell is not None and cell - place == cells[0] for place, cell in enumerate(cells))

    kept = {at: found for at, found in values.items() if not counts_rows(at)}
    return kept or values


def _split(one: Observed, labels: Sequence[Column], words: str) -> list[Observed]:
    """The rows of each series apart, where a column says which they are of; of what the words name, only these."""
    for column in labels:
        groups = list(dict.fromkeys(cell for cell in column.cells if isinstance(cell, str) and not is_missing(cell)))
        if not 1 <= len(groups) < max(2, len(column.cells) / 2):
            continue
        wanted = [group for group in groups if mentions(words, group)]
        apart = re.search(_EACH + _pattern(column.name), words, re.IGNORECASE)
        each = apart or _SERIES_NAME.fullmatch(column.name.strip())
        if wanted or (each and len(groups) > 1):
            return [_rows_of(one, column, group) for group in wanted or groups]
    return [one]


def _pattern(name: str) -> str:
    return r"[\W_]*".join(map(re.escape, _WORD.findall(name))) or r"(?!)"


def _rows_of(one: Observed, column: Column, group: str) -> Observed:
    rows = [at for at, cell in enumerate(column.cells) if cell == group]
    times = [one.times[at] for at in rows] if one.times is not None else None
    return Observed(" ".join(group.split())[:80], times, [one.values[at] for at in rows])
