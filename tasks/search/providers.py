"""Which search providers there are, and those that an operator has set up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from tasks.inputs.fetch.fetcher import Fetcher
from tasks.search.hosted import Brave, Serper, Tavily
from tasks.search.keyless import Ddgs, is_installed
from tasks.search.provider import SearchProvider
from tasks.search.searxng import Searxng

AUTO, OFF = "auto", "off"
_HOSTED: Final[Mapping[str, type[Brave | Tavily | Serper]]] = {"brave": Brave, "tavily": Tavily, "serper": Serper}
PROVIDERS: Final = ("searxng", *_HOSTED, "ddgs")
"""In the order of `auto`: what the operator runs, pays for, and what needs nothing."""


@dataclass(frozen=True, slots=True)
class SearchConfig:
    order: tuple[str, ...] = (AUTO,)
    """Names of PROVIDERS, or `auto` or `off` alone (OPENFAZE_SEARCH_PROVIDER)."""
    url: str | None = None
    """Of a SearXNG (OPENFAZE_SEARCH_URL)."""
    key: str | None = field(default=None, repr=False)
    """Of the hosted provider in `order`, or `brave=…,tavily=…` for several (OPENFAZE_SEARCH_API_KEY)."""


def build_providers(config: SearchConfig, fetcher: Fetcher) -> list[SearchProvider]:
    """None for `off`, and for `auto` where nothing is set up. `fetcher` is for the hosted ones.

    Raises ValueError for settings that do not fit together.
    """
    if config.order == (OFF,):
        return []
    keys = _keys(config)
    order = config.order
    if order == (AUTO,):
        there = {"searxng": bool(config.url), "ddgs": is_installed()}
        order = tuple(name for name in PROVIDERS if name in keys or there.get(name))
    for name in order:
        _check(name, config, keys)
    return [_built(name, config, keys, fetcher) for name in dict.fromkeys(order)]


def _keys(config: SearchConfig) -> dict[str, str]:
    """The keys by provider."""
    if not config.key:
        return {}
    pairs = [pair.strip().partition("=") for pair in config.key.split(",")]
    if all(name in _HOSTED and key for name, _, key in pairs):
        return {name: key for name, _, key in pairs}
    alone = [name for name in config.order if name in _HOSTED]
    if len(alone) != 1:
        raise ValueError(
            "OPENFAZE_SEARCH_API_KEY: say whose key it is, with OPENFAZE_SEARCH_PROVIDER, or as 'brave=KEY' "
            f"(of {', '.join(_HOSTED)}; several with commas)"
        )
    return {alone[0]: config.key}


def _check(name: str, config: SearchConfig, keys: Mapping[str, str]) -> None:
    if name not in PROVIDERS:
        names = ", ".join(PROVIDERS)
        raise ValueError(
            f"OPENFAZE_SEARCH_PROVIDER: no provider '{name}'; there are: {names}; or 'auto' or 'off' alone"
        )
    if name == "searxng" and not config.url:
        raise ValueError("OPENFAZE_SEARCH_PROVIDER: 'searxng' needs OPENFAZE_SEARCH_URL")
    if name in _HOSTED and name not in keys:
        raise ValueError(f"OPENFAZE_SEARCH_PROVIDER: '{name}' needs OPENFAZE_SEARCH_API_KEY")
    if name == "ddgs" and not is_installed():
        raise ValueError("OPENFAZE_SEARCH_PROVIDER: 'ddgs' needs the package of that name")


def _built(name: str, config: SearchConfig, keys: Mapping[str, str], fetcher: Fetcher) -> SearchProvider:
    if name == "searxng":
        assert config.url is not None
        return Searxng(_own_fetcher(config.url, fetcher), config.url)
    if name == "ddgs":
        return Ddgs(proxy=fetcher.policy.proxy)
    return _HOSTED[name](fetcher, keys[name])


def _own_fetcher(url: str, fetcher: Fetcher) -> Fetcher:
    """A fetcher that may reach the host of `url` wherever it is, and nothing else that is not public: in `fetcher`'s
    allow-list, clients could reach it too."""
    return Fetcher(replace(fetcher.policy, allow=(_host_and_port(url),), cache_bytes=0))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc or parts.query:
        raise ValueError("OPENFAZE_SEARCH_URL is not the http or https URL of a SearXNG")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def names_of(providers: Sequence[SearchProvider]) -> str:
    return ", ".join(provider.name for provider in providers)
