"""Answers of a job as far as they have come, in a SQLite file beside the table: what a killed job is resumed from."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.extract.papers import Paper

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
"""


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
    """Is None until the paper has been asked about."""


class CannotOpen(Exception):
    """The state of a job cannot be used; the message says why and what to do."""


class JobState:
    """State of a job in `path`. Only one process at a time has it open. Raises CannotOpen."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
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
                raise CannotOpen(f"another `openfaze extract` works on {path}") from None
            raise CannotOpen(f"{path} cannot be used ({error}): delete it to begin from nothing") from None

    def begin(self, asked: Json) -> bool:
        """Note what is asked of each paper (schema, examples). True if there are answers to something else, which are
        forgotten."""
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        known = self._db.execute("SELECT value FROM job WHERE name = 'asked'").fetchone()
        forgotten = 0
        with self._transaction():
            if known is not None and known[0] != digest:
                forgets = "UPDATE papers SET result = NULL, is_error = 0 WHERE result IS NOT NULL"
                forgotten = self._db.execute(forgets).rowcount
            self._db.execute("INSERT OR REPLACE INTO job VALUES ('asked', ?)", (digest,))
            self._db.execute("UPDATE papers SET position = NULL")
        return forgotten > 0

    def add(self, papers: Sequence[Paper], first: int) -> None:
        """List `papers` from position `first` on. A paper whose content has changed loses its answer."""
        with self._transaction():
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
        for name, link, result in cursor.execute(found):
            yield Row(name, link, None if result is None else PaperResult(**json.loads(result)))

    def close(self) -> None:
        self._db.close()

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db
