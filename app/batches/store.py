"""The store of batches: a SQLite file that all servers of one machine may share.

Only the server that holds the lease of a batch runs the batch. Writes of a server that lost the lease are refused. The
result of a line is written once, in one transaction with the batch's counts.
"""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import structlog

from app.access.keys import KeyReference
from app.state.sqlite_file import Schema, SqliteFile, erasing

T = TypeVar("T")

Status = Literal["validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"]
Ended = Literal["completed", "failed", "expired", "cancelled"]
RUNNING: tuple[Status, ...] = ("validating", "in_progress", "finalizing", "cancelling")

SCHEMA = Schema(
    6,
    """
CREATE TABLE batches (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, endpoint TEXT NOT NULL, input_file TEXT NOT NULL, created REAL NOT NULL,
    expires REAL NOT NULL, metadata TEXT NOT NULL, status TEXT NOT NULL, outcome TEXT NOT NULL, moments TEXT NOT NULL,
    errors TEXT NOT NULL, total INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
    output_file TEXT, error_file TEXT, tries INTEGER NOT NULL,
    key_digest TEXT NOT NULL DEFAULT '', key_name TEXT NOT NULL DEFAULT '',
    result_bytes INTEGER NOT NULL DEFAULT 0, storage TEXT NOT NULL DEFAULT '',
    output_keep_s REAL, holder TEXT, held_until REAL NOT NULL DEFAULT 0, notice_due REAL
);
CREATE INDEX batches_by_tenant ON batches (tenant, created);
CREATE INDEX batches_by_status ON batches (status, held_until);
CREATE INDEX batches_by_notice ON batches (tenant, notice_due) WHERE notice_due IS NOT NULL;
CREATE TABLE lines (
    batch TEXT NOT NULL, number INTEGER NOT NULL, is_answer INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (batch, number)
)
""",
    {
        1: """
ALTER TABLE batches ADD COLUMN key_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN key_name TEXT NOT NULL DEFAULT ''
""",
        2: """
ALTER TABLE batches ADD COLUMN result_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE batches SET result_bytes = (SELECT coalesce(sum(length(record) + 1), 0) FROM lines WHERE batch = batches.id)
""",
        3: "ALTER TABLE batches ADD COLUMN storage TEXT NOT NULL DEFAULT ''",
        4: """
DROP INDEX batches_by_notice;
CREATE INDEX batches_by_notice ON batches (tenant, notice_due) WHERE notice_due IS NOT NULL
""",
        5: "ALTER TABLE batches ADD COLUMN output_keep_s REAL",
    },
)
_PATIENCE_S = 5.0
"""A connection waits for this many seconds for the lock of another process."""
_FREED_AT_ONCE = 50_000
"""One sweep gives at most this many pages of 4 kB back to the disk."""
_LONGEST_HELD_S = 60.0
"""A lease, or the pause before a batch may be claimed again, lasts at most this many seconds. An end further in the
future was written while the clock was ahead."""
_LONGEST_PAUSE_S = 2 * 3600.0
"""The pause between two tries of the webhook lasts at most this many seconds. A try further in the future was scheduled
while the clock was ahead."""
_OVERDUE_S = 24 * 3600.0
"""A batch whose notice was never sent, for example because the settings no longer name a webhook, may be deleted after
this many seconds."""
_ABANDONED_S = 24 * 3600.0
"""A server with a different storage may end a batch once it has been expired for this many seconds. Without this rule,
a batch whose server has disappeared, or whose folder was renamed, would count for its key forever."""
MAX_FINISHED = 1000
"""At most this many finished batches are kept per key, and twice as many while their notices are due. A batch with
metadata and a hundred errors takes about 36 kB."""
_PAGE = 200
_PAGE_BYTES = 4 << 20
"""A page of records ends after _PAGE records, or with the record that brings its size to _PAGE_BYTES."""
_BYTES_AT_ONCE = 256 << 10
"""A longer result of a line is written in pieces of this many bytes."""
_AS_JSON = ("metadata", "moments", "errors")
_STATUSES = ", ".join(f"'{status}'" for status in RUNNING)
_IN_STORAGE = "storage IN ('', ?)"

log = structlog.get_logger(__name__)


class LeaseLost(Exception):
    """Raised if another server runs the batch now."""


class TooManyResults(Exception):
    """Raised if the results of a batch would be larger than a file may be."""


