"""Reads the bytes of sources, each source only once."""

import asyncio
import binascii
import io
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import pybase64

from models.concurrency import WhileAwaited
from tasks.errors import InputError, InputTooLarge
from tasks.inputs import media_types
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import media_type_named, media_type_of_file, sniff
from tasks.inputs.source import HEAD, Arrival, Blob, Source
from tasks.inputs.text.charset import looks_like_text

_BLANKS = b"\r\n\t \v\f"
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_PIECE = 1 << 20
"""Inputs are decoded in pieces of this many bytes, so that no second copy of a whole input exists and other threads run
in between."""
_TAIL = 64
"""The padding, which may be mixed with white space, is searched for in this many bytes at the end."""


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


def decode_payload(source: Source, *, limit: int, piece: int = _PIECE) -> Payload:
    """Decode the source's payload.

    The size is known from the length of the text, so more than `limit` bytes are never decoded. White space in base64
    and missing padding are accepted, because many clients send such text, and so is the alphabet of URLs, which
    Gmail's API uses. Any other character outside of base64 is refused.

    Raises InputError and InputTooLarge.
    """
    text = source.payload or b""
    whole = memoryview(text.encode() if isinstance(text, str) else text)
    if bytes(whole[:5]).lower() != b"data:":
        complaint = f"'{source.param}' is neither a URL, a data URL nor valid base64."
        _check_size(whole, source, limit, is_base64=True, piece=piece)
        return Payload(_join_pieces(_decode_base64(_split_pieces(whole, piece), complaint, source)), None, None)

    head, comma, _ = bytes(whole[5:HEAD]).partition(b",")
    body = whole[5 + len(head) + len(comma) :]
    media_type, *parameters = (part.strip() for part in str(head, "utf-8", "replace").lower().split(";"))
    charset = next((part.removeprefix("charset=") for part in parameters if part.startswith("charset=")), None)
    is_base64 = "base64" in parameters
    _check_size(body, source, limit, is_base64=is_base64, piece=piece)
    data = _unquote(_split_pieces(body, piece))
    if is_base64:
        data = _decode_base64(data, "invalid base64 payload in data URI", source)
    return Payload(_join_pieces(data), media_type or None, charset)


def _split_pieces(text: memoryview, piece: int) -> Iterator[bytes]:
    for start in range(0, len(text), piece):
        yield bytes(text[start : start + piece])


def _join_pieces(pieces: Iterable[bytes]) -> bytes:
    file = io.BytesIO()
    file.writelines(pieces)
    return file.getvalue()


def _unquote(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Replace each escape such as `%41` by its byte."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        mark = text.rfind(b"%", max(len(text) - 2, 0))
        rest = text[mark:] if mark >= 0 else b""
        text = text[: len(text) - len(rest)]
        yield unquote_to_bytes(text) if b"%" in text else text
    yield rest


def _decode_base64(pieces: Iterable[bytes], complaint: str, source: Source) -> Iterator[bytes]:
    rest = b""
    try:
        for piece in pieces:
            text = rest + piece.translate(_URL_ALPHABET, _BLANKS)
            # The last four characters are held back, because only they may be padded, and more may follow.
            cut = max(len(text) - 4, 0) // 4 * 4
            text, rest = text[:cut], text[cut:]
            if b"=" in text:
                raise binascii.Error("text after the padding")
            yield pybase64.b64decode(text, validate=True)
        yield pybase64.b64decode(rest + b"=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(complaint, param=source.param) from error


def _check_size(text: memoryview, source: Source, limit: int, *, is_base64: bool, piece: int) -> None:
    """Check the size by the length of `text`. The characters are counted only if the length may be too large."""
    size = len(text) * 3 // 4 if is_base64 else len(text)
    if size <= limit:
        return
    length = len(text) - 2 * sum(part.count(b"%") for part in _split_pieces(text, piece))
    if is_base64:
        length -= sum(len(part) - len(part.translate(None, _BLANKS)) for part in _split_pieces(text, piece))
    padding = bytes(text[-_TAIL:]).translate(None, _BLANKS)[-2:].count(b"=")
    size = length * 3 // 4 - padding if is_base64 else length
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


class SourceReader:
    """Reads sources, and remembers the bytes of each as long as the source exists or until they are forgotten."""

    def __init__(
        self,
        fetcher: Fetcher,
        limits: MediaLimits,
        threads: ThreadPoolExecutor,
        uploads: Uploads | None,
    ) -> None:
        """Bytes are decoded and identified in `threads`."""
        self._fetcher = fetcher
        self._limits = limits
        self._threads = threads
        self._uploads = uploads
        self._read: weakref.WeakKeyDictionary[Source, Once[Blob]] = weakref.WeakKeyDictionary()

    async def read(self, source: Source) -> Blob:
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
            max_bytes=self._limits.fetch_bytes,
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
        payload = decode_payload(source, limit=self._limits.part_bytes)
        media_type = _identify(payload.data, (payload.media_type, source.format), source.filename)
        return Blob(payload.data, media_type, source.filename, source.param, payload.charset)


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
    plain = "text/plain" if looks_like_text(data) else media_types.UNKNOWN
    if plain != media_types.UNKNOWN and named in media_types.DEMUXERS:
        named = None
    return sniff(data, text=named in media_types.TEXTS) or named or plain
