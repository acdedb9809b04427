"""Bounds the heads of responses: HTTP lets a server send any number of informational heads (1xx) before the last
head."""

from typing import Any

import httpcore

MAX_HEAD = 128 * 1024
"""A response's heads have at most about this many bytes together. The parser accepts 100 kB for a single head."""
MAX_FIELDS = 256
"""A response has at most this many header fields, and all its heads at most this many lines before the last _PIECE.
Ordinary responses have up to 60 fields. Parsing 24,000 takes 50 ms."""
_PIECE = 4 * 1024
"""Number of bytes of heads that are parsed in one turn of the event loop."""


class BoundedHeads(httpcore.AsyncNetworkBackend):
    """A network whose streams read heads in small pieces and in turn, up to MAX_HEAD bytes and MAX_FIELDS
    lines."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network

    async def connect_tcp(self, *args: Any, **kwargs: Any) -> "HeadStream":
        return HeadStream(await self._network.connect_tcp(*args, **kwargs))


class HeadStream(httpcore.AsyncNetworkStream):
    """A connection over which one response is read."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._is_head = True
        self._read = self._lines = 0

    def end_of_head(self) -> None:
        """Read without a bound from now on, because the last head has been read."""
        self._is_head = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if not self._is_head:
            return await self._stream.read(max_bytes, timeout)
        if self._read > MAX_HEAD:
            raise httpcore.RemoteProtocolError(f"the heads of a response have more than {MAX_HEAD} bytes")
        if self._lines > MAX_FIELDS:
            raise httpcore.RemoteProtocolError(f"the heads of a response have more than {MAX_FIELDS} lines")
        data = await self._stream.read(min(max_bytes, _PIECE), timeout)
        self._read += len(data)
        # The last piece may contain lines of the body, but nothing is read here after it.
        self._lines += data.count(b"\n")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(self, *args: Any, **kwargs: Any) -> "HeadStream":
        return HeadStream(await self._stream.start_tls(*args, **kwargs))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
