"""ddgs: the result pages of public search engines, read without a key."""

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.inputs.decode.threads import Worker
from tasks.search.provider import BLOCKED_S, LIMIT_S, Hit, SearchFailed, hits_of
from tasks.wording.freshness import Freshness

ENGINES = ("duckduckgo", "brave", "mojeek", "startpage")
"""Asked two at a time, in this order, until there are enough results. Their hosts are fixed in ddgs."""
_ENGINE_S = 4
"""Seconds that one of them may take."""
_THREADS = 8
_NOTHING = "No results found."
"""What ddgs says both when there are none and when all engines turned it away."""


def is_installed() -> bool:
    return importlib.util.find_spec("ddgs") is not None


class Ddgs:
    """Uses the HTTP client of ddgs, not the fetcher, for the engines' own hosts only, in threads.

    `proxy` is the way out where there is one; `authorities` a PEM file with the certificates to trust instead of the
    usual ones.
    """

    name = "ddgs"

    def __init__(
        self, *, proxy: str | None = None, authorities: str | None = None, engines: Sequence[str] = ENGINES
    ) -> None:
        self._proxy = proxy
        self._authorities = authorities
        self._engines = ",".join(engines)
        self._threads = Worker("ddgs", threads=_THREADS)

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        words = f"{query} site:{site}" if site else query
        limit = freshness.period[0] if freshness is not None and freshness.period is not None else None
        try:
            async with asyncio.timeout(LIMIT_S):
                found = await self._threads.run(self._ask, words, limit, count)
        except TimeoutError as error:
            raise SearchFailed(f"took longer than {LIMIT_S:g} s") from error
        return ddgs_hits(found, count)

    async def close(self) -> None:
        await self._threads.close()

    def _ask(self, query: str, timelimit: str | None, count: int) -> Sequence[Mapping[str, Any]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

        client = DDGS(proxy=self._proxy, timeout=_ENGINE_S, verify=self._authorities or True)
        try:
            return client.text(query, timelimit=timelimit, max_results=count, backend=self._engines)
        except RatelimitException as error:
            raise SearchFailed("is asked too often", BLOCKED_S) from error
        except TimeoutException as error:
            raise SearchFailed("did not answer in time") from error
        except DDGSException as error:
            if str(error) == _NOTHING:
                raise SearchFailed("found nothing, or was turned away", rest_s=0.0) from error
            raise SearchFailed("could not be reached") from error


def ddgs_hits(found: object, count: int) -> list[Hit]:
    """From the dicts that ddgs gives: `title`, `href` and `body`."""
    return hits_of(found, title="title", url="href", description="body", count=count)
