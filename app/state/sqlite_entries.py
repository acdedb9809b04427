"""A store of entries in one SQLite file. The servers of one machine can share it, and no other service is needed."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from app.state.entries import EntryTotals, Key, StoreDown
from app.state.sqlite_file import LOCKED_S, Schema, SharedJobs, SqliteFile, erasing

VERSION = 1
"""Version of the tables."""
_TABLE = """
CREATE TABLE entries (
    key BLOB PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, ends REAL NOT NULL, used REAL NOT NULL,
    size INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE INDEX entries_by_end ON entries (ends);
"""
_INDEXES_OF_ALL = """
CREATE INDEX entries_by_use ON entries (used, size);
CREATE INDEX entries_by_tenant ON entries (tenant, kind, size)
"""
_INDEX_OF_TENANTS = "CREATE INDEX entries_by_tenant ON entries (tenant, used, size)"
"""Index for the sum of each tenant's sizes. There is only one other index, by time of expiry, because each further
index means another page to write per entry. Files of older versions have a different index, which works as well."""
_ENTRY_BYTES = 200
"""Estimated bytes of a row in addition to its value."""
_TOUCH_S = 60.0
"""Precision of the time of an entry's last use, in seconds, so that not every hit causes a write."""
_KEPT_SHARE = 0.9
"""Old entries are deleted until this share of the maximum remains, so that not every write has to delete some."""
_MAX_AT_ONCE = 256
_UNCOUNTED_SHARE = 1 / 256
"""All entries are counted again after this share of the maximum was written, because other processes write, too. The
entries are not counted at each write, because counting scans an index."""

_Row = tuple[bytes, str, str, float, float, int, bytes]
"""Row of the table."""

log = structlog.get_logger(__name__)


class SqliteEntries:
    """Store of entries in SQLite. Lookups and writes each have their own thread and connection, because in WAL mode
    neither waits for the other.

    A cache's file that is damaged, or of a different version, is deleted and replaced.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        *,
        per_tenant: bool = False,
        is_cache: bool = True,
        locked_s: float = LOCKED_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`max_bytes` is the largest total size of all entries or, with `per_tenant`, of each tenant's entries.
        SqliteFile explains `is_cache` and `locked_s`. A file that is not a cache is created with its first entry."""
        self._path = path
        self._max_bytes = max_bytes
        self._per_tenant = per_tenant
        self._is_cache = is_cache
        self._clock = clock
        name = "cache" if is_cache else path.stem
        schema = Schema(VERSION, _TABLE + (_INDEX_OF_TENANTS if per_tenant else _INDEXES_OF_ALL))
        self._reader = SqliteFile(path, schema, f"{name}-reads", is_cache=is_cache, locked_s=locked_s)
        self._writer = SqliteFile(path, schema, f"{name}-writes", is_cache=is_cache, locked_s=locked_s)
        if is_cache:
            self._reader.prepare()
            self._writer.prepare()
        self._puts: SharedJobs[_Row, None] = SharedJobs(self._writer, self._write)
        self._touches: set[asyncio.Task[None]] = set()
        self._totals: dict[str | None, int] = {}
        """Total size in bytes of all entries (key None) or of each tenant's, as far as this process knows. Other
        processes may write, too."""
        self._uncounted = 0

    async def get(self, key: Key) -> bytes | None:
        now = self._clock()
        if not self._has_begun:
            return None
        found = await self._reader.run(lambda db: _find(db, key.digest, now))
        if found is None:
            return None
        value, used = found
        # The absolute difference counts. Otherwise, an entry that was used while the clock was ahead would seem the
        # most recent one until the clock catches up.
        if abs(now - used) > _TOUCH_S:
            touch = asyncio.create_task(self._touch(key, now))
            self._touches.add(touch)
            touch.add_done_callback(self._touches.discard)
        return value

    @property
    def _has_begun(self) -> bool:
        return self._is_cache or self._path.exists()

    async def _touch(self, key: Key, now: float) -> None:
        try:
            update = "UPDATE entries SET used = ? WHERE key = ?"
            await self._writer.run(lambda db: db.execute(update, (now, key.digest)))
        except StoreDown as error:
            log.debug("cache_use_not_noted", reason=str(error))

    async def put(self, key: Key, value: bytes, *, max_age_s: float) -> None:
        now = self._clock()
        size = len(value) + _ENTRY_BYTES
        row = (key.digest, key.tenant, key.kind, now + max_age_s, now, size, value)
        await self._puts.done(row)

    def _write(self, db: sqlite3.Connection, rows: Sequence[_Row]) -> Sequence[None]:
        added: Counter[str | None] = Counter()
        for _, tenant, _, _, _, size, _ in rows:
            added[self._total_key(tenant)] += size
        crowded = [whose for whose, size in added.items() if self._exceeds_maximum(db, whose, size)]
        if not crowded:
            # One statement, without BEGIN and COMMIT: after every statement the thread must get Python's global
            # interpreter lock back, and a busy event loop may hold it.
            _insert(db, rows)
            return [None] * len(rows)
        with db:
            db.execute("BEGIN IMMEDIATE")
            _insert(db, rows)
            db.execute("DELETE FROM entries WHERE ends < ?", (self._clock(),))
            for whose in crowded:
                self._make_room(db, whose)
        self._totals.clear()
        _shrink(db)
        return [None] * len(rows)

    def _exceeds_maximum(self, db: sqlite3.Connection, whose: str | None, more: int) -> bool:
        """Add `more` bytes to the known total, and return True if the entries then exceed the maximum."""
        if self._uncounted + more >= self._max_bytes * _UNCOUNTED_SHARE:
            self._totals.clear()
            self._uncounted = 0
        self._uncounted += more
        known = self._totals.get(whose)
        self._totals[whose] = (_total(db, whose) if known is None else known) + more
        return self._totals[whose] > self._max_bytes

    def _total_key(self, tenant: str) -> str | None:
        return tenant if self._per_tenant else None

    def _make_room(self, db: sqlite3.Connection, whose: str | None) -> None:
        too_much = _total(db, whose) - int(self._max_bytes * _KEPT_SHARE)
        own, values = _tenant_condition(whose)
        while too_much > 0:
            query = f"SELECT key, size FROM entries {own} ORDER BY used LIMIT ?"  # noqa: S608
            oldest = db.execute(query, (*values, _MAX_AT_ONCE)).fetchall()
            if not oldest:
                return
            for key, size in oldest:
                db.execute("DELETE FROM entries WHERE key = ?", (key,))
                too_much -= size
                if too_much <= 0:
                    return

    async def delete(self, key: Key) -> bool:
        return await self._delete("WHERE key = ? AND ends >= ?", key.digest, self._clock()) > 0

    async def sweep(self) -> int:
        return await self._delete("WHERE ends < ?", self._clock())

    async def entry_totals(self) -> list[EntryTotals]:
        query = "SELECT tenant, kind, count(*), sum(size) FROM entries GROUP BY tenant, kind ORDER BY tenant, kind"
        rows = await self._reader.run(lambda db: db.execute(query).fetchall())
        return [EntryTotals(*row) for row in rows]

    async def purge(self, tenant: str | None = None) -> int:
        own, values = _tenant_condition(tenant)
        return await self._delete(own, *values)

    async def _delete(self, condition: str, *values: object) -> int:
        def delete(db: sqlite3.Connection) -> int:
            with erasing(db):
                count = db.execute(f"DELETE FROM entries {condition}", values).rowcount  # noqa: S608
                _shrink(db)
            self._totals.clear()
            return count

        return await self._writer.run(delete) if self._has_begun else 0

    async def close(self) -> None:
        await asyncio.gather(*(one.close() for one in (self._reader, self._writer)))


def _insert(db: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    db.execute(f"INSERT OR REPLACE INTO entries VALUES {values}", [field for row in rows for field in row])  # noqa: S608


def _find(db: sqlite3.Connection, key: bytes, now: float) -> tuple[bytes, float] | None:
    """Return the value and the time of its last use; None if there is no value, or it has expired."""
    found: tuple[bytes, float] | None = db.execute(
        "SELECT value, used FROM entries WHERE key = ? AND ends >= ?", (key, now)
    ).fetchone()
    return found


def _shrink(db: sqlite3.Connection) -> None:
    """Give free pages back to the disk. Only `executescript` frees all of them: `execute` takes one step, which frees
    one page."""
    db.executescript("PRAGMA incremental_vacuum")


def _total(db: sqlite3.Connection, whose: str | None) -> int:
    own, values = _tenant_condition(whose)
    [total] = db.execute(f"SELECT coalesce(sum(size), 0) FROM entries {own}", values).fetchone()  # noqa: S608
    return int(total)


def _tenant_condition(tenant: str | None) -> tuple[str, tuple[str, ...]]:
    """Return an SQL condition, with its values, for all entries or the entries of a tenant."""
    return ("", ()) if tenant is None else ("WHERE tenant = ?", (tenant,))
