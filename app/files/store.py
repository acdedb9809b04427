"""Stores uploaded files, each for its owner alone and for a limited time.

A file has two parts: `owner/id` with its bytes, and `owner/id.json`, its record, which is written last and deleted
first. A file without a record does not exist. Other requests see an upload once its UploadWriter has published it.
"""

import asyncio
import re
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import IO, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import structlog

from app.errors import BadRequest, PayloadTooLarge, Unavailable
from app.files.storage import (
    RECORD_SUFFIX,
    DiskReserved,
    FileIndex,
    FileLimits,
    NoRoom,
    Storage,
    StoredFile,
    from_record,
    to_record,
)
from models.base import RETRY_S, ran_out
from models.workers.process import Closable
from tasks.inputs.limits import megabytes
from tasks.inputs.media_types import TEXTS, media_type_of_file, sniff
from tasks.inputs.reading import Upload

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound=Closable)

_THREADS = 2
"""Threads for a local disk; more threads would not make it faster."""
_REMOTE_THREADS = 8
"""Threads for a remote storage; they mostly wait for the network."""
_PIECE = 64 * 1024
"""A file is read in pieces of this many bytes. A slow reader keeps three pieces in memory."""
_ID = re.compile(r"file-[0-9a-f]{32}")
_ABANDONED_S = 24 * 3600.0
"""Age, in seconds, from which bytes without a record count as the remains of an interrupted upload."""
_SWEEP_S = 3600.0
_SYNC_S = 60.0

log = structlog.get_logger(__name__)
_HEAD = 64 * 1024
"""Number of bytes at the beginning of a file that determine its type."""
_WRITE_BYTES = 128 * 1024
"""Data is written once this many bytes are collected, because each write waits for its turn in the threads that all
keys share."""


class FileStore:
    """Files of all owners. The storage is called in threads; its failures raise Unavailable."""

    def __init__(self, storage: Storage, limits: FileLimits, now: Callable[[], float] = time.time) -> None:
        self.storage = storage
        self.limits = limits
        self.now = now
        self.being_written: Counter[str] = Counter()
        """Bytes of each owner's unfinished uploads."""
        self.index = FileIndex(storage)
        self.faults = 0
        """Number of failures of the storage."""
        self._synced_at: dict[str, float] = {}
        """Time at which an owner's folder was last read into the index, by owner, in seconds of the clock."""
        self._sync_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        threads = _REMOTE_THREADS if self.index.is_shared else _THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="files")

    async def find(self, owner: str, file_id: str) -> StoredFile | None:
        """Return a file of `owner`; None if there is no such file, or it has expired."""
        if not _ID.fullmatch(file_id):
            return None
        try:
            file = from_record(await self.run(self.storage.get, f"{owner}/{file_id}{RECORD_SUFFIX}"))
        except FileNotFoundError:
            file = None
        if file is None:
            # There is no such file, perhaps because another server deleted it, or its record has a different version.
            # The index must not list it.
            await self._unlist(owner, file_id)
            return None
        if self._has_expired(file):
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
    ) -> list[bytes] | None:
        """Return the records (`from_record`) of at most `limit` files of an owner, the newest first unless
        `is_ascending`; with `after`, those after the file of this id, and None if there is no such file."""
        await self.follow(owner)
        select = partial(
            self.index.page, limit=limit, after=after, purpose=purpose, is_ascending=is_ascending, now=self.now()
        )
        return await self.run(select, owner)

    async def follow(self, owner: str) -> None:
        """Read the owner's folder into the index: once, or at intervals if other servers write to the storage, too."""
        async with self._sync_locks.setdefault(owner, asyncio.Lock()):
            since = self._synced_at.get(owner)
            is_old = since is None or (self.index.is_shared and abs(self.now() - since) > _SYNC_S)
            if is_old or not await self.run(self.index.knows, owner):
                await self.run(self.index.follow, owner)
                self._synced_at[owner] = self.now()

    async def check_room(self, owner: str, size: int) -> None:
        """Raise PayloadTooLarge if `owner` has no room for one more file of `size` bytes."""
        _check_size(size, self.limits)
        await self.check_owner(owner, size, files=1)

    async def check_owner(self, owner: str, size: int, *, files: int = 0) -> None:
        """Raise PayloadTooLarge if `owner` has no room for `files` more files of `size` bytes together."""
        await self.follow(owner)
        number, used = await self.run(self.index.totals, owner)
        _check_number(number + files, self.limits)
        _check_room(used + self.being_written[owner] + size, self.limits)

    async def read(self, upload: Upload) -> bytes:
        """Return the content of an upload. Raises FileNotFoundError if it was deleted meanwhile."""
        return await self.run(self.storage.get, f"{upload.owner}/{upload.id}")

    async def pieces(self, file: StoredFile) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a file. Raises FileNotFoundError if it was deleted meanwhile."""
        opened = await self.acquire(self.storage.open, file.name)
        try:
            while piece := await self.run(opened.read, _PIECE):
                yield piece
        finally:
            await asyncio.shield(self._in_thread(opened.close))

    async def delete(self, file: StoredFile) -> None:
        # Without its record, a file no longer exists. Its data is deleted before the index is changed, which may need
        # room on a full disk.
        await self.run(self.storage.delete, f"{file.name}{RECORD_SUFFIX}")
        await self.run(self.storage.delete, file.name)
        await self._unlist(file.owner, file.id)

    async def _unlist(self, owner: str, file_id: str) -> None:
        """Remove a file that no longer exists from the index. A failure is logged, and the index follows the storage
        later."""
        with suppress(Unavailable):
            await self.run(self.index.remove, owner, file_id)

    @asynccontextmanager
    async def writing(self, owner: str) -> AsyncIterator["UploadWriter"]:
        """Begin a new file. It is deleted if the block ends without publishing it."""
        writing = UploadWriter(self, owner, f"file-{secrets.token_hex(16)}")
        try:
            await writing.begin()
            yield writing
        finally:
            await asyncio.shield(asyncio.create_task(writing.end()))

    async def purge(self, owner: str) -> int:
        """Delete all files of an owner, and return their number. Running servers no longer see them either."""
        names = await self.run(self.storage.sizes, owner)
        # Records are deleted first, because without its record a file no longer exists.
        for name in sorted(names, key=lambda name: not name.endswith(RECORD_SUFFIX)):
            await self.run(self.storage.delete, name)
        await self.run(self.index.erase, owner)
        await self.run(self.index.follow, owner)
        return sum(name.endswith(RECORD_SUFFIX) for name in names)

    async def sweep(self) -> None:
        """Delete expired files, and the remains of interrupted uploads."""
        for owner in await self.run(self.storage.folders):
            await self.run(self.index.follow, owner)
            for file in await self.run(self.index.all, owner):
                if self._has_expired(file):
                    await self.delete(file)
            names = await self.run(self.storage.sizes, owner)
            for name in names:
                if f"{name}{RECORD_SUFFIX}" not in names and not name.endswith(RECORD_SUFFIX):
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
        await self.index.close()

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call` in a thread. Raises FileNotFoundError, and Unavailable for any other OSError."""
        with self._failures():
            return await self._in_thread(call, *args, **kwargs)

    async def acquire(self, call: Callable[P, C], /, *args: P.args, **kwargs: P.kwargs) -> C:
        """Run `call` like `run`, and close its result if the caller is cancelled before getting it."""
        with self._failures():
            ended = self._in_thread(call, *args, **kwargs)
            try:
                return await asyncio.shield(ended)
            except asyncio.CancelledError:
                ended.add_done_callback(_close_result)
                raise

    def _in_thread(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *args, **kwargs))

    @contextmanager
    def _failures(self) -> Iterator[None]:
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
        except OSError as error:
            self.faults += 1
            log.exception("file_storage_failed")
            raise Unavailable(
                "The server's file storage is not working: the server's log says why.",
                code="storage_unavailable",
                retry_after=RETRY_S if ran_out(error) else None,
            ) from error

    def _has_expired(self, file: StoredFile) -> bool:
        return file.expires is not None and file.expires <= self.now()

    def _delete_abandoned(self, name: str) -> None:
        try:
            age_s = self.now() - self.storage.modified(name).timestamp()
        except FileNotFoundError:
            return
        if age_s > _ABANDONED_S:
            self.storage.delete(name)