class TooManyBatches(Exception):
    """Raised if the key already has its maximum of unfinished batches."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch. The fields are the columns of the table."""

    id: str
    tenant: str
    endpoint: str
    input_file: str
    created: float
    """Time in seconds since 1970, as in all fields that hold a time."""
    expires: float
    metadata: dict[str, str] | None = None
    status: Status = "validating"
    outcome: Ended = "completed"
    """Status of the batch once its files are written, unless it is cancelled."""
    moments: dict[str, int] = field(default_factory=dict)
    """Time at which the batch reached each status, by status."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    """Number of lines."""
    completed: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    reasoning_tokens: int = 0
    output_file: str | None = None
    error_file: str | None = None
    tries: int = 0
    """Number of calls of the webhook."""
    key_digest: str = ""
    """Digest of the key that made the batch, in the form of KeyReference."""
    key_name: str = ""
    result_bytes: int = 0
    """Number of bytes of the results, each with its line end."""
    storage: str = ""
    """Name of the storage that holds the batch's files; empty in batches of earlier versions."""
    output_keep_s: float | None = None
    """Time for which the files of results are kept, in seconds; None for the server's own."""

    @property
    def key(self) -> KeyReference:
        return KeyReference(self.tenant, self.key_digest, self.key_name)


@dataclass(frozen=True, slots=True)
class Record:
    """The result of a line."""

    number: int
    """Number of the line in the input file, from 1."""
    is_answer: bool
    """False for an error."""
    line: bytes
    """Line of the output file, or of the error file."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    reasoning_tokens: int = 0


_NAMES = tuple(one.name for one in fields(Batch))
_COLUMNS = ", ".join(_NAMES)


class BatchStore:
    """Store of batches in SQLite. Every method may raise StoreDown. The file is created for the first batch. A damaged
    file is kept next to a new one.

    Servers with different storages of files may share the store, knowingly or because their folders are side by side.
    Each of them then runs, reports and deletes the batches of its own `storage`.
    """

    def __init__(self, path: Path, storage: str = "") -> None:
        self._path = path
        self._storage = storage
        self._file = SqliteFile(path, SCHEMA, "batches", is_cache=False, locked_s=_PATIENCE_S)

    @property
    def is_begun(self) -> bool:
        """True if the file exists and may hold batches."""
        return self._path.exists()

    async def add(self, batch: Batch, limit: int) -> None:
        """Add a batch, and delete the oldest finished batches of its key in this storage. The newest MAX_FINISHED
        finished batches are kept, or twice as many while their notices are due. Raises TooManyBatches if the key
        already has `limit` unfinished batches."""
        beyond = (
            f"id IN (SELECT id FROM batches WHERE tenant = ? AND status NOT IN ({_STATUSES}) AND {_IN_STORAGE} "
            "ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?)"
        )

        def add(db: sqlite3.Connection) -> None:
            query = f"SELECT count(*) FROM batches WHERE tenant = ? AND status IN ({_STATUSES})"
            [count] = db.execute(query, (batch.tenant,)).fetchone()
            if count >= limit:
                raise TooManyBatches
            row = replace(batch, storage=self._storage)
            values = [_to_column(one.name, getattr(row, one.name)) for one in fields(Batch)]
            db.execute(f"INSERT INTO batches ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)
            owner = batch.tenant, self._storage
            _forget(db, f"notice_due IS NULL AND {beyond}", *owner, MAX_FINISHED)
            _forget(db, beyond, *owner, 2 * MAX_FINISHED)

        await self._in_transaction(add)

    async def find(self, tenant: str, batch_id: str) -> Batch | None:
        return await self._file.run(lambda db: _find_one(db, "id = ? AND tenant = ?", batch_id, tenant))

    async def page(self, tenant: str, after: Batch | None, limit: int) -> list[Batch]:
        """Return a page of a tenant's batches after the batch `after`, the newest first."""
        condition, values = "tenant = ?", [tenant]
        if after is not None:
            condition += " AND (created, id) < (?, ?)"
            values += [after.created, after.id]  # type: ignore[list-item]
        query = f"SELECT {_COLUMNS} FROM batches WHERE {condition} ORDER BY created DESC, id DESC LIMIT ?"
        return await self._file.run(lambda db: [_from_row(row) for row in db.execute(query, (*values, limit))])

    async def cancel(self, tenant: str, batch_id: str, now: float) -> Batch | None:
        """Mark a batch as being cancelled unless its lines are finished, and return the batch; None if the tenant has
        no such batch. The server that runs the batch sees the new status when it renews the lease."""

        def cancel(db: sqlite3.Connection) -> Batch | None:
            batch = _find_one(db, "id = ? AND tenant = ?", batch_id, tenant)
            if batch is None or batch.status not in ("validating", "in_progress"):
                return batch
            moments = json.dumps({**batch.moments, "cancelling": int(now)})
            db.execute("UPDATE batches SET status = 'cancelling', moments = ? WHERE id = ?", (moments, batch_id))
            return _find_one(db, "id = ?", batch_id)

        return await self._in_transaction(cancel)

    async def claim(
        self, holder: str, now: float, until: float, running: Iterable[str] = (), full: Iterable[str] = ()
    ) -> Batch | None:
        """Lease and return an unfinished batch that no server runs; None if there is none. It is the oldest batch of
        the key of which `holder` runs the fewest batches. Batches in `running`, batches of tenants in `full`, and
        batches of other storages that are not abandoned yet are skipped."""
        skipped_batches, skipped_tenants = tuple(running), tuple(full)

        def claim(db: sqlite3.Connection) -> Batch | None:
            query = f"UPDATE batches SET held_until = ? WHERE status IN ({_STATUSES}) AND held_until > ?"
            db.execute(query, (until, max(until, now + _LONGEST_HELD_S)))
            # The batches that `holder` runs are counted once, and only among the unfinished ones: a key may have two
            # thousand finished ones, and to count these again for each batch that waits takes tens of milliseconds.
            found = db.execute(
                f"WITH held AS MATERIALIZED (SELECT tenant, count(*) AS many FROM batches "
                f"WHERE status IN ({_STATUSES}) AND holder = ? AND held_until >= ? GROUP BY tenant) "
                f"SELECT id FROM batches LEFT JOIN held USING (tenant) "
                f"WHERE status IN ({_STATUSES}) AND held_until < ? "
                f"AND ({_IN_STORAGE} OR expires < ?) "
                f"AND id NOT IN ({', '.join('?' * len(skipped_batches))}) "
                f"AND tenant NOT IN ({', '.join('?' * len(skipped_tenants))}) "
                "ORDER BY coalesce(many, 0), created LIMIT 1",
                (holder, now, now, self._storage, now - _ABANDONED_S, *skipped_batches, *skipped_tenants),
            ).fetchone()
            if found is None:
                return None
            db.execute("UPDATE batches SET holder = ?, held_until = ? WHERE id = ?", (holder, until, found[0]))
            return _find_one(db, "id = ?", found[0])

        return await self._in_transaction(claim)

    async def renew(self, holder: str, until: float, batches: Sequence[str]) -> dict[str, Status]:
        """Renew the leases that `holder` still has, and return the statuses of these batches."""
        own = f"holder = ? AND id IN ({', '.join('?' * len(batches))})"

        def renew(db: sqlite3.Connection) -> dict[str, Status]:
            db.execute(f"UPDATE batches SET held_until = ? WHERE {own}", (until, holder, *batches))
            return dict(db.execute(f"SELECT id, status FROM batches WHERE {own}", (holder, *batches)))

        return await self._in_transaction(renew)

    async def release(self, batch_id: str, holder: str, until: float = 0) -> None:
        """End the lease of a batch. No server claims the batch before `until`."""
        query = "UPDATE batches SET holder = NULL, held_until = ? WHERE id = ? AND holder = ?"
        await self._in_transaction(lambda db: db.execute(query, (until, batch_id, holder)))

    async def change(self, batch_id: str, holder: str, **values: Any) -> Batch:
        """Change fields of a batch. Raises LeaseLost if `holder` no longer has its lease."""
        return await self._in_transaction(lambda db: _update_held(db, batch_id, holder, **values))

    async def advance(self, batch_id: str, holder: str, status: Status, now: float, **values: Any) -> Batch:
        """Change fields of a batch and also its status, unless the batch is being cancelled. Raises LeaseLost."""

        def advance(db: sqlite3.Connection) -> Batch:
            batch = _update_held(db, batch_id, holder, **values)
            if batch.status == "cancelling":
                return batch
            return _update_held(db, batch_id, holder, status=status, moments={**batch.moments, status: int(now)})

        return await self._in_transaction(advance)

    async def end(self, batch_id: str, holder: str, status: Ended, now: float, *, tell: bool, **values: Any) -> Batch:
        """End a batch, and delete the results of its lines. By then, the results that the client gets are in files.
        `tell` is True if the webhook is to be called. Raises LeaseLost."""

        def end(db: sqlite3.Connection) -> Batch:
            batch = _update_held(db, batch_id, holder, **values)
            batch = _update_held(db, batch_id, holder, status=status, moments={**batch.moments, status: int(now)})
            db.execute("DELETE FROM lines WHERE batch = ?", (batch_id,))
            query = "UPDATE batches SET holder = NULL, held_until = 0, notice_due = ? WHERE id = ?"
            db.execute(query, (now if tell else None, batch_id))
            return batch

        return await self._in_transaction(end)

    async def note(self, batch_id: str, holder: str, records: Sequence[Record], most_bytes: float = math.inf) -> None:
        """Write results of lines. A line that already has a result keeps it. Raises LeaseLost, and TooManyResults,
        without writing anything, if the batch would have more than `most_bytes` of results."""

        def note(db: sqlite3.Connection) -> None:
            _check_lease(db, batch_id, holder)
            for record in records:
                if _insert_line(db, batch_id, record):
                    db.execute(
                        "UPDATE batches SET completed = completed + ?, failed = failed + ?, prompt_tokens = "
                        "prompt_tokens + ?, answer_tokens = answer_tokens + ?, "
                        "reasoning_tokens = reasoning_tokens + ?, result_bytes = result_bytes + ? WHERE id = ?",
                        (
                            record.is_answer,
                            not record.is_answer,
                            record.prompt_tokens,
                            record.answer_tokens,
                            record.reasoning_tokens,
                            len(record.line) + 1,
                            batch_id,
                        ),
                    )
            [total] = db.execute("SELECT result_bytes FROM batches WHERE id = ?", (batch_id,)).fetchone()
            if total > most_bytes:
                raise TooManyResults

        await self._in_transaction(note)

    async def done(self, batch_id: str) -> set[int]:
        """Return the numbers of the lines that have results."""
        query = "SELECT number FROM lines WHERE batch = ?"
        return await self._file.run(lambda db: {number for (number,) in db.execute(query, (batch_id,))})

    async def result_bytes(self, tenant: str) -> int:
        """Return the size of the results of a tenant's unfinished batches, which are not in files yet."""
        query = f"SELECT coalesce(sum(result_bytes), 0) FROM batches WHERE tenant = ? AND status IN ({_STATUSES})"

        def size(db: sqlite3.Connection) -> int:
            [size] = db.execute(query, (tenant,)).fetchone()
            return int(size)

        return await self._file.run(size)

    async def file_bytes(self, batch_id: str, *, is_answer: bool) -> int:
        """Return the size that the output or error file of a batch will have."""
        query = "SELECT coalesce(sum(length(record) + 1), 0) FROM lines WHERE batch = ? AND is_answer = ?"

        def size(db: sqlite3.Connection) -> int:
            [size] = db.execute(query, (batch_id, is_answer)).fetchone()
            return int(size)

        return await self._file.run(size)

    async def records(self, batch_id: str, *, is_answer: bool, after: int) -> list[tuple[int, bytes]]:
        """Return the next lines of an output or error file, in order; empty at its end."""
        query = (
            "SELECT number, record FROM lines WHERE batch = ? AND is_answer = ? AND number > ? ORDER BY number LIMIT ?"
        )

        def page(db: sqlite3.Connection) -> list[tuple[int, bytes]]:
            found: list[tuple[int, bytes]] = []
            size = 0
            for number, record in db.execute(query, (batch_id, is_answer, after, _PAGE)):
                found.append((number, record))
                size += len(record)
                if size >= _PAGE_BYTES:
                    break
            return found

        return await self._file.run(page)

    async def claim_notice(self, now: float, until: float, after: str = "", full: Iterable[str] = ()) -> Batch | None:
        """Return a batch whose end the webhook has to report now, and reserve it for this server until `until`; None if
        there is none. Tenants take turns in the order of their names, beginning after `after`; of a tenant's batches,
        the longest overdue one comes first. Tenants in `full` are skipped."""
        skipped_tenants = tuple(full)

        def claim(db: sqlite3.Connection) -> Batch | None:
            latest = max(until, now + _LONGEST_PAUSE_S)
            for turn in ("tenant > ?", "tenant <= ?"):
                condition = (
                    f"{turn} AND tenant NOT IN ({', '.join('?' * len(skipped_tenants))}) AND notice_due IS NOT NULL "
                    f"AND (notice_due <= ? OR notice_due > ?) AND {_IN_STORAGE} ORDER BY tenant, notice_due"
                )
                batch = _find_one(db, condition, after, *skipped_tenants, now, latest, self._storage)
                if batch is not None:
                    db.execute("UPDATE batches SET notice_due = ? WHERE id = ?", (until, batch.id))
                    return batch
            return None

        return await self._in_transaction(claim)

    async def note_notice(self, batch_id: str, again_at: float | None) -> None:
        """Count a call of the webhook. The next call is due at `again_at`; None if there is no next call."""
        query = "UPDATE batches SET notice_due = ?, tries = tries + 1 WHERE id = ?"
        await self._in_transaction(lambda db: db.execute(query, (again_at, batch_id)))

    async def sweep(self, before: float, now: float) -> int:
        """Delete the finished batches that were made before `before`, and return their number. A batch whose notice
        waits is deleted only when the notice is overdue by _OVERDUE_S. Each sweep gives some of the free pages back to
        the disk."""
        condition = (
            f"created < ? AND status NOT IN ({_STATUSES}) AND {_IN_STORAGE} AND (notice_due IS NULL OR notice_due < ?)"
        )
        count = await self._in_transaction(lambda db: _forget(db, condition, before, self._storage, now - _OVERDUE_S))
        # `execute` would free only one page, because it takes only the first step of a statement without columns.
        await self._file.run(lambda db: db.executescript(f"PRAGMA incremental_vacuum({_FREED_AT_ONCE})"))
        return count

    async def purge(self, tenant: str) -> int:
        """Delete all batches of a tenant, including running ones, and return their number."""

        def purge(db: sqlite3.Connection) -> int:
            with erasing(db), db:
                db.execute("BEGIN IMMEDIATE")
                db.execute("DELETE FROM lines WHERE batch IN (SELECT id FROM batches WHERE tenant = ?)", (tenant,))
                return db.execute("DELETE FROM batches WHERE tenant = ?", (tenant,)).rowcount

        return await self._file.run(purge) if self.is_begun else 0

    async def close(self) -> None:
        await self._file.close()

    async def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction."""

        def run(db: sqlite3.Connection) -> T:
            with db:
                db.execute("BEGIN IMMEDIATE")
                return work(db)

        return await self._file.run(run)


def _update_held(db: sqlite3.Connection, batch_id: str, holder: str, **values: Any) -> Batch:
    _check_lease(db, batch_id, holder)
    if values:
        names = ", ".join(f"{name} = ?" for name in values)
        written = [_to_column(name, value) for name, value in values.items()]
        db.execute(f"UPDATE batches SET {names} WHERE id = ?", (*written, batch_id))
    batch = _find_one(db, "id = ?", batch_id)
    assert batch is not None
    return batch


def _forget(db: sqlite3.Connection, condition: str, *values: object) -> int:
    """Delete the batches that meet the condition, and return their number."""
    forgotten = db.execute(f"DELETE FROM batches WHERE {condition} RETURNING id, notice_due", values).fetchall()
    for batch_id, notice_due in forgotten:
        if notice_due is not None:
            log.warning("batch_notice_dropped", batch=batch_id)
    return len(forgotten)


def _insert_line(db: sqlite3.Connection, batch_id: str, record: Record) -> bool:
    """Write the result of a line, unless it has one. Return True if it was written."""
    insert = "INSERT OR IGNORE INTO lines VALUES (?, ?, ?, {})"
    row = (batch_id, record.number, record.is_answer)
    size = len(record.line)
    if size <= _BYTES_AT_ONCE:
        return bool(db.execute(insert.format("?"), (*row, record.line)).rowcount)
    # No other thread runs while the value of a query is copied.
    cursor = db.execute(insert.format("zeroblob(?)"), (*row, size))
    if not cursor.rowcount:
        return False
    assert cursor.lastrowid is not None
    with db.blobopen("lines", "record", cursor.lastrowid) as blob, memoryview(record.line) as line:
        for start in range(0, size, _BYTES_AT_ONCE):
            blob.write(line[start : start + _BYTES_AT_ONCE])
    return True


def _check_lease(db: sqlite3.Connection, batch_id: str, holder: str) -> None:
    if db.execute("SELECT 1 FROM batches WHERE id = ? AND holder = ?", (batch_id, holder)).fetchone() is None:
        raise LeaseLost


def _find_one(db: sqlite3.Connection, condition: str, *values: object) -> Batch | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM batches WHERE {condition} LIMIT 1", values).fetchone()
    return _from_row(row) if row else None


def _from_row(row: Sequence[Any]) -> Batch:
    values = dict(zip(_NAMES, row, strict=True))
    return Batch(**values | {name: json.loads(values[name]) for name in _AS_JSON})


def _to_column(name: str, value: Any) -> Any:
    return json.dumps(value) if name in _AS_JSON else value
