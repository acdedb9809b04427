"""Sends JSON responses of any size as fast as the client receives them and its key may send."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import IO, ClassVar

import pydantic_core
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http.disconnect import until_disconnect
from models.loop_turns import LoopTurns

_LARGE = 1024 * 1024
"""A response of at least this size, in bytes, is sent in chunks."""
_PIECE = 256 * 1024
MAX_IN_MEMORY = 64 * 1024 * 1024
"""Largest total size, in bytes, of the large responses that wait in memory for their clients. Further responses wait in
files."""


async def json_response(content: bytes | Sequence[bytes], headers: Mapping[str, str]) -> Response:
    """Return a response with `content`, whole or in pieces.

    A large response is sent as fast as the client receives it. It is sent from memory while MAX_IN_MEMORY has room, and
    otherwise from a temporary file, so that slow clients occupy little memory.
    """
    pieces = [content] if isinstance(content, bytes) else content
    size = sum(map(len, pieces))
    if size < _LARGE:
        return Response(b"".join(pieces), headers=headers, media_type="application/json")
    if LargeResponse.in_memory + size <= MAX_IN_MEMORY:
        return _FromMemory(pieces, size, headers)
    return _FromFile(await asyncio.to_thread(write_to_file, pieces), size, headers)


def join_page(page: BaseModel, data: Sequence[bytes | memoryview]) -> bytes:
    """Return the JSON of `page`, a list of OpenAI's form whose `data` is still empty, with the JSON of its items."""
    before, between, after = pydantic_core.to_json(page).partition(b'"data":[')
    return b"".join((before, between, b",".join(data), after))


class LargeResponse(Response):
    media_type = "application/json"
    in_memory: ClassVar[int] = 0
    """Total size, in bytes, of the large responses that are being sent from memory now."""

    def __init__(self, size: int, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "content-length": str(size)})

    async def _send_all(self, send: Send, pieces: AsyncIterator[bytes]) -> None:
        turns = LoopTurns.of_running_loop()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in pieces:
            await turns.wait_for_bytes(len(piece))
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class _FromMemory(LargeResponse):
    def __init__(self, content: Sequence[bytes], size: int, headers: Mapping[str, str]) -> None:
        super().__init__(size, headers)
        self._content = content
        self._size = size

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        LargeResponse.in_memory += self._size
        try:
            await self._send_all(send, self._pieces())
        finally:
            LargeResponse.in_memory -= self._size

    async def _pieces(self) -> AsyncIterator[bytes]:
        for content in self._content:
            for start in range(0, len(content), _PIECE):
                yield content[start : start + _PIECE]


class _FromFile(LargeResponse):
    def __init__(self, file: IO[bytes], size: int, headers: Mapping[str, str]) -> None:
        super().__init__(size, headers)
        self._file = file

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        with self._file:
            await self._send_all(send, self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self._file.read, _PIECE):
            yield piece


class DownloadResponse(LargeResponse):
    """A file that no browser shows or runs. When the caller hangs up, the reading ends."""

    media_type = "application/octet-stream"

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], size: int, headers: Mapping[str, str]) -> None:
        """Create a response of `first` and the pieces of `rest`, which it closes."""
        super().__init__(size, {**headers, "x-content-type-options": "nosniff"})
        self._first = first
        self._rest = rest

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        # Generators that are left to the garbage collector are closed in any order, which fails.
        async with aclosing(self._rest), aclosing(self._pieces()) as pieces:
            await until_disconnect(receive, self._send_all(send, pieces))

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        yield self._first
        async for piece in self._rest:
            yield piece


def write_to_file(content: Sequence[bytes]) -> IO[bytes]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the answer
    file.writelines(content)
    file.seek(0)
    return file
