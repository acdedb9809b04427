"""A SQLite file that is opened when it is needed, and reopened after a failure. The damaged file of a cache is replaced
by an empty one."""

import asyncio
import contextlib
import errno
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, cast
from weakref import WeakValueDictionary

import structlog

from app.state.entries import StoreDown

P = ParamSpec("P")
T = TypeVar("T")
ItemT = TypeVar("ItemT")

LOCKED_S = 0.04
"""A connection to a cache waits for this many seconds for another process's lock, which is less than the time limit of
a lookup."""
_TRIES = 25
_MAX_AT_ONCE = 256
"""At most this many items are written in one job."""
_OPENING: "WeakValueDictionary[Path, threading.Lock]" = WeakValueDictionary()
"""Locks by path, held while a connection of this process opens a file or removes a damaged one."""
_SYNCHRONOUS = "PRAGMA synchronous = NORMAL"
"""SQLite's sync mode. Killing the process loses nothing; a power failure loses the last entries, but damages none."""
_DAMAGED = (
    "malformed",
    "not a database",
    "no such table",
    "no such column",
    "file is encrypted",
    "short read",
    "could not decode",
)
"""Words of SQLite's errors, in lower case, which show that the file is damaged or is not a database."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Schema:
    version: int
    """Version of the tables. A file with a different version is upgraded if `upgrades` allows it. Otherwise it is not
    used, and a cache's file is replaced."""
    tables: str
    """SQL that creates the tables."""
    upgrades: Mapping[int, str] = field(default_factory=dict)
    """SQL that upgrades a file to the next version, by the file's version."""


