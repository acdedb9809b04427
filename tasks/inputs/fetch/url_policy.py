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

_CLOSED = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's wire server: a public number, but reachable only from inside
        "192.0.0.0/24",  # IETF protocol assignments, with Oracle's metadata service
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "2001::/23",  # IETF protocol assignments: Teredo, benchmarking, ORCHID
        "2002::/16",  # 6to4 carries any IPv4 address and is out of use (RFC 7526)
    )
)
"""Closed networks that `is_global` allows, in some versions of Python."""
_OPEN_V6 = IPv6Network("2000::/3")
"""The only block that IANA has allotted as global unicast. Loopback, ::/96, fc00::/7, fe80::/10, fec0::/10, multicast
and everything unassigned lie outside."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""Prefix of a DNS64 resolver's answers on an IPv6-only network; the last 32 bits are the IPv4 address (RFC 6052)."""
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
    address = unmapped(address)
    if isinstance(address, IPv6Address):
        is_tunnel = int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
        if address.scope_id is not None or is_tunnel or address not in _OPEN_V6:
            return False
    return address.is_global and not any(address in network for network in _CLOSED)


def unmapped(address: Address) -> Address:
    """Return the IPv4 address to which an IPv6 address leads, by its mapping or through NAT64, or else `address`."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address


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


class FetchFailed(InputError):
    """Raised if the URL may be fetched, but no usable response came (`fetch_failed`)."""

    def __init__(self, message: str, *, status: int | None = None, is_reached: bool = True, param: str | None = None):
        super().__init__(message, code="fetch_failed", param=param)
        self.status = status
        """Status of the server's response; None if there was no response."""
        self.is_reached = is_reached
        """False if no host could be connected to."""


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

    def host_refused(self) -> UrlRefused:
        return self.refused("is not on the public internet (OPENFAZE_FETCH_ALLOW opens it)")

    def unreachable(self, reason: str) -> FetchFailed:
        """Return the error for a host that could not be reached; `reason` is a few words such as "the connection was
        refused"."""
        message = f"{self._subject} could not be reached: {reason}."
        return FetchFailed(message, is_reached=self.redirected, param=self.param)

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
