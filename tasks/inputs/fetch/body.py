"""Reads the responses of servers, with a bound on the size of the body."""

import asyncio
import io
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpcore

from tasks.inputs.fetch.heads import MAX_FIELDS
from tasks.inputs.fetch.url_policy import Fetch

ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Content encodings that are decoded here, with a bound on the size."""
_ANY_WINDOW = 47
"""zlib's `wbits` for a gzip or zlib stream, recognised by its header."""
_CHUNKS_AT_ONCE = 16
"""Number of chunks that are read before other tasks have their turn."""
_STEP = 1024 * 1024
"""Number of bytes that are decompressed at a time."""
_AT_ONCE = 4 * _STEP
"""Number of bytes that are decompressed before it is told that they have arrived."""
_FED = 4096
"""Number of compressed bytes that zlib gets at a time. It copies those that follow the end of a stream."""
MAX_STREAMS = 10_000
"""A compressed body consists of at most this many streams (the members of RFC 1952, 2.2). Most bodies are one; a file
of `bgzip` has one for each 64 KiB. An empty stream of 20 bytes takes zlib as long as some 200 bytes of text."""
_MAX_PACKED = 1.01
"""A compressed body has at most this many times the bytes that its content may have, plus _STEP bytes. Deflate adds 5
bytes to each 16 KiB that it cannot compress."""


@dataclass(frozen=True, slots=True)
class FetchedResponse:
    """A server's response to one request."""

    status: int
    headers: Mapping[str, str]
    """Headers by lower-case name; several values of a name are joined by commas."""
    data: bytes = b""
    """Decoded body of a successful response. The body of any other response is not read, nor for a fetch that needs no
    body."""


async def read_answer(response: httpcore.Response, visit: Fetch) -> FetchedResponse:
    """Read a response.

    Raises InputTooLarge (before reading the body if a header gives its size),
    InputError (`fetch_failed`) for more than MAX_FIELDS header fields and for an unknown or damaged compression, and
    httpcore's errors.
    """
    if len(response.headers) > MAX_FIELDS:
        raise visit.failed(f"was sent with {len(response.headers)} header fields; the limit is {MAX_FIELDS}")
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), _decode_header(raw_value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if not (visit.reads_body and 200 <= response.status < 300):
        return FetchedResponse(response.status, headers)
    return FetchedResponse(response.status, headers, await _read_body(response, headers, visit))


def _decode_header(value: bytes) -> str:
    """Decode a header: the standard says Latin-1, but servers send UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


async def _read_body(
    response: httpcore.Response,
    headers: Mapping[str, str],
    visit: Fetch,
) -> bytes:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise visit.failed("was sent with a compression that was not requested")
    is_plain = encoding in {"", "identity"}
    body = _BoundedBody(visit) if is_plain else _CompressedBody(visit)
    length = headers.get("content-length", "")
    if length.isdecimal():
        if int(length) > body.most_sent:
            raise visit.too_large()
        if is_plain:
            visit.arrived(int(length))
    try:
        chunks = 0
        async for chunk in response.aiter_stream():
            await body.add(chunk)
            chunks += 1
            if chunks % _CHUNKS_AT_ONCE == 0:
                await asyncio.sleep(0)  # a server may send each byte in a chunk of its own
        return await body.finish()
    finally:
        body.close()  # The traceback of an error may keep the body alive.


class _BoundedBody:
    """Collects an uncompressed body up to the size limit."""

    def __init__(self, visit: Fetch) -> None:
        self._visit = visit
        self.most_sent = visit.limit
        # BytesIO returns its bytes without a copy, unlike a list of parts or a bytearray.
        self._buffer = io.BytesIO()

    async def add(self, chunk: bytes) -> None:
        size = self._buffer.tell() + len(chunk)
        if size > self._visit.limit:
            raise self._visit.too_large()
        self._visit.arrived(size)
        self._buffer.write(chunk)

    async def finish(self) -> bytes:
        return self._buffer.getvalue()

    def close(self) -> None:
        self._buffer.close()


class _CompressedBody:
    """Decompresses a gzip or deflate body in two passes. The first counts the bytes as they arrive and keeps them
    compressed; the second, once the size is known to be within the limit, keeps the result. A decompression bomb thus
    takes no memory. The first pass already tells how much has arrived, so that a request whose bodies are too large
    together ends before all of them are decompressed."""

    def __init__(self, visit: Fetch) -> None:
        self._visit = visit
        self.most_sent = int(_MAX_PACKED * visit.limit) + _STEP
        self._counting = _Inflater()
        self._chunks: deque[bytes] = deque()
        self._packed = 0
        self._unpacked = 0

    async def add(self, chunk: bytes) -> None:
        self._packed += len(chunk)
        if self._packed > self.most_sent:
            raise self._visit.too_large()
        self._chunks.append(chunk)
        # A few kilobytes may expand a thousandfold, which takes too long for the event loop.
        pieces = self._counting.pieces(chunk)
        goes_on = True
        while goes_on:
            goes_on = await asyncio.to_thread(self._count, pieces)
            self._visit.arrived(self._unpacked)

    async def finish(self) -> bytes:
        if not self._counting.is_over:
            raise self._visit.failed("sent an incomplete compressed body")
        return await asyncio.to_thread(self._unpack)

    def close(self) -> None:
        self._chunks.clear()

    def _count(self, pieces: Iterator[bytes]) -> bool:
        """Count the next _AT_ONCE bytes. Return True if there may be more."""
        end = self._unpacked + _AT_ONCE
        try:
            for piece in pieces:
                if self._counting.streams > MAX_STREAMS:
                    raise self._visit.failed(
                        f"sent a compressed body of more than {MAX_STREAMS} gzip streams in a row, the limit"
                    )
                self._unpacked += len(piece)
                if self._unpacked > self._visit.limit:
                    raise self._visit.too_large()
                if self._unpacked >= end:
                    return True
        except zlib.error as error:
            raise self._visit.failed("sent a damaged compressed body") from error
        return False

    def _unpack(self) -> bytes:
        inflater, buffer = _Inflater(), io.BytesIO()
        while self._chunks:
            for piece in inflater.pieces(self._chunks.popleft()):
                buffer.write(piece)
        return buffer.getvalue()


class _Inflater:
    """Decompresses one compressed stream or several in sequence, at most `_STEP` bytes at a time."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_ANY_WINDOW)
        self.streams = 1
        """Number of streams that have begun."""

    @property
    def is_over(self) -> bool:
        return self._inflate.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes of the next chunk of the body. Raises zlib.error."""
        view = memoryview(chunk)
        for start in range(0, len(view), _FED):
            packed: bytes | memoryview = view[start : start + _FED]
            while packed:
                if self._inflate.eof:  # Otherwise the object would collect the bytes after the end of the stream.
                    self._inflate = zlib.decompressobj(_ANY_WINDOW)
                    self.streams += 1
                piece = self._inflate.decompress(packed, _STEP)
                yield piece
                while len(piece) == _STEP and not self._inflate.unconsumed_tail and not self._inflate.eof:
                    piece = self._inflate.decompress(b"", _STEP)
                    yield piece
                packed = self._inflate.unused_data or self._inflate.unconsumed_tail
