"""Reads the responses of servers, with a bound on the size of the body."""

import asyncio
import io
import zlib
from dataclasses import dataclass

import httpcore
import httpx

from tasks.inputs.fetch.url_policy import Fetch

ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
"""Content encodings that are decoded here, with a bound on the size."""
_ANY_WINDOW = 47
"""zlib's `wbits` for a gzip or zlib stream, recognised by its header."""
_CHUNKS_AT_ONCE = 16
"""Number of chunks that are read before other tasks have their turn."""
_STEP = 1024 * 1024
"""Number of bytes that are decompressed at a time."""


@dataclass(frozen=True, slots=True)
class FetchedResponse:
    """A server's response to one request."""

    status: int
    headers: httpx.Headers
    data: bytes = b""
    """Decoded body of a successful response. The body of any other response is not read, nor for a fetch that needs no
    body."""


async def read_answer(response: httpcore.Response, visit: Fetch) -> FetchedResponse:
    """Read a response.

    Raises InputTooLarge (before reading the body if a header gives its size),
    InputError (`fetch_failed`) for an unknown or damaged compression, and httpcore's errors.
    """
    headers = httpx.Headers(response.headers)
    if not (visit.reads_body and 200 <= response.status < 300):
        return FetchedResponse(response.status, headers)
    return FetchedResponse(response.status, headers, await _read_body(response, headers, visit))


async def _read_body(response: httpcore.Response, headers: httpx.Headers, visit: Fetch) -> bytes:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise visit.failed("was sent with a compression that was not requested")
    body = _Body(visit)
    inflater = None if encoding in {"", "identity"} else _Inflater(body)
    length = headers.get("content-length", "")
    if inflater is None and length.isdecimal():
        if int(length) > visit.limit:
            raise visit.too_large()
        visit.arrived(int(length))
    try:
        chunks = 0
        async for chunk in response.aiter_stream():
            if inflater is None:
                body.add(chunk)
            else:
                # A few kilobytes may expand a thousandfold, which takes too long for the event loop.
                await asyncio.to_thread(inflater.add, chunk)
            visit.arrived(body.size)
            chunks += 1
            if chunks % _CHUNKS_AT_ONCE == 0:
                await asyncio.sleep(0)  # a server may send each byte in a chunk of its own
        if inflater is not None and not inflater.is_over:
            raise visit.failed("sent an incomplete compressed body")
        return body.data
    except zlib.error as error:
        raise visit.failed("sent a damaged compressed body") from error
    finally:
        body.close()  # The traceback of an error may keep the body alive.


class _Body:
    """Collects a decoded body up to the size limit."""

    def __init__(self, visit: Fetch) -> None:
        self._visit = visit
        # BytesIO returns its bytes without a copy, unlike a list of parts or a bytearray.
        self._buffer = io.BytesIO()

    @property
    def size(self) -> int:
        return self._buffer.tell()

    @property
    def data(self) -> bytes:
        return self._buffer.getvalue()

    def add(self, piece: bytes) -> None:
        """Add a piece. Raises InputTooLarge."""
        if self.size + len(piece) > self._visit.limit:
            raise self._visit.too_large()
        self._buffer.write(piece)

    def close(self) -> None:
        self._buffer.close()


class _Inflater:
    """Decompresses one compressed stream or several in sequence, at most `_STEP` bytes at a time."""

    def __init__(self, body: _Body) -> None:
        self._inflate = zlib.decompressobj(_ANY_WINDOW)
        self._body = body

    @property
    def is_over(self) -> bool:
        return self._inflate.eof

    def add(self, chunk: bytes) -> None:
        """Decompress the next chunk into the body. Raises zlib.error and InputTooLarge."""
        packed = chunk
        while packed:
            if self._inflate.eof:  # Otherwise the object would collect the bytes after the end of the stream.
                self._inflate = zlib.decompressobj(_ANY_WINDOW)
            self._body.add(self._inflate.decompress(packed, _STEP))
            packed = self._inflate.unused_data or self._inflate.unconsumed_tail
        while not self._inflate.eof and (piece := self._inflate.decompress(b"", _STEP)):
            self._body.add(piece)
