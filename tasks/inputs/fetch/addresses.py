"""Which network addresses belong to the public internet."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

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

_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
"""The same for a network's own use (RFC 8215)."""
_CARRIERS = (
    # Network, and how far right in an address of it the bits of the IPv4 address end.
    (IPv6Network("::/96"), 0),  # IPv4-compatible (RFC 4291, deprecated)
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated (RFC 2765)
    (_NAT64, 0),
    (_NAT64_LOCAL, 0),
    (IPv6Network("2001::/32"), 64),  # Teredo: its server (RFC 4380)
    (IPv6Network("2002::/16"), 80),  # 6to4
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The first half of an interface identifier whose second half is an IPv4 address to tunnel to (RFC 5214)."""


def is_public(address: Address) -> bool:
    """Whether `address` is a unicast address of the public internet, whichever way it is written."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _CLOSED_V4)
    if address.scope_id is not None or _is_isatap(address):
        return False
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(_low_ipv4(int(address)))
    return address.is_global and address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


def carried_ipv4(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that a gateway, tunnel or translator may send what is meant for `address` to."""
    if isinstance(address, IPv4Address):
        return ()
    number = int(address)
    carried = [_low_ipv4(number >> shift) for network, shift in _CARRIERS if address in network]
    if address.teredo is not None:
        carried.append(address.teredo[1])
    if address in _NAT64_LOCAL:  # a /48 prefix leaves out the bits 64 to 71 (RFC 6052)
        carried.append(IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF))
    if _is_isatap(address):
        carried.append(_low_ipv4(number))
    return tuple(carried)


def _is_isatap(address: IPv6Address) -> bool:
    return int(address) >> 32 & 0xFFFF_FFFF in _ISATAP


def _low_ipv4(number: int) -> IPv4Address:
    return IPv4Address(number & 0xFFFF_FFFF)


def unmapped(address: Address) -> Address:
    """The IPv4 address where `address` is one in IPv6's clothes."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
