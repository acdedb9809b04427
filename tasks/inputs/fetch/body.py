"""Reading an answer whose body is of bounded size."""

import asyncio
import io
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpcore

from tasks.inputs.fetch.url_policy import Fetch

ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Content encodings that are undone here, with a bound."""
_ANY_WINDOW = 47
"""zlib's `wbits` for "gzip or zlib, whichever the header says"."""
_STEP = 1024 * 1024
"""Bytes that are unpacked at a time."""
_MOST_PACKED = 1.01
"""Times its size that a packed body may take: deflate adds 5 bytes to 16 KiB that it cannot compress."""


@dataclass(frozen=True, slots=True)
class FetchedResponse:
    """What a server said to one request."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; several of a name joined by commas."""
    data: bytes = b""
    """The body, decoded. Read for success only: nobody wants the page that comes with an error."""


async def read_answer(response: httpcore.Response, visit: Fetch) -> FetchedResponse:
    """Raises InputTooLarge, before reading where a header says so; InputError (`fetch_failed`) for a compression that
    is unknown or damaged; httpcore's errors."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), _text(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if not 200 <= response.status < 300:
        return FetchedResponse(response.status, headers)
    return FetchedResponse(response.status, headers, await _read_body(response, headers, visit))


def _text(value: bytes) -> str:
    """Headers are Latin-1 by the standard, and UTF-8 in practice."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _read_body(response: httpcore.Response, headers: Mapping[str, str], visit: Fetch) -> bytes:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise visit.failed("sent a compression that was not asked for")
    body = _BoundedBody(visit) if encoding in {"", "identity"} else _Compressed(visit)
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > body.most_sent:
        raise visit.too_large()
    try:
        async for chunk in response.aiter_stream():
            await body.add(chunk)
        return await body.finish()
    finally:
        body.close()  # however long the traceback of an error lives


class _BoundedBody:
    """Collects a body, up to the visit's limit."""

    def __init__(self, visit: Fetch) -> None:
        self._visit = visit
        self.most_sent = visit.limit
        # Hands its bytes over at the end without a copy, unlike a list of parts or a bytearray.
        self._buffer = io.BytesIO()

    async def add(self, chunk: bytes) -> None:
        if self._buffer.tell() + len(chunk) > self._visit.limit:
            raise self._visit.too_large()
        self._buffer.write(chunk)

    async def finish(self) -> bytes:
        return self._buffer.getvalue()

    def close(self) -> None:
        self._buffer.close()


class _Compressed:
    """Undoes gzip and deflate, twice: what comes is unpacked as it comes to be counted, and kept as it is; at the end,
    when its size is known to be within the limit, it is unpacked to be kept. A bomb costs no memory so."""

    def __init__(self, visit: Fetch) -> None:
        self._visit = visit
        self.most_sent = int(_MOST_PACKED * visit.limit) + _STEP
        self._counting = _Inflater()
        self._chunks: deque[bytes] = deque()
        self._packed = 0
        self._unpacked = 0

    async def add(self, chunk: bytes) -> None:
        self._packed += len(chunk)
        if self._packed > self.most_sent:
            raise self._visit.too_large()
        self._chunks.append(chunk)
        # A few kilobytes may expand a thousandfold, which is too long for the event loop.
        await asyncio.to_thread(self._count, chunk)

    async def finish(self) -> bytes:
        if not self._counting.is_over:
            raise self._visit.failed("sent an incomplete compressed body")
        return await asyncio.to_thread(self._unpack)

    def close(self) -> None:
        self._chunks.clear()

    def _count(self, chunk: bytes) -> None:
        try:
            for piece in self._counting.pieces(chunk):
                self._unpacked += len(piece)
                if self._unpacked > self._visit.limit:
                    raise self._visit.too_large()
        except zlib.error as error:
            raise self._visit.failed("sent a damaged compressed body") from error

    def _unpack(self) -> bytes:
        inflater, buffer = _Inflater(), io.BytesIO()
        while self._chunks:
            buffer.writelines(inflater.pieces(self._chunks.popleft()))
        return buffer.getvalue()


class _Inflater:
    """Unpacks a body of one compressed file or of several that follow each other, at most `_STEP` bytes at a time."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_ANY_WINDOW)

    @property
    def is_over(self) -> bool:
        return self._inflate.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk`, the next of the body, unpacks to. Raises zlib.error."""
        while chunk:
            if self._inflate.eof:  # what follows would pile up in it
                self._inflate = zlib.decompressobj(_ANY_WINDOW)
            piece = self._inflate.decompress(chunk, _STEP)
            yield piece
            while len(piece) == _STEP and not self._inflate.unconsumed_tail and not self._inflate.eof:
                piece = self._inflate.decompress(b"", _STEP)
                yield piece
            chunk = self._inflate.unused_data or self._inflate.unconsumed_tail
