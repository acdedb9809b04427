"""One upload, from its first byte until others can see it."""

import asyncio
from typing import IO, TYPE_CHECKING

from app.errors import BadRequest, PayloadTooLarge
from app.files.index import KNOWN, NoRoom, StoredFile, to_record
from tasks.inputs.limits import megabytes
from tasks.inputs.media_types import TEXTS, media_type_of_file
from tasks.inputs.sniff import sniff

if TYPE_CHECKING:
    from app.files.store import FileStore

_HEAD = 64 * 1024
"""Bytes by which the type of a file is told."""
_AT_ONCE = 128 * 1024
"""Bytes that are written in one go: each takes a turn of the threads that keys share."""


class Writing:
    """A FileStore begins and ends it. Nothing of the file stays in memory but its first bytes, and
    the last until they are written."""

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
        """Raises PayloadTooLarge, before it writes, where the file or all of its owner's become too large."""
        assert self._file is not None
        limits = self._store.limits
        self._size += len(piece)
        self._store.being_written[self._owner] += len(piece)
        if self._size > limits.file_bytes:
            raise PayloadTooLarge(
                f"The file is larger than {megabytes(limits.file_bytes)} (OPENFAZE_MAX_FILE_MB).",
                code="file_too_large",
                param="file",
            )
        self._check_room(self._used + self._store.being_written[self._owner])
        self._head += piece[: _HEAD - len(self._head)]
        self._unwritten.append(piece)
        self._unwritten_bytes += len(piece)
        if self._unwritten_bytes >= _AT_ONCE:
            await self._flush()

    async def publish(self, filename: str, purpose: str, keep_s: float | None) -> StoredFile:
        """The file, which its owner sees from now on, for `keep_s` seconds or for ever. Raises BadRequest where nothing
        was written, and PayloadTooLarge."""
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
        # Begun, it is finished, though the caller may leave meanwhile: there must be all of it, or nothing.
        self._published = True
        await asyncio.shield(asyncio.create_task(self._publish(file)))
        return file

    async def end(self) -> None:
        self._store.being_written[self._owner] -= self._size
        try:
            # On a full disk, what was not written yet fails now.
            await self._close()
        finally:
            if not self._published:
                await self._store.run(self._store.storage.delete, self._name)

    def _create(self) -> IO[bytes]:
        number, self._used = self._store.index.totals(self._owner)
        self._check_number(number + 1)
        return self._store.storage.create(self._name)

    async def _publish(self, file: StoredFile) -> None:
        try:
            await self._store.run(self._write_last, file)
        except NoRoom as no_room:
            self._published = False
            limits = self._store.limits
            self._check_number(limits.owner_files + no_room.too_many)
            self._check_room(limits.owner_bytes + 1)
        except Exception:
            self._published = False
            raise

    def _write_last(self, file: StoredFile) -> None:
        """What is left of the file, and the record by which others know it: all in one turn of the threads."""
        store, limits = self._store, self._store.limits
        open_file, self._file = self._file, None
        assert open_file is not None
        with open_file:
            open_file.write(b"".join(self._unwritten))
        store.index.add(file, limits.owner_bytes, limits.owner_files)
        try:
            store.storage.put(f"{self._name}{KNOWN}", to_record(file))
        except Exception:
            store.index.remove(self._owner, self._id)
            raise

    async def _flush(self) -> None:
        assert self._file is not None
        piece = b"".join(self._unwritten)
        self._unwritten, self._unwritten_bytes = [], 0
        await self._store.run(self._file.write, piece)

    async def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            await self._store.run(file.close)

    def _check_number(self, number: int) -> None:
        limit = self._store.limits.owner_files
        if number > limit:
            raise PayloadTooLarge(
                f"With this file, you have more than {limit} files (OPENFAZE_MAX_FILES). Delete some.",
                code="storage_full",
                param="file",
            )

    def _check_room(self, size: int) -> None:
        limit = self._store.limits.owner_bytes
        if size > limit:
            raise PayloadTooLarge(
                f"With this file, your files are more than {megabytes(limit)} (OPENFAZE_MAX_FILES_MB). Delete some.",
                code="storage_full",
                param="file",
            )


def _media_type(head: bytes, filename: str) -> str | None:
    named = media_type_of_file(filename)
    return sniff(head, text=named in TEXTS) or named
