"""Stores uploaded files, each for its owner alone and for a limited time.

The bytes of a file are in the storage, as `owner/id`, and what else is known of it is in the index, which it enters
last and leaves first. A file that is not in the index does not exist. Other requests see an upload once its
UploadWriter has published it.
"""

import asyncio
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import IO, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection

from app.errors import BadRequest, PayloadTooLarge, Unavailable
from app.files.index import FileIndex, FileLimits, NoRoom, StoredFile
from app.files.storage import DiskReserved, Storage
from app.state.database import Database
from app.state.entries import StoreDown
from models.base import RETRY_S, ran_out
from models.concurrency import outlast
from tasks.inputs.limits import megabytes
from tasks.inputs.loader import Upload
from tasks.inputs.media_types import TEXTS, media_type_of_file, sniff

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 2
"""Threads for a local disk; more threads would not make it faster."""
_REMOTE_THREADS = 8
"""Threads for a remote storage; they mostly wait for the network."""
_PIECE = 64 * 1024
"""A file is read in pieces of this many bytes. A slow reader keeps three pieces in memory."""
_ID_PREFIX = "file-"
_ID = re.compile(rf"{_ID_PREFIX}[0-9a-f]{{32}}")
_ABANDONED_S = 7 * 24 * 3600.0
"""Age, in seconds, from which bytes that are not in the index count as the remains of an interrupted upload. It leaves
time to restore a database that was lost."""
_SWEEP_S = 3600.0

log = structlog.get_logger(__name__)
_HEAD = 64 * 1024
"""Number of bytes at the beginning of a file that determine its type."""
_WRITE_BYTES = 128 * 1024
"""Data is written once this many bytes are collected, because each write waits for its turn in the threads that all
keys share."""


