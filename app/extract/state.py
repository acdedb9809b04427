"""Answers of a job as far as they have come, in a SQLite file beside the table: what a killed job is resumed from."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.extract.papers import Paper
from tasks.schema.paths import JsonPath, steps_of_pointer

Json = dict[str, Any]

_LAYOUT = """
CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS papers (
    name TEXT PRIMARY KEY, link TEXT NOT NULL, fingerprint TEXT NOT NULL,
    position INTEGER, -- null: not among the sources of the last run
    result TEXT, -- null: not answered yet
    is_error INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS papers_in_order ON papers (position);
CREATE TABLE IF NOT EXISTS reviews (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    paper TEXT NOT NULL, pointer TEXT NOT NULL,
    value TEXT NOT NULL, -- JSON
    place TEXT NOT NULL, -- JSON: the field's evidence from now on
    is_correction INTEGER NOT NULL, -- else the value was accepted
    is_undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS reviews_of_papers ON reviews (paper, pointer);
"""
REVIEWED = "reviewed"
"""The `match` of a field's evidence once a person accepted or corrected it."""
_SCHEMA, _FOLDER = "schema", "folder"


@dataclass(frozen=True, slots=True)
class PaperResult:
    """Answer to a paper with its evidence, or an error."""

    answer: Any = None
    evidence: Json = field(default_factory=dict)
    """Source of each field, by the field's JSON pointer (wire contract: `evidence`)."""
    unsupported: Sequence[str] = ()
    """Pointers of fields that nothing read supports."""
    warnings: Sequence[str] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    link: str
    result: PaperResult | None
    """Is None until the paper has been asked about. Fields that a person reviewed are as that person left them."""
    is_corrected: bool = False
    """A person changed a field."""

    def is_reviewed(self, pointer: str) -> bool:
        return self.result is not None and self.result.evidence.get(pointer, {}).get("match") == REVIEWED


class ReviewConflict(Exception):
    """A field is not as it was when a person looked at it; the message says so."""


class CannotOpen(Exception):
    """The state of a job cannot be used; the message says why and what to do."""


class JobState:
    """State of a job in `path`. Only one process at a time has it open, only one thread at a time may use it. Raises
    CannotOpen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        except sqlite3.OperationalError:
            raise CannotOpen(f"{path} cannot be written: is there such a folder, and may you write there?") from None
        try:
            # The file is locked from the first write until it is closed.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_LAYOUT)
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" in str(error):
                raise CannotOpen(f"another `openfaze extract` or `openfaze review` works on {path}") from None
            raise CannotOpen(f"{path} cannot be used ({error}): delete it to begin from nothing") from None

    def begin(self, asked: Json) -> bool:
        """Note what is asked of each paper (schema, examples). True if there are answers to something else, which are
        forgotten, except for papers that a person reviewed. Raises CannotOpen for reviews of another schema."""
        schema = json.dumps(asked.get("schema"))
        if self._job(_SCHEMA) not in (None, schema) and (count := self._count_reviews()):
            raise CannotOpen(
                f"{self.path} holds {count} reviewed fields of another schema: keep that one, or name another --out"
            )
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        known = self._job("asked")
        forgotten = 0
        with self._transaction():
            if known not in (None, digest):
                forgets = (
                    "UPDATE papers SET result = NULL, is_error = 0 WHERE result IS NOT NULL "
                    "AND name NOT IN (SELECT paper FROM reviews WHERE NOT is_undone)"
                )
                forgotten = self._db.execute(forgets).rowcount
            told = {"asked": digest, _SCHEMA: schema, _FOLDER: str(Path.cwd())}
            self._db.executemany("INSERT OR REPLACE INTO job VALUES (?, ?)", told.items())
            self._db.execute("UPDATE papers SET position = NULL")
        return forgotten > 0

    def add(self, papers: Sequence[Paper], first: int) -> None:
        """List `papers` from position `first` on. A paper whose content has changed loses its answer, and what was
        reviewed of it."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM reviews WHERE paper = ? AND paper IN (SELECT name FROM papers WHERE fingerprint != ?)",
                [(paper.name, paper.fingerprint) for paper in papers],
            )
            self._db.executemany(
                "INSERT INTO papers (name, link, fingerprint, position) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET position = excluded.position, link = excluded.link, "
                "result = CASE WHEN fingerprint = excluded.fingerprint THEN result END, "
                "is_error = is_error AND fingerprint = excluded.fingerprint, fingerprint = excluded.fingerprint",
                [(paper.name, paper.link, paper.fingerprint, first + place) for place, paper in enumerate(papers)],
            )

    def retry_errors(self) -> None:
        """Forget errors, so that their papers are asked about again."""
        self._db.execute("UPDATE papers SET result = NULL, is_error = 0 WHERE is_error")

    def is_done(self, name: str) -> bool:
        row = self._db.execute("SELECT 1 FROM papers WHERE name = ? AND result IS NOT NULL", (name,)).fetchone()
        return row is not None

    def note(self, name: str, result: PaperResult) -> None:
        """Keep what came of a paper; it is on the disk's way once this returns, whatever becomes of this process."""
        told = {name: value for name in PaperResult.__slots__ if (value := getattr(result, name))}
        self._db.execute(
            "UPDATE papers SET result = ?, is_error = ? WHERE name = ?",
            (json.dumps(told, ensure_ascii=False), result.error is not None, name),
        )

    def counts(self) -> tuple[int, int, int]:
        """Return the number of listed papers, of those with an answer or error, and of those with an error."""
        found = self._db.execute(
            "SELECT count(*), count(result), total(is_error) FROM papers WHERE position IS NOT NULL"
        ).fetchone()
        return int(found[0]), int(found[1]), int(found[2])

    def rows(self) -> Iterator[Row]:
        """Yield the listed papers in their order."""
        cursor = self._db.cursor()
        found = "SELECT name, link, result FROM papers WHERE position IS NOT NULL ORDER BY position"
        for told in cursor.execute(found):
            yield self._row(*told)

    def row(self, name: str) -> Row | None:
        """Return the listed paper `name`; None if there is none."""
        found = "SELECT name, link, result FROM papers WHERE position IS NOT NULL AND name = ?"
        told = self._db.execute(found, (name,)).fetchone()
        return None if told is None else self._row(*told)

    @property
    def schema(self) -> Json | None:
        """The schema of the answers; None if the state is of a version that did not keep it, or of no run."""
        text = self._job(_SCHEMA)
        schema = None if text is None else json.loads(text)
        return schema if isinstance(schema, dict) else None

    @property
    def folder(self) -> Path | None:
        """The working folder of the last run, in which paths of papers begin."""
        text = self._job(_FOLDER)
        return None if text is None else Path(text)

    def version(self, row: Row, pointer: str) -> str:
        """Return what changes whenever the field at `pointer` of `row` does, by a review, its undoing or a reading."""
        found = "SELECT count(*) + total(is_undone) FROM reviews WHERE paper = ? AND pointer = ?"
        (count,) = self._db.execute(found, (row.name, pointer)).fetchone()
        value = value_at(row.result.answer if row.result else None, steps_of_pointer(f"#{pointer}"))
        return f"{count:.0f}-{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]}"

    def review(self, name: str, pointer: str, value: Any, place: Json, version: str) -> int:
        """Keep that a person says that the field is `value` and stands at `place` (page, bounds, text), and return the
        review's number. Raises ReviewConflict where the field is not of `version` any more."""
        row = self.row(name)
        if row is None or self.version(row, pointer) != version:
            raise ReviewConflict("somebody else has changed this field in the meantime")
        before = value_at(row.result.answer if row.result else None, steps_of_pointer(f"#{pointer}"))
        is_correction = (value, type(value)) != (before, type(before))
        found = self._db.execute(
            "INSERT INTO reviews (paper, pointer, value, place, is_correction) VALUES (?, ?, ?, ?, ?)",
            (name, pointer, json.dumps(value), json.dumps(place), is_correction),
        )
        assert found.lastrowid is not None
        return found.lastrowid

    def undo_review(self, number: int) -> tuple[str, str]:
        """Take the review back, and return the paper's name and the field's pointer. Raises ReviewConflict for one that
        is not the field's last."""
        told = self._db.execute(
            "UPDATE reviews SET is_undone = 1 WHERE number = ? AND NOT is_undone AND number = (SELECT max(last.number) "
            "FROM reviews AS last WHERE last.paper = reviews.paper AND last.pointer = reviews.pointer "
            "AND NOT last.is_undone) RETURNING paper, pointer",
            (number,),
        ).fetchall()
        if not told:
            raise ReviewConflict("somebody else has changed this field since, or it has been undone")
        return str(told[0][0]), str(told[0][1])

    def note_unless_reviewed(self, name: str, result: PaperResult) -> bool:
        """Keep what came of reading a paper again. False, with nothing kept, where a person reviewed a field."""
        found = "SELECT 1 FROM reviews WHERE paper = ? AND NOT is_undone"
        if self._db.execute(found, (name,)).fetchone() is not None:
            return False
        self.note(name, result)
        return True

    def close(self) -> None:
        self._db.close()

    def _job(self, name: str) -> str | None:
        told = self._db.execute("SELECT value FROM job WHERE name = ?", (name,)).fetchone()
        return None if told is None else str(told[0])

    def _count_reviews(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM reviews WHERE NOT is_undone").fetchone()
        return int(count)

    def _row(self, name: str, link: str, text: str | None) -> Row:
        if text is None:
            return Row(name, link, None)
        result, is_corrected = PaperResult(**json.loads(text)), False
        found = (
            "SELECT pointer, value, place, is_correction FROM reviews WHERE paper = ? AND NOT is_undone ORDER BY number"
        )
        for pointer, value, place, is_correction in self._db.execute(found, (name,)):
            if _set(result.answer, steps_of_pointer(f"#{pointer}"), json.loads(value)):
                evidence = {**json.loads(place), "probability": 1.0, "match": REVIEWED}
                unsupported = [one for one in result.unsupported if one != pointer]
                result = replace(result, evidence={**result.evidence, pointer: evidence}, unsupported=unsupported)
                is_corrected |= bool(is_correction)
        return Row(name, link, result, is_corrected)

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def value_at(answer: Any, path: JsonPath) -> Any:
    """Return the part of `answer` at `path`; None if there is none."""
    for step in path:
        if isinstance(answer, dict):
            answer = answer.get(str(step))
        elif isinstance(answer, list) and str(step).isdecimal() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return None
    return answer


def _set(answer: Any, path: JsonPath, value: Any) -> bool:
    """Put `value` at `path` of `answer`. False if `answer` has no such field."""
    *above, last = path
    parent = value_at(answer, tuple(above))
    if isinstance(parent, dict) and str(last) in parent:
        parent[str(last)] = value
    elif isinstance(parent, list) and str(last).isdecimal() and int(last) < len(parent):
        parent[int(last)] = value
    else:
        return False
    return True
