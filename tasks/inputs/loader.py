"""Reads the bytes of sources, each source only once, and opens them as documents and recordings."""

import asyncio
import binascii
import hashlib
import weakref
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import pybase64

from models.concurrency import WhileAwaited
from models.workers.pool import Workers
from tasks.errors import InputError, InputTooLarge
from tasks.inputs import media_types
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.decode import DecodedBudget, decode, open_file
from tasks.inputs.document import Document
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import SUPPORTED, media_type_named, media_type_of_file, sniff
from tasks.inputs.office.bounds import encrypted
from tasks.inputs.readers import READERS
from tasks.inputs.source import Arrival, Blob, Source
from tasks.inputs.text.charset import looks_like_text
from tasks.inputs.text.text_file import read_text

DECODERS = ("tasks.inputs.blame", "tasks.inputs.readers", "tasks.inputs.picture", "tasks.inputs.pdf.document")
"""Modules that decode usual files."""
_BLANKS = b"\r\n\t \v\f"
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_THREADS = 2
"""Number of threads that decode base64, identify and hash bytes."""
_HASHED_AT_ONCE = 64 << 10
"""At most this many bytes are hashed on the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The properties of an uploaded file that its source needs."""

    id: str
    owner: str
    size: int
    """Size in bytes."""
    filename: str
    media_type: str | None
    """Media type shown by the first bytes or the name."""


class Uploads(Protocol):
    async def find(self, owner: str, file_id: str) -> Upload | None:
        """Return the file, or None if `owner` has no such file or has deleted it."""

    async def read(self, upload: Upload) -> bytes:
        """Return the bytes of the file. Raises FileNotFoundError if it was deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class Payload:
    data: bytes
    media_type: str | None
    """Type that the data URL declares, without parameters."""
    charset: str | None


def decode_payload(source: Source, *, limit: int) -> Payload:
    """Decode the source's payload, of at most `limit` bytes.

    White space in base64 and missing padding are accepted, because many clients send such text, and so is the alphabet
    of URLs, which Gmail's API uses. Any other character outside of base64 is refused.

    Raises InputError and InputTooLarge.
    """
    payload = source.payload or b""
    text = payload.encode() if isinstance(payload, str) else bytes(payload)
    if text[:5].lower() != b"data:":
        complaint = f"'{source.param}' is neither a URL, a data URL nor valid base64."
        return Payload(_decode_base64(text, source, limit, complaint), None, None)
    head, _, body = text[5:].partition(b",")
    media_type, *parameters = (part.strip() for part in str(head, "utf-8", "replace").lower().split(";"))
    charset = next((part.removeprefix("charset=") for part in parameters if part.startswith("charset=")), None)
    data = unquote_to_bytes(body) if b"%" in body else body
    if "base64" in parameters:
        data = _decode_base64(data, source, limit, "invalid base64 payload in data URI")
    _check_size(len(data), source, limit)
    return Payload(data, media_type or None, charset)


def _decode_base64(text: bytes, source: Source, limit: int, complaint: str) -> bytes:
    text = text.translate(_URL_ALPHABET, _BLANKS)
    _check_size(len(text.rstrip(b"=")) * 3 // 4, source, limit)
    try:
        return pybase64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(complaint, param=source.param) from error


def _check_size(size: int, source: Source, limit: int) -> None:
    if size > limit:
        raise InputTooLarge(
            f"'{source.label}' is {megabytes(size)}; the limit is {megabytes(limit)} (OPENFAZE_MAX_PART_MB).",
            param=source.param,
        )


Result = TypeVar("Result")


class Once(Generic[Result]):
    """Work that is done only once. Its result, or the InputError that it raised, is remembered. After any other
    failure, the work is tried again.

    The work is cancelled when the last caller that waits for it leaves. An object of this class belongs to one event
    loop.
    """

    def __init__(self) -> None:
        self._running: WhileAwaited[Result] | None = None
        self._results: list[Result] = []
        self._complaint: InputError | None = None

    async def get(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Return the result of `work()`, which is called unless a previous call succeeded, raised InputError or is
        still running."""
        if self._results:
            return self._results[0]
        if self._complaint:
            raise copy(self._complaint)
        if self._running is None or not self._running.can_be_joined:
            self._running = running = WhileAwaited(self._run(work))
            # A failed asyncio task refers to the frames of its traceback, and these refer back to this object.
            running.call_when_done(lambda: self._forget(running))
        return await self._running.join()

    def _forget(self, ended: WhileAwaited[Result]) -> None:
        if self._running is ended:
            self._running = None

    async def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        try:
            result = await work()
        except InputError as error:
            # A copy is remembered, because the error itself would collect the frames through which it is raised.
            self._complaint = copy(error)
            raise
        self._results.append(result)
        return result


