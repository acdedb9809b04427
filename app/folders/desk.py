"""The review of a table: it finds the doubtful fields, and stores people's decisions."""

import mimetypes
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import Body
from pydantic import Field

from app.folders.answers import Json, fields_of, nodes_of
from app.folders.certainty import is_empty
from app.folders.client import PaperClient, Refused
from app.folders.failures import Failed, Rejected
from app.folders.files import write
from app.folders.papers import Paper, papers_of
from app.folders.reviews import PaperResult, with_field, with_row, without_row
from app.folders.schemas import blank_row, plain_schema, problem_of
from app.folders.state import JobState, Row
from app.folders.workbook import MAX_CHARS

_OPENED_S = 120.0
"""A paper that somebody opened is not offered to others for this many seconds, unless no other paper is left."""
_MAX_KEPT_READINGS = 64
_MAX_ROWS = 10_000
"""Largest number of rows of a list to which people add rows, if the schema has no `maxItems`."""

Text = Annotated[str, Body(max_length=4096)]
Version = Annotated[int, Body()]
Cell = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[str, Field(max_length=MAX_CHARS)] | None
"""Value of a field, as the page sends it."""


class _Counts(NamedTuple):
    """Numbers of fields, of doubtful fields and of empty doubtful fields of one paper."""

    fields: int
    doubtful: int
    empty: int


