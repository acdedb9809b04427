"""Defines which URLs and addresses may be fetched, and the errors of a fetch."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

import httpx

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import megabytes
from tasks.inputs.source import LONGEST_URL

Address = IPv4Address | IPv6Address

_CLOSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, with Alibaba's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: a public number, but reachable only from inside
        "169.254.0.0/16",  # link-local; the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments, with Oracle's metadata service
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
"""Closed IPv4 networks: IANA's special-purpose registry, and internal services of clouds at public addresses.
`is_global` alone depends on the Python version and allows 192.0.0.0/24 and multicast."""

_OPEN_V6 = IPv6Network("2000::/3")
"""The only block that IANA has allotted as global unicast. Loopback, ::/96, fc00::/7, fe80::/10, fec0::/10, multicast
and everything unassigned lie outside."""

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
"""Prefix of a DNS64 resolver's answers on an IPv6-only network; the last 32 bits are the IPv4 address (RFC 6052)."""

_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
"""NAT64 prefix for a network's own use (RFC 8215)."""
_CARRIERS = (
    # Each network, and the number of bits to the right of the IPv4 address in its addresses.
    (IPv6Network("::/96"), 0),  # IPv4-compatible (RFC 4291, deprecated)
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated (RFC 2765)
    (_NAT64, 0),
    (_NAT64_LOCAL, 0),
    (IPv6Network("2001::/32"), 64),  # Teredo: its server (RFC 4380)
    (IPv6Network("2002::/16"), 80),  # 6to4
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""First half of an interface identifier whose second half is an IPv4 address to tunnel to (RFC 5214)."""
_MAX_PORT = 65535
_MAX_HOST = 253
_MAX_AUTHORITY = 600
"""A host with its credentials and port has at most this many characters."""
_AUTHORITY = re.compile(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//([^/?#]*)")
_SHOWN = 200
"""A message quotes at most this many characters of a URL."""
_CONFUSING = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029]")
"""Control characters and the backslash, which programs interpret differently."""
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""Pattern of a last label that makes programs read the whole host as an IPv4 address (WHATWG's URL standard, "ends in a
number")."""


def is_public(address: Address) -> bool:
    """True if `address` is a unicast address on the public internet, however it is written."""
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
    """Return the IPv4 addresses to which gateways, tunnels or translators may send packets for `address`."""
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
    """Return the IPv4 address that `address` is mapped from, or else `address`."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class AllowList:
    """Networks and hosts that the operator opened in addition to public addresses."""

    networks: frozenset[Network] = frozenset()
    hosts: frozenset[tuple[str, int | None]] = frozenset()
    """Lower-case names or literal addresses, each with a port or None for every port."""

    @classmethod
    def parse(cls, entries: Sequence[str]) -> Self:
        """Parse CIDRs, and addresses and host names with or without a port (`[::1]:8000`).

        Raises ValueError that names an invalid entry.
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
        """True if `host` itself is listed, for all ports or for this one."""
        return (host, None) in self.hosts or (host, port) in self.hosts

    def names_address(self, address: Address, port: int) -> bool:
        """True if `address` is listed by itself and not as part of a network."""
        address = unmapped(address)
        alone = any(address in network for network in self.networks if network.num_addresses == 1)
        return alone or self.names(str(address), port)

    def contains(self, address: Address) -> bool:
        """True if `address` is in a listed network or is listed itself, without a port."""
        address = unmapped(address)
        return any(address in network for network in self.networks)


def _host_and_port(text: str, entry: str) -> tuple[str, int | None]:
    """Split an entry into host and port; the host is normalised like that of a parsed URL."""
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    host = host.strip("[]").rstrip(".")
    refusal = f"'{entry}' is not a host, host:port, address or CIDR."
    if not host or "/" in host or (colon and not port.isdecimal()):
        raise ValueError(refusal)
    try:
        host = str(unmapped(ip_address(host)))
    except ValueError:
        try:
            host = httpx.URL(f"http://{host}/").raw_host.decode("ascii")
        except httpx.InvalidURL as error:
            raise ValueError(refusal) from error
    return host, int(port) if port else None


class UrlRefused(InputError):
    """Raised if a URL, or one that it redirects to, is not permitted (`url_not_allowed`)."""

    def __init__(self, message: str, *, redirected: bool = False, param: str | None = None) -> None:
        super().__init__(message, code="url_not_allowed", param=param)
        self.redirected = redirected
        """True if the URL itself is permitted, and redirects to the refused one."""


class HostRefused(UrlRefused):
    """Raised if a host is not on the public internet (`url_not_allowed`)."""


class FetchFailed(InputError):
    """Raised if the URL may be fetched, but no usable response came (`fetch_failed`)."""

    def __init__(
        self, message: str, *, status: int | None = None, unreachable: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message, code="fetch_failed", param=param)
        self.status = status
        """Status of the server's response; None if there was no response."""
        self.unreachable = unreachable
        """Reason in a few words why the URL's own host could not be reached; None if the fetch failed for another
        reason."""


@dataclass(slots=True)
class Fetch:
    """One fetch, with its errors.

    The errors quote the URL as the client wrote it. They contain neither an address nor the target of a redirect.
    """

    url: str
    param: str | None
    limit: int
    """Size limit in bytes."""
    redirected: bool = False
    reads_body: bool = True
    """False if only the status of the response matters."""
    arrived: Callable[[int], None] = lambda _: None
    """Function that is called with the number of decoded bytes of the body that have arrived so far, or that the server
    says it will send."""

    def refused(self, reason: str) -> UrlRefused:
        return UrlRefused(f"{self._subject} {reason}.", redirected=self.redirected, param=self.param)

    def host_refused(self) -> HostRefused:
        reason = "is not on the public internet (OPENFAZE_FETCH_ALLOW opens it)"
        return HostRefused(f"{self._subject} {reason}.", redirected=self.redirected, param=self.param)

    def unreachable(self, reason: str) -> FetchFailed:
        """Return the error for a host that could not be reached; `reason` is a few words such as "the connection was
        refused"."""
        own = None if self.redirected else reason
        return FetchFailed(f"{self._subject} could not be reached: {reason}.", unreachable=own, param=self.param)

    def failed(self, reason: str, *, status: int | None = None) -> FetchFailed:
        return FetchFailed(f"{self._name} {reason}.", status=status, param=self.param)

    def too_large(self) -> InputTooLarge:
        return InputTooLarge(
            f"{self._name} is larger than {megabytes(self.limit)} (OPENFAZE_MAX_FETCH_MB).", param=self.param
        )

    @property
    def _subject(self) -> str:
        return f"{self._name} redirects to an address that" if self.redirected else self._name

    @property
    def _name(self) -> str:
        return f"'{self.url}'" if len(self.url) <= _SHOWN else f"'{self.url[:_SHOWN]}…'"


def parse_url(text: str, visit: Fetch) -> httpx.URL:
    """Parse `text` as a permitted URL of at most LONGEST_URL characters. The host is lower-case ASCII without a final
    dot; addresses are in canonical form."""
    _check_length(text, visit)
    try:
        if _CONFUSING.search(text):
            raise ValueError("confusing")
        url = httpx.URL(text)
        _check_parts(url, visit)
        return url.copy_with(host=_normalize_host(url.raw_host.decode("ascii")), fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise visit.refused("is not a valid URL") from error


def _check_length(text: str, visit: Fetch) -> None:
    """Check lengths before a URL is parsed: IDNA's check of a host takes quadratic time."""
    if len(text) > LONGEST_URL:
        raise visit.refused(f"is longer than {LONGEST_URL} characters")
    if (authority := _AUTHORITY.match(text)) and len(authority[1]) > _MAX_AUTHORITY:
        raise visit.refused("is not a valid URL")


def _check_parts(url: httpx.URL, visit: Fetch) -> None:
    if url.scheme not in {"http", "https"}:
        raise visit.refused("has a scheme other than http and https")
    if url.userinfo:
        if not visit.redirected:
            visit.url = f"{url.scheme}://***@{url.host}"
        raise visit.refused("carries credentials")
    if not url.raw_host or (url.port or 0) > _MAX_PORT:
        raise visit.refused("has no host, or an invalid port")


def _normalize_host(host: str) -> str:
    """Normalise a host. Raises ValueError for a text that is neither a name nor a complete address, such as a
    shortened, octal or hexadecimal number, or an address with an interface after `%`. The system's resolver would
    accept these."""
    if ":" in host:
        if "%" in host:
            raise ValueError("an interface")
        return str(IPv6Address(host))
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("no name")
    return str(IPv4Address(host)) if _NUMBER.fullmatch(labels[-1]) else host


def follow_redirect(url: httpx.URL, location: str, visit: Fetch) -> httpx.URL:
    """Return the target of a redirect from `url`. A redirect from https to http is refused, because its content could
    be altered on the way."""
    visit.redirected = True
    _check_length(location, visit)
    if _CONFUSING.search(location):
        raise visit.refused("is not a valid URL")
    try:
        target = parse_url(str(url.join(location)), visit)
    except (httpx.InvalidURL, ValueError) as error:
        raise visit.refused("is not a valid URL") from error
    if url.scheme == "https" and target.scheme == "http":
        raise visit.refused("is not encrypted")
    return target
