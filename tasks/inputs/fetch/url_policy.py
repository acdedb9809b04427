"""The rules for the URLs of one fetch, and what its errors say."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import httpx

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import megabytes

_MAX_PORT = 65535
_MAX_HOST = 253
_SHOWN = 200
"""Characters of a URL that a message repeats."""

_CONFUSING = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029]")
"""Control characters and the backslash, which programs read differently."""
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""A last label that makes programs take the host for an IPv4 address (WHATWG's URL standard, "ends in a number")."""


class FetchFailed(InputError):
    """The URL may be fetched, but nothing useful came (`fetch_failed`)."""

    def __init__(
        self, message: str, *, status: int | None = None, unreachable: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message, code="fetch_failed", param=param)
        self.status = status
        """What the server answered with, if it did."""
        self.unreachable = unreachable
        """Why the URL's own host could not be asked anything, in a few words; None where it could."""


@dataclass(slots=True)
class Visit:
    """One fetch, as its errors tell it.

    They repeat the URL as the client wrote it and nothing of what it led to: neither an address nor where a
    redirect pointed.
    """

    url: str
    param: str | None
    limit: int
    """Bytes."""
    redirected: bool = False

    def refused(self, reason: str) -> InputError:
        return InputError(f"{self._subject} {reason}.", code="url_not_allowed", param=self.param)

    def unreachable(self, reason: str) -> FetchFailed:
        """`reason` says in a few words why the host could not be asked anything: "host not found"."""
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


def parse_url(text: str, visit: Visit) -> httpx.URL:
    """`text` as a URL that may be fetched. The host comes out in lower case and ASCII, without a final dot, an
    address in its usual form."""
    try:
        if _CONFUSING.search(text):
            raise ValueError("confusing")
        url = httpx.URL(text)
        _check_parts(url, visit)
        return url.copy_with(host=_plain_host(url.raw_host.decode("ascii")), fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise visit.refused("is not a valid URL") from error


def _check_parts(url: httpx.URL, visit: Visit) -> None:
    if url.scheme not in {"http", "https"}:
        raise visit.refused("has a scheme other than http and https")
    if url.userinfo:
        if not visit.redirected:
            visit.url = f"{url.scheme}://***@{url.host}"
        raise visit.refused("carries credentials")
    if not url.raw_host or (url.port or 0) > _MAX_PORT:
        raise visit.refused("names no host, or no port")


def _plain_host(host: str) -> str:
    """Raises ValueError for what is neither a name nor an address in full: the system's resolver would also take
    numbers that leave out parts, or are octal or hexadecimal, and an interface after a `%`."""
    if ":" in host:
        if "%" in host:
            raise ValueError("an interface")
        return str(IPv6Address(host))
    host = host.lower().removesuffix(".")
    labels = host.split(".")
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("no name")
    return str(IPv4Address(host)) if _NUMBER.fullmatch(labels[-1]) else host


def follow_redirect(url: httpx.URL, location: str, visit: Visit) -> httpx.URL:
    """Where `location` leads from `url`, which may be relative to it. From https it may not lead back to http:
    what arrives would no longer be what the named host sent."""
    visit.redirected = True
    if _CONFUSING.search(location):
        raise visit.refused("is not a valid URL")
    try:
        target = parse_url(str(url.join(location)), visit)
    except (httpx.InvalidURL, ValueError) as error:
        raise visit.refused("is not a valid URL") from error
    if url.scheme == "https" and target.scheme == "http":
        raise visit.refused("is not encrypted")
    return target


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
