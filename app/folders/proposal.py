"""Proposes a schema if the user gives none, from the labels and the table headers that the first papers share."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from app.folders.answers import Json
from app.folders.client import PaperClient, Refused
from app.folders.failures import Failed
from app.folders.papers import Paper
from app.folders.schemas import object_of
from app.folders.tables import PAPER

_MAX_READ = 5
"""At most this many papers are read for a proposal."""
_MAX_FIELDS, _MAX_COLUMNS = 20, 12
_LABEL = re.compile(r"^[^\S\n]*+([^\W\d_][^:：|\n]{1,38}?)\s*[:：]\s*(\S.*)$", re.MULTILINE)
"""Pattern of a label: 2 to 39 characters, a colon, and a value after it."""
_NUMBER = re.compile(r"[^\d]{0,4}-?\d[\d.,' ]*[^\d]{0,4}")
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4})")
_NO_HEADER = re.compile(r"[\d,:@]")
_WORD = re.compile(r"[^\W_]+")


def proposed_schema(asker: PaperClient, papers: Sequence[Paper]) -> Json:
    """Read the first papers, and return a schema of the labels and columns that at least half of them have. Raises
    Failed if they share neither."""
    read = []
    for paper in papers[:_MAX_READ]:
        # The table will later state why a paper cannot be read.
        with suppress(Refused):
            read.append(asker.read(paper))
    needed = max(1, (len(read) + 1) // 2)
    properties: Json = {name: _type_of(values) for name, values in _labels(read, needed)}
    if columns := _header(read, needed):
        row = object_of({name: {"type": ["string", "null"]} for name in columns})
        properties["lines"] = {"type": "array", "items": row}
    if not properties:
        raise Failed(
            "no schema can be proposed: the first papers share no labels and no table. Name the fields, such as "
            '--schema "number, date, total: number"'
        )
    return object_of(properties)


def _labels(read: Sequence[Json], needed: int) -> Iterator[tuple[str, list[str]]]:
    counted: Counter[str] = Counter()
    values: dict[str, list[str]] = {}
    for result in read:
        found: dict[str, str] = {}
        for label, value in _LABEL.findall(result.get("extracted_text") or ""):
            if (name := _name_of(label)) and name != PAPER:
                found.setdefault(name, value)
        counted.update(found.keys())
        for name, value in found.items():
            values.setdefault(name, []).append(value)
    shared = [name for name in values if counted[name] >= needed]
    for name in shared[:_MAX_FIELDS]:
        yield name, values[name]


def _header(read: Iterable[Json], needed: int) -> list[str]:
    """Return the columns of the table header that the most papers share, if at least `needed` papers have it."""
    heads: Counter[tuple[str, ...]] = Counter()
    for result in read:
        tables = [
            *(result.get("tables") or ()),
            *(one for part in result["sections"] for one in part.get("tables") or ()),
        ]
        heads.update({names for table in tables if (names := _header_names(table["rows"]))})
    for names, count in heads.most_common(1):
        if count >= needed:
            return [*names][:_MAX_COLUMNS]
    return []


def _header_names(rows: Sequence[Sequence[Json]]) -> tuple[str, ...]:
    """Return the names in the first row if it looks like a header: two or more cells with different words and nothing
    else, above a column of numbers or days. Otherwise, such as for the lines of an address, return no names."""
    first, *others = [[cell["text"] for cell in row] for row in rows]
    names = tuple(map(_name_of, first))
    is_header = len(names) > 1 and all(names) and len(set(names)) == len(names)
    if not is_header or any(_NO_HEADER.search(text) for text in first):
        return ()
    columns = list(zip(*[row for row in others if len(row) == len(first)], strict=True))
    has_values = any(all(_NUMBER.fullmatch(text) or _DATE.match(text) for text in column) for column in columns)
    return names if has_values else ()


def _name_of(label: str) -> str:
    words = _WORD.findall(label.lower())
    return "_".join(words) if 0 < len(words) <= 4 and not words[0].isdigit() else ""


def _type_of(values: Sequence[str]) -> dict[str, Any]:
    if all(_DATE.match(value) for value in values):
        return {"type": ["string", "null"], "format": "date"}
    # A number without a fraction may be a telephone or account number, so only one with a fraction counts as an amount.
    if all(_NUMBER.fullmatch(value) and re.search(r"[.,]\d{2}\D{0,4}$", value) for value in values):
        return {"type": ["number", "null"]}
    return {"type": ["string", "null"]}