class TableReview:
    """The review of the table in `state` by several people at the same time. It may be used by several threads.

    `table` is the file of the table, which `export` writes again. Until a person reviews it, a field is doubtful if it
    is empty, if nothing supports its value, or if its probability is below `below`. The methods raise Rejected. Those
    that change a paper take the `version` that the person looked at, and return the number of the review.
    """

    def __init__(self, state: JobState, table: Path, asker: PaperClient, below: float) -> None:
        self.schema: Json = state.schema or {}
        self.plain = plain_schema(self.schema)
        self._state, self._table, self._asker, self._below = state, table, asker, below
        self._lock = threading.Lock()
        self._counts = {name: self._count_fields(self._row(name)) for name in state.names()}
        self._open: dict[str, tuple[str, float]] = {}
        self._readings: dict[str, Json] = {}

    def overview(self) -> Json:
        """Return the numbers of papers and fields."""
        counts = [*self._counts.values()]
        fields, doubtful = sum(one.fields for one in counts), sum(one.doubtful for one in counts)
        return {
            "table": self._table.name,
            "schema": self.plain,
            "papers": len(counts),
            "papers_left": sum(one.doubtful > 0 for one in counts),
            "fields": fields,
            "fields_right": fields - doubtful,
            "doubtful": doubtful,
        }

    def next_paper(
        self, person: Text, current: Annotated[str | None, Body()] = None, back: Annotated[bool, Body()] = False,
        empty: Annotated[bool, Body()] = False,
    ) -> Json:  # fmt: skip
        """Return the `name` of the next paper after `current` that has doubtful fields, or empty ones if `empty`; null
        if there is none. Papers that nobody else has opened are preferred. `person` is a random name that the page
        chose for itself."""
        with self._lock:
            names, step = [*self._counts], -1 if back else 1
            index = names.index(current) if current in self._counts else (0 if back else -1)
            ordered = [names[(index + step * count) % len(names)] for count in range(1, len(names) + 1)]
            counts = {name: self._counts[name].empty if empty else self._counts[name].doubtful for name in names}
            left = [name for name in ordered if counts[name]]
            now = time.monotonic()
            self._open = {one: seen for one, seen in self._open.items() if now - seen[1] < _OPENED_S}
            elsewhere = {name for one, (name, _) in self._open.items() if one != person}
            found = next((name for name in left if name not in elsewhere), left[0] if left else None)
            if found is not None:
                self._open[person] = (found, now)
            return {"name": found}

    def paper(self, name: str) -> Json:
        """Return the answer to a paper with its version, its evidence, fields and lists."""
        with self._lock:
            row = self._row(name)
            result = row.result or PaperResult(error="not read yet")
            fields = [
                {
                    "pointer": pointer,
                    "is_doubtful": self._is_doubtful(row, pointer, value),
                    "is_reviewed": row.is_reviewed(pointer),
                }
                for pointer, value in fields_of(result.answer)
            ]
            return {
                "name": name,
                "type": mimetypes.guess_type(name)[0],
                "version": row.version,
                "answer": result.answer,
                "evidence": result.evidence,
                "unsupported": result.unsupported,
                "error": result.error,
                "fields": fields,
                "lists": [
                    {"pointer": pointer, "rows": len(value or ())}
                    for pointer, value, part in nodes_of(result.answer, self.plain)
                    if isinstance(value, list) or (value is None and "items" in part)
                ],
            }

    def review(
        self, paper: Text, pointer: Text, version: Version, value: Annotated[Cell, Body()] = None,
        place: Annotated[Json | None, Body()] = None,
    ) -> Json:  # fmt: skip
        """Record that the field is `value`. `place` has the page, the bounds and the text; with null, the field has no
        new place."""
        with self._lock:
            result = self._result(paper, version)
            earlier, part = self._node(result, pointer)
            if isinstance(earlier, dict | list):
                raise Rejected(404, f"{pointer} is not a field")
            is_same = (value, type(value)) == (earlier, type(earlier))
            # The schema may require a value for a field that is empty in an added row. That the paper itself has none
            # can be accepted.
            is_open = value is None and pointer in result.unsupported
            if (not is_same or is_open) and (problem := problem_of(part, value)):
                raise Rejected(422, problem)
            if place is None:
                known = result.evidence.get(pointer, {}) if is_same else {}
                place = {key: known[key] for key in ("page", "bounds", "text") if key in known}
            revised = with_field(result, pointer, value, place)
            number = self._state.revise(paper, "value", pointer, revised, is_correction=not is_same)
            self._count(paper)
            return {"number": number}

    def add_row(self, paper: Text, pointer: Text, version: Version, at: Annotated[int, Body(ge=0)]) -> Json:
        """Add an empty row at index `at` of the list at `pointer`. The row's pointer is returned, too."""
        with self._lock:
            result = self._result(paper, version)
            rows, part = self._node(result, pointer)
            if "items" not in part or not isinstance(rows, list | None):
                raise Rejected(404, f"the schema has no list {pointer}")
            count, most = len(rows or ()), part.get("maxItems", _MAX_ROWS)
            if count >= most:
                raise Rejected(422, f"the list has at most {most} rows")
            added = f"{pointer}/{min(at, count)}"
            revised = with_row(result, pointer, min(at, count), blank_row(part["items"]))
            number = self._state.revise(paper, "added", added, revised)
            self._count(paper)
            return {"number": number, "pointer": added}

    def remove_row(self, paper: Text, pointer: Text, version: Version) -> Json:
        """Remove the row at `pointer`."""
        with self._lock:
            result = self._result(paper, version)
            self._node(result, pointer)
            rows, part = self._node(result, pointer.rpartition("/")[0])
            if not isinstance(rows, list):
                raise Rejected(404, f"{pointer} is not a row")
            if len(rows) <= part.get("minItems", 0):
                raise Rejected(422, f"the list has at least {part['minItems']} rows")
            number = self._state.revise(paper, "removed", pointer, without_row(result, pointer))
            self._count(paper)
            return {"number": number}

    def undo(self, number: Annotated[int, Body(embed=True, ge=0, lt=1 << 63)]) -> Json:
        """Undo a review. Return its paper, the pointer of its field, row or list, and its kind."""
        with self._lock:
            name, pointer, change = self._state.undo(number)
            self._count(name)
            return {"paper": name, "pointer": pointer, "change": change}

    def export(self) -> Json:
        """Write the table again, and return the names of its files. Raises OSError and Failed."""
        with self._lock:
            return {"written": [file.name for file in write(self._table, self.schema, self._state.rows)]}

    def content(self, name: str) -> tuple[str, bytes]:
        """Return a paper's file name and content."""
        paper = self._paper(name)
        if paper.read is None:
            raise Rejected(404, f"{name} is an address, which this page does not fetch")
        try:
            return paper.filename, paper.read()
        except (OSError, ValueError) as error:
            raise Rejected(404, f"{name} cannot be read: {error}") from None

    def reading(self, name: str) -> Json:
        """Return what the server reads in a paper: the result of its task `ocr`, with Markdown. Raises Failed if the
        server cannot be asked."""
        paper = self._paper(name)
        if (known := self._readings.get(name)) is None:
            try:
                known = self._asker.read(paper)
            except Refused as error:
                raise Rejected(404, str(error)) from None
            if len(self._readings) >= _MAX_KEPT_READINGS:
                del self._readings[next(iter(self._readings))]
            self._readings[name] = known
        return known

    def _row(self, name: str) -> Row:
        if (row := self._state.row(name)) is None:
            raise Rejected(404, f"the table has no paper {name}")
        return row

    def _result(self, name: str, version: int) -> PaperResult:
        """Return the result of a paper that a person looked at in the version `version`."""
        row = self._row(name)
        if row.result is None:
            raise Rejected(404, f"the table has no answer to {name}")
        if row.version != version:
            raise Rejected(409, "somebody else has changed this paper in the meantime")
        return row.result

    def _paper(self, name: str) -> Paper:
        with self._lock:
            link, whole = self._row(name).link, self._state.whole_path(name)
        try:
            return _papers_at(link)[whole]
        except (Failed, KeyError):
            raise Rejected(404, f"{name} is not where `openfaze extract` found it") from None

    def _is_doubtful(self, row: Row, pointer: str, value: Any) -> bool:
        if row.result is None or row.is_reviewed(pointer):
            return False
        probability = row.result.probability(pointer)
        return is_empty(value) or (probability is not None and probability < self._below)

    def _count_fields(self, row: Row) -> _Counts:
        fields = [*fields_of(row.result.answer)] if row.result else []
        doubtful = [value for pointer, value in fields if self._is_doubtful(row, pointer, value)]
        return _Counts(len(fields), len(doubtful), sum(map(is_empty, doubtful)))

    def _count(self, name: str) -> None:
        self._counts[name] = self._count_fields(self._row(name))

    def _node(self, result: PaperResult, pointer: str) -> tuple[Any, Mapping[str, Any]]:
        """Return the part of an answer at `pointer`, and its plain schema."""
        for known, value, part in nodes_of(result.answer, self.plain):
            if known == pointer:
                return value, part
        raise Rejected(404, f"the paper has no part {pointer}")


@lru_cache(16)
def _papers_at(link: str) -> dict[str, Paper]:
    return {paper.name: paper for paper in papers_of([link])}
