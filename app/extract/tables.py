"""Lays answers out as tables by their schema: one row per paper, and a separate table for each list of objects."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.extract.reviews import REVIEWED
from app.extract.state import PaperResult, Row, value_at
from tasks.schema.paths import JsonPath, pointer_of, resolved
from tasks.schema.remainder import is_optional

PAPERS = "papers"
PAPER, NUMBER, SURE, ERROR = "paper", "row", "sure by", "error"
"""Columns in addition to the columns of the schema: the paper's name, the row's number within its list, the least
probability of the row's fields, and the reason why a paper has no answer."""

_DEEPEST = 8
"""The fields of nested objects become columns down to this many levels. Anything deeper is one cell of JSON."""
_SEPARATOR = "; "
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile("[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]{1,9})?)?")
_MOMENT = re.compile(f"{_DATE.pattern}[Tt ]{_TIME.pattern}(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?")
_TYPES: Mapping[str, type] = {"boolean": bool, "integer": int, "number": float, "string": str, "array": str}


@dataclass(frozen=True, slots=True)
class FieldCell:
    value: Any = None
    """Text, number, truth value, or None."""
    pointer: str = ""
    """JSON pointer of the field in the answer."""
    probability: float | None = None
    is_unsupported: bool = False
    is_reviewed: bool = False
    """True if a person accepted or corrected the field."""


@dataclass(frozen=True, slots=True)
class AnswerTable:
    name: str
    path: JsonPath
    """Place of the list in an answer; empty for the table of papers."""
    columns: Sequence[JsonPath]
    """Paths of the fields within a row."""
    types: Sequence[type]
    """Type of the values of each column by the schema: bool, int, float, date or str. Any value may be missing. In the
    answer, a date is a text."""

    @property
    def is_list(self) -> bool:
        return bool(self.path)

    @property
    def heads(self) -> list[str]:
        own = [".".join(map(str, path)) for path in self.columns]
        return [PAPER, *([NUMBER] if self.is_list else []), *own, SURE, *([] if self.is_list else [ERROR])]

    @property
    def head_types(self) -> list[type]:
        """Type of the values below each of `heads`."""
        return [str, *([int] if self.is_list else []), *self.types, float, *([] if self.is_list else [str])]

    def rows(self, row: Row) -> Iterator[list[FieldCell]]:
        """Yield the rows of one paper. Each row has one cell for each of `heads`."""
        result = row.result or PaperResult(error="not read yet")
        if not self.is_list:
            cells = [_cell(result, path) for path in self.columns]
            yield [FieldCell(row.name), *cells, FieldCell(least_probability(cells)), FieldCell(result.error)]
            return
        items = value_at(result.answer, self.path)
        for index, _ in enumerate(items if isinstance(items, list) else ()):
            cells = [_cell(result, (*self.path, index, *path)) for path in self.columns]
            yield [FieldCell(row.name), FieldCell(index + 1), *cells, FieldCell(least_probability(cells))]


def tables_of(schema: Mapping[str, Any]) -> list[AnswerTable]:
    """Return the tables for answers of `schema`, beginning with the table of papers."""
    columns, lists = _columns(schema, schema, ())
    tables = [AnswerTable(PAPERS, (), [*columns], [*columns.values()])]
    for path, items in lists:
        # A list inside the objects of another list becomes a column, with all its rows in one cell.
        own, inner = _columns(schema, items, ())
        own |= {place: str for place, _ in inner}
        tables.append(AnswerTable(".".join(map(str, path)), path, [*own], [*own.values()]))
    return tables


def least_probability(cells: Sequence[FieldCell]) -> float | None:
    """Return the least probability of the cells' fields; None if none is known. A field that nothing supports counts
    as 0."""
    known = [0.0 if cell.is_unsupported else cell.probability for cell in cells if cell.value is not None]
    return min((one for one in known if one is not None), default=None)


def doubtful(schema: Mapping[str, Any], row: Row, threshold: float) -> Iterator[FieldCell]:
    """Yield the doubtful fields of a paper: those with a probability below `threshold`, and those that nothing
    supports."""
    for table in tables_of(schema):
        for cells in table.rows(row):
            for cell in cells:
                if cell.pointer and is_doubtful(cell, threshold):
                    yield cell


