"""The storage of uploaded files: a folder, or a place that fsspec reaches by a URL (`s3://bucket/prefix`, `memory://`).

Every upload needs the number and size of its owner's files. An index has both, because listing a folder of thousands
takes too long. The records next to the files are authoritative; a lost index is rebuilt from them.
"""

import contextlib
import errno
import posixpath
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import fsspec
from fsspec.implementations.local import LocalFileSystem
from pydantic import TypeAdapter, ValidationError

from app.state.entries import StoreDown
from app.state.sqlite_file import Schema, SqliteFile, erasing
from tasks.inputs.limits import MB
from tasks.inputs.reading import Upload

T = TypeVar("T")

_PRIVATE = 0o700
_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Name of the extra that installs the package for a protocol, by protocol."""
RECORD_SUFFIX = ".json"
"""Suffix of the name of a file's record."""
INDEX_FILE = "index.sqlite3"
_INDEX = "CREATE INDEX files_by_age ON files (owner, created, id)"
_SCHEMA = Schema(
    2,
    f"""
CREATE TABLE files (
    owner TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL, created REAL NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID;
{_INDEX}
""",
    {1: _INDEX},
)
_PAGE = """
SELECT record FROM files
WHERE owner = :owner AND (:after IS NULL OR (created, id) {beyond} (:created, :after))
    AND coalesce(CAST(record AS TEXT) ->> 'expires' > :now, TRUE)
    AND (:purpose IS NULL OR CAST(record AS TEXT) ->> 'purpose' = :purpose)
ORDER BY created {order}, id {order} LIMIT :limit
"""
"""Query for the records of a page. SQLite filters them, because it does so without Python's lock."""
_TRIES = 3
"""A call reads an owner's records into the index at most this many times. It has to read them again if the index is
lost during the call."""
DISK_RESERVE = 512 * MB
"""Uploads leave this many bytes of the disk free, or a tenth of a smaller disk, because counters, batches and responses
usually lie on it, and refuse requests when it is full."""
_LOCKED_S = 10.0
"""A connection waits this many seconds for the lock of another process."""


