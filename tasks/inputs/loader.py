"""Loads sources: gets the bytes of a source, and opens the bytes as a document."""

import asyncio
import contextlib
import hashlib
import weakref
from collections.abc import Sequence
from functools import partial

from models.fair_executor import FairExecutor, Rests
from models.loop_turns import LoopTurns
from models.request_memory import HeldWords, RequestMemory
from tasks.errors import InputError
from tasks.inputs import media_types
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.decode.budget import DecodedBudget
from tasks.inputs.decode.channel import Sessions
from tasks.inputs.decode.lane import DecodeLimits, native_sessions
from tasks.inputs.decode.threads import Worker
from tasks.inputs.document import Document
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import SUPPORTED
from tasks.inputs.office.bounds import encrypted
from tasks.inputs.readers import IN_PROCESSES, IN_THREADS, Heavy
from tasks.inputs.reading import SourceReader, Uploads
from tasks.inputs.source import Blob, Source
from tasks.inputs.text.text_file import read_text

_OLD_KINDS = {
    "WordDocument": ("doc", "docx"),
    "PowerPoint Document": ("ppt", "pptx"),
    "Workbook": ("xls", "xlsx"),
    "Book": ("xls", "xlsx"),
}
"""Streams that identify an office file of the old kind, each with the suffixes of the old format and of the format in
which to save the file."""
_DECODERS = 2
"""Number of threads that decode light pictures and short texts. They compete for Python's lock, and a key among others
has half of them."""
_SMALL_TEXT = 64 << 10
"""A text of more bytes is decoded in a thread for texts, one at a time. Decoding holds Python's lock."""
_HASHED_AT_ONCE = 64 << 10
"""At most this many bytes are hashed on the event loop, because switching to a thread would take longer."""


def ole_refusal(blob: Blob) -> InputError:
    """Return the error for an OLE file: `encrypted_document` ([MS-OFFCRYPTO] 2.3.4), or else
    `unsupported_media_type`."""
    if media_types.has_ole_entry(blob.data, "EncryptedPackage"):
        return encrypted(blob)
    why = f"is an OLE compound file, which cannot be read as a document. Supported: {SUPPORTED}."
    if kind := next((kind for kind in _OLD_KINDS if media_types.has_ole_entry(blob.data, kind)), None):
        old, new = _OLD_KINDS[kind]
        why = f"is an office file in the old format ({old}), which is not supported: save it as {new} or PDF."
    return blob.error(why, code="unsupported_media_type")


class MediaLoader:
    """Reads sources within `limits`, in its own threads and in processes limited by `decoding`. Keys whose large texts
    are decoded rest by `rests`. Closing the loader closes `fetcher`."""

    def __init__(
        self,
        fetcher: Fetcher,
        limits: MediaLimits,
        decoding: DecodeLimits | None = None,
        uploads: Uploads | None = None,
        memory: RequestMemory | None = None,
        rests: Rests | None = None,
    ) -> None:
        self.limits = limits
        self._memory = memory
        self._fetcher = fetcher
        self._decoding = Worker("media", threads=_DECODERS)
        self._texts = FairExecutor("texts", rests=rests)
        self._reader = SourceReader(fetcher, limits, self._decoding, uploads, self._texts, memory)
        self.processes: Sessions = native_sessions(decoding or DecodeLimits())
        self._budget = DecodedBudget(limits.decoded_bytes, largest=3 * limits.image_pixels)
        self._digests: weakref.WeakKeyDictionary[Source, bytes] = weakref.WeakKeyDictionary()

    async def hold_words(self, size: int) -> HeldWords | None:
        """Hold `size` bytes for the words of a document, until the request ends. Return None if memory is not counted.
        Raises what `RequestMemory.hold_words` raises."""
        return None if self._memory is None else await self._memory.hold_words(size)

    async def digest(self, source: Source) -> bytes:
        """Return the SHA-256 of the source's bytes. Raises what `load` raises."""
        found = self._digests.get(source)
        if found is None:
            data = (await self.load(source)).data
            if len(data) <= _HASHED_AT_ONCE:
                found = hashlib.sha256(data).digest()
            else:
                found = await self._decoding.run(lambda: hashlib.sha256(data).digest())
            self._digests[source] = found
        return found

    async def content(self, source: Source) -> Sequence[str]:
        """Return the digest of the source's bytes, their type and, for a text, their charset. Equal bytes have equal
        results, unless their type or charset comes from a declaration or a file name. Raises what `load` raises."""
        digest, blob = await self.digest(source), await self.load(source)
        charset = blob.charset if blob.media_type in media_types.TEXTS else None
        return [digest.hex(), blob.media_type, charset or ""]

    async def load(self, source: Source) -> Blob:
        """Return the bytes of `source`, of any type. The bytes are read once, and remembered for as long as `source`
        exists or until `forget` is called.

        Raises InputError (malformed, empty, not fetched, `file_not_found`), InputTooLarge, and what
        `RequestMemory.hold` raises.
        """
        return await self._reader.read(source)

    def forget(self, source: Source) -> None:
        """Forget the bytes of `source`, which nobody is going to read again."""
        self._reader.forget(source)

    async def open(self, source: Source) -> Document:
        """Open `source` as a document.

        Raises what `load` raises; InputError for a type that is not a document (`unsupported_media_type`) and for a
        damaged, encrypted (`encrypted_pdf`, `encrypted_document`) or too large (`image_too_large`) file; InputTooLarge
        for one that unpacks to too much.
        """
        return await self.open_blob(await self.load(source))

    async def open_blob(self, blob: Blob) -> Document:
        """Open loaded bytes as a document. Raises what `open` raises."""
        if light_reader := IN_THREADS.get(blob.media_type):
            with contextlib.suppress(Heavy):
                is_contested = LoopTurns.of_running_loop().rivalry.is_on
                session = await self._decoding.open(light_reader, blob, self.limits, is_contested=is_contested)
                in_process = partial(self.processes.open, IN_PROCESSES[blob.media_type], blob, self.limits)
                return await Document.of_session(blob, session, self._budget, in_process)
        if reader := IN_PROCESSES.get(blob.media_type):
            return await Document.of_session(blob, await self.processes.open(reader, blob, self.limits), self._budget)
        if blob.media_type in media_types.TEXTS:
            worker = self._decoding if len(blob.data) <= _SMALL_TEXT else self._texts
            return await worker.run(lambda: Document.of_text(blob, read_text(blob, self.limits), self._budget))
        if blob.media_type == media_types.OLE:
            raise await self._decoding.run(ole_refusal, blob)
        raise blob.error(
            f"is {blob.media_type}, which cannot be read as a document or image. Supported: {SUPPORTED}.",
            code="unsupported_media_type",
        )

    async def open_recording(self, source: Source) -> Recording:
        """Open the sound of an audio or video file.

        Raises what `load` raises; InputError for a type without sound (`unsupported_media_type`), a file without an
        audio track (`no_audio`) and a damaged one; InputTooLarge for one that is too long (`audio_too_long`).
        """
        blob = await self.load(source)
        if blob.media_type not in media_types.DEMUXERS:
            raise blob.error(
                f"is {blob.media_type}, which is neither audio nor video. Supported: {media_types.SUPPORTED_SOUND}.",
                code="unsupported_media_type",
            )
        session = await self.processes.open(AudioDecoder, blob, self.limits)
        return await Recording.of_session(blob, session, self.limits, self._budget)

    async def close(self) -> None:
        await asyncio.gather(self._fetcher.close(), self._decoding.close(), self._texts.close(), self.processes.close())
