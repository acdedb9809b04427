"""The database of durable state: a SQLite file, or PostgreSQL for several servers.

SQLAlchemy's calls block, so `Database` makes them in threads of its own. Every function that works on the database gets
a connection inside a transaction, which is committed when the function returns.
"""

import asyncio
import sqlite3
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Table, create_engine, event, func, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from app.state.entries import StoreDown
from app.state.tables import STATE

T = TypeVar("T")

HEAD = "0002"
"""Newest revision of the tables, the last of `migrations/versions`."""
VERSION_TABLE = "openfaze_version"
"""Table in which alembic keeps the revision of the tables."""
_THREADS = 8
"""Connections to PostgreSQL for reading, and as many for writing. SQLite has one connection for writing, because its
writers wait for each other anyway."""
_LOCKED_S = 5.0
"""A connection to SQLite waits this many seconds for the lock of another process."""
_ANSWER_S = 10.0
"""PostgreSQL may take this many seconds to accept a connection, and this many again between two pieces of an answer."""
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ)
"""Errors by which SQLite tells that a file is damaged."""

_FAILURES = (SQLAlchemyError, sqlite3.Error, OSError)

log = structlog.get_logger(__name__)


def parse_url(setting: str, url: str) -> URL:
    """Return the URL of a database: `sqlite:///path` or `postgresql://…`. In the first, as SQLAlchemy reads it, three
    slashes precede a path relative to the working folder, and four slashes precede an absolute path. Raises ValueError
    that names the `setting`."""
    scheme = url.partition(":")[0][:20]
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is not None and scheme == "sqlite" and parsed.database:
        return parsed
    if parsed is not None and scheme in ("postgresql", "postgres") and parsed.host and parsed.database:
        return parsed.set(drivername="postgresql+pg8000")
    raise ValueError(
        f"{setting}: should be sqlite:///path or postgresql://user:password@host/database, but begins with '{scheme}'"
    )


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def upsert(connection: Connection, table: Table) -> Any:
    """Return an insert that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


class Database:
    """A database whose tables are made, or brought to the newest revision, when it is used for the first time.

    A damaged SQLite file is set aside, and an empty one begun. Every method may raise StoreDown.
    """

    def __init__(self, url: URL, prepare: "Callable[[Connection], None] | None" = None) -> None:
        """`prepare` makes the tables; without it, they are those of STATE."""
        is_sqlite = url.drivername == "sqlite"
        self.path = Path(str(url.database)) if is_sqlite else None
        """File of SQLite; None for PostgreSQL."""
        self._engine = _sqlite_engine(url) if is_sqlite else _postgres_engine(url)
        self._prepare = prepare or migrate
        self._opening = threading.Lock()
        self._is_open = False
        self._readers = ThreadPoolExecutor(_THREADS, thread_name_prefix="database-reads")
        self._writers = ThreadPoolExecutor(1 if is_sqlite else _THREADS, thread_name_prefix="database-writes")

    @property
    def is_begun(self) -> bool:
        """True if the database may hold something. A SQLite file is made by its first use."""
        return self.path is None or self.path.exists()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Return the result of `work`, which only reads."""
        return await asyncio.wrap_future(self._readers.submit(self._run, work, "BEGIN", None))

    async def write(self, work: Callable[[Connection], T], *, lock: str | None = None) -> T:
        """Return the result of `work`, which may read and write. Transactions with the same `lock` run one after the
        other, on all servers."""
        return await asyncio.wrap_future(self._writers.submit(self._run, work, "BEGIN IMMEDIATE", lock))

    async def erase(self, work: Callable[[Connection], T]) -> T:
        """Return the result of `work`, which deletes, and remove what it deleted from SQLite's log, too."""
        result = await self.write(work)
        if self.path is not None:
            await asyncio.wrap_future(self._writers.submit(self._empty_log))
        return result

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for threads in (self._readers, self._writers):
            threads.shutdown()
        self._engine.dispose()

    def _run(self, work: Callable[[Connection], T], begin: str, lock: str | None) -> T:
        try:
            return self._attempt(work, begin, lock)
        except _FAILURES as error:
            if self.path is None or not _is_damage(error):
                raise self._to_store_down(error) from error
            reason = _reason(error)
        try:
            self._set_aside(self.path, reason)
            return self._attempt(work, begin, lock)
        except _FAILURES as error:
            raise self._to_store_down(error) from error

    def _attempt(self, work: Callable[[Connection], T], begin: str, lock: str | None) -> T:
        self._ensure_open()
        with self._engine.connect().execution_options(begin=begin) as connection, connection.begin():
            if lock is not None and self.path is None:
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0))))
            return work(connection)

    def _ensure_open(self) -> None:
        if self._is_open and (self.path is None or self.path.is_file()):
            return
        with self._opening:
            if self._is_open and self.path is not None and not self.path.is_file():
                self._engine.dispose()
                self._is_open = False
                log.error("state_file_gone", path=str(self.path), remedy="another one is begun")
            if self._is_open:
                return
            if self.path is not None:
                _create(self.path)
            with self._engine.connect().execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
                self._prepare(connection)
            self._is_open = True

    def _set_aside(self, path: Path, reason: str) -> None:
        with self._opening:
            self._engine.dispose()
            self._is_open = False
            if not _is_damaged(path):  # another process has begun a new one already
                return
            kept = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}")
            for suffix in ("-shm", "-wal", ""):
                file = path.with_name(path.name + suffix)
                if file.exists():
                    file.rename(kept.with_name(kept.name + suffix))
            log.error("state_file_damaged", path=str(path), reason=reason, kept_as=str(kept))

    def _empty_log(self) -> None:
        try:
            with self._engine.connect().execution_options(begin="SELECT 1") as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).fetchall()
        except SQLAlchemyError as error:
            raise self._to_store_down(error) from error

    def _to_store_down(self, error: Exception) -> StoreDown:
        where = f"'{self.path}'" if self.path is not None else self._engine.url.render_as_string()
        return StoreDown(f"{_reason(error)}: {where}")


