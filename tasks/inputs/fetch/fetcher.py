"""Downloads the URLs that a client names, without giving the client access to this network.

Only http and https are allowed, to public addresses and usual ports (see `network`), without credentials in the URL.
Each redirect is checked again. No cookie, credential or proxy setting of this machine is used: only the policy's proxy,
and the headers that the caller of `fetch` passes. A cookie that a redirect sets is sent to its own host, and forgotten
with the fetch. Time, redirects, cookies and decoded bytes are bounded.
"""

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.metadata import version
from json import dumps

import httpcore
import httpx
import structlog

from models.base import media_type_of
from models.certificates import trusted
from models.queues import Slots
from tasks.errors import InputError
from tasks.inputs.fetch.body import FetchedResponse, read_answer
from tasks.inputs.fetch.network import (
    AddressRefused,
    HostNotFound,
    PortRefused,
    Proxy,
    ProxyRefused,
    PublicNetwork,
    Resolver,
    Rules,
    SystemResolver,
)
from tasks.inputs.fetch.url_policy import AllowList, Fetch, follow_redirect, parse_url
from tasks.inputs.limits import MB

log = structlog.get_logger(__name__)

Gate = Callable[[httpx.URL, Fetch], AbstractAsyncContextManager[None]]
"""Function that returns a context manager around the request of a hop. The manager may wait, or refuse the request with
an InputError."""

