"""Connects only to addresses that have been checked.

The check takes place where the connection is made: the name is resolved once, all its addresses are checked, and only
these are connected to. An attacker therefore gains nothing if a name resolves to another address a moment later, and no
spelling of an address (decimal, octal, mapped) evades the check, because the resolver's answer is checked.
"""

import asyncio
import base64
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Self

import httpcore
import httpx

from tasks.inputs.fetch.url_policy import Address, AllowList, is_public, unmapped

_PORTS = {"http": 80, "https": 443}
# Metadata services of clouds give a virtual machine's credentials to everyone who can reach the services. A metadata
# service stays closed even if the operator opens the network around it. Only an entry that names its address or host
# opens it.
METADATA_HOSTS = frozenset(
    {
        "instance-data",  # AWS
        "instance-data.ec2.internal",
        "metadata",  # Google Cloud
        "metadata.goog",
        "metadata.google.internal",
        "metadata.internal",
        "metadata.packet.net",  # Equinix Metal
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "rancher-metadata",
    }
)
_METADATA_ADDRESSES = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "169.254.0.23",  # Tencent
        "169.254.10.10",  # Tencent
        "169.254.42.42",  # Scaleway
        "169.254.169.250",  # Rancher
        "169.254.169.253",  # AWS, names
        "169.254.169.254",  # AWS, Google, Azure, Oracle, DigitalOcean, OpenStack and most others
        "169.254.170.2",  # AWS, credentials of containers
        "169.254.170.23",  # AWS, credentials of pods
        "192.0.0.192",  # Oracle
        "fd00:42::42",  # Scaleway
        "fd00:ec2::23",  # AWS, credentials of pods
        "fd00:ec2::253",  # AWS, names
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
        "fe80::a9fe:a9fe",  # OpenStack
    )
)
_ATTEMPTS = 4
"""At most this many addresses of a host are tried, in the resolver's order."""
_LOOKUPS = 16
"""At most this many lookups run at the same time. A name that no server answers occupies a thread for many seconds."""


class ProxyRefused(Exception):
    """Raised if the proxy refused to open a tunnel to an address."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the proxy answered CONNECT with status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Proxy:
    """An outgoing HTTP proxy. Every connection through it is opened with CONNECT, even for `http` URLs.

    Without CONNECT, the request line would name the target, and the proxy must set the Host header to this target (RFC
    9112, section 3.2.2). If the target were a name, the proxy would resolve it again, perhaps to an unchecked address.
    If it were an address, the server would not learn which of its sites is meant.
    """

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    """TLS context for an encrypted connection to the proxy."""

    @classmethod
    def parse(cls, text: str, tls: ssl.SSLContext) -> Self:
        """Parse `http://proxy:3128` or `https://…`, each with or without `user:password@`. Raises ValueError, without
        repeating the password."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise ValueError("OPENFAZE_FETCH_PROXY is not a valid URL") from error
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
        """Open a connection to `address` through the proxy. Raises ProxyRefused and httpcore's errors."""
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
        stream = await tcp.connect_tcp(self.host, self.port, timeout)
        try:
            if self.tls is not None:
                stream = await stream.start_tls(self.tls, self.host, timeout)
            response = await httpcore.AsyncHTTP11Connection(origin, stream).handle_async_request(request)
            if not 200 <= response.status < 300:
                raise ProxyRefused(response.status)
            tunnel: httpcore.AsyncNetworkStream = response.extensions["network_stream"]
            return tunnel
        except BaseException:
            await stream.aclose()
            raise


def is_metadata(address: Address) -> bool:
    """True if `address` leads to a metadata service."""
    address = unmapped(address)
    plain = address if isinstance(address, IPv4Address) else IPv6Address(int(address))  # without its scope
    return plain in _METADATA_ADDRESSES


Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Function that returns the addresses of a host. Raises OSError or UnicodeError if the host has none."""


class AddressRefused(Exception):
    """Raised if the host belongs to a metadata service, or has an address that is neither public nor allowed. The error
    names the host, and deliberately not the address."""


class PortRefused(Exception):
    """Raised if the rules do not allow the port."""


class HostNotFound(Exception):
    """Raised if the host, which the error names, has no address."""


class SystemResolver:
    """Resolves names with the operating system, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="names")

    async def __call__(self, host: str, port: int) -> list[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Rules:
    """The addresses and ports that are open."""

    allow: AllowList
    ports: frozenset[int]
    """Ports that are open on public addresses. An entry of `allow` opens every port unless it names one."""

    def check_host(self, host: str, port: int) -> None:
        """Check a host before it is resolved. Raises AddressRefused."""
        if host in METADATA_HOSTS and not self.allow.names(host, port):
            raise AddressRefused(host)

    def check_address(self, host: str, port: int, address: Address) -> None:
        """Check one of the addresses of `host`. Raises AddressRefused and PortRefused."""
        named = self.allow.names(host, port)
        if is_metadata(address):
            if not (self.allow.names_address(address, port) or (named and host in METADATA_HOSTS)):
                raise AddressRefused(host)
        elif not (named or self.allow.contains(address) or self.allow.names_address(address, port)):
            if not is_public(address):
                raise AddressRefused(host)
            if port not in self.ports:
                raise PortRefused


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to public and allowed addresses. TLS is verified for the name, not the address.

    With a `proxy`, names are still resolved and checked here, and the proxy gets the checked address.
    """

    def __init__(self, rules: Rules, resolver: Resolver, proxy: Proxy | None = None) -> None:
        self._rules = rules
        self._resolver = resolver
        self._proxy = proxy
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the host's checked addresses. Raises AddressRefused, PortRefused, HostNotFound,
        ProxyRefused, and httpcore's ConnectError and ConnectTimeout."""
        addresses = (await self._checked(host, port))[:_ATTEMPTS]
        for attempt, address in enumerate(addresses, start=1):
            try:
                if self._proxy is not None:
                    return await self._proxy.tunnel(self._tcp, address, port, timeout)
                return await self._tcp.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, ProxyRefused):
                if attempt == len(addresses):
                    raise
        raise HostNotFound(host)

    async def _checked(self, host: str, port: int) -> Sequence[Address]:
        self._rules.check_host(host, port)
        try:
            addresses = [ip_address(host)]
        except ValueError:
            addresses = await self._resolved(host, port)
        for address in addresses:
            self._rules.check_address(host, port, address)
        return addresses

    async def _resolved(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(text) for text in await self._resolver(host, port)]
        except (OSError, ValueError) as error:
            raise HostNotFound(host) from error