@contextlib.contextmanager
def erasing(db: sqlite3.Connection) -> Iterator[None]:
    """Overwrite what the block deletes, so that neither the file nor its log contains it. The block must begin outside
    of a transaction."""
    db.execute("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        db.execute("PRAGMA secure_delete = OFF")
    erase_log(db)


def erase_log(db: sqlite3.Connection) -> None:
    """Move the log into the file, and leave the log empty. While another process reads the file for longer than the
    connection waits, its log stays, which is logged."""
    is_busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        path = next(row[2] for row in db.execute("PRAGMA database_list") if row[1] == "main")
        log.warning(
            "deleted_data_in_log",
            path=f"{path}-wal",
            remedy="Another process reads the file. Repeat the command when the process has ended its reading.",
        )


class SqliteFile:
    """A SQLite file with its own thread and connection. It is opened when it is needed, and again after a failure."""

    def __init__(
        self, path: Path | None, schema: Schema, name: str, *, locked_s: float = LOCKED_S, is_cache: bool = True
    ) -> None:
        """`path`: None for a database in memory, which ends with the connection. `name`: name of the thread.
        `is_cache`: the content can be made again, so a file that is damaged or of a different version is deleted."""
        self._path = path
        self._schema = schema
        self._locked_s = locked_s
        self._is_cache = is_cache
        self._opening = threading.Lock() if path is None else _OPENING.setdefault(path.resolve(), threading.Lock())
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        """Device and inode of the open file, to notice that it was deleted or replaced."""
        self.openings = 0
        """Number of times that the file was opened. Its content may have been lost between two openings."""
        self._is_closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    def prepare(self) -> None:
        """Open the file in the thread, so that the first lookup does not wait for it."""
        self._thread.submit(self._try_open)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the thread and return its result. Raises StoreDown."""
        return await asyncio.wrap_future(self.submit(self.run_here, work))

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run `call` in the thread."""
        return self._thread.submit(call, *args, **kwargs)

    async def close(self) -> None:
        await asyncio.wrap_future(self._thread.submit(self._end))
        self._thread.shutdown()

    def run_here(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` for a caller that is already in the file's thread. Raises StoreDown."""
        try:
            return work(self._ensure_open())
        except sqlite3.DatabaseError as error:
            damaged, reason = self._file, str(error)
            self._disconnect()
            if not _is_damage(error) or self._path is None:
                raise StoreDown(f"{reason}: '{self._path}'") from error
            if not self._is_cache:
                raise StoreDown(
                    f"'{self._path}' cannot be used: {reason}. Stop the server, and restore the file from a backup or "
                    "move it away."
                ) from error
        except OSError as error:
            raise StoreDown(f"{error.strerror}: '{self._path}'") from error
        try:
            self._begin_anew(damaged, reason)
            return work(self._ensure_open())
        except (sqlite3.DatabaseError, OSError) as error:
            self._disconnect()
            raise StoreDown(str(error)) from error

    def _try_open(self) -> None:
        try:
            self._ensure_open()
        except (sqlite3.Error, OSError, StoreDown) as error:
            # If this fails, the next caller tries again, and gets the error.
            log.debug("cache_file_not_opened", reason=str(error))

    def _end(self) -> None:
        self._disconnect()
        # A job that comes before the thread ends must not open the file again, because nobody would close it.
        self._is_closed = True

    def _ensure_open(self) -> sqlite3.Connection:
        if self._is_closed:
            raise StoreDown(f"'{self._path}' is closed")
        if self._db is not None and self._path is not None and self._file != _identity(self._path):
            self._disconnect()
            if not self._is_cache:
                log.error("state_file_gone", path=str(self._path), remedy="another one is begun")
        if self._db is None:
            with self._opening:
                self._db = self._open_file()
        return self._db

    def _open_file(self) -> sqlite3.Connection:
        self.openings += 1
        if self._path is None:
            db = sqlite3.connect(":memory:", isolation_level=None)
            _execute_all(db, self._schema.tables)
            return db
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.is_dir():
            # The folder may belong to another program, so it stays. The file is created once the folder is gone.
            raise IsADirectoryError(errno.EISDIR, "there is a folder")
        # There is no isolation level, because each function that runs here begins its own transactions.
        db = sqlite3.connect(self._path, timeout=self._locked_s, isolation_level=None)
        self._file = _identity(self._path)
        try:
            self._prepare(db, self._path)
        except BaseException:
            db.close()
            raise
        return db

    def _prepare(self, db: sqlite3.Connection, path: Path) -> None:
        # Other users of the machine must not read a new file.
        if not path.stat().st_size:
            path.chmod(0o600)
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _use_wal(db)
        db.execute(_SYNCHRONOUS)
        [version] = db.execute("PRAGMA user_version").fetchone()
        if version == self._schema.version:
            return
        with db:
            db.execute("BEGIN IMMEDIATE")
            [version] = db.execute("PRAGMA user_version").fetchone()
            if version == self._schema.version:  # another connection was faster
                return
            while version in self._schema.upgrades:
                _execute_all(db, self._schema.upgrades[version])
                version += 1
            if version != self._schema.version:
                if version or db.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise sqlite3.DatabaseError(f"not a database of this version ({version})")
                _execute_all(db, self._schema.tables)
            db.execute(f"PRAGMA user_version = {self._schema.version}")

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _begin_anew(self, damaged: tuple[int, int] | None, reason: str) -> None:
        assert self._path is not None
        with self._opening:
            if _identity(self._path) == damaged:  # no other connection has replaced the file yet
                _delete(self._path)
                log.warning("cache_file_begun_anew", path=str(self._path), reason=reason)


@dataclass(slots=True, eq=False)
class _Waiting(Generic[ItemT, T]):
    item: ItemT
    loop: asyncio.AbstractEventLoop
    result: "asyncio.Future[T] | None" = None
    """Future of the caller; None if no caller waits."""
    failed: Callable[[Exception], None] | None = None
    """Function that gets the error if no caller waits."""

    def tell(self, result: T | None, failure: Exception | None) -> None:
        if self.result is None:
            if failure is not None and self.failed is not None:
                self.failed(failure)
        elif self.result.cancelled():
            pass
        elif failure is not None:
            self.result.set_exception(failure)
        else:
            self.result.set_result(cast(T, result))


class SharedJobs(Generic[ItemT, T]):
    """A queue of items that a file's thread handles in order. Waiting items share a job (one transaction), which makes
    each cheaper. If one item of a job fails, the whole job fails."""

    def __init__(self, file: SqliteFile, work: Callable[[sqlite3.Connection, Sequence[ItemT]], Sequence[T]]) -> None:
        """`work` handles the items of a job, and returns the result of each."""
        self._file = file
        self._work = work
        self._waiting: deque[_Waiting[ItemT, T]] = deque()
        self._is_job_queued = False
        """True if a job that will handle the waiting items is already queued."""

    def __len__(self) -> int:
        """Number of items that wait."""
        return len(self._waiting)

    async def done(self, item: ItemT) -> T:
        """Let the thread handle `item`, and return its result. Raises StoreDown, and the errors of the work."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(item, loop, result))
        self.begin()
        return await result

    def later(self, item: ItemT, failed: Callable[[Exception], None]) -> None:
        """Queue `item` for the next job, which starts at the latest when `begin` is called. `failed` receives an error,
        if any."""
        self._waiting.append(_Waiting(item, asyncio.get_running_loop(), failed=failed))

    def begin(self) -> None:
        """Start a job for the items that wait."""
        if self._waiting and not self._is_job_queued:
            self._is_job_queued = True
            self._file.submit(self._run_job)

    async def end(self) -> None:
        """Handle the waiting items, and return once they are done."""
        while self._waiting:
            await asyncio.wrap_future(self._file.submit(self._run_job))

    def _run_job(self) -> None:
        # This is set before the items are taken, so that an item that arrives later starts the next job.
        self._is_job_queued = False
        taken = [self._waiting.popleft() for _ in range(min(_MAX_AT_ONCE, len(self._waiting)))]
        self.begin()
        if not taken:
            return
        results: Sequence[T | None] = [None] * len(taken)
        failure: Exception | None = None
        try:
            results = self._file.run_here(lambda db: self._work(db, [waiting.item for waiting in taken]))
        except Exception as error:  # noqa: BLE001 - the waiting callers must get any error
            failure = error
        for loop in {waiting.loop for waiting in taken}:
            items_of_loop = [
                (waiting, result) for waiting, result in zip(taken, results, strict=True) if waiting.loop is loop
            ]
            loop.call_soon_threadsafe(_deliver, items_of_loop, failure)


def _deliver(done: Sequence[tuple[_Waiting[Any, Any], Any]], failure: Exception | None) -> None:
    for waiting, result in done:
        waiting.tell(result, failure)


def _delete(path: Path) -> None:
    """Delete a database. Its log goes first, so that SQLite never finds it next to a new file."""
    for suffix in ("-shm", "-wal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _execute_all(db: sqlite3.Connection, statements: str) -> None:
    """Execute statements in the open transaction, which `executescript` would end."""
    for statement in filter(str.strip, statements.split(";")):
        db.execute(statement)


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to WAL mode. Several tries may be needed, because SQLite reports a lock while another process creates the
    file."""
    for _ in range(_TRIES):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(LOCKED_S)
        else:
            return
    db.execute("PRAGMA journal_mode = WAL")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    # The message of SQLite 3.46 for a truncated file is only "disk I/O error".
    is_cut = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHORT_READ
    return is_cut or any(words in str(error).lower() for words in _DAMAGED)
