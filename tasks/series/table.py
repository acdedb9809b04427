"""Columns of cells, wherever they came from."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | dt.datetime | None
"""As its file has it: text where the file knows only text, None for nothing. Dates have no time zone."""

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    """Empty where the table has no header."""
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[Column]
    """All of one length."""
    comma_likely: bool = False
    """Whether a comma is rather a decimal one where nothing else tells: columns are separated by semicolons."""


def table_of(rows: Sequence[Sequence[Cell]], names: Sequence[str], *, comma_likely: bool = False) -> Table:
    """From rows, which may be of several lengths; columns without a name have an empty one."""
    width = max([len(names), *map(len, rows)], default=0)
    columns = []
    for at in range(width):
        name = " ".join(names[at].split())[:_LONGEST_NAME] if at < len(names) else ""
        columns.append(Column(name, [row[at] if at < len(row) else None for row in rows]))
    return Table(columns, comma_likely)