class FileStore:
    """Files of all owners. The storage is called in threads; its failures, and those of the index, raise
    Unavailable."""

    def __init__(
        self, storage: Storage, database: Database, limits: FileLimits, now: Callable[[], float] = time.time
    ) -> None:
        self.storage = storage
        self.limits = limits
        self.now = now
        self.being_written: Counter[str] = Counter()
        """Bytes of each owner's unfinished uploads."""
        self.index = FileIndex(database)
        self.faults = 0
        """Number of failures of the storage and of the index."""
        threads = _REMOTE_THREADS if storage.is_remote else _THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def find(self, owner: str, file_id: str) -> StoredFile | None:
        """Return a file of `owner`; None if there is no such file, or it has expired."""
        if not _ID.fullmatch(file_id):
            return None
        with self.failures():
            file = await self.index.find(owner, file_id)
        if file is not None and file.expires is not None and file.expires <= self.now():
            await self.delete(file)
            return None
        return file

    async def page(
        self,
        owner: str,
        limit: int,
        *,
        after: str | None = None,
        purpose: str | None = None,
        is_ascending: bool = False,
    ) -> list[StoredFile] | None:
        """Return at most `limit` files of an owner, the newest first unless `is_ascending`; with `after`, those after
        the file of this id, and None if there is no such file."""
        with self.failures():
            return await self.index.page(
                owner, now=self.now(), limit=limit, after=after, purpose=purpose, is_ascending=is_ascending
            )

    async def check_room(self, owner: str, size: int) -> None:
        """Raise PayloadTooLarge if `owner` has no room for one more file of `size` bytes."""
        _check_size(size, self.limits)
        with self.failures():
            number, used = await self.index.totals(owner)
        _check_number(number + 1, self.limits)
        _check_room(used + self.being_written[owner] + size, self.limits)

    async def read(self, upload: Upload) -> bytes:
        """Return the content of an upload. Raises FileNotFoundError if it was deleted meanwhile."""
        return await self.run(self.storage.get, f"{upload.owner}/{upload.id}")

    async def pieces(self, file: StoredFile) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a file. Raises FileNotFoundError if it was deleted meanwhile."""
        opened = await self.run(self.storage.open, file.name)
        try:
            while piece := await self.run(opened.read, _PIECE):
                yield piece
        finally:
            await outlast(self._in_thread(opened.close))

    async def delete(self, file: StoredFile) -> None:
        with self.failures():
            await self.index.remove([file])
        await self.run(self.storage.delete, file.name)

    @asynccontextmanager
    async def writing(self, owner: str) -> AsyncIterator["UploadWriter"]:
        """Begin a new file. It is deleted if the block ends without publishing it."""
        writing = UploadWriter(self, owner, f"{_ID_PREFIX}{secrets.token_hex(16)}")
        try:
            await writing.begin()
            yield writing
        finally:
            await outlast(writing.end())

    async def purge(self, owner: str) -> int:
        """Delete all files of an owner, and return their number."""
        with self.failures():
            count = await self.index.purge(owner) if self.index.is_begun else 0
        for name in await self.run(self.storage.names, owner):
            await self.run(self.storage.delete, name)
        return count

    async def sweep(self) -> None:
        """Delete expired files, and the remains of interrupted uploads."""
        if not self.index.is_begun:
            return
        for file in await self.index.expired(self.now()):
            await self.delete(file)
        if self.storage.is_remote and not self.index.is_shared:
            return  # Other servers, with indexes of their own, may have files there, too.
        for owner in await self.run(self.storage.folders):
            known = await self.index.known(owner)
            for name in await self.run(self.storage.names, owner):
                file_id = name.rpartition("/")[2]
                # A folder that somebody else uses, too, may hold other files.
                if file_id.startswith(_ID_PREFIX) and file_id not in known:
                    await self.run(self._delete_abandoned, name)

    async def sweep_for_ever(self) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("sweeping_files_failed")
            await asyncio.sleep(_SWEEP_S)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` in a thread. Raises FileNotFoundError, and Unavailable for any other OSError."""
        with self.failures():
            return await self._in_thread(call, *args, **kwargs)

    def _in_thread(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Raise Unavailable for failures of the storage and of the index, which are counted and logged."""
        try:
            yield
        except FileNotFoundError:
            raise
        except DiskReserved as error:
            self.faults += 1
            log.error("disk_nearly_full", reason=str(error))
            raise Unavailable(
                "The server's disk has no room for more uploads at the moment.", code="storage_unavailable"
            ) from error
        except (OSError, StoreDown) as error:
            self.faults += 1
            log.exception("file_storage_failed", reason=str(error))
            raise Unavailable(
                "The server's file storage is not working: the server's log says why.",
                code="storage_unavailable",
                retry_after=RETRY_S if isinstance(error, StoreDown) or ran_out(error) else None,
            ) from error

    def _delete_abandoned(self, name: str) -> None:
        try:
            age_s = self.now() - self.storage.modified(name).timestamp()
        except FileNotFoundError:
            return
        if age_s > _ABANDONED_S:
            self.storage.delete(name)


class UploadWriter:
    """An upload in progress, begun and ended by a FileStore. Only the beginning of the file, and bytes that are not
    written yet, are in memory."""

    def __init__(self, store: "FileStore", owner: str, file_id: str) -> None:
        self._store = store
        self._owner = owner
        self.id = file_id
        """Id of the file, which exists once it is published."""
        self._name = f"{owner}/{file_id}"
        self._size = 0
        self._used = 0
        """Bytes of the owner's other files when this one was begun."""
        self._head = b""
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._file: IO[bytes] | None = None
        self._published = False

    async def begin(self) -> None:
        with self._store.failures():
            number, self._used = await self._store.index.totals(self._owner)
        _check_number(number + 1, self._store.limits)
        self._file = await self._store.run(self._store.storage.create, self._name)

    async def write(self, piece: bytes) -> None:
        """Add bytes to the file. Raises PayloadTooLarge, before writing them, if the file or all files of its owner
        together become too large."""
        assert self._file is not None
        limits = self._store.limits
        self._size += len(piece)
        self._store.being_written[self._owner] += len(piece)
        _check_size(self._size, limits)
        _check_room(self._used + self._store.being_written[self._owner], limits)
        self._head += piece[: _HEAD - len(self._head)]
        self._unwritten.append(piece)
        self._unwritten_bytes += len(piece)
        if self._unwritten_bytes >= _WRITE_BYTES:
            unwritten, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
            await self._store.run(self._write, self._file, unwritten)

    async def publish(
        self,
        filename: str,
        purpose: str,
        keep_s: float | None,
        also: Callable[[Connection], object] | None = None,
    ) -> StoredFile:
        """Publish the file to its owner, for `keep_s` seconds or forever. `also` changes the database in
        the same transaction: either both are done, or neither. Raises BadRequest for an empty file,
        PayloadTooLarge, and what `also` raises."""
        if not self._size:
            raise BadRequest("Field 'file': the file is empty", param="file")
        created = self._store.now()
        file = StoredFile(
            id=self.id,
            owner=self._owner,
            size=self._size,
            filename=filename,
            media_type=_media_type(self._head, filename),
            purpose=purpose,
            created=created,
            expires=None if keep_s is None else int(created + keep_s),
        )
        # Publishing is finished even if the caller is cancelled, because the file must be complete or absent.
        self._published = True
        await outlast(self._publish(file, also))
        return file

    async def end(self) -> None:
        self._store.being_written[self._owner] -= self._size
        if self._published:
            return
        file, self._file = self._file, None
        try:
            if file is not None:
                await self._store.run(file.close)
        finally:
            await self._store.run(self._store.storage.delete, self._name)

    async def _publish(self, file: StoredFile, also: Callable[[Connection], object] | None) -> None:
        limits = self._store.limits
        try:
            await self._store.run(self._write_last)
            with self._store.failures():
                await self._store.index.add(file, limits, also)
        except NoRoom as no_room:
            self._published = False
            _check_number(limits.owner_files + no_room.too_many, limits)
            _check_room(limits.owner_bytes + 1, limits)
        except Exception:
            self._published = False
            raise

    def _write_last(self) -> None:
        open_file, self._file = self._file, None
        assert open_file is not None
        with open_file:
            self._write(open_file, self._unwritten)

    def _write(self, file: IO[bytes], pieces: list[bytes]) -> None:
        content = b"".join(pieces)
        self._store.storage.check_disk(len(content))
        file.write(content)


def _check_size(size: int, limits: FileLimits) -> None:
    if size > limits.file_bytes:
        raise PayloadTooLarge(
            f"The file is larger than {megabytes(limits.file_bytes)} (OPENFAZE_MAX_FILE_MB).",
            code="file_too_large",
            param="file",
        )


def _check_number(number: int, limits: FileLimits) -> None:
    if number > limits.owner_files:
        raise _storage_full(f"you have more than {limits.owner_files} files")


def _check_room(size: int, limits: FileLimits) -> None:
    if size > limits.owner_bytes:
        raise _storage_full(f"your files are more than {megabytes(limits.owner_bytes)} (OPENFAZE_MAX_FILES_MB)")


def _storage_full(excess: str) -> PayloadTooLarge:
    return PayloadTooLarge(f"With this file, {excess}. Delete some.", code="storage_full", param="file")


def _media_type(head: bytes, filename: str) -> str | None:
    named = media_type_of_file(filename)
    return sniff(head, text=named in TEXTS) or named
