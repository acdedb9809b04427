"""Stores the answers of a job, and their reviews, in a SQLite file next to the output table (--out), so that a job can
be resumed."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.folders.answers import Json
from app.folders.failures import Failed, Rejected
from app.folders.papers import Paper
from app.folders.reviews import REVIEWED, Change, PaperResult, Review, ReviewedAnswer

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
    is_undone INTEGER NOT NULL DEFAULT 0,
    change TEXT NOT NULL DEFAULT 'value' -- or 'added', 'removed': a row
) STRICT;
CREATE INDEX IF NOT EXISTS reviews_of_papers ON reviews (paper, pointer);
"""
_SCHEMA, _FOLDER, _INPUTS_DIGEST = "schema", "folder", "asked"
"""Names of values in the table `job`."""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    link: str
    result: PaperResult | None
    """Result of the paper with its reviews applied; None until the paper has been asked about."""
    is_corrected: bool = False
    """True if a person changed a field or the rows of a list, and all fields of added rows are filled or accepted."""

    def is_reviewed(self, pointer: str) -> bool:
        return self.result is not None and self.result.evidence.get(pointer, {}).get("match") == REVIEWED


class JobState:
    """The state of a job in the file `path`. Only one process may have the file open, and only one thread may use it at
    a time. The constructor raises Failed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        except sqlite3.OperationalError:
            raise Failed(f"{path} cannot be written: does its folder exist, and may you write to it?") from None
        try:
            # The file is locked from the first write until it is closed.
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(_LAYOUT)
            if "change" not in (column[1] for column in self._db.execute("PRAGMA table_info(reviews)")):
                self._db.execute("ALTER TABLE reviews ADD COLUMN change TEXT NOT NULL DEFAULT 'value'")
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "locked" in str(error):
                raise Failed(
                    f"another `openfaze extract` or `openfaze review` is working on {path}: wait until it has ended, "
                    "or end it with Ctrl+C, which loses nothing; then run this command again"
                ) from None
            raise Failed(f"{path} cannot be used ({error}): delete it to start over") from None

    def begin(self, inputs: Json) -> bool:
        """Record the schema and the examples of this run. If they differ from the schema and examples of the stored
        answers, delete these answers, except the answers of reviewed papers. Return True if any were deleted. Raises
        Failed if there are reviews under a different schema."""
        schema = json.dumps(inputs.get("schema"))
        (count,) = self._db.execute("SELECT count(*) FROM reviews WHERE NOT is_undone").fetchone()
        if count and self._job(_SCHEMA) not in (None, schema):
            raise Failed(
                f"{self.path} holds {count} fields that were reviewed under a different schema: use that schema "
                "again, or name another --out"
            )
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        earlier_digest = self._job(_INPUTS_DIGEST)
        forgotten = 0
        with self._transaction():
            if earlier_digest not in (None, digest):
                query = (
                    "UPDATE papers SET result = NULL, is_error = 0 WHERE result IS NOT NULL "
                    "AND name NOT IN (SELECT paper FROM reviews WHERE NOT is_undone)"
                )
                forgotten = self._db.execute(query).rowcount
            values = {_INPUTS_DIGEST: digest, _SCHEMA: schema, _FOLDER: str(Path.cwd())}
            self._db.executemany("INSERT OR REPLACE INTO job VALUES (?, ?)", values.items())
            self._db.execute("UPDATE papers SET position = NULL")
        return forgotten > 0

    def add(self, papers: Sequence[Paper], first: int) -> None:
        """List `papers`, the first of them at position `first`. A paper whose content has changed loses its answer and
        its reviews."""
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
                [(paper.name, paper.link, paper.fingerprint, first + index) for index, paper in enumerate(papers)],
            )

    def retry_errors(self) -> None:
        """Delete errors, so that their papers are asked about again."""
        self._db.execute("UPDATE papers SET result = NULL, is_error = 0 WHERE is_error")

    def is_done(self, name: str) -> bool:
        row = self._db.execute("SELECT 1 FROM papers WHERE name = ? AND result IS NOT NULL", (name,)).fetchone()
        return row is not None

    def note(self, name: str, result: PaperResult) -> None:
        """Store the result of a paper. When this returns, the operating system has the data, so they survive a crash of
        this process."""
        values = {slot: value for slot in PaperResult.__slots__ if (value := getattr(result, slot))}
        # Half of a surrogate pair could be neither stored nor written into a table.
        text = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
        self._db.execute(
            "UPDATE papers SET result = ?, is_error = ? WHERE name = ?", (text, result.error is not None, name)
        )

    def counts(self) -> tuple[int, int, int]:
        """Return the number of listed papers, the number with an answer or error, and the number with an error."""
        query = "SELECT count(*), count(result), total(is_error) FROM papers WHERE position IS NOT NULL"
        count, done, failed = self._db.execute(query).fetchone()
        return count, done, int(failed)

    def names(self) -> list[str]:
        """Return the names of the listed papers in their order."""
        query = "SELECT name FROM papers WHERE position IS NOT NULL ORDER BY position"
        return [name for (name,) in self._db.execute(query)]

    def rows(self) -> Iterator[Row]:
        """Yield the listed papers in their order, as they are written: without added rows that have no value."""
        cursor = self._db.cursor()
        query = "SELECT name, link, result FROM papers WHERE position IS NOT NULL ORDER BY position"
        for row in cursor.execute(query):
            yield self._row(*row, is_written=True)

    def row(self, name: str) -> Row | None:
        """Return the listed paper `name`; None if there is none."""
        query = "SELECT name, link, result FROM papers WHERE position IS NOT NULL AND name = ?"
        record = self._db.execute(query, (name,)).fetchone()
        return None if record is None else self._row(*record)

    @property
    def schema(self) -> Json | None:
        """Schema of the answers; None if there was no run."""
        schema = json.loads(self._job(_SCHEMA) or "null")
        return schema if isinstance(schema, dict) else None

    @property
    def folder(self) -> Path:
        """Working folder of the last run, against which relative paths of papers are resolved."""
        return Path(self._job(_FOLDER) or ".")

    def reviewed(self, name: str, version: str | None = None) -> ReviewedAnswer:
        """Return the answer to the paper `name` with its reviews applied. Raises Rejected if there is none, or if it no
        longer has the version `version`."""
        query = "SELECT result FROM papers WHERE result IS NOT NULL AND name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        if row is None:
            raise Rejected(404, f"the table has no answer to {name}")
        reviewed = ReviewedAnswer(PaperResult(**json.loads(row[0])), self._reviews(name))
        if version not in (None, reviewed.version):
            raise Rejected(409, "somebody else has changed this paper in the meantime")
        return reviewed

    def add_review(
        self, name: str, change: Change, pointer: str, value: Any = None, place: Json | None = None, *,
        is_correction: bool = True,
    ) -> int:  # fmt: skip
        """Store a review, with the stable pointer of its field or row, and return its number."""
        cursor = self._db.execute(
            "INSERT INTO reviews (paper, change, pointer, value, place, is_correction) VALUES (?, ?, ?, ?, ?, ?)",
            (name, change, pointer, json.dumps(value), json.dumps(place or {}), is_correction),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def undo_review(self, number: int) -> tuple[str, str, Change]:
        """Undo a review. Return the paper's name, the pointer of the field or row (of the list if the row is gone), and
        the kind of the review. Raises Rejected unless it is the latest review of its field or row."""
        # An added row can be undone only before its fields are reviewed, so reviews below its pointer count as well.
        rows = self._db.execute(
            "UPDATE reviews SET is_undone = 1 WHERE number = ? AND NOT is_undone AND number = (SELECT max(last.number) "
            "FROM reviews AS last WHERE last.paper = reviews.paper AND (last.pointer = reviews.pointer "
            "OR reviews.change = 'added' AND instr(last.pointer, reviews.pointer || '/') = 1) "
            "AND NOT last.is_undone) RETURNING paper, pointer, change",
            (number,),
        ).fetchall()
        if not rows:
            raise Rejected(409, "somebody else has changed this since, or it has been undone")
        name, pointer, change = rows[0]
        shown = pointer.rpartition("/")[0] if change == "added" else pointer
        return name, self.reviewed(name).place_of(shown), change

    def note_unless_reviewed(self, name: str, result: PaperResult) -> bool:
        """Store the result of reading a paper again, unless a person has reviewed one of its fields. Return True if it
        was stored."""
        query = "SELECT 1 FROM reviews WHERE paper = ? AND NOT is_undone"
        is_reviewed = self._db.execute(query, (name,)).fetchone() is not None
        if not is_reviewed:
            self.note(name, result)
        return not is_reviewed

    def close(self) -> None:
        self._db.close()

    def _job(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM job WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _row(self, name: str, link: str, text: str | None, *, is_written: bool = False) -> Row:
        if text is None:
            return Row(name, link, None)
        result, reviews = PaperResult(**json.loads(text)), self._reviews(name)
        if not reviews:
            return Row(name, link, result)
        reviewed = ReviewedAnswer(result, reviews)
        is_corrected = reviewed.is_corrected
        if is_written:
            reviewed.hide_blank_rows()
        result = replace(result, answer=reviewed.answer, evidence=reviewed.evidence, unsupported=reviewed.unsupported)
        return Row(name, link, result, is_corrected)

    def _reviews(self, name: str) -> list[Review]:
        columns = "change, pointer, value, place, is_correction, is_undone"
        query = f"SELECT {columns} FROM reviews WHERE paper = ? ORDER BY number"  # noqa: S608 - `columns` is a constant
        return [
            Review(change, pointer, json.loads(value), json.loads(place), bool(is_correction), bool(is_undone))
            for change, pointer, value, place, is_correction, is_undone in self._db.execute(query, (name,))
        ]

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db
