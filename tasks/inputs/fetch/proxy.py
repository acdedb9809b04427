"""An HTTP proxy on the way out.

Everything goes through CONNECT, `http` URLs too. A request to forward names its target in the request line, and a
proxy must replace the Host header by what stands there (RFC 9112, section 3.2.2): either the proxy would resolve
the name again, to an address that nobody checked, or the server would not learn which of its sites is meant.
"""

import base64
import ssl
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Self

import httpcore
import httpx

from tasks.inputs.fetch.addresses import Address

_PORTS = {"http": 80, "https": 443}


class ProxyRefused(Exception):
    """The proxy does not open a tunnel to an address."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered CONNECT with status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """Where the way to the proxy is encrypted."""

    @classmethod
    def parse(cls, text: str, tls: ssl.SSLContext) -> Self:
        """From `http://proxy:3128`, `https://…`, either with `user:password@`. Raises ValueError, which does not
        repeat the password."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise ValueError("OPENFAZE_FETCH_PROXY is no valid URL") from error
        if url.scheme not in _PORTS or not url.host:
            raise ValueError("OPENFAZE_FETCH_PROXY must be an http or https URL such as http://proxy:3128")
        credentials = f"{url.username}:{url.password}".encode() if url.userinfo else None
        return cls(
            url.host,
            url.port or _PORTS[url.scheme],
            None if credentials is None else b"Basic " + base64.b64encode(credentials),
            tls if url.scheme == "https" else None,
        )

    async def tunnel(
        self,
        tcp: httpcore.AsyncNetworkBackend,
        address: Address,
        port: int,
        timeout: float | None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """A connection to `address` by way of the proxy. Raises ProxyRefused and httpcore's errors."""
        stream = await tcp.connect_tcp(self.host, self.port, timeout)
        try:
            if self.tls is not None:
                stream = await stream.start_tls(self.tls, self.host, timeout)
            return await self._connect(stream, address, port, timeout)
        except BaseException:
            await stream.aclose()
            raise

    async def _connect(
        self,
        stream: httpcore.AsyncNetworkStream,
        address: Address,
        port: int,
        timeout: float | None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        target = f"{host}:{port}".encode("ascii")
        headers = [(b"Host", target)]
        if self.authorization is not None:
            headers.append((b"Proxy-Authorization", self.authorization))
        origin = httpcore.Origin(b"http", self.host.encode("ascii"), self.port)
        request = httpcore.Request(
            b"CONNECT",
            httpcore.URL(scheme=origin.scheme, host=origin.host, port=origin.port, target=target),
            headers=headers,
            extensions={"timeout": {"read": timeout, "write": timeout}},
        )
        response = await httpcore.AsyncHTTP11Connection(origin, stream).handle_async_request(request)
        if not 200 <= response.status < 300:
            raise ProxyRefused(response.status)
        tunnel: httpcore.AsyncNetworkStream = response.extensions["network_stream"]
        return tunnel
