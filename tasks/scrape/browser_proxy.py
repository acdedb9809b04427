"""The browser's only way out: an HTTP proxy that opens the same addresses as the fetcher, and no others. It listens on
loopback, or for a browser elsewhere on the address that this machine has in the browser's network.

A page's scripts may request anything. Each connection of a page arrives here with a host name. The host's addresses are
checked and pinned as in a fetch, also for redirects, and all bytes that the page sends and receives are counted.
"""

import asyncio
import contextlib
import re
import ssl
from types import TracebackType
from typing import Self

import httpcore
import httpx

from models.certificates import trusted
from tasks.inputs.fetch.fetcher import FetchPolicy
from tasks.inputs.fetch.network import (
    AddressRefused,
    HostNotFound,
    PortRefused,
    Proxy,
    ProxyRefused,
    PublicNetwork,
    Resolver,
    Rules,
)
from tasks.inputs.fetch.url_policy import AllowList
from tasks.inputs.limits import MB

MAX_PAGE_BYTES = 40 * MB
"""A page may send and receive at most this many bytes together: its scripts, styles and data. Pictures are not
loaded."""
_MAX_CONNECTIONS = 64
_MAX_HEAD = 64 * 1024
_PIECE = 64 * 1024
_HEAD_S = 10.0
_AUTHORITY = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[^\s:@/\[\]]+):(\d{1,5})")
_HOP = frozenset({b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te", b"upgrade"})
_LEFT = (ConnectionError, TimeoutError, asyncio.IncompleteReadError, httpcore.NetworkError, httpcore.TimeoutException)
"""Errors that are raised when one of the two sides has left or no longer answers."""
_REFUSALS: dict[type[Exception], bytes] = {
    AddressRefused: b"403 Forbidden",
    PortRefused: b"403 Forbidden",
    HostNotFound: b"403 Forbidden",  # as above; otherwise, a page could find out the names in the server's own network
    ProxyRefused: b"502 Bad Gateway",
    httpcore.ConnectError: b"502 Bad Gateway",
    httpcore.ConnectTimeout: b"504 Gateway Timeout",
}


def network_of(policy: FetchPolicy, resolver: Resolver, tls: ssl.SSLContext | None = None) -> PublicNetwork:
    """Return a network that follows the rules of `policy`, as the network of a Fetcher does."""
    proxy = Proxy.parse(policy.proxy, tls or trusted()) if policy.proxy else None
    rules = Rules(AllowList.parse(policy.allow), frozenset(policy.ports))
    return PublicNetwork(rules, resolver, proxy)


class _ProxyRefusal(Exception):
    """Raised for a request that is refused, with the status to answer it with."""

    def __init__(self, status: bytes) -> None:
        super().__init__(status)
        self.status = status


class BrowserProxy:
    """A proxy for one page. It is an async context manager that closes every connection when it exits.

    async with BrowserProxy(network) as proxy:
        context = await browser.new_context(proxy={"server": proxy.url})
    """

    def __init__(
        self,
        network: httpcore.AsyncNetworkBackend,
        address: str = "127.0.0.1",
        *,
        max_bytes: int = MAX_PAGE_BYTES,
        connect_timeout: float = 5.0,
    ) -> None:
        """Bind the network. `address` is the IP address to listen on."""
        self._address = address
        self._network = network
        self._connect_timeout = connect_timeout
        self._left = max_bytes
        self._slots = asyncio.Semaphore(_MAX_CONNECTIONS)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.refused: list[str] = []
        """Hosts that were refused, not found or not reached."""

    @property
    def url(self) -> str:
        assert self._server is not None
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"http://{host}:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._address, 0, limit=_MAX_HEAD)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        try:
            async with self._slots:
                await self._serve(reader, writer)
        except (*_LEFT, asyncio.CancelledError):
            pass  # the browser has left, so no error can be sent
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
            outer, first = await self._open(head)
        except asyncio.LimitOverrunError:
            writer.write(_empty_response(b"431 Request Header Fields Too Large"))
            return
        except _ProxyRefusal as refused:
            writer.write(_empty_response(refused.status))
            await writer.drain()
            return
        try:
            if first:
                await outer.write(first)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay(reader, writer, outer)
        finally:
            await outer.aclose()

    async def _open(self, head: bytes) -> tuple[httpcore.AsyncNetworkStream, bytes]:
        """Open the connection that a request names. Return the connection with the bytes to send first; for a tunnel,
        there are no such bytes."""
        line, *fields = head[:-4].split(b"\r\n")
        method, _, rest = line.partition(b" ")
        target = rest.partition(b" ")[0]
        if method == b"CONNECT":
            match = _AUTHORITY.fullmatch(target)
            if match is None:
                raise _ProxyRefusal(b"400 Bad Request")
            return await self._connect(match[1].decode("ascii", "replace"), int(match[2])), b""
        try:
            url = httpx.URL(target.decode("ascii"))
        except (httpx.InvalidURL, UnicodeDecodeError) as error:
            raise _ProxyRefusal(b"400 Bad Request") from error
        if url.scheme != "http" or not url.raw_host:
            raise _ProxyRefusal(b"400 Bad Request")
        if any(field.lower().startswith(b"upgrade:") for field in fields):
            raise _ProxyRefusal(b"403 Forbidden")
        outer = await self._connect(url.raw_host.decode("ascii"), url.port or 80)
        # Each connection serves only one request, because the next may name another host, which would have to be
        # checked.
        kept = [field for field in fields if field.partition(b":")[0].strip().lower() not in _HOP]
        return outer, b"\r\n".join([method + b" " + url.raw_path + b" HTTP/1.1", *kept, b"Connection: close", b"", b""])

    async def _connect(self, host: str, port: int) -> httpcore.AsyncNetworkStream:
        host = host.strip("[]").lower().removesuffix(".")
        try:
            return await self._network.connect_tcp(host, port, self._connect_timeout)
        except (*_REFUSALS,) as error:
            self.refused.append(host)
            raise _ProxyRefusal(_REFUSALS[type(error)]) from error

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, outer: httpcore.AsyncNetworkStream
    ) -> None:
        async def out() -> None:
            while (data := await reader.read(_PIECE)) and self._take(data):
                await outer.write(data)

        async def back() -> None:
            while (data := await outer.read(_PIECE)) and self._take(data):
                writer.write(data)
                await writer.drain()

        outward = asyncio.create_task(out())
        try:
            await back()
        finally:
            outward.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError, httpcore.NetworkError):
                await outward

    def _take(self, data: bytes) -> bool:
        self._left -= len(data)
        return self._left >= 0


def _empty_response(status: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
