"""Several providers as one: the first that answers."""

import html
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import structlog

from models.base import EngineUnavailable
from tasks.wording.search_query import Freshness, SearchQuery

LIMIT_S = 8.0
"""Seconds that a provider may take to answer."""

UNREACHABLE_S = 30.0
BLOCKED_S = 300.0
REFUSED_S = 600.0
"""Seconds that a provider rests after a first failure: it may be back at once, minds how often it is asked, or does
not know our key."""

_MAX_TITLE = 300
_MAX_DESCRIPTION = 1000
_MAX_URL = 2000
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One link of an answer. All of it is what somebody else wrote."""

    title: str
    url: str
    """http or https."""
    description: str


class SearchFailed(Exception):
    """No answer. `reason` continues a sentence that begins with the provider's name; it is public: neither the query
    nor an address is in it. The provider rests for `rest_s` seconds, 0 where only this query failed."""

    def __init__(self, reason: str, rest_s: float = UNREACHABLE_S) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest_s = rest_s


class SearchProvider(Protocol):
    @property
    def name(self) -> str:
        """As OPENFAZE_SEARCH_PROVIDER has it."""

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        """At most `count`, best first, from `site` (a host and those below it) and as new as `freshness` wants, as far
        as the provider can tell. Raises SearchFailed."""

    async def close(self) -> None: ...


def hits_of(items: object, *, title: str, url: str, description: str, count: int) -> list[Hit]:
    """The first `count` links of an answer's list, in whose objects the parts have these names. What is none is left
    out. Raises SearchFailed where there is no list."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise SearchFailed("answered in a form that is not known here")
    found = (_hit(item, title, url, description) for item in items if isinstance(item, Mapping))
    return [hit for hit in found if hit is not None][:count]


def _hit(item: Mapping[str, Any], title: str, url: str, description: str) -> Hit | None:
    link = item.get(url)
    if not isinstance(link, str) or not _is_link(link):
        return None
    return Hit(plain(item.get(title), _MAX_TITLE) or link, link, plain(item.get(description), _MAX_DESCRIPTION))


def plain(text: object, limit: int) -> str:
    """One line without markup, of at most `limit` characters."""
    if not isinstance(text, str):
        return ""
    shown = html.unescape(_TAG.sub("", text[: 4 * limit]))
    line = _UNSEEN.sub(" ", shown).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_link(url: str) -> bool:
    if len(url) > _MAX_URL or _UNSEEN.search(url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no port
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


_TRACKING = re.compile(
    r"utm_\w+|ga_\w+|hsa_\w+|pk_\w+|mtm_\w+|_hs\w+|[gdwy]?clid|gclsrc|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid"
    r"|mc_[ce]id|_ga|_gl|ref_src|ref_url|cmpid|ocid|spm|s_cid|amp|amp_\w+|outputtype",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)|^/amp(?=/)", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)


def canonical(url: str) -> str:
    """Equal for two URLs of one page, as far as they show: without scheme, `www.`, port, fragment, final slash, what
    tracks readers, and signs of AMP; with the parameters in order. To compare, not to fetch. Raises ValueError for what
    is no URL."""
    parts = urlsplit(url)
    host, path = (parts.hostname or "").rstrip("."), parts.path
    host = _PREFIX.sub("", host)
    if parts.port not in (None, _DEFAULT_PORTS.get(parts.scheme)):
        host = f"{host}:{parts.port}"
    path = _INDEX.sub("/", _AMP_PATH.sub("", unquote(path))).rstrip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if not _TRACKING.fullmatch(pair[0])))
    return f"{host}{path}?{query}" if query else host + path


def is_on(url: str, site: str) -> bool:
    """Whether `url` is on the host `site`, or on one below it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == site or host.endswith(f".{site}")


log = structlog.get_logger(__name__)

_OTHERS = "Set OPENFAZE_SEARCH_URL to a SearXNG, or OPENFAZE_SEARCH_PROVIDER and OPENFAZE_SEARCH_API_KEY"
OTHERS = f"{_OTHERS}, to have others asked as well."
REMEDY = f"{_OTHERS}, or install the package 'ddgs', which needs no key."
_LONGEST_REST_S = 900.0
_WANTED_MORE = 2
"""Times the results that are wanted: some of them are of one page."""


@dataclass(slots=True)
class _Rest:
    """A provider that failed, until it answers again."""

    reason: str
    until: float
    failures: int


class FallOver:
    """Asks `providers` in their order. One that fails rests a while, each time twice as long, and is passed over.

    `clock` gives seconds.
    """

    def __init__(self, providers: Sequence[SearchProvider], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.providers = tuple(providers)
        self._clock = clock
        self._rests: dict[str, _Rest] = {}
        self.failures: Counter[str] = Counter()
        """By provider."""

    async def search(self, query: SearchQuery, count: int) -> list[Hit]:
        """At most `count` hits, each page once, on the query's site only. Raises EngineUnavailable with the reason of
        each provider."""
        reasons = []
        for provider in self.providers:
            rest = self._rests.get(provider.name)
            left = rest.until - self._clock() if rest is not None else 0.0
            if rest is not None and left > 0:
                reasons.append(f"{provider.name} {rest.reason}, and rests for {left:.0f} s more.")
                continue
            try:
                hits = await provider.search(query.text, query.site, query.freshness, _WANTED_MORE * count)
            except SearchFailed as failure:
                self.failures[provider.name] += 1
                log.warning("search_provider_failed", provider=provider.name, reason=failure.reason)
                self._let_rest(provider.name, failure)
                reasons.append(f"{provider.name} {failure.reason}.")
                continue
            self._rests.pop(provider.name, None)
            return _distinct(hits, query.site)[:count]
        raise EngineUnavailable("web_search", " ".join([*reasons, OTHERS] if reasons else [REMEDY]))

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()

    def _let_rest(self, name: str, failure: SearchFailed) -> None:
        if failure.rest_s <= 0:
            return
        now = self._clock()
        rest = self._rests.get(name)
        if rest is not None and rest.until > now:
            return  # several asked it at the same time: that is one failure
        failures = rest.failures + 1 if rest is not None else 1
        seconds = min(failure.rest_s * 2 ** (failures - 1), max(_LONGEST_REST_S, failure.rest_s))
        self._rests[name] = _Rest(failure.reason, now + seconds, failures)


def _distinct(hits: Sequence[Hit], site: str | None) -> list[Hit]:
    """The first of each page. Not every engine understands `site:`."""
    pages: dict[str, Hit] = {}
    for hit in hits:
        if site is None or is_on(hit.url, site):
            pages.setdefault(canonical(hit.url), hit)
    return list(pages.values())
