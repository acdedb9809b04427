"""What an operator opens to the fetcher besides the public internet."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

import httpx

from tasks.inputs.fetch.addresses import Address, unmapped

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class AllowList:
    """What the operator opened besides public addresses."""

    networks: frozenset[Network] = frozenset()
    hosts: frozenset[tuple[str, int | None]] = frozenset()
    """Lower-case names or literal addresses, each with a port or None for every port."""

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Self:
        """From CIDRs, addresses, host names, and either of the latter with a port (`[::1]:8000`).

        Raises ValueError naming the entry that is none of these.
        """
        networks: set[Network] = set()
        hosts: set[tuple[str, int | None]] = set()
        for entry in entries:
            text = entry.strip().lower()
            try:
                networks.add(ip_network(text.strip("[]"), strict=False))
            except ValueError:
                hosts.add(_host_and_port(text, entry))
        return cls(frozenset(networks), frozenset(hosts))

    def names(self, host: str, port: int) -> bool:
        """Whether `host` itself is listed, for all ports or for this one."""
        return (host, None) in self.hosts or (host, port) in self.hosts

    def names_address(self, address: Address, port: int) -> bool:
        """Whether `address` is listed by itself, rather than within a network."""
        address = unmapped(address)
        alone = any(address in network for network in self.networks if network.num_addresses == 1)
        return alone or self.names(str(address), port)

    def contains(self, address: Address) -> bool:
        """Whether `address` is in a listed network, or listed."""
        address = unmapped(address)
        return any(address in network for network in self.networks)


def _host_and_port(text: str, entry: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    host = host.strip("[]").rstrip(".")
    if not host or "/" in host or (colon and not port.isdecimal()):
        raise ValueError(f"'{entry}' is not a host, host:port, address or CIDR.")
    try:
        host = str(unmapped(ip_address(host)))
    except ValueError:
        host = _in_ascii(host, entry)
    return host, int(port) if port else None


def _in_ascii(host: str, entry: str) -> str:
    """`host` as it stands in a parsed URL."""
    try:
        return httpx.URL(f"http://{host}/").raw_host.decode("ascii")
    except httpx.InvalidURL as error:
        raise ValueError(f"'{entry}' is not a host, host:port, address or CIDR.") from error
