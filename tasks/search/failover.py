"""Tries search providers in order until one answers."""

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
"""A provider's answer may take this many seconds."""

UNREACHABLE_S = 30.0
BLOCKED_S = 300.0
REFUSED_S = 600.0
"""Seconds for which a provider is skipped after a failure. UNREACHABLE_S counts if the provider cannot be
reached, BLOCKED_S if it limits its use, and REFUSED_S if it rejects the key or has no credit left."""

_MAX_TITLE = 300
_MAX_DESCRIPTION = 1000
_MAX_URL = 2000
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")
_TRACKING = re.compile(
    r"utm_\w+|ga_\w+|hsa_\w+|pk_\w+|mtm_\w+|_hs\w+|[gdwy]?clid|gclsrc|gbraid|wbraid|fbclid|msclkid|yclid|twclid|ttclid|igshid"
    r"|mc_[ce]id|_ga|_gl|ref_src|ref_url|cmpid|ocid|spm|s_cid|amp|amp_\w+|outputtype",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_AMP_PATH = re.compile(r"(?:/amp|\.amp)(?=/?$|\.html?$)|^/amp(?=/)", re.IGNORECASE)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)$", re.IGNORECASE)
_SETTINGS_OF_PROVIDERS = "Set OPENFAZE_SEARCH_URL to a SearXNG, or OPENFAZE_SEARCH_PROVIDER and OPENFAZE_SEARCH_API_KEY"
MORE_PROVIDERS_REMEDY = f"{_SETTINGS_OF_PROVIDERS}, to have other providers asked as well."
REMEDY = f"{_SETTINGS_OF_PROVIDERS}, or install the package 'ddgs', which needs no key."
_WANTED_MORE = 2
"""Factor on the number of requested results, because several results may belong to one page."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One link of a search result. All of it is foreign data."""

    title: str
    url: str
    """Address of the page, http or https."""
    description: str


class SearchFailed(Exception):
    """Raised for a failed search. `reason` continues a sentence that begins with the provider's name; it is public and
    contains neither the query nor an address. The provider is skipped for `rest_s` seconds, which are 0 if only this
    query failed."""

    def __init__(self, reason: str, rest_s: float = UNREACHABLE_S) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest_s = rest_s


class SearchProvider(Protocol):
    @property
    def name(self) -> str:
        """Name of the provider in OPENFAZE_SEARCH_PROVIDER."""

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        """Return at most `count` hits, the best first, from `site` (a host with its subdomains) and within `freshness`,
        if the provider supports these. Raises SearchFailed."""

    async def close(self) -> None: ...


def hits_of(items: object, *, title: str, url: str, description: str, count: int) -> list[Hit]:
    """Return the first `count` links of a result list. `title`, `url` and `description` are the keys of these parts in
    its objects. Entries of a different form are skipped. Raises SearchFailed if `items` is not a list."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise SearchFailed("answered in an unknown format")
    found = (_parse_hit(item, title, url, description) for item in items if isinstance(item, Mapping))
    return [hit for hit in found if hit is not None][:count]


def _parse_hit(item: Mapping[str, Any], title: str, url: str, description: str) -> Hit | None:
    link = item.get(url)
    if not isinstance(link, str) or not _is_link(link):
        return None
    return Hit(plain(item.get(title), _MAX_TITLE) or link, link, plain(item.get(description), _MAX_DESCRIPTION))


def plain(text: object, limit: int) -> str:
    """Return the text as one line without markup, of at most `limit` characters."""
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
        _ = parts.port  # raises ValueError for an invalid port
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def canonical(url: str) -> str:
    """Return a form of `url` that is equal for all addresses of one page: without scheme, prefixes such as `www.` and
    `m.`, default port, fragment, final slash, index file, tracking parameters and marks of AMP, and with sorted
    parameters. This form is for comparing addresses and not for fetching. Raises ValueError for an invalid URL."""
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
    """True if `url` is on the host `site` or a subdomain of it."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == site or host.endswith(f".{site}")


log = structlog.get_logger(__name__)


class SearchFailover:
    """Asks `providers` in order. A provider that fails is skipped for a while. `clock` returns seconds."""

    def __init__(self, providers: Sequence[SearchProvider], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.providers = tuple(providers)
        self._clock = clock
        self._rests: dict[str, tuple[str, float]] = {}
        """Reason for which a provider is skipped, and the time until which it is, by its name."""
        self.failures: Counter[str] = Counter()
        """Number of failed searches, by the name of the provider."""

    async def search(self, query: SearchQuery, count: int) -> list[Hit]:
        """Return at most `count` hits of distinct pages on the query's site. Raises EngineUnavailable with the reason
        of each provider."""
        reasons = []
        for provider in self.providers:
            reason, until = self._rests.get(provider.name, ("", 0.0))
            if (left := until - self._clock()) > 0:
                reasons.append(f"{provider.name} {reason}, and is paused for {left:.0f} s more.")
                continue
            try:
                hits = await provider.search(query.text, query.site, query.freshness, _WANTED_MORE * count)
            except SearchFailed as failure:
                self.failures[provider.name] += 1
                log.warning("search_provider_failed", provider=provider.name, reason=failure.reason)
                self._rests[provider.name] = failure.reason, self._clock() + failure.rest_s
                reasons.append(f"{provider.name} {failure.reason}.")
                continue
            return _distinct_pages(hits, query.site)[:count]
        raise EngineUnavailable("web_search", " ".join([*reasons, MORE_PROVIDERS_REMEDY] if reasons else [REMEDY]))

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()


def _distinct_pages(hits: Sequence[Hit], site: str | None) -> list[Hit]:
    """Return the first hit of each page. Not every engine understands `site:`, so hosts are checked here."""
    pages: dict[str, Hit] = {}
    for hit in hits:
        if site is None or is_on(hit.url, site):
            pages.setdefault(canonical(hit.url), hit)
    return list(pages.values())
