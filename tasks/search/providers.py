"""The search providers, and the choice of the configured ones."""

import asyncio
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher
from tasks.inputs.fetch.url_policy import FetchFailed
from tasks.search.failover import (
    BLOCKED_S,
    LIMIT_S,
    REFUSED_S,
    UNREACHABLE_S,
    Hit,
    SearchFailed,
    SearchProvider,
    hits_of,
    plain,
)
from tasks.wording.search_query import Freshness

_MAX_BYTES = 2 * 1024 * 1024
_CAPTCHA = (b"captcha", b"are you a robot", b"not a robot", b"unusual traffic", b"just a moment", b"/cdn-cgi/challenge")
"""Phrases on pages that are served instead of an answer."""
ENGINES = ("duckduckgo", "brave", "mojeek", "startpage")
"""Engines that ddgs asks, two at a time in this order, until there are enough results. Their hosts are hard-coded in
ddgs."""
_ENGINE_S = 4
"""One engine may take this many seconds."""
_THREADS = 8
_NOTHING = "No results found."
"""Message by which ddgs reports both that there are no results and that all engines refused."""
_SYNTAX = re.compile(r"(?<!\S)[!?:<]+(?=\S)")
"""Beginnings of words that are commands to SearXNG: other engines (`!images`), a redirect to another site (`!!g`),
languages (`:fr`), time limits (`<3`)."""
_BLOCKED = re.compile(r"captcha|too many requests|access denied|suspended", re.IGNORECASE)


async def ask(
    fetcher: Fetcher, url: str, *, headers: Mapping[str, str] | None = None, body: object = None
) -> Mapping[str, Any]:
    """Return the JSON object that the API at `url` answers with; `body` is sent as JSON. Raises SearchFailed."""
    try:
        async with asyncio.timeout(LIMIT_S):
            fetched = await fetcher.fetch(
                url,
                max_bytes=_MAX_BYTES,
                headers={"accept": "application/json", **(headers or {})},
                json=body,
            )
    except TimeoutError as error:
        raise SearchFailed(f"took longer than {LIMIT_S:g} s") from error
    except FetchFailed as error:
        raise _failure_of(error.status) from error
    except InputError as error:
        raise SearchFailed(
            "cannot be asked: its address is not allowed or was not found, or its answer is too large"
        ) from error
    return await asyncio.to_thread(_parse_object, fetched.data)


def _failure_of(status: int | None) -> SearchFailed:
    match status:
        case None:
            return SearchFailed("could not be reached")
        case 400 | 422:
            return SearchFailed(f"rejected the query (status {status})", rest_s=0.0)
        case 401:
            return SearchFailed("rejected its API key (status 401)", REFUSED_S)
        case 402 | 432 | 433:
            return SearchFailed(f"has no credit left (status {status})", REFUSED_S)
        case 403:
            return SearchFailed("refused the request (status 403)", BLOCKED_S)
        case 429:
            return SearchFailed("received too many requests (status 429)", BLOCKED_S)
        case _:
            return SearchFailed(f"answered with status {status}")