class Storage:
    """Files below one address, by name. Calls block, so they must be made in threads.

    A name is `folder/file`, and no part of it comes from a client. The constructor raises ValueError for an address
    that cannot be used. Other methods raise OSError if the storage fails.
    """

    def __init__(self, address: str) -> None:
        protocol = address.partition("://")[0] if "://" in address else "file"
        try:
            self._system, self._root = fsspec.url_to_fs(address)
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            remedy = f"run `openfaze install {extra}`" if extra else f"install the package that serves {protocol}://"
            raise ValueError(f"OPENFAZE_FILES_DIR: {protocol}:// addresses cannot be used yet: {remedy}") from error
        except ValueError as error:
            raise ValueError(f"OPENFAZE_FILES_DIR: {error}") from error

    def check(self) -> None:
        """If the storage is a folder, check that files can be written there, and remove the folders made for the check.
        Raises ValueError."""
        if not isinstance(self._system, LocalFileSystem):
            return
        made: list[Path] = []
        folder = Path(self._root)
        try:
            for one in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
                one.mkdir(_PRIVATE, exist_ok=True)
                made.append(one)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise ValueError(
                f"OPENFAZE_FILES_DIR: '{folder}' is not writable ({error.strerror}): name a folder that the "
                "server's user may write in."
            ) from error
        finally:
            for one in reversed(made):
                with contextlib.suppress(OSError):  # another server may already use the folder
                    one.rmdir()

    def local_path(self, name: str) -> Path | None:
        """Return the path of `name` if the storage is a folder; None otherwise."""
        return Path(self._root) / name if isinstance(self._system, LocalFileSystem) else None

    def check_disk(self, size: int) -> None:
        """Raise DiskReserved if another `size` bytes would take up what uploads must leave free. Only the disk of a
        folder is checked."""
        if not isinstance(self._system, LocalFileSystem):
            return
        disk = shutil.disk_usage(self._root)
        if disk.free - size < min(DISK_RESERVE, disk.total // 10):
            raise DiskReserved(errno.ENOSPC, f"uploads leave the last {disk.free // MB} MB free", self._root)

    def create(self, name: str) -> IO[bytes]:
        """Return a new file, open for writing; the caller closes it."""
        path = self._path(name)
        self._system.makedirs(posixpath.dirname(path), exist_ok=True)
        if isinstance(self._system, LocalFileSystem):
            self._system.chmod(self._root, _PRIVATE)
        file: IO[bytes] = self._system.open(path, "wb")
        return file

    def put(self, name: str, content: bytes) -> None:
        """Write a small file, completely or not at all."""
        unfinished = f"{name}.{secrets.token_hex(4)}.part"
        try:
            with self.create(unfinished) as file:
                file.write(content)
            self._system.mv(self._path(unfinished), self._path(name))
        except BaseException:
            self.delete(unfinished)
            raise

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading. Raises FileNotFoundError."""
        file: IO[bytes] = self._system.open(self._path(name), "rb")
        return file

    def get(self, name: str) -> bytes:
        """Return the content of a file. Raises FileNotFoundError."""
        content: bytes = self._system.cat_file(self._path(name))
        return content

    def get_all(self, names: list[str]) -> list[bytes]:
        """Return the contents of the files that exist, fetched in parallel if the storage supports that."""
        paths = [self._path(name) for name in names]
        found: dict[str, bytes] = self._system.cat(paths, on_error="omit") if paths else {}
        return list(found.values())

    def delete(self, name: str) -> None:
        """Delete a file, if it exists."""
        with contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._path(name))

    def folders(self) -> list[str]:
        return [posixpath.basename(entry["name"]) for entry in self._entries("") if entry["type"] == "directory"]

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of each file in `folder`, by name."""
        return {
            f"{folder}/{posixpath.basename(entry['name'])}": entry["size"]
            for entry in self._entries(folder)
            if entry["type"] == "file"
        }

    def modified(self, name: str) -> datetime:
        """Return the time of the last change of a file."""
        when: datetime = self._system.modified(self._path(name))
        return when

    def _entries(self, folder: str) -> list[dict[str, Any]]:
        self._system.invalidate_cache()
        try:
            entries: list[dict[str, Any]] = self._system.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            return []
        return [{**entry, "name": entry["name"].rstrip("/")} for entry in entries]

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


class DiskReserved(OSError):
    """Raised if the disk has no more room for uploads."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    file_bytes: int = 512 * MB
    """Largest number of bytes of one file (OPENFAZE_MAX_FILE_MB)."""
    owner_bytes: int = 10_240 * MB
    """Largest number of bytes of all files of one owner (OPENFAZE_MAX_FILES_MB)."""
    owner_files: int = 10_000
    """Largest number of files of one owner."""
    ttl_s: float = 720 * 3600.0
    """A file is kept for this many seconds; 0 keeps it forever (OPENFAZE_FILES_TTL_HOURS)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile(Upload):
    purpose: str
    created: float
    """Seconds since 1970."""
    expires: int | None

    @property
    def name(self) -> str:
        """Name of the file's bytes in the storage. `id` and `owner` are made by the server: no part comes from the
        client."""
        return f"{self.owner}/{self.id}"


_RECORD = TypeAdapter(StoredFile)


def to_record(file: StoredFile) -> bytes:
    return _RECORD.dump_json(file)


def from_record(record: bytes) -> StoredFile | None:
    """Return the file that a record describes; None for an invalid record, such as a record of a different version."""
    try:
        return _RECORD.validate_json(record)
    except ValidationError:
        return None


class NoRoom(Exception):
    """Raised if the owner has no room for another file. If `too_many`, the number of files is at its limit, and
    otherwise their total size."""

    def __init__(self, *, too_many: bool) -> None:
        super().__init__()
        self.too_many = too_many


class FileIndex:
    """Index of all files by owner. Calls block, so they must be made in threads.

    The index of a local storage is a database next to the files. Any other index is in memory, and ends with the
    process. A lost or damaged index starts empty, and reads the records of an owner before it answers any call about
    that owner. Raises OSError if the database does not work.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        path = storage.local_path(INDEX_FILE)
        self.is_shared = path is None
        """True if other servers may write to the storage, too."""
        self._file = SqliteFile(path, _SCHEMA, "files-index", locked_s=_LOCKED_S)
        self._synced_openings: dict[str, int] = {}
        """Value of the file's `openings` when an owner's records were last read, by owner. Once the index has been
        opened again, the records are read again."""
        self._being_added: set[str] = set()
        """Ids of files that are being added and whose records are not written yet."""

    def knows(self, owner: str) -> bool:
        """True if the index has read the records in the owner's folder."""
        return self._transact(lambda _: self._is_synced(owner))

    def follow(self, owner: str) -> None:
        """Make the index match the records in the owner's folder."""
        # Known ids are read before the folder is listed. A known file that is then missing from the folder was deleted,
        # unless it is just being added.
        openings, known = self._transact(lambda db: (self._file.openings, _ids(db, owner)))
        known -= self._being_added
        names = self._storage.sizes(owner)
        stored_ids = {
            name.removesuffix(RECORD_SUFFIX).rpartition("/")[2] for name in names if name.endswith(RECORD_SUFFIX)
        }
        new = self._storage.get_all([f"{owner}/{file_id}{RECORD_SUFFIX}" for file_id in sorted(stored_ids - known)])
        files = [file for file in map(from_record, new) if file is not None and file.owner == owner]

        def take_over(db: sqlite3.Connection) -> None:
            db.executemany("DELETE FROM files WHERE owner = ? AND id = ?", ((owner, one) for one in known - stored_ids))
            db.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", map(_row, files))

        self._transact(take_over)
        self._synced_openings[owner] = openings

    @contextlib.contextmanager
    def adding(self, file: StoredFile, max_bytes: int, most_files: int) -> Iterator[None]:
        """Add the file to the index before the block writes its record, and remove it again if the block raises.
        Otherwise, two files that arrive at the same time could together exceed the limit. Raises NoRoom."""
        self._being_added.add(file.id)
        try:
            self._add(file, max_bytes, most_files)
            try:
                yield
            except Exception:
                self.remove(file.owner, file.id)
                raise
        finally:
            self._being_added.discard(file.id)

    def _add(self, file: StoredFile, max_bytes: int, most_files: int) -> None:

        def add(db: sqlite3.Connection) -> None:
            count, size = _totals(db, file.owner)
            if count + 1 > most_files or size + file.size > max_bytes:
                raise NoRoom(too_many=count + 1 > most_files)
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", _row(file))

        self._run_synced(file.owner, add)

    def remove(self, owner: str, file_id: str) -> None:
        self._transact(lambda db: db.execute("DELETE FROM files WHERE owner = ? AND id = ?", (owner, file_id)))

    def erase(self, owner: str) -> None:
        """Remove all files of an owner, and overwrite their records."""

        def delete(db: sqlite3.Connection) -> None:
            with erasing(db):
                db.execute("DELETE FROM files WHERE owner = ?", (owner,))

        self._run(delete)

    def totals(self, owner: str) -> tuple[int, int]:
        """Return the number and the bytes of the owner's files."""
        return self._run_synced(owner, lambda db: _totals(db, owner))

    def page(
        self, owner: str, *, now: float, limit: int, after: str | None, purpose: str | None, is_ascending: bool
    ) -> list[bytes] | None:
        """Return the records of at most `limit` of the owner's files that have not expired at `now`, the newest first
        unless `is_ascending`; with `after`, those after the file of this id, and None if there is no such file."""
        query = _PAGE.format(beyond=">" if is_ascending else "<", order="ASC" if is_ascending else "DESC")

        def select(db: sqlite3.Connection) -> list[bytes] | None:
            known = db.execute("SELECT created FROM files WHERE owner = ? AND id = ?", (owner, after)).fetchone()
            if after is not None and known is None:
                return None
            values = {"created": known and known[0], "after": after, "owner": owner, "now": now, "purpose": purpose}
            return [record for (record,) in db.execute(query, {**values, "limit": limit})]

        return self._run_synced(owner, select)

    def all(self, owner: str) -> list[StoredFile]:
        """Return the owner's files, the newest first."""
        query = "SELECT record FROM files WHERE owner = ? ORDER BY created DESC, id DESC"
        rows = self._run_synced(owner, lambda db: db.execute(query, (owner,)).fetchall())
        return [file for (record,) in rows if (file := from_record(record)) is not None]

    async def close(self) -> None:
        await self._file.close()

    def _is_synced(self, owner: str) -> bool:
        return self._synced_openings.get(owner) == self._file.openings

    def _run_synced(self, owner: str, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work`, after reading the owner's records if necessary, and return its result."""

        def checked(db: sqlite3.Connection) -> T:
            if not self._is_synced(owner):
                raise _NotSynced
            return work(db)

        for _ in range(_TRIES):
            with contextlib.suppress(_NotSynced):
                return self._transact(checked)
            self.follow(owner)
        raise OSError("the index of files was started over too many times")

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def whole(db: sqlite3.Connection) -> T:
            with db:
                db.execute("BEGIN IMMEDIATE")
                return work(db)

        return self._run(whole)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._file.submit(self._file.run_here, work).result()
        except StoreDown as error:
            raise OSError(f"the index of files: {error}") from error


class _NotSynced(Exception):
    """Raised if the index has not read the owner's records yet."""


def _ids(db: sqlite3.Connection, owner: str) -> set[str]:
    return {row[0] for row in db.execute("SELECT id FROM files WHERE owner = ?", (owner,))}


def _totals(db: sqlite3.Connection, owner: str) -> tuple[int, int]:
    count, size = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM files WHERE owner = ?", (owner,)).fetchone()
    return count, size


def _row(file: StoredFile) -> tuple[str, str, int, float, bytes]:
    return file.owner, file.id, file.size, file.created, to_record(file)
