"""Which network addresses a client may make this machine talk to."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service lives here
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: public by number, reachable from inside only
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments; Oracle's metadata service lives here
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
"""IANA's IPv4 special-purpose registry, and what clouds hide behind public numbers. `is_global` alone depends on
the Python version and lets 192.0.0.0/24 and multicast through."""

_OPEN_V6 = IPv6Network("2000::/3")
"""The only block that IANA has given out as global unicast: loopback, ::/96, fc00::/7, fe80::/9 and fec0::/10,
multicast and everything unassigned lie outside."""

_CLOSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries any IPv4 address and is out of use (RFC 7526)
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
"""What a DNS64 resolver answers on an IPv6-only network: the IPv4 address is in the last 32 bits (RFC 6052)."""


def is_public(address: Address) -> bool:
    """Whether `address` is a unicast address of the public internet, whichever way it is written."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _CLOSED_V4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address.is_global and address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


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
        """Whether `host` itself is listed: then it may resolve to anything."""
        return (host, None) in self.hosts or (host, port) in self.hosts

    def contains(self, address: Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self.networks)


def _host_and_port(text: str, entry: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    host = host.strip("[]").rstrip(".")
    if not host or "/" in host or (colon and not port.isdecimal()):
        raise ValueError(f"'{entry}' is not a host, host:port, address or CIDR.")
    return host, int(port) if port else None