_REDIRECTS = {301, 302, 303, 307, 308}
_PARTIAL = 206
"""Status of a partial response. Ranges are never requested, so such a response is incomplete."""
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE | re.ASCII)
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
"""Headers that any host may see. All other headers of a caller count as secrets, because each search API has its own
name for the header with its key."""
_MAX_COOKIES, _COOKIE_CHARS = 50, 4096
"""A fetch keeps at most this many cookies, of at most this many characters: as many as any browser keeps of a host (RFC
6265, 6.1)."""
_OURS = frozenset({"host", "connection", "accept-encoding", "content-length", "content-type", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    allow: tuple[str, ...] = ()
    """Hosts (with or without port), addresses and CIDRs that are open in addition to public addresses
    (OPENFAZE_FETCH_ALLOW)."""
    ports: tuple[int, ...] = (80, 443, 8080, 8443)
    """Ports that are open on public addresses. An entry of `allow` opens every port unless it
    names one."""
    proxy: str | None = field(default=None, repr=False)
    """`http://` or `https://` URL of an outgoing proxy (OPENFAZE_FETCH_PROXY)."""
    connect_timeout: float = 5.0
    """Time limit for connecting to one address, in seconds."""
    read_timeout: float = 10.0
    """Longest time without a byte, in seconds."""
    total_timeout: float = 30.0
    """Time limit for the whole fetch in seconds: names, redirects, headers and body."""
    max_redirects: int = 5
    max_bytes: int = 80 * MB
    """Largest decoded body in bytes (OPENFAZE_MAX_FETCH_MB)."""
    max_connections: int = 64
    """Largest number of simultaneous connections, shared by the API keys; further fetches wait within their
    `total_timeout`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    data: bytes
    content_type: str | None
    """The Content-Type header as sent."""
    url: str
    """Final URL, after redirects."""

    @property
    def media_type(self) -> str | None:
        return media_type_of(self.content_type) or None

    @property
    def charset(self) -> str | None:
        declared = _CHARSET.search(self.content_type or "")
        return declared.group(1).lower() if declared else None


@dataclass(frozen=True, slots=True)
class _HopRequest:
    """The request of one hop of a fetch."""

    url: httpx.URL
    headers: Mapping[str, str]
    """The caller's headers by lower-case name."""
    body: bytes | None

    def redirected(self, url: httpx.URL) -> "_HopRequest":
        """Return the request for a redirect. Once a redirect leaves the origin, the secret headers are dropped for
        good: the first origin does not get them either if a later redirect leads back to it."""
        if (self.url.scheme, self.url.host, self.url.port) == (url.scheme, url.host, url.port):
            return replace(self, url=url)
        return replace(self, url=url, headers={k: v for k, v in self.headers.items() if k in _HARMLESS})


class Fetcher:
    """Fetches URLs within `policy`. `tls` replaces the context that trusts certifi or SSL_CERT_FILE, and
    `resolver` replaces the system's resolver.

    The constructor raises ValueError if the policy's allow-list or proxy cannot be parsed.
    """

    def __init__(
        self,
        policy: FetchPolicy,
        *,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy
        self.outcomes: Counter[str] = Counter()
        """Number of fetches by outcome: `ok`, `cancelled`, the code of an InputError, or `error` for other errors."""
        self._user_agent = f"openfaze/{version('openfaze')}"
        self._timeouts = {
            "connect": policy.connect_timeout,
            "read": policy.read_timeout,
            "write": policy.read_timeout,
            "pool": policy.total_timeout,
        }
        self._system_resolver = SystemResolver()
        tls = tls or trusted()
        proxy = Proxy.parse(policy.proxy, tls) if policy.proxy else None
        rules = Rules(AllowList.parse(policy.allow), frozenset(policy.ports))
        # Connections are not kept: hosts rarely repeat, and every fetch checks its own connection.
        self._slots = Slots("fetch", policy.max_connections)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=policy.max_connections,
            max_keepalive_connections=0,
            network_backend=PublicNetwork(rules, resolver or self._system_resolver, proxy),
        )

    async def fetch(
        self,
        url: str,
        *,
        param: str | None = None,
        max_bytes: int | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        gate: Gate | None = None,
        reads_body: bool = True,
        arrived: Callable[[int], None] | None = None,
    ) -> Fetched:
        """Download the body at `url`. It may have at most `max_bytes` or the policy's bound, whichever is less. Unless
        `reads_body` is true, only the status is looked at, and the body is empty.

        `headers` are added to the fetcher's own, and replace its User-Agent and Accept. After a redirect to another
        origin (scheme, host and port), only Accept, Accept-Language and User-Agent among them are sent.

        `json` is sent by POST, and redirects are then not followed. If it is bytes, these are sent unchanged.

        `arrived` is called with the number of bytes of a body that have arrived so far, decoded, or that its server
        says it will send. It may raise an InputError, which ends the fetch.

        Raises InputError (`url_not_allowed`: the URL or a redirect is not permitted), FetchFailed (no response, too
        slow, status other than 2xx, or 206 where the body is read), InputTooLarge,
        and ValueError for `headers` that only the fetcher sets.
        """
        own = {name.lower(): value for name, value in (headers or {}).items()}
        if not _OURS.isdisjoint(own):
            raise ValueError(f"the fetcher sets the header '{min(_OURS & own.keys())}' itself")
        body = json if json is None or isinstance(json, bytes) else dumps(json, ensure_ascii=False).encode()
        limit = self.policy.max_bytes if max_bytes is None else min(max_bytes, self.policy.max_bytes)
        visit = Fetch(url, param, limit, reads_body=reads_body, arrived=arrived or (lambda _: None))
        with self._counted(), _client_errors(visit, self.policy):
            async with asyncio.timeout(self.policy.total_timeout):
                ask = _HopRequest(parse_url(url, visit), own, body)
                return await self._follow(ask, visit, gate or (lambda *_: contextlib.nullcontext()))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        outcome = "cancelled"
        try:
            yield
            outcome = "ok"
        except Exception as error:
            outcome = error.code if isinstance(error, InputError) else "error"
            raise
        finally:
            self.outcomes[outcome] += 1

    async def close(self) -> None:
        await asyncio.gather(self._pool.aclose(), self._system_resolver.close())

    async def _follow(self, ask: _HopRequest, visit: Fetch, gate: Gate) -> Fetched:
        # `strict_domain` refuses cookies for whole registries, such as `co.uk`.
        cookies = httpx.Cookies(CookieJar(DefaultCookiePolicy(strict_domain=True)))
        for redirects in range(self.policy.max_redirects + 1):
            visit.redirected = redirects > 0
            async with gate(ask.url, visit):
                answer = await self._send(ask, visit, cookies)
            _keep_cookies(answer, ask.url, cookies)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None or ask.body is not None:
                if not 200 <= answer.status < 300 or (answer.status == _PARTIAL and visit.reads_body):
                    raise visit.failed(f"answered with status {answer.status}", status=answer.status)
                return Fetched(answer.data, answer.headers.get("content-type"), str(ask.url))
            ask = ask.redirected(follow_redirect(ask.url, location, visit))
        raise visit.failed(f"redirects more than {self.policy.max_redirects} times")

    async def _send(self, ask: _HopRequest, visit: Fetch, cookies: httpx.Cookies) -> FetchedResponse:
        headers = self._headers(ask, cookies)
        # Connecting is work of the event loop, too: some 0.5 ms, which a request may cause for each of its URLs.
        # The wait for a slot has no limit of its own, because the time of a fetch and the inputs of a request are
        # bounded. No hop holds one slot while it waits for another.
        async with (
            self._slots.slot(),
            self._pool.stream(
                "GET" if ask.body is None else "POST",
                httpcore.URL(
                    scheme=ask.url.raw_scheme, host=ask.url.raw_host, port=ask.url.port, target=ask.url.raw_path
                ),
                headers=[(name.title().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
                content=ask.body,
                extensions={"timeout": self._timeouts},
            ) as response,
        ):
            return await read_answer(response, visit)

    def _headers(self, ask: _HopRequest, cookies: httpx.Cookies) -> dict[str, str]:
        request = httpx.Request("GET", ask.url)
        cookies.set_cookie_header(request)
        headers = {
            "host": ask.url.netloc.decode("ascii"),
            "user-agent": self._user_agent,
            "accept": "*/*",
            # gzip is the one encoding with a bounded expansion that every server knows.
            "accept-encoding": "gzip",
            "connection": "close",
            **{name: value for name, value in request.headers.items() if name == "cookie"},
            **ask.headers,
        }
        if ask.body is not None:
            headers |= {"content-type": "application/json", "content-length": str(len(ask.body))}
        return headers


def _keep_cookies(answer: FetchedResponse, url: httpx.URL, cookies: httpx.Cookies) -> None:
    values = [one for one in answer.headers.get_list("set-cookie") if len(one) <= _COOKIE_CHARS]
    headers = [("set-cookie", value) for value in values[: _MAX_COOKIES - len(cookies)]]
    if headers:
        cookies.extract_cookies(httpx.Response(answer.status, headers=headers, request=httpx.Request("GET", url)))


@contextlib.contextmanager
def _client_errors(visit: Fetch, policy: FetchPolicy) -> Iterator[None]:
    """Turn internal errors into errors for the client."""
    try:
        yield
    except TimeoutError as error:
        raise visit.failed(f"took longer than {policy.total_timeout:g} s") from error
    except AddressRefused as error:
        # The host is logged only at `debug`.
        log.info("fetch_refused", reason="address_not_public")
        log.debug("fetch_refused_host", reason="address_not_public", host=str(error))
        raise visit.host_refused() from error
    except HostNotFound as error:
        raise visit.unreachable("there is no host of this name") from error
    except PortRefused as error:
        ports = ", ".join(map(str, policy.ports))
        raise visit.refused(
            f"uses a port that is not allowed; allowed are {ports}, and all of hosts in OPENFAZE_FETCH_ALLOW"
        ) from error
    except ProxyRefused as error:
        raise visit.unreachable(f"this server's proxy answered {error.status}") from error
    except httpcore.ConnectTimeout as error:
        raise visit.unreachable("it did not answer in time") from error
    except httpcore.ConnectError as error:
        raise visit.unreachable(_why_unconnected(error, policy)) from error
    except httpcore.TimeoutException as error:
        raise visit.failed("did not answer in time") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise visit.failed("could not be reached, or broke off its response") from error


def _why_unconnected(error: BaseException, policy: FetchPolicy) -> str:
    """Return the reason given by the first recognised exception in the chain of causes, or else a general one."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not valid ({cause.verify_message})"
            case ssl.SSLError():
                return "it does not use TLS correctly"
            case ConnectionRefusedError():
                # With a proxy all connections go to the proxy.
                return "this server's proxy refused the connection" if policy.proxy else "the connection was refused"
        cause = cause.__cause__ or cause.__context__
    return "the connection failed"
