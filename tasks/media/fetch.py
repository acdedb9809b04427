"""Fetching what a client named, without becoming its way into this network.

Only http and https, no credentials in the URL, public addresses only (see `network`), checked again at each
redirect; no proxy, cookie or credential of this machine is used; time, redirects and decoded bytes are bounded.
"""

import asyncio
import re
import ssl
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import httpcore
import httpx

from tasks.media.addresses import AllowList
from tasks.media.body import read_body
from tasks.media.limits import MB
from tasks.media.network import AddressRefused, HostNotFound, PublicNetwork, Resolver, system_resolver
from tasks.media.visit import Visit, follow_redirect, parse_url

_REDIRECTS = {301, 302, 303, 307, 308}
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE | re.ASCII)


def _user_agent() -> str:
    try:
        return f"openfaze/{version('openfaze')}"
    except PackageNotFoundError:  # run from a source tree
        return "openfaze"


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    allow: tuple[str, ...] = ()
    """Hosts (with or without port), addresses and CIDRs open besides public addresses (OPENFAZE_FETCH_ALLOW)."""
    connect_timeout: float = 5.0
    """Seconds to connect, an address."""
    read_timeout: float = 10.0
    """Seconds without a byte."""
    total_timeout: float = 30.0
    """Seconds for everything: names, redirects, headers, body (OPENFAZE_FETCH_TIMEOUT_S)."""
    max_redirects: int = 5
    max_bytes: int = 80 * MB
    """Decoded bytes of a body (OPENFAZE_MAX_FETCH_MB)."""
    max_connections: int = 64
    """At the same time; more wait within their `total_timeout`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    data: bytes
    content_type: str | None
    """The header as sent."""
    url: str
    """Where the bytes came from in the end."""

    @property
    def media_type(self) -> str | None:
        return (self.content_type or "").partition(";")[0].strip().lower() or None

    @property
    def charset(self) -> str | None:
        declared = _CHARSET.search(self.content_type or "")
        return declared.group(1).lower() if declared else None


class Fetcher:
    """`tls` replaces the default trust (certifi, or SSL_CERT_FILE), `resolver` the system's."""

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._user_agent = _user_agent()
        # Connections are not kept: hosts hardly repeat, and each one passes the check of its own fetch.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or httpx.create_ssl_context(),
            max_connections=policy.max_connections,
            max_keepalive_connections=0,
            network_backend=PublicNetwork(AllowList.parse(policy.allow), resolver),
        )

    async def fetch(self, url: str, *, param: str | None = None, max_bytes: int | None = None) -> Fetched:
        """The body at `url`, at most `max_bytes` of it where that is less than the policy's bound.

        Raises InputError (`url_not_allowed`: the URL or a redirect leads where fetching is not allowed;
        `fetch_failed`: no answer, a status other than 2xx, too slow) and InputTooLarge.
        """
        limit = min(max_bytes or self._policy.max_bytes, self._policy.max_bytes)
        visit = Visit(url, param, limit)
        try:
            async with asyncio.timeout(self._policy.total_timeout):
                return await self._follow(parse_url(url, visit), visit)
        except TimeoutError as error:
            raise visit.failed(f"took longer than {self._policy.total_timeout:g} s") from error
        except AddressRefused as error:
            raise visit.refused("is not on the public internet") from error
        except HostNotFound as error:
            raise visit.failed("names a host that cannot be found") from error
        except httpcore.TimeoutException as error:
            raise visit.failed("did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise visit.failed("could not be reached, or broke off") from error

    async def close(self) -> None:
        await self._pool.aclose()

    async def _follow(self, url: httpx.URL, visit: Visit) -> Fetched:
        for redirects in range(self._policy.max_redirects + 1):
            visit.redirected = redirects > 0
            async with self._pool.stream(
                "GET", _target(url), headers=self._headers(url), extensions={"timeout": self._timeouts()}
            ) as response:
                headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
                location = headers.get(b"location")
                if response.status not in _REDIRECTS or location is None:
                    if not 200 <= response.status < 300:
                        raise visit.failed(f"answered with status {response.status}")
                    data = await read_body(response, headers, visit)
                    return Fetched(data, headers.get(b"content-type"), str(url))
            url = follow_redirect(url, location, visit)
        raise visit.failed(f"redirects more than {self._policy.max_redirects} times")

    def _headers(self, url: httpx.URL) -> list[tuple[bytes, bytes]]:
        return [
            (b"Host", url.netloc),
            (b"User-Agent", self._user_agent.encode("ascii")),
            (b"Accept", b"*/*"),
            # The expansion of a compressed body is bounded below; a body that is not compressed needs no bound.
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
        ]

    def _timeouts(self) -> dict[str, float]:
        policy = self._policy
        return {
            "connect": policy.connect_timeout,
            "read": policy.read_timeout,
            "write": policy.read_timeout,
            "pool": policy.total_timeout,
        }


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