def _parse_object(data: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        page = data.lower()
        if any(sign in page for sign in _CAPTCHA):
            raise SearchFailed("asks for a CAPTCHA", BLOCKED_S) from error
        raise SearchFailed("answered with something other than JSON") from error
    if not isinstance(answer, Mapping):
        raise SearchFailed("answered in an unknown format")
    return answer


def part(answer: Mapping[str, Any], *names: str) -> object:
    """Return the value at the path `names` in `answer`, or an empty list if it is missing."""
    found: object = answer
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return [] if found is None else found


@dataclass(frozen=True, slots=True)
class _Hosted:
    fetcher: Fetcher
    key: str = field(repr=False)

    async def close(self) -> None:
        """Leave the fetcher open, because others use it, too."""


@dataclass(frozen=True, slots=True)
class Brave(_Hosted):
    """Brave Search (https://api-dashboard.search.brave.com/api-reference/web/search/get)."""

    url: str = "https://api.search.brave.com/res/v1/web/search"
    name: str = "brave"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        parameters = {
            "q": f"{query} site:{site}" if site else query,
            "count": str(min(count, 20)),
            "text_decorations": "false",
            "result_filter": "web",
        }
        if freshness is not None:
            parameters["freshness"] = f"{freshness.since}to{freshness.until}"
        answer = await ask(
            self.fetcher, f"{self.url}?{urlencode(parameters)}", headers={"x-subscription-token": self.key}
        )
        # The key `web` is missing if there are no results.
        found = part(answer, "web", "results")
        return hits_of(found, title="title", url="url", description="description", count=count)


@dataclass(frozen=True, slots=True)
class Tavily(_Hosted):
    """Tavily (https://docs.tavily.com/documentation/api-reference/endpoint/search)."""

    url: str = "https://api.tavily.com/search"
    name: str = "tavily"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        body: dict[str, Any] = {"query": query, "max_results": min(count, 20), "search_depth": "basic"}
        if site is not None:
            body["include_domains"] = [site]
        if freshness is not None:
            body["start_date"] = str(freshness.since)
            if freshness.until < freshness.today:
                body["end_date"] = str(freshness.until)
        answer = await ask(self.fetcher, self.url, headers={"authorization": f"Bearer {self.key}"}, body=body)
        return hits_of(part(answer, "results"), title="title", url="url", description="content", count=count)


@dataclass(frozen=True, slots=True)
class Serper(_Hosted):
    """Google's results through https://serper.dev."""

    url: str = "https://google.serper.dev/search"
    name: str = "serper"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        body: dict[str, Any] = {"q": f"{query} site:{site}" if site else query, "num": count}
        if freshness is not None:
            # Google's own parameter is either a period that ends now, or two dates.
            since, until = (f"{day.month}/{day.day}/{day.year}" for day in (freshness.since, freshness.until))
            is_now = freshness.until == freshness.today and freshness.period is not None
            body["tbs"] = f"qdr:{str(freshness.period)[0]}" if is_now else f"cdr:1,cd_min:{since},cd_max:{until}"
        answer = await ask(self.fetcher, self.url, headers={"x-api-key": self.key}, body=body)
        return hits_of(part(answer, "organic"), title="title", url="link", description="snippet", count=count)


def is_installed() -> bool:
    return importlib.util.find_spec("ddgs") is not None


class Ddgs:
    """Searches with ddgs and its own HTTP client, in threads. It connects only to the engines' hosts.

    `proxy` is an outgoing proxy, if any; `authorities` is a PEM file of certificates to trust instead of the usual
    certificates.
    """

    name = "ddgs"

    def __init__(
        self, *, proxy: str | None = None, authorities: str | None = None, engines: Sequence[str] = ENGINES
    ) -> None:
        self._proxy = proxy
        self._authorities = authorities
        self._engines = ",".join(engines)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="ddgs")

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        words = f"{query} site:{site}" if site else query
        limit = freshness.period[0] if freshness is not None and freshness.period is not None else None
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, words, limit, count)
        except TimeoutError as error:
            raise SearchFailed(f"took longer than {LIMIT_S:g} s") from error
        return ddgs_hits(found, count)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _ask(self, query: str, timelimit: str | None, count: int) -> Sequence[Mapping[str, Any]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

        client = DDGS(proxy=self._proxy, timeout=_ENGINE_S, verify=self._authorities or True)
        try:
            return client.text(query, timelimit=timelimit, max_results=count, backend=self._engines)
        except RatelimitException as error:
            raise SearchFailed("received too many requests", BLOCKED_S) from error
        except TimeoutException as error:
            raise SearchFailed("did not answer in time") from error
        except DDGSException as error:
            if str(error) == _NOTHING:
                raise SearchFailed("found nothing, or was turned away", rest_s=0.0) from error
            raise SearchFailed("could not be reached") from error


def ddgs_hits(found: object, count: int) -> list[Hit]:
    """Convert the dictionaries of ddgs, whose keys are `title`, `href` and `body`, into hits."""
    return hits_of(found, title="title", url="href", description="body", count=count)


class Searxng:
    """Searches with a SearXNG. `fetcher` may reach `url` on a private network. Only this provider uses it, because
    clients must not reach that network."""

    name = "searxng"

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self.fetcher = fetcher
        self._url = url.rstrip("/").removesuffix("/search") + "/search"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        words = _SYNTAX.sub("", query)
        parameters = {"q": f"{words} site:{site}" if site else words, "format": "json", "categories": "general"}
        if freshness is not None and freshness.period is not None:
            parameters["time_range"] = freshness.period
        try:
            answer = await ask(self.fetcher, f"{self._url}?{urlencode(parameters)}")
        except SearchFailed as failure:
            if failure.reason.endswith("(status 403)"):
                raise SearchFailed(
                    "refuses JSON: its settings need `formats: [html, json]`", failure.rest_s
                ) from failure
            raise
        hits = hits_of(part(answer, "results"), title="title", url="url", description="content", count=count)
        silent = ", ".join(_failed_engines(part(answer, "unresponsive_engines")))
        if not hits and silent:
            rest_s = BLOCKED_S if _BLOCKED.search(silent) else UNREACHABLE_S
            raise SearchFailed(f"found nothing, because engines of its own failed: {silent}", rest_s)
        return hits

    async def close(self) -> None:
        await self.fetcher.close()


def _failed_engines(engines: object) -> Iterator[str]:
    """Yield the engines that failed with their reasons, from `[["duckduckgo", "CAPTCHA"], …]`."""
    for engine in engines[:5] if isinstance(engines, list) else ():
        if isinstance(engine, list) and len(engine) >= 2:
            yield f"{plain(engine[0], 40)} ({plain(engine[1], 60)})"


AUTO, OFF = "auto", "off"
_HOSTED: Final[Mapping[str, type[Brave | Tavily | Serper]]] = {"brave": Brave, "tavily": Tavily, "serper": Serper}
PROVIDERS: Final = ("searxng", *_HOSTED, "ddgs")
"""Names of all providers in the order of `auto`: first the operator's own server, then paid providers, then the
provider that needs no key."""


@dataclass(frozen=True, slots=True)
class SearchConfig:
    order: tuple[str, ...] = (AUTO,)
    """Names of PROVIDERS, or only `auto` or `off` (OPENFAZE_SEARCH_PROVIDER)."""
    url: str | None = None
    """Address of a SearXNG (OPENFAZE_SEARCH_URL)."""
    key: str | None = field(default=None, repr=False)
    """Key of the hosted provider in `order`, or `brave=…,tavily=…` for several (OPENFAZE_SEARCH_API_KEY)."""


def build_providers(config: SearchConfig, fetcher: Fetcher) -> list[SearchProvider]:
    """Build the configured providers. The list is empty for `off`, and for `auto` if none is set up. Hosted providers
    use `fetcher`.

    Raises ValueError for contradictory settings.
    """
    if config.order == (OFF,):
        return []
    keys = _parse_keys(config)
    order = config.order
    if order == (AUTO,):
        needs_no_key = {"searxng": bool(config.url), "ddgs": is_installed()}
        order = tuple(name for name in PROVIDERS if name in keys or needs_no_key.get(name))
    for name in order:
        _check_provider(name, config, keys)
    return [_build_provider(name, config, keys, fetcher) for name in dict.fromkeys(order)]


def _parse_keys(config: SearchConfig) -> dict[str, str]:
    """Return the keys by provider."""
    if not config.key:
        return {}
    pairs = [pair.strip().partition("=") for pair in config.key.split(",")]
    if all(name in _HOSTED and key for name, _, key in pairs):
        return {name: key for name, _, key in pairs}
    alone = [name for name in config.order if name in _HOSTED]
    if len(alone) != 1:
        raise ValueError(
            "OPENFAZE_SEARCH_API_KEY: say whose key it is, by OPENFAZE_SEARCH_PROVIDER or as in 'brave=KEY' "
            f"(one of {', '.join(_HOSTED)}; separate several by commas)"
        )
    return {alone[0]: config.key}


def _check_provider(name: str, config: SearchConfig, keys: Mapping[str, str]) -> None:
    if name not in PROVIDERS:
        names = ", ".join(PROVIDERS)
        raise ValueError(
            f"OPENFAZE_SEARCH_PROVIDER: no provider '{name}'; choose from: {names}; or 'auto' or 'off' alone"
        )
    if name == "searxng" and not config.url:
        raise ValueError("OPENFAZE_SEARCH_PROVIDER: 'searxng' needs OPENFAZE_SEARCH_URL")
    if name in _HOSTED and name not in keys:
        raise ValueError(f"OPENFAZE_SEARCH_PROVIDER: '{name}' needs OPENFAZE_SEARCH_API_KEY")
    if name == "ddgs" and not is_installed():
        raise ValueError("OPENFAZE_SEARCH_PROVIDER: 'ddgs' needs the package of that name")


def _build_provider(name: str, config: SearchConfig, keys: Mapping[str, str], fetcher: Fetcher) -> SearchProvider:
    if name == "searxng":
        assert config.url is not None
        return Searxng(_own_fetcher(config.url, fetcher), config.url)
    if name == "ddgs":
        return Ddgs(proxy=fetcher.policy.proxy)
    return _HOSTED[name](fetcher, keys[name])


def _own_fetcher(url: str, fetcher: Fetcher) -> Fetcher:
    """Return a fetcher that may reach the host of `url` even on a private network, and otherwise only public addresses.
    If the host were in the allow-list of `fetcher`, clients could reach it, too."""
    return Fetcher(replace(fetcher.policy, allow=(_host_and_port(url),)))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("OPENFAZE_SEARCH_URL is not the http or https URL of a SearXNG")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def names_of(providers: Sequence[SearchProvider]) -> str:
    return ", ".join(provider.name for provider in providers)