def is_doubtful(cell: FieldCell, threshold: float) -> bool:
    if cell.is_unsupported:
        return True
    return cell.value is not None and cell.probability is not None and cell.probability < threshold


def is_iso_date(value: Any) -> bool:
    """True if `value` is a text such as `2026-03-12` that names a day of the calendar."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_iso_moment(value: Any) -> bool:
    """True if `value` is a text such as `2026-03-12T09:30:00` that names a day of the calendar and a time of day, with
    or without a time zone."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        return False
    return True


def list_schema(schema: Mapping[str, Any], path: JsonPath) -> Mapping[str, Any]:
    """Return the schema of the list at `path` of an answer; an empty mapping if its rows are not described."""
    part: Any = schema
    for step in path:
        node = resolved(schema, part)
        part = node.get("properties", {}).get(step) if isinstance(step, str) else node.get("items")
    node = resolved(schema, part)
    return node if isinstance(node.get("items"), Mapping) else {}


def blank_row(root: Mapping[str, Any], part: Any, depth: int = 1) -> Any:
    """Return an empty row of a list. `part` is the schema of the list's rows. Fields that are neither required nor
    nullable are left out."""
    node = resolved(root, part)
    if "properties" in node and depth < _DEEPEST:
        required = node.get("required", ())
        return {
            name: blank_row(root, child, depth + 1)
            for name, child in node["properties"].items()
            if name in required or is_optional(resolved(root, child))
        }
    return [] if "items" in node else None


def type_of(root: Mapping[str, Any], part: Any) -> type:
    """Return the type of a field's values by its schema; str if the schema allows several types."""
    node = resolved(root, part)
    types = {date if name == "string" and node.get("format") == "date" else _TYPES[name] for name in _types(node)}
    if types == {int, float}:
        return float
    return types.pop() if len(types) == 1 else str


def format_of(root: Mapping[str, Any], part: Any) -> str | None:
    """Return the `format` of a field's texts by its schema, or None."""
    node = resolved(root, part)
    return node.get("format") if "string" in _types(node) else None


def _types(node: Mapping[str, Any]) -> list[str]:
    named = node.get("type")
    return [
        name for name in (named if isinstance(named, list) else [named]) if isinstance(name, str) and name in _TYPES
    ]


def _columns(
    root: Mapping[str, Any], part: Any, path: JsonPath
) -> tuple[dict[JsonPath, type], list[tuple[JsonPath, Mapping[str, Any]]]]:
    """Return the types of an object's scalar fields by their paths, and the paths of its lists of objects, with the
    objects' schemas."""
    columns: dict[JsonPath, type] = {}
    lists: list[tuple[JsonPath, Mapping[str, Any]]] = []
    for name, child in resolved(root, part).get("properties", {}).items():
        below = (*path, name)
        shape = resolved(root, child)
        if isinstance(shape.get("properties"), Mapping) and len(below) < _DEEPEST:
            own, inner = _columns(root, shape, below)
            columns |= own
            lists += inner
        elif (items := resolved(root, shape.get("items"))).get("properties"):
            lists.append((below, items))
        else:
            columns[below] = type_of(root, child)
    return columns, lists


def _cell(result: PaperResult, path: JsonPath) -> FieldCell:
    value, pointer = value_at(result.answer, path), pointer_of(path)
    found = [one for name, one in result.evidence.items() if name == pointer or name.startswith(f"{pointer}/")]
    probabilities = [one["probability"] for one in found if "probability" in one]
    is_unsupported = any(name == pointer or name.startswith(f"{pointer}/") for name in result.unsupported)
    is_reviewed = any(one.get("match") == REVIEWED for one in found)
    return FieldCell(
        _to_cell_value(value),
        pointer,
        min(probabilities, default=None),
        is_unsupported and value is not None,
        is_reviewed,
    )


def _to_cell_value(value: Any) -> Any:
    """Return `value` as the content of one cell: a list of scalars joined by semicolons, anything deeper as JSON."""
    match value:
        case [*items] if not any(isinstance(one, dict | list) for one in items):
            return _SEPARATOR.join(str(one) for one in items) or None
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return value