class MediaLoader:
    """Reads the bytes of sources within `limits`, and opens them as documents and recordings, in `workers`.

    The bytes of a source are read once, and remembered for as long as it exists or until they are forgotten. Closing
    the loader closes `fetcher` and `workers`.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        limits: MediaLimits,
        workers: Workers | None = None,
        uploads: Uploads | None = None,
    ) -> None:
        self.limits = limits
        self.workers = workers or Workers()
        self._fetcher = fetcher
        self._uploads = uploads
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="media")
        self._budget = DecodedBudget(limits.decoded_bytes, largest=3 * limits.image_pixels)
        self._read: weakref.WeakKeyDictionary[Source, Once[Blob]] = weakref.WeakKeyDictionary()
        self._digests: weakref.WeakKeyDictionary[Source, bytes] = weakref.WeakKeyDictionary()

    async def load(self, source: Source) -> Blob:
        """Return the bytes of `source`, of any type.

        Raises InputError (malformed, empty, not fetched, `file_not_found`), InputTooLarge.
        """
        once = self._read.get(source)
        if once is None:
            once = self._read[source] = Once()
        return await once.get(lambda: self._blob(source))

    def forget(self, source: Source) -> None:
        """Forget the bytes of `source`, which nobody is going to read again."""
        self._read.pop(source, None)

    async def digest(self, source: Source) -> bytes:
        """Return the SHA-256 of the source's bytes. Raises what `load` raises."""
        found = self._digests.get(source)
        if found is None:
            data = (await self.load(source)).data
            # Switching to a thread takes longer than hashing a few bytes.
            small = len(data) <= _HASHED_AT_ONCE
            found = _digest_of(data) if small else await self._in_thread(_digest_of, data)
            self._digests[source] = found
        return found

    async def content(self, source: Source) -> Sequence[str]:
        """Return the digest of the source's bytes, their type and, for a text, their charset. Equal bytes have equal
        results, unless their type or charset comes from a declaration or a file name. Raises what `load` raises."""
        digest, blob = await self.digest(source), await self.load(source)
        charset = blob.charset if blob.media_type in media_types.TEXTS else None
        return [digest.hex(), blob.media_type, charset or ""]

    async def open(self, source: Source) -> Document:
        """Open `source` as a document.

        Raises what `load` raises; InputError for a type that is not a document (`unsupported_media_type`) and for a
        damaged, encrypted (`encrypted_pdf`, `encrypted_document`) or too large (`image_too_large`) file; InputTooLarge
        for one that unpacks to too much.
        """
        return await self.open_blob(await self.load(source))

    async def open_blob(self, blob: Blob) -> Document:
        """Open loaded bytes as a document. Raises what `open` raises."""
        if reader := READERS.get(blob.media_type):
            file = await open_file(self.workers, blob, reader, blob, self.limits)
            return await Document.of_file(blob, file, self._budget)
        if blob.media_type in media_types.TEXTS:
            text = await decode(self.workers, blob, read_text, blob, self.limits)
            return await asyncio.to_thread(Document.of_text, blob, text, self._budget)
        if blob.media_type == media_types.OLE:
            raise await decode(self.workers, blob, ole_refusal, blob)
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
        file = await open_file(self.workers, blob, AudioDecoder, blob, self.limits)
        return await Recording.of_file(blob, file, self.limits, self._budget)

    async def close(self) -> None:
        await asyncio.gather(self._fetcher.close(), self.workers.close())
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def _blob(self, source: Source) -> Blob:
        if source.url is not None:
            blob = await self._fetched(source.url, source)
        elif source.file_id is not None:
            blob = await self._uploaded(source.file_id, source)
        elif source.data is not None:
            blob = await self._in_thread(self._sent, source.data, source)
        else:
            blob = await self._in_thread(self._decoded, source)
            _take_from_total(source, len(blob.data))
        if not blob.data:
            raise blob.error("is empty (0 bytes).")
        return blob

    async def _fetched(self, url: str, source: Source) -> Blob:
        arrival = Arrival(source.total, source.param)
        fetched = await self._fetcher.fetch(
            url,
            param=source.param,
            max_bytes=self.limits.fetch_bytes,
            arrived=arrival.grow,
        )
        arrival.grow(len(fetched.data))
        filename = source.filename or unquote(urlsplit(fetched.url).path.rpartition("/")[2]) or None
        declared = (source.format, fetched.media_type)
        media_type = await self._in_thread(_identify, fetched.data, declared, filename)
        return Blob(fetched.data, media_type, filename, source.param, fetched.charset)

    async def _uploaded(self, file_id: str, source: Source) -> Blob:
        upload = await self._uploads.find(source.owner, file_id) if self._uploads and source.owner else None
        try:
            if upload is None or self._uploads is None:
                raise FileNotFoundError
            _take_from_total(source, upload.size)
            data = await self._uploads.read(upload)
        except FileNotFoundError:
            raise InputError(f"There is no file '{file_id}'.", code="file_not_found", param=source.param) from None
        filename = source.filename or upload.filename
        media_type = await self._in_thread(_identify, data, (source.format, upload.media_type), filename)
        return Blob(data, media_type, filename, source.param)

    async def _in_thread(self, function: Callable[..., Result], *args: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _sent(self, data: bytes, source: Source) -> Blob:
        return Blob(data, _identify(data, (source.format,), source.filename), source.filename, source.param)

    def _decoded(self, source: Source) -> Blob:
        payload = decode_payload(source, limit=self.limits.part_bytes)
        media_type = _identify(payload.data, (payload.media_type, source.format), source.filename)
        return Blob(payload.data, media_type, source.filename, source.param, payload.charset)


def _digest_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _take_from_total(source: Source, size: int) -> None:
    if source.total is not None:
        source.total.take(size, source.param)


def _identify(data: bytes, declared: tuple[str | None, ...], filename: str | None) -> str:
    """Return the type that the bytes show, or else the first declared type, or else the type that the file name
    indicates, or else plain text or unknown.

    Audio and video always show their type. Text that is declared as audio or video, for instance a server's error page,
    is plain text.
    """
    names = (*map(media_type_named, declared), media_type_of_file(filename))
    named = next(filter(None, names), None)
    if named in media_types.DEMUXERS and looks_like_text(data):
        named = None
    if found := sniff(data, text=named in media_types.TEXTS) or named:
        return found
    return "text/plain" if looks_like_text(data) else media_types.UNKNOWN


def ole_refusal(blob: Blob) -> InputError:
    """Return the error for an OLE file: `encrypted_document` ([MS-OFFCRYPTO] 2.3.4), or else
    `unsupported_media_type`."""
    if media_types.has_ole_entry(blob.data, "EncryptedPackage"):
        return encrypted(blob)
    return blob.error(
        "is a file in the old format of office programs (doc, ppt, xls), which is not supported: save it as docx, "
        "pptx, xlsx or PDF.",
        code="unsupported_media_type",
    )
