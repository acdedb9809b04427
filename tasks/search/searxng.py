"""SearXNG, a metasearch engine that one runs oneself: https://docs.searxng.org/dev/search_api.html"""

import re
from collections.abc import Iterator
from urllib.parse import urlencode

from tasks.inputs.fetch.fetcher import Fetcher
from tasks.search.api import ask, part
from tasks.search.provider import BLOCKED_S, UNREACHABLE_S, Hit, SearchFailed, hits_of, plain
from tasks.wording.freshness import Freshness

_SYNTAX = re.compile(r"(?<!\S)[!?:<]+(?=\S)")
"""Begins words that are orders to SearXNG: other engines (`!images`), a redirect to another site (`!!g`), languages
(`:fr`), time limits (`<3`)."""
_BLOCKED = re.compile(r"captcha|too many requests|access denied|suspended", re.IGNORECASE)


class Searxng:
    """`fetcher` may reach `url` on a private network, and is this provider's own: clients must not reach it too."""

    name = "searxng"

    def __init__(self, fetcher: Fetcher, url: str) -> None:
        self.fetcher = fetcher
        self._url = url.rstrip("/").removesuffix("/search") + "/search"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        words = _SYNTAX.sub("", query)
        asked = {"q": f"{words} site:{site}" if site else words, "format": "json", "categories": "general"}
        if freshness is not None and freshness.period is not None:
            asked["time_range"] = freshness.period
        try:
            answer = await ask(self.fetcher, f"{self._url}?{urlencode(asked)}")
        except SearchFailed as failure:
            if failure.reason.endswith("(status 403)"):
                raise SearchFailed(
                    "refuses JSON: its settings need `formats: [html, json]`", failure.rest_s
                ) from failure
            raise
        hits = hits_of(part(answer, "results"), title="title", url="url", description="content", count=count)
        silent = ", ".join(_silent(part(answer, "unresponsive_engines")))
        if not hits and silent:
            rest_s = BLOCKED_S if _BLOCKED.search(silent) else UNREACHABLE_S
            raise SearchFailed(f"found nothing, for engines of its own failed: {silent}", rest_s)
        return hits

    async def close(self) -> None:
        await self.fetcher.close()


def _silent(engines: object) -> Iterator[str]:
    """`[["duckduckgo", "CAPTCHA"], …]`"""
    for engine in engines[:5] if isinstance(engines, list) else ():
        if isinstance(engine, list) and len(engine) >= 2:
            yield f"{plain(engine[0], 40)} ({plain(engine[1], 60)})"
