"""Connections to checked addresses only.

The check sits where the connection is made: the name is resolved once, every address it has is checked, and one of
exactly these is connected to. A name that resolves to something else a moment later gains nothing, and no spelling
of an address (decimal, octal, mapped) gets round it, because what is checked is what the resolver answered.
"""

import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import httpcore

from tasks.inputs.decode.threads import Worker
from tasks.inputs.fetch import metadata
from tasks.inputs.fetch.addresses import Address, is_public
from tasks.inputs.fetch.allowed import AllowList
from tasks.inputs.fetch.proxy import Proxy, ProxyRefused

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to the addresses of the host. Raises OSError or UnicodeError when it has none."""

_ATTEMPTS = 4
"""Addresses of one host that are tried, in the resolver's order."""
_LOOKUPS = 16
"""Names that are asked for at a time: one that nobody answers holds a thread for many seconds."""


class AddressRefused(Exception):
    """The host has an address that is not on the public internet. Deliberately does not say which."""


class PortRefused(Exception):
    """The port is not among those that are open."""


class HostNotFound(Exception):
    """The host has no address."""


class SystemResolver:
    """What the operating system says, asked in threads of its own."""

    def __init__(self) -> None:
        self._threads = Worker("names", threads=_LOOKUPS)

    async def __call__(self, host: str, port: int) -> list[str]:
        found = await self._threads.run(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def close(self) -> None:
        await self._threads.close()


@dataclass(frozen=True, slots=True)
class Rules:
    """Which addresses and ports are open."""

    allow: AllowList
    ports: frozenset[int]
    """Open on public addresses. What `allow` names is open on any port, unless it names one."""

    def check_host(self, host: str, port: int) -> None:
        """Before `host` is resolved. Raises AddressRefused."""
        if host in metadata.HOSTS and not self.allow.names(host, port):
            raise AddressRefused

    def check_address(self, host: str, port: int, address: Address) -> None:
        """One of the addresses of `host`. Raises AddressRefused and PortRefused."""
        named = self.allow.names(host, port)
        if metadata.is_metadata(address):
            if not (self.allow.names_address(address, port) or (named and host in metadata.HOSTS)):
                raise AddressRefused
        elif not (named or self.allow.contains(address) or self.allow.names_address(address, port)):
            if not is_public(address):
                raise AddressRefused
            if port not in self.ports:
                raise PortRefused


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to public and allowed addresses. TLS is verified for the name, not the address.

    With a `proxy` the names are resolved and checked here all the same, and the proxy is asked for the checked
    address.
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
        """Raises AddressRefused, PortRefused, HostNotFound, ProxyRefused, and httpcore's ConnectError and
        ConnectTimeout."""
        addresses = (await self._checked(host, port))[:_ATTEMPTS]
        for attempt, address in enumerate(addresses, start=1):
            try:
                if self._proxy is not None:
                    return await self._proxy.tunnel(self._tcp, address, port, timeout)
                return await self._tcp.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout, ProxyRefused):
                if attempt == len(addresses):
                    raise
        raise HostNotFound

    async def _checked(self, host: str, port: int) -> Sequence[Address]:
        self._rules.check_host(host, port)
        addresses = await self._resolved(host, port)
        for address in addresses:
            self._rules.check_address(host, port, address)
        return addresses

    async def _resolved(self, host: str, port: int) -> Sequence[Address]:
        literal = _address(host)
        if literal is not None:
            return [literal]
        try:
            return [ip_address(text) for text in await self._resolver(host, port)]
        except (OSError, ValueError) as error:
            raise HostNotFound from error


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
