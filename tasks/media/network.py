"""Connections to checked addresses only.

The check sits where the connection is made: the name is resolved once, every address it has is checked, and one of
exactly these is connected to. A name that resolves to something else a moment later gains nothing, and no spelling
of an address (decimal, octal, mapped) gets round it, because what is checked is what the resolver answered.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address

import httpcore

from tasks.media.addresses import AllowList, is_public

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to the addresses of the host. Raises OSError or UnicodeError when it has none."""

_ATTEMPTS = 4
"""Addresses of one host that are tried, in the resolver's order."""


class AddressRefused(Exception):
    """The host has an address that is not on the public internet. Deliberately does not say which."""


class HostNotFound(Exception):
    """The host has no address."""


async def system_resolver(host: str, port: int) -> list[str]:
    """What the operating system says; it asks in a thread."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to public and allowed addresses. TLS is verified for the name, not the address."""

    def __init__(self, allow: AllowList, resolver: Resolver) -> None:
        self._allow = allow
        self._resolver = resolver
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises AddressRefused, HostNotFound, and httpcore's ConnectError and ConnectTimeout."""
        addresses = (await self._checked(host, port))[:_ATTEMPTS]
        for attempt, address in enumerate(addresses, start=1):
            try:
                return await self._tcp.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if attempt == len(addresses):
                    raise
        raise HostNotFound

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise HostNotFound from error
        if not self._allow.names(host, port):
            for address in map(ip_address, addresses):
                if not (is_public(address) or self._allow.contains(address)):
                    raise AddressRefused
        return addresses
