"""The review of a table: it finds the doubtful fields, stores people's decisions, and has other papers read again with
the corrected ones as examples."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.extract.client import MAX_EXAMPLES, CannotAsk, PaperClient, PaperExample, Refused
from app.extract.files import write
from app.extract.papers import CannotRead, Paper, papers_of
from app.extract.reviews import Change, Json
from app.extract.state import JobState, PaperResult, ReviewConflict, Row
from app.extract.tables import blank_row, format_of, is_iso_date, is_iso_moment, list_schema
from tasks.schema.checker import prepared_checker
from tasks.schema.paths import JsonPath, PartsOfSchema, pointer_of, steps_of_pointer

CORRECTIONS_TO_LEARN = 10
"""After this many corrections, the papers that nobody has reviewed are read again."""
_LEAST_ALIKE = 0.5
"""A paper can be an example for another paper only if they have enough words in common: at least this fraction of the
different words of the paper that has fewer of them."""
_OPENED_S = 120.0
"""A paper that somebody opened is not offered to others for this many seconds, unless no other paper is left."""
_MAX_KEPT_READINGS = 64
_MAX_ROWS = 10_000
"""Largest number of rows of a list to which people add rows, if the schema has no `maxItems`."""
_MAX_QUOTE = 60
_FORMATS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "date": (is_iso_date, "date such as 2026-03-12"),
    "date-time": (is_iso_moment, "date and time such as 2026-03-12T09:30:00"),
}
"""Test of a text, and description of a valid one, by the format that a schema demands."""


class NotThere(Exception):
    """Raised if a paper or a field does not exist. The message names it."""


class NotFitting(Exception):
    """Raised if a value does not satisfy the schema. The message says why."""


@dataclass(frozen=True, slots=True)
class _PaperCounts:
    """Numbers of all, right and doubtful fields of one paper."""

    fields: int
    right: int
    """Number of fields that are not doubtful."""
    doubtful: int
    is_reviewed: bool


class TableReview:
    """The review of the table in `state` by several people at the same time. It may be used by several threads.

    `table` is the file of the table, which `export` writes again. A field is doubtful if nothing supports its value, or
    if its probability is below `below`.
    """

    def __init__(self, state: JobState, table: Path, asker: PaperClient, below: float) -> None:
        schema = state.schema
        assert schema is not None
        self.schema: Json = schema
        self._state, self._table, self._asker, self._below = state, table, asker, below
        self._lock = threading.Lock()
        self._counts = {row.name: self._count_fields(row) for row in state.rows()}
        self._open: dict[str, tuple[str, float]] = {}
        self._readings: dict[str, Json] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._corrections = 0
        self._left_to_read: int | None = None
        self._trouble: str | None = None
        self._wake, self._is_over = threading.Event(), threading.Event()
        self._learner = threading.Thread(target=self._learn, name="learner")
        self._learner.start()

    def close(self) -> None:
        """Stop reading papers again."""
        self._is_over.set()
        self._wake.set()
        self._asker.stop()
        self._learner.join()

    def overview(self) -> Json:
        """Return the numbers of papers and fields, and how many papers are being read again."""
        counts = [*self._counts.values()]
        return {
            "table": self._table.name,
            "papers": len(counts),
            "papers_left": sum(one.doubtful > 0 for one in counts),
            "fields": sum(one.fields for one in counts),
            "fields_right": sum(one.right for one in counts),
            "doubtful": sum(one.doubtful for one in counts),
            "being_read": self._left_to_read,
            "trouble": self._trouble,
        }

    def next_paper(self, person: str, current: str | None, step: int = 1) -> str | None:
        """Return the next paper after `current` that has doubtful fields, or None if there is none. Papers that nobody
        else has opened are preferred. `person` is a random name that the page chose for itself. `step` is 1 or -1."""
        with self._lock:
            names = [*self._counts]
            index = names.index(current) if current in self._counts else (-1 if step > 0 else 0)
            ordered = [names[(index + step * count) % len(names)] for count in range(1, len(names) + 1)]
            left = [name for name in ordered if self._counts[name].doubtful]
            now = time.monotonic()
            self._open = {one: seen for one, seen in self._open.items() if now - seen[1] < _OPENED_S}
            elsewhere = {name for one, (name, _) in self._open.items() if one != person}
            found = next((name for name in left if name not in elsewhere), left[0] if left else None)
            if found is not None:
                self._open[person] = (found, now)
            return found

    def paper(self, name: str) -> Json:
        """Return the answer to a paper, its evidence, and each field and list with its version. Raises NotThere."""
        with self._lock:
            row = self._row(name)
            result = row.result or PaperResult(error="not read yet")
            reviewed = self._state.reviewed(name) if row.result else None
            return {
                "name": name,
                "answer": result.answer,
                "evidence": result.evidence,
                "unsupported": result.unsupported,
                "error": result.error,
                "fields": [
                    {
                        "pointer": pointer,
                        "version": reviewed.version(pointer),
                        "is_doubtful": self._is_doubtful(row, pointer, value),
                        "is_reviewed": row.is_reviewed(pointer),
                    }
                    for pointer, value in _fields(result.answer)
                    if reviewed is not None
                ],
                "lists": [
                    {
                        "pointer": pointer,
                        "version": reviewed.rows_version(pointer),
                        "rows": [reviewed.version(f"{pointer}/{index}") for index in range(count)],
                    }
                    for pointer, count in self._lists(result.answer)
                    if reviewed is not None
                ],
            }

    def review(self, name: str, pointer: str, value: Any, place: Json | None, version: str) -> int:
        """Record that the field is `value`, and return the number of this review. `place` has the page, the bounds and
        the text; with None, the field has no new place. Raises NotThere, NotFitting, and ReviewConflict."""
        with self._lock:
            row = self._row(name)
            fields = dict(_fields(row.result.answer if row.result else None))
            if pointer not in fields:
                # The field may have existed until somebody removed its row.
                self._check_known(name, pointer)
                raise NotThere(f"{name} has no field {pointer}")
            is_same = (value, type(value)) == (fields[pointer], type(fields[pointer]))
            # The schema may require a value for a field that is empty in an added row.
            if (not is_same or value is None) and (problem := self._problem(pointer, value)):
                raise NotFitting(problem)
            if place is None:
                known = row.result.evidence.get(pointer, {}) if row.result and is_same else {}
                place = {key: known[key] for key in ("page", "bounds", "text") if key in known}
            number = self._state.review(name, pointer, value, place, version)
            if is_same:
                self._update_counts(name)
            else:
                self._count_correction(name)
            return number

    def add_row(self, name: str, pointer: str, at: int, version: str) -> tuple[int, str]:
        """Add an empty row at index `at` of the list at `pointer`. Return the number of this review and the row's
        pointer. Raises NotThere, NotFitting, and ReviewConflict."""
        with self._lock:
            count, part = self._list(name, pointer)
            if not part:
                raise NotFitting("the schema does not describe the rows of this list")
            if count >= part.get("maxItems", _MAX_ROWS):
                raise NotFitting(f"the list has at most {part.get('maxItems', _MAX_ROWS)} rows")
            row = blank_row(self.schema, part["items"])
            number = self._state.add_row(name, pointer, min(at, count), row, version)
            self._count_correction(name)
            return number, f"{pointer}/{min(at, count)}"

    def remove_row(self, name: str, pointer: str, version: str) -> int:
        """Remove the row at `pointer`, and return the number of this review. Raises NotThere, NotFitting, and
        ReviewConflict."""
        with self._lock:
            above, _, number = pointer.rpartition("/")
            count, part = self._list(name, above)
            if not number.isdecimal() or int(number) >= count:
                raise ReviewConflict("somebody else has changed this list in the meantime")
            if count <= part.get("minItems", 0):
                raise NotFitting(f"the list has at least {part['minItems']} rows")
            review = self._state.remove_row(name, pointer, version)
            self._count_correction(name)
            return review

    def undo(self, number: int) -> tuple[str, str, Change]:
        """Undo a review. Return its paper, the pointer of its field, row or list, and its kind. Raises
        ReviewConflict."""
        with self._lock:
            name, pointer, change = self._state.undo_review(number)
            self._update_counts(name)
            return name, pointer, change

    def export(self) -> list[Path]:
        """Write the table again, and return its files. Raises OSError, TooManyRows and CannotWrite."""
        with self._lock:
            return write(self._table, self.schema, self._state.rows)

    def read_unreviewed(self) -> None:
        """Start to read all papers without a review again, with the corrected papers as examples."""
        with self._lock:
            self._begin_to_read()

    def content(self, name: str) -> tuple[str, bytes]:
        """Return a paper's file name and content. Raises NotThere if there is none, or if the file can no longer be
        read."""
        paper = self._paper(name)
        if paper.read is None:
            raise NotThere(f"{name} is an address, which this page does not fetch")
        try:
            return paper.filename, paper.read()
        except (OSError, ValueError) as error:
            raise NotThere(f"{name} cannot be read: {error}") from None

    def reading(self, name: str) -> Json | None:
        """Return the result of OCR for a paper. Return None if the server refuses to read it, for example because it is
        a text. Raises NotThere and CannotAsk."""
        paper = self._paper(name)
        if (known := self._readings.get(name)) is None:
            try:
                known = self._asker.read(paper)
            except Refused:
                return None
            if len(self._readings) >= _MAX_KEPT_READINGS:
                del self._readings[next(iter(self._readings))]
            self._readings[name] = known
        return known

    def _row(self, name: str) -> Row:
        if (row := self._state.row(name)) is None:
            raise NotThere(f"the table has no paper {name}")
        return row

    def _paper(self, name: str) -> Paper:
        with self._lock:
            row = self._row(name)
        try:
            return _papers_at(row.link)[name]
        except (CannotRead, KeyError):
            raise NotThere(f"{name} is not where `openfaze extract` found it") from None

    def _is_doubtful(self, row: Row, pointer: str, value: Any) -> bool:
        assert row.result is not None
        if row.is_reviewed(pointer):
            return False
        if pointer in row.result.unsupported:
            return True
        probability = row.result.evidence.get(pointer, {}).get("probability")
        return value is not None and probability is not None and probability < self._below

    def _count_fields(self, row: Row) -> _PaperCounts:
        fields = [*_fields(row.result.answer)] if row.result else []
        doubtful = sum(self._is_doubtful(row, pointer, value) for pointer, value in fields)
        is_reviewed = row.is_corrected or any(row.is_reviewed(pointer) for pointer, _ in fields)
        return _PaperCounts(len(fields), len(fields) - doubtful, doubtful, is_reviewed)

    def _update_counts(self, name: str) -> None:
        self._counts[name] = self._count_fields(self._row(name))

    def _count_correction(self, name: str) -> None:
        self._update_counts(name)
        self._corrections += 1
        if self._corrections >= CORRECTIONS_TO_LEARN:
            self._begin_to_read()

    def _check_known(self, name: str, pointer: str) -> None:
        """Raise ReviewConflict for a field of a row that a list does not have any more."""
        if any(pointer.startswith(f"{known}/") for known, _ in self._lists(self._answer(name))):
            raise ReviewConflict("somebody else has changed this list in the meantime")

    def _answer(self, name: str) -> Any:
        row = self._row(name)
        return row.result.answer if row.result else None

    def _lists(self, value: Any, path: JsonPath = ()) -> Iterator[tuple[str, int]]:
        """Yield the pointer and the number of rows of each list, empty and null ones included."""
        if isinstance(value, list) or (path and value is None and list_schema(self.schema, path)):
            yield pointer_of(path), len(value or ())
        if isinstance(value, dict | list):
            for step, child in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self._lists(child, (*path, step))

    def _list(self, name: str, pointer: str) -> tuple[int, Mapping[str, Any]]:
        """Return the number of rows of a list, and its schema. Raises NotThere."""
        lists = dict(self._lists(self._answer(name)))
        if pointer not in lists:
            raise NotThere(f"{name} has no list {pointer}")
        return lists[pointer], list_schema(self.schema, tuple(_steps(pointer)))

    def _problem(self, pointer: str, value: Any) -> str | None:
        part = PartsOfSchema(self.schema).at(tuple(_steps(pointer)))
        if problem := prepared_checker(self.schema).of_part(part).problem(value):
            return problem
        if isinstance(value, int) and abs(value) > sys.float_info.max:
            return f"a number has at most {sys.float_info.max_10_exp} digits"
        # The checker does not assert formats.
        is_valid, example = _FORMATS.get(format_of(self.schema, part) or "", (None, ""))
        if not is_valid or not isinstance(value, str) or is_valid(value):
            return None
        return f"'{value[:_MAX_QUOTE]}' is not a {example}"

    def _begin_to_read(self) -> None:
        self._corrections = 0
        self._left_to_read = sum(not one.is_reviewed for one in self._counts.values())
        self._wake.set()

    def _learn(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._is_over.is_set():
                return
            try:
                self._read_all_again()
                self._trouble = None
            except CannotAsk as error:
                self._trouble = str(error)
            with self._lock:
                if not self._wake.is_set():
                    self._left_to_read = None

    def _read_all_again(self) -> None:
        with self._lock:
            rows = [*self._state.rows()]
            # Doubtful fields may be wrong, so papers that have some are not used as examples.
            examples = [
                (row.name, row.result.answer)
                for row in rows
                if row.result and row.is_corrected and not self._counts[row.name].doubtful
            ]
            left = [row.name for row in rows if not self._counts[row.name].is_reviewed]
            self._left_to_read = len(left)
        for name in left:
            if self._is_over.is_set():
                return
            with contextlib.suppress(NotThere):  # the paper keeps its answer
                self._read_one_again(name, examples)
            with self._lock:
                self._left_to_read = max(0, (self._left_to_read or 0) - 1)

    def _read_one_again(self, name: str, examples: list[tuple[str, Any]]) -> None:
        words = self._words_of(name)
        shares = []
        for example, answer in examples:
            others = self._words_of(example)
            share = len(words & others) / max(1, min(len(words), len(others)))
            if share >= _LEAST_ALIKE:
                shares.append((share, example, answer))
        # The most similar examples come last, because a server prefers the last ones.
        shown = sorted(shares, key=lambda one: one[0])[-MAX_EXAMPLES:]
        if not shown:
            return
        papers = [PaperExample(self._paper(example), answer) for _, example, answer in shown]
        result = self._asker.fill(self._paper(name), self.schema, papers)
        if result.error is None:
            with self._lock:
                if self._state.note_unless_reviewed(name, result):
                    self._update_counts(name)

    def _words_of(self, name: str) -> frozenset[str]:
        """Return the words of a paper that consist of letters only, in lower case."""
        if name not in self._words:
            reading = self.reading(name)
            if reading is not None:
                text = str(reading.get("extracted_text") or "")
            else:
                text = self.content(name)[1].decode("utf-8", "replace")
            self._words[name] = frozenset(word for word in text.casefold().split() if word.isalpha())
        return self._words[name]


@lru_cache(16)
def _papers_at(link: str) -> dict[str, Paper]:
    return {paper.name: paper for paper in papers_of([link])}


def _fields(value: Any, path: JsonPath = ()) -> Iterator[tuple[str, Any]]:
    """Yield the pointer and the value of each field that is neither an object nor a list."""
    if isinstance(value, dict | list):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _fields(child, (*path, step))
    elif path:
        yield pointer_of(path), value


def _steps(pointer: str) -> Iterator[str | int]:
    for step in steps_of_pointer(f"#{pointer}"):
        text = str(step)
        yield int(text) if text.isdecimal() else text
