"""Entries in one file of SQLite: for one machine, with nothing to run beside the server."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import structlog

from app.state.entries import Held, Key, StoreDown

T = TypeVar("T")

VERSION = 1
"""Of the tables. A file of another one is begun anew."""
_SCHEMA = """
CREATE TABLE entries (
    key BLOB PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, ends REAL NOT NULL, used REAL NOT NULL,
    size INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE INDEX entries_by_use ON entries (used, size);
CREATE INDEX entries_by_tenant ON entries (tenant, kind, size);
CREATE INDEX entries_by_end ON entries (ends);
"""
_LOCKED_S = 0.04
"""What a connection waits for another process; less than what a look-up may take."""
_ENTRY_BYTES = 200
"""What a row takes beside its value."""
_TOUCH_S = 60.0
"""How exactly the last use of an entry is known: a hit is no write."""
_KEPT_SHARE = 0.9
"""What stays where there is too much: not every write has to make room."""
_MOST_AT_ONCE = 256
_DAMAGED = ("malformed", "not a database", "no such table", "no such column", "file is encrypted", "short read")
"""What SQLite says where the file is none of ours, or is damaged."""

log = structlog.get_logger(__name__)


class SqliteEntries:
    """Look-ups have a thread and a connection, writes have others: in WAL mode neither waits for the other.

    A file that is damaged, or of another version, is deleted and begun anew: it is a cache.
    """

    def __init__(self, path: Path, max_bytes: int, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._reader = _Connection(path, "cache-reads")
        self._writer = _Connection(path, "cache-writes")
        self._touches: set[asyncio.Task[None]] = set()
        self._total: int | None = None
        """Bytes of all entries as this process knows them; others may write, too."""
        self._uncounted = 0

    async def get(self, key: Key) -> bytes | None:
        now = self._clock()
        found = await self._run(self._reader, lambda db: _found(db, key.digest, now))
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
            await self._run(
                self._writer, lambda db: db.execute("UPDATE entries SET used = ? WHERE key = ?", (now, key.digest))
            )
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
            db.execute("PRAGMA incremental_vacuum")

        await self._run(self._writer, write)

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
        rows = await self._run(self._reader, lambda db: db.execute(query).fetchall())
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
            db.execute("PRAGMA incremental_vacuum")
            self._total = None
            # What was deleted is in the log yet.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return count

        return await self._run(self._writer, delete)

    async def close(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(one.close) for one in (self._reader, self._writer)))

    async def _run(self, connection: "_Connection", work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.wrap_future(connection.threads.submit(connection.tried, work))


class _Connection:
    """A connection in a thread of its own, which opens it when it is needed, and again after a failure."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        """What the connection has open: somebody may delete the file, or put another in its place."""
        self.threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        # The first look-up does not wait for the file to be made.
        self.threads.submit(self._prepared)

    def tried(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Raises StoreDown."""
        try:
            return work(self._opened())
        except sqlite3.DatabaseError as error:
            self._let_go()
            if not _is_damage(error):
                raise StoreDown(str(error)) from error
            log.warning("cache_file_begun_anew", path=str(self._path), reason=str(error))
        except OSError as error:
            raise StoreDown(str(error)) from error
        try:
            self._delete()
            return work(self._opened())
        except (sqlite3.DatabaseError, OSError) as error:
            self._let_go()
            raise StoreDown(str(error)) from error

    def close(self) -> None:
        self.threads.submit(self._let_go)
        self.threads.shutdown()

    def _prepared(self) -> None:
        try:
            self._opened()
        except (sqlite3.Error, OSError) as error:
            # Whoever needs it tries again, and is told.
            log.debug("cache_file_not_opened", reason=str(error))

    def _opened(self) -> sqlite3.Connection:
        if self._db is not None and self._file != _identity(self._path):
            self._let_go()
        if self._db is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Transactions are begun where they are needed.
            db = sqlite3.connect(self._path, timeout=_LOCKED_S, isolation_level=None)
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._db, self._file = db, _identity(self._path)
        return self._db

    def _prepare(self, db: sqlite3.Connection) -> None:
        # Only of a new file; then other users of the machine cannot read it.
        if not self._path.stat().st_size:
            self._path.chmod(0o600)
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a machine without power loses the last entries, but none is torn.
        db.execute("PRAGMA synchronous = NORMAL")
        [version] = db.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        with db:
            db.execute("BEGIN IMMEDIATE")
            [version] = db.execute("PRAGMA user_version").fetchone()
            if version == VERSION:  # another connection was faster
                return
            if version or db.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise sqlite3.DatabaseError(f"not a database of this version ({version})")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")

    def _let_go(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _found(db: sqlite3.Connection, key: bytes, now: float) -> tuple[bytes, float] | None:
    """The value and when it was used."""
    found: tuple[bytes, float] | None = db.execute(
        "SELECT value, used FROM entries WHERE key = ? AND ends >= ?", (key, now)
    ).fetchone()
    return found


def _total(db: sqlite3.Connection) -> int:
    [total] = db.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()
    return int(total)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return any(words in str(error) for words in _DAMAGED)
