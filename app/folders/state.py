"""Stores the answers of a job, and their reviews, in a SQLite file next to the output table (--out), so that a job can
be resumed."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.folders.answers import Json
from app.folders.failures import Failed, Rejected
from app.folders.papers import Paper, is_address
from app.folders.reviews import REVIEWED, Change, PaperResult, without_blank_rows

_LAYOUT = """
CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS papers (
    name TEXT PRIMARY KEY, link TEXT NOT NULL, fingerprint TEXT NOT NULL,
    position INTEGER, -- null: not among the sources of the last run
    result TEXT, -- null: not answered yet
    is_error INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS papers_in_order ON papers (position);
CREATE TABLE IF NOT EXISTS revisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    paper TEXT NOT NULL, change TEXT NOT NULL, pointer TEXT NOT NULL,
    result TEXT NOT NULL, -- of the paper from now on
    is_correction INTEGER NOT NULL, -- else a value was accepted
    is_undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS revisions_of_papers ON revisions (paper, is_undone);
"""
_SCHEMA, _FOLDER, _INPUTS_DIGEST = "schema", "folder", "asked"
"""Names of values in the table `job`."""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    link: str
    """Whole path or URL at which a person finds the paper."""
    result: PaperResult | None
    """Result of the paper with its reviews applied; None until the paper has been asked about."""
    version: int = 0
    """Number of the latest review; 0 if nobody has reviewed the paper."""
    is_corrected: bool = False
    """True if a person changed a field or the rows of a list."""

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
        (count,) = self._db.execute("SELECT count(*) FROM revisions WHERE NOT is_undone").fetchone()
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
                    "AND name NOT IN (SELECT paper FROM revisions WHERE NOT is_undone)"
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
                "DELETE FROM revisions WHERE paper = ? AND paper IN (SELECT name FROM papers WHERE fingerprint != ?)",
                [(paper.name, paper.fingerprint) for paper in papers],
            )
            self._db.executemany(
                "INSERT INTO papers (name, link, fingerprint, position) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET position = excluded.position, link = excluded.link, "
                "result = CASE WHEN fingerprint = excluded.fingerprint THEN result END, "
                "is_error = is_error AND fingerprint = excluded.fingerprint, fingerprint = excluded.fingerprint",
                [(paper.name, paper.link, paper.fingerprint, first + index) for index, paper in enumerate(papers)],
            )

    def forget(self, *, only_errors: bool) -> None:
        """Delete the results of papers that nobody has reviewed, or of those only errors, so that they are asked about
        again."""
        reviewed = "(SELECT paper FROM revisions WHERE NOT is_undone)"
        which = f"name NOT IN {reviewed}" + (" AND is_error" if only_errors else "")
        self._db.execute(f"UPDATE papers SET result = NULL, is_error = 0 WHERE {which}")  # noqa: S608 - constants

    def is_done(self, name: str) -> bool:
        row = self._db.execute("SELECT 1 FROM papers WHERE name = ? AND result IS NOT NULL", (name,)).fetchone()
        return row is not None

    def note(self, name: str, result: PaperResult) -> None:
        """Store the result of a paper. When this returns, the operating system has the data, so they survive a crash of
        this process."""
        self._db.execute(
            "UPDATE papers SET result = ?, is_error = ? WHERE name = ?",
            (_to_json(result), result.error is not None, name),
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
        """Yield the listed papers in their order, as they are written: without rows that nobody has filled."""
        cursor = self._db.cursor()
        query = "SELECT name, link, result FROM papers WHERE position IS NOT NULL ORDER BY position"
        for name, link, text in cursor.execute(query):
            row = self._row(name, link, text)
            if row.is_corrected and row.result is not None:
                written = without_blank_rows(row.result)
                row = replace(row, result=written, is_corrected=written == row.result)
            yield row

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
        """Working folder of the last run, against which relative paths of papers are resolved; this process's own if
        that folder is gone."""
        folder = Path(self._job(_FOLDER) or "")
        return folder if folder.is_dir() else Path.cwd()

    def whole_path(self, path: str) -> str:
        """Return the path of a paper from its path in a job, which may be relative to `folder`; a URL as it is."""
        return path if is_address(path) else os.path.join(self.folder, path)

    def revise(
        self, name: str, change: Change, pointer: str, result: PaperResult, *, is_correction: bool = True
    ) -> int:
        """Store the result of a paper after a review of the field or row at `pointer`, and return the review's
        number."""
        cursor = self._db.execute(
            "INSERT INTO revisions (paper, change, pointer, result, is_correction) VALUES (?, ?, ?, ?, ?)",
            (name, change, pointer, _to_json(result), is_correction),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def undo(self, number: int) -> tuple[str, str, Change]:
        """Undo a review. Return the paper's name, the pointer of the field or row (of the list if the row is gone), and
        the kind of the review. Raises Rejected unless it is the latest review of its paper."""
        rows = self._db.execute(
            "UPDATE revisions SET is_undone = 1 WHERE number = ? AND NOT is_undone AND number = (SELECT "
            "max(last.number) FROM revisions AS last WHERE last.paper = revisions.paper AND NOT last.is_undone) "
            "RETURNING paper, pointer, change",
            (number,),
        ).fetchall()
        if not rows:
            raise Rejected(409, "somebody else has changed this paper since, or it has been undone")
        name, pointer, change = rows[0]
        return name, pointer.rpartition("/")[0] if change == "added" else pointer, change

    def close(self) -> None:
        self._db.close()

    def _job(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM job WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _row(self, name: str, link: str, text: str | None) -> Row:
        query = (
            "SELECT number, result, max(is_correction) OVER () FROM revisions WHERE paper = ? AND NOT is_undone "
            "ORDER BY number DESC LIMIT 1"
        )
        number, revised, is_corrected = self._db.execute(query, (name,)).fetchone() or (0, text, False)
        result = None if text is None else PaperResult(**json.loads(str(revised)))
        return Row(name, self.whole_path(link), result, number, bool(is_corrected))

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def _to_json(result: PaperResult) -> str:
    values = {slot: value for slot in PaperResult.__slots__ if (value := getattr(result, slot))}
    # Half of a surrogate pair could be neither stored nor written into a table.
    return json.dumps(values, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")
