"""Entries in one file of SQLite: for one machine, with nothing to run beside the server."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from app.state.entries import Held, Key, StoreDown
from app.state.sqlite_file import Schema, SqliteFile

_SCHEMA = Schema(
    1,
    """
CREATE TABLE entries (
    key BLOB PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, ends REAL NOT NULL, used REAL NOT NULL,
    size INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE INDEX entries_by_use ON entries (used, size);
CREATE INDEX entries_by_tenant ON entries (tenant, kind, size);
CREATE INDEX entries_by_end ON entries (ends);
""",
)
_ENTRY_BYTES = 200
"""What a row takes beside its value."""
_TOUCH_S = 60.0
"""How exactly the last use of an entry is known: a hit is no write."""
_KEPT_SHARE = 0.9
"""What stays where there is too much: not every write has to make room."""
_MOST_AT_ONCE = 256

log = structlog.get_logger(__name__)


class SqliteEntries:
    """Look-ups have a thread and a connection, writes have others: in WAL mode neither waits for the other.

    A file that is damaged, or of another version, is deleted and begun anew: it is a cache.
    """

    def __init__(self, path: Path, max_bytes: int, *, clock: Callable[[], float] = time.time) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._reader = SqliteFile(path, _SCHEMA, "cache-reads")
        self._writer = SqliteFile(path, _SCHEMA, "cache-writes")
        self._touches: set[asyncio.Task[None]] = set()
        self._total: int | None = None
        """Bytes of all entries as this process knows them; others may write, too."""
        self._uncounted = 0

    async def get(self, key: Key) -> bytes | None:
        now = self._clock()
        found = await self._reader.run(lambda db: _found(db, key.digest, now))
        if found is None:
            return None
        value, used = found
        if now - used > _TOUCH_S:
            touch = asyncio.create_task(self._touch(key, now))
            self._touches.add(touch)
            touch.add_done_callback(self._touches.discard)
        return value

    async def _touch(self, key: Key, now: float) -> None:
        try:
            update = "UPDATE entries SET used = ? WHERE key = ?"
            await self._writer.run(lambda db: db.execute(update, (now, key.digest)))
        except StoreDown as error:
            log.debug("cache_use_not_noted", reason=str(error))

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        now = self._clock()
        row = (key.digest, key.tenant, key.kind, now + max_age_s, now, len(value) + _ENTRY_BYTES, value)

        def write(db: sqlite3.Connection) -> None:
            with db:
                db.execute("BEGIN IMMEDIATE")
                db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
                if self._is_too_much(db, row[5]):
                    db.execute("DELETE FROM entries WHERE ends < ?", (now,))
                    self._make_room(db)
                    self._total = None
            _shrink(db)

        await self._writer.run(write)

    def _is_too_much(self, db: sqlite3.Connection, more: int) -> bool:
        """Whether with `more` bytes there is too much. Counts anew from time to time: it reads an index through."""
        self._uncounted += 1
        if self._total is None or self._uncounted >= _MOST_AT_ONCE:
            self._total, self._uncounted = _total(db), 0
        else:
            self._total += more
        return self._total > self._max_bytes

    def _make_room(self, db: sqlite3.Connection) -> None:
        too_much = _total(db) - int(self._max_bytes * _KEPT_SHARE)
        while too_much > 0:
            oldest = db.execute("SELECT key, size FROM entries ORDER BY used LIMIT ?", (_MOST_AT_ONCE,)).fetchall()
            if not oldest:
                return
            for key, size in oldest:
                db.execute("DELETE FROM entries WHERE key = ?", (key,))
                too_much -= size
                if too_much <= 0:
                    return

    async def held(self) -> list[Held]:
        query = "SELECT tenant, kind, count(*), sum(size) FROM entries GROUP BY tenant, kind ORDER BY tenant, kind"
        rows = await self._reader.run(lambda db: db.execute(query).fetchall())
        return [Held(*row) for row in rows]

    async def purge(self, tenant: str | None = None) -> int:
        def delete(db: sqlite3.Connection) -> int:
            # What a caller wants to be gone is overwritten.
            db.execute("PRAGMA secure_delete = ON")
            if tenant is None:
                count = db.execute("DELETE FROM entries").rowcount
            else:
                count = db.execute("DELETE FROM entries WHERE tenant = ?", (tenant,)).rowcount
            db.execute("PRAGMA secure_delete = OFF")
            _shrink(db)
            self._total = None
            # What was deleted is in the log yet.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return count

        return await self._writer.run(delete)

    async def close(self) -> None:
        await asyncio.gather(*(one.close() for one in (self._reader, self._writer)))


def _found(db: sqlite3.Connection, key: bytes, now: float) -> tuple[bytes, float] | None:
    """The value and when it was used."""
    found: tuple[bytes, float] | None = db.execute(
        "SELECT value, used FROM entries WHERE key = ? AND ends >= ?", (key, now)
    ).fetchone()
    return found


def _shrink(db: sqlite3.Connection) -> None:
    """Gives back to the disk what is free: a page a step, of which `execute` takes one."""
    db.executescript("PRAGMA incremental_vacuum")


def _total(db: sqlite3.Connection) -> int:
    [total] = db.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()
    return int(total)
