"""JSON as a table: a list of objects or rows, an object of lists, a list of numbers, objects line by line."""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks.series.table import Cell, Table, table_of

_LEAST = 2
"""Elements of a list that may be a column."""
_DEEPEST = 4
"""Objects around the table: `{"data": {"rows": […]}}`."""


def json_table(text: str) -> Table | None:
    """None for a text that is no JSON, and for JSON without anything like a table. Of several tables, the first."""
    try:
        return _table(_parsed(text))
    except (ValueError, RecursionError):
        return None


def value_table(value: object) -> Table | None:
    """The table in what JSON was parsed to."""
    return _table(value)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError:
        return [json.loads(line, parse_constant=lambda _: None) for line in text.splitlines() if line.strip()]


def _table(value: object, depth: int = 0) -> Table | None:
    if isinstance(value, list):
        return _of_list(value)
    if not isinstance(value, dict) or depth > _DEEPEST:
        return None
    lists = {str(name): column for name, column in value.items() if isinstance(column, list)}
    plain = {name: column for name, column in lists.items() if not _is_nested(column)}
    if plain and max(map(len, plain.values())) >= _LEAST:
        return _of_columns(plain)
    if len(value) > _LEAST and not _is_nested(value.values()):
        # `{"2024-01": 12, "2024-02": 15}`
        return table_of([[str(name), _cell(cell)] for name, cell in value.items()], ("", "value"))
    single = len(value) == 1 and all(isinstance(inner, dict) and _are_numbers(inner) for inner in value.values())
    if single or (len(value) > 1 and all(isinstance(inner, dict) for inner in value.values())):
        keyed = _of_mappings(value)
        if keyed is not None:
            return keyed
    return next(filter(None, (_table(inner, depth + 1) for inner in value.values())), None)


def _is_nested(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, list | dict) for cell in cells)


def _are_numbers(value: Mapping[str, Any]) -> bool:
    return len(value) >= _LEAST and all(isinstance(cell, int | float | None) for cell in value.values())


def _of_list(rows: Sequence[Any]) -> Table | None:
    objects = [row for row in rows if isinstance(row, dict)]
    if objects:
        names = list(dict.fromkeys(str(name) for row in objects for name in row))
        return table_of([[_cell(row.get(name)) for name in names] for row in objects], names)
    if rows and all(isinstance(row, list) for row in rows):
        head = rows[0] if rows[0] and all(isinstance(cell, str) for cell in rows[0]) and len(rows) > 1 else None
        if head is not None and all(isinstance(cell, str) for cell in rows[1]):
            head = None
        return table_of([[_cell(cell) for cell in row] for row in (rows[1:] if head else rows)], head or ())
    return table_of([[_cell(cell)] for cell in rows], ()) if len(rows) >= _LEAST else None


def _of_columns(lists: Mapping[str, Sequence[Any]]) -> Table:
    """Lists of another length than most stand for something else."""
    lengths = [len(column) for column in lists.values()]
    length = max(lengths, key=lambda one: (lengths.count(one), one))
    columns = {name: column for name, column in lists.items() if len(column) == length}
    rows = [[_cell(column[at]) for column in columns.values()] for at in range(length)]
    return table_of(rows, list(columns))


def _of_mappings(value: Mapping[str, Mapping[str, Any]]) -> Table | None:
    """As pandas writes a table by default, `{"sales": {"2024-01": 12}}`, or turned."""
    inner = list(value.values())
    if any(isinstance(cell, list | dict) for row in inner for cell in row.values()):
        return None
    keys = list(dict.fromkeys(str(key) for row in inner for key in row))
    if len(keys) >= len(inner):
        rows = [[key, *(_cell(row.get(key)) for row in inner)] for key in keys]
        return table_of(rows, ("", *map(str, value)))
    return table_of([[str(name), *(_cell(row.get(key)) for key in keys)] for name, row in value.items()], ("", *keys))


def _cell(value: object) -> Cell:
    match value:
        case bool() | None | list() | dict():
            return None
        case float() if not math.isfinite(value):
            return None
        case int() if abs(value) > 10**300:
            return None
        case int() | float() | str() | dt.datetime():
            return value
    return None