def _close_result(ended: asyncio.Future[C]) -> None:
    if not ended.cancelled() and ended.exception() is None:
        ended.result().close()


class UploadWriter:
    """An upload in progress, begun and ended by a FileStore. Only the beginning of the file, and bytes that are not
    written yet, are in memory."""

    def __init__(self, store: "FileStore", owner: str, file_id: str) -> None:
        self._store = store
        self._owner = owner
        self._id = file_id
        self._name = f"{owner}/{file_id}"
        self._size = 0
        self._used = 0
        self._head = b""
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._file: IO[bytes] | None = None
        self._published = False

    async def begin(self) -> None:
        await self._store.follow(self._owner)
        self._file = await self._store.acquire(self._create)

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
            await self._flush()

    async def publish(self, filename: str, purpose: str, keep_s: float | None) -> StoredFile:
        """Publish the file to its owner, for `keep_s` seconds or forever. Raises BadRequest for an empty file, and
        PayloadTooLarge."""
        if not self._size:
            raise BadRequest("Field 'file': the file is empty", param="file")
        created = self._store.now()
        file = StoredFile(
            id=self._id,
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
        await asyncio.shield(asyncio.create_task(self._publish(file)))
        return file

    async def end(self) -> None:
        self._store.being_written[self._owner] -= self._size
        try:
            # On a full disk, closing fails if some bytes are not written yet.
            await self._close()
        finally:
            if not self._published:
                await self._store.run(self._store.storage.delete, self._name)

    def _create(self) -> IO[bytes]:
        number, self._used = self._store.index.totals(self._owner)
        _check_number(number + 1, self._store.limits)
        return self._store.storage.create(self._name)

    async def _publish(self, file: StoredFile) -> None:
        try:
            await self._store.run(self._write_last, file)
        except NoRoom as no_room:
            self._published = False
            limits = self._store.limits
            _check_number(limits.owner_files + no_room.too_many, limits)
            _check_room(limits.owner_bytes + 1, limits)
        except Exception:
            self._published = False
            raise

    def _write_last(self, file: StoredFile) -> None:
        """Write the rest of the file and then its record, in a single call of the threads that all keys share."""
        store, limits = self._store, self._store.limits
        open_file, self._file = self._file, None
        assert open_file is not None
        with open_file:
            self._write(open_file, self._unwritten)
        with store.index.adding(file, limits.owner_bytes, limits.owner_files):
            store.storage.put(f"{self._name}{RECORD_SUFFIX}", to_record(file))

    async def _flush(self) -> None:
        assert self._file is not None
        unwritten, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
        await self._store.run(self._write, self._file, unwritten)

    def _write(self, file: IO[bytes], pieces: list[bytes]) -> None:
        content = b"".join(pieces)
        self._store.storage.check_disk(len(content))
        file.write(content)

    async def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            await self._store.run(file.close)


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
