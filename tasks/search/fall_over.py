"""Several providers as one: the first that answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from models.base import EngineUnavailable
from tasks.search.canonical import canonical, is_on
from tasks.search.provider import Hit, SearchFailed, SearchProvider
from tasks.wording.search_query import SearchQuery

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