def migrate(connection: Connection, revision: str = HEAD) -> None:
    """Bring the tables of STATE to a revision, by default the newest. Raises StoreDown for tables of another program,
    or of a newer version."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(VERSION_TABLE, 0))))
    present = set(inspect(connection).get_table_names())
    if VERSION_TABLE in present:
        present_one = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
        if present_one == revision:
            return
    elif strangers := present & set(STATE.tables):
        raise StoreDown(
            f"the database holds a table '{min(strangers)}' of another program, or of an earlier version: name another "
            "database in OPENFAZE_STATE_URL"
        )
    # alembic takes a tenth of a second to import, and is needed only once.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreDown(f"the database cannot be brought to this version: {error}") from error


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _LOCKED_S}, pool_size=_THREADS + 1)

    def set_up(connection: sqlite3.Connection, _: object) -> None:
        # The driver begins no transactions by itself, because the event below does.
        connection.isolation_level = None
        # Killing the process loses nothing; a power failure may lose the last transactions, but damages none.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["begin"])

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin)
    return engine


def _postgres_engine(url: URL) -> Engine:
    options: dict[str, object] = {"timeout": _ANSWER_S}
    mode = url.query.get("sslmode", "prefer")
    if mode in ("require", "verify-ca", "verify-full"):
        context = ssl.create_default_context()
        context.check_hostname = mode == "verify-full"
        context.verify_mode = ssl.CERT_NONE if mode == "require" else ssl.CERT_REQUIRED
        options["ssl_context"] = context
    return create_engine(
        url.difference_update_query(["sslmode"]),
        hide_parameters=True,
        connect_args=options,
        pool_size=2 * _THREADS,
        # A connection that PostgreSQL has closed, for example because it was restarted, is opened again.
        pool_pre_ping=True,
    )


def _create(path: Path) -> None:
    """Make an empty file for the user of the server alone, unless it exists, and let SQLite write a log beside it, so
    that readers do not wait for writers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError("there is a folder")
    # A file that is there is not opened: closing it would end the locks that SQLite has on it in this process.
    path.touch(0o600)
    with closing(sqlite3.connect(path, timeout=_LOCKED_S)) as connection:
        connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute("PRAGMA journal_mode = WAL")


def _is_damage(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", None) in _DAMAGED


def _is_damaged(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=_LOCKED_S)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError:
        return True


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause) or type(cause).__name__
