"""Reading a response body of bounded size."""

import asyncio
import zlib

import httpcore

from tasks.media.visit import Visit

_ANY_WINDOW = 47
"""zlib's `wbits` for "gzip or zlib, whichever the header says"."""


async def read_body(response: httpcore.Response, headers: dict[bytes, str], visit: Visit) -> bytes:
    """The decoded body, at most `visit.limit` bytes of it.

    Raises InputTooLarge, before reading where the header says so; InputError (`fetch_failed`) for a compression
    that is unknown or damaged; httpcore's errors.
    """
    length = headers.get(b"content-length", "")
    if length.isdecimal() and int(length) > visit.limit:
        raise visit.too_large()
    decoder = _Decoder(headers.get(b"content-encoding", ""), visit)
    parts: list[bytes] = []
    room = visit.limit
    async for chunk in response.aiter_stream():
        part = await decoder.decode(chunk, room + 1)
        room -= len(part)
        if room < 0:
            raise visit.too_large()
        parts.append(part)
    decoder.finish()
    return b"".join(parts)


class _Decoder:
    """Undoes the compression that some servers apply unasked, never producing more than it is told to."""

    def __init__(self, encoding: str, visit: Visit) -> None:
        encoding = encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise visit.failed("sent a compression that was not asked for")
        self._inflate = None if encoding in {"", "identity"} else zlib.decompressobj(_ANY_WINDOW)
        self._visit = visit

    async def decode(self, chunk: bytes, room: int) -> bytes:
        if self._inflate is None:
            return chunk
        try:
            # A few kilobytes may expand a thousandfold, which is too long for the event loop.
            return await asyncio.to_thread(self._inflate.decompress, chunk, room)
        except zlib.error as error:
            raise self._visit.failed("sent a damaged compressed body") from error

    def finish(self) -> None:
        if self._inflate is not None and not self._inflate.eof:
            raise self._visit.failed("sent an incomplete compressed body")
