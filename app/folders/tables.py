"""Lays answers out as tables by their schema: one row per paper, and a separate table for each list of objects."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.folders.answers import JsonPath, fields_of, pointer_of, value_at
from app.folders.certainty import EMPTY, certainty, is_empty
from app.folders.reviews import REVIEWED, PaperResult
from app.folders.schemas import plain_schema, type_of
from app.folders.state import Row

PAPERS = "papers"
PAPER, NUMBER, CERTAINTY, ERROR = "paper", "row", "certainty", "error"
"""Columns in addition to the columns of the schema: the paper's name, the row's number within its list, the word for
the row's least probable value, and the reason why a paper has no answer."""
_DEEPEST = 8
"""The fields of nested objects become columns down to this many levels. Anything deeper is one cell of JSON."""
_SEPARATOR = "; "


@dataclass(frozen=True, slots=True)
class FieldCell:
    value: Any = None
    """Text, number, truth value, or None."""
    pointer: str = ""
    """JSON pointer of the field in the answer."""
    probability: float | None = None
    """Probability that the value is right; 0 if nothing supports it, None if it is not known."""
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
    """Type of the values of each column by the schema (`type_of`). Any value may be missing. In the answer, a date is a
    text."""

    @property
    def is_list(self) -> bool:
        return bool(self.path)

    @property
    def heads(self) -> list[str]:
        own = [".".join(map(str, path)) for path in self.columns]
        return [PAPER, *([NUMBER] if self.is_list else []), *own, CERTAINTY, *([] if self.is_list else [ERROR])]

    @property
    def head_types(self) -> list[type]:
        """Type of the values below each of `heads`."""
        return [str, *([int] if self.is_list else []), *self.types, str, *([] if self.is_list else [str])]

    def rows(self, row: Row) -> Iterator[list[FieldCell]]:
        """Yield the rows of one paper. Each row has one cell for each of `heads`."""
        result = row.result or PaperResult(error="not read yet")
        if not self.is_list:
            cells = [_cell(result, path) for path in self.columns]
            yield [FieldCell(row.name), *cells, _certainty_cell(result, cells), FieldCell(result.error)]
            return
        items = value_at(result.answer, self.path)
        for index in range(len(items) if isinstance(items, list) else 0):
            cells = [_cell(result, (*self.path, index, *path)) for path in self.columns]
            yield [FieldCell(row.name), FieldCell(index + 1), *cells, _certainty_cell(result, cells)]


def tables_of(schema: Mapping[str, Any]) -> list[AnswerTable]:
    """Return the tables for answers of `schema`, beginning with the table of papers."""
    columns, lists = _columns(plain_schema(schema), ())
    tables = [AnswerTable(PAPERS, (), [*columns], [*columns.values()])]
    for path, items in lists:
        # A list inside the objects of another list becomes a column, with all its rows in one cell.
        own, inner = _columns(items, ())
        own |= {place: str for place, _ in inner}
        tables.append(AnswerTable(".".join(map(str, path)), path, [*own], [*own.values()]))
    return tables


def doubtful(tables: Sequence[AnswerTable], row: Row, threshold: float) -> Iterator[FieldCell]:
    """Yield the fields of a paper whose values have a probability below `threshold`."""
    for table in tables:
        for cells in table.rows(row):
            known = (cell for cell in cells if cell.pointer and cell.value is not None)
            yield from (cell for cell in known if cell.probability is not None and cell.probability < threshold)


def distinct(heads: Iterable[str], gap: str = " ") -> list[str]:
    """Return `heads`, with a number after `gap` added to each repeated name.

    Names that differ only in case count as repeated, because workbooks, databases and some file systems take them for
    the same.
    """
    made: list[str] = []
    for head in heads:
        name, number = head, 2
        while name.lower() in (one.lower() for one in made):
            name = f"{head}{gap}{number}"
            number += 1
        made.append(name)
    return made


def _certainty_cell(result: PaperResult, cells: Sequence[FieldCell]) -> FieldCell:
    """Return the cell that says how sure the least probable of `cells` is. It is blank for a paper without an answer,
    and if no probability is known."""
    if result.answer is None:
        return FieldCell()
    filled = [cell for cell in cells if not is_empty(cell.value)]
    if not filled:
        return FieldCell(EMPTY)
    least = min((cell.probability for cell in filled if cell.probability is not None), default=None)
    return FieldCell(certainty(filled, least) or None, probability=least)


def _columns(
    part: Mapping[str, Any], path: JsonPath
) -> tuple[dict[JsonPath, type], list[tuple[JsonPath, Mapping[str, Any]]]]:
    """Return the types of an object's scalar fields by their paths, and the paths of its lists of objects, with the
    objects' schemas."""
    columns: dict[JsonPath, type] = {}
    lists: list[tuple[JsonPath, Mapping[str, Any]]] = []
    for name, child in part.get("properties", {}).items():
        below, items = (*path, name), child.get("items", {})
        if "properties" in child and len(below) < _DEEPEST:
            own, inner = _columns(child, below)
            columns |= own
            lists += inner
        elif items.get("properties"):
            lists.append((below, items))
        else:
            columns[below] = type_of(child)
    return columns, lists


def _cell(result: PaperResult, path: JsonPath) -> FieldCell:
    value, pointer = value_at(result.answer, path), pointer_of(path)
    pointers = {pointer} | {f"{pointer}{below}" for below, _ in fields_of(value)}
    probabilities = [one for known in pointers if (one := result.probability(known)) is not None]
    is_reviewed = any(result.evidence.get(one, {}).get("match") == REVIEWED for one in pointers)
    return FieldCell(_to_cell_value(value), pointer, min(probabilities, default=None), is_reviewed)


def _to_cell_value(value: Any) -> Any:
    """Return `value` as the content of one cell: a list of scalars joined by semicolons, anything deeper as JSON."""
    match value:
        case [*items] if not any(isinstance(one, dict | list) for one in items):
            return _SEPARATOR.join(str(one) for one in items) or None
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return value
