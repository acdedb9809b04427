"""Hosted search APIs, each with a key: Brave, Tavily, Serper."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tasks.inputs.fetch.fetcher import Fetcher
from tasks.search.api import ask, part
from tasks.search.provider import Hit, hits_of
from tasks.wording.freshness import Freshness


@dataclass(frozen=True, slots=True)
class _Hosted:
    fetcher: Fetcher
    key: str = field(repr=False)

    async def close(self) -> None:
        """The fetcher is others' too."""


@dataclass(frozen=True, slots=True)
class Brave(_Hosted):
    """https://api-dashboard.search.brave.com/api-reference/web/search/get"""

    url: str = "https://api.search.brave.com/res/v1/web/search"
    name: str = "brave"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        asked = {
            "q": f"{query} site:{site}" if site else query,
            "count": str(min(count, 20)),
            "text_decorations": "false",
            "result_filter": "web",
        }
        if freshness is not None:
            asked["freshness"] = f"{freshness.since}to{freshness.until}"
        answer = await ask(self.fetcher, f"{self.url}?{urlencode(asked)}", headers={"x-subscription-token": self.key})
        # Without results there is no `web`.
        found = part(answer, "web", "results")
        return hits_of(found, title="title", url="url", description="description", count=count)


@dataclass(frozen=True, slots=True)
class Tavily(_Hosted):
    """https://docs.tavily.com/documentation/api-reference/endpoint/search"""

    url: str = "https://api.tavily.com/search"
    name: str = "tavily"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        asked: dict[str, Any] = {"query": query, "max_results": min(count, 20), "search_depth": "basic"}
        if site is not None:
            asked["include_domains"] = [site]
        if freshness is not None:
            asked["start_date"] = str(freshness.since)
            if freshness.until < freshness.today:
                asked["end_date"] = str(freshness.until)
        answer = await ask(self.fetcher, self.url, headers={"authorization": f"Bearer {self.key}"}, body=asked)
        return hits_of(part(answer, "results"), title="title", url="url", description="content", count=count)


@dataclass(frozen=True, slots=True)
class Serper(_Hosted):
    """Google's results by https://serper.dev"""

    url: str = "https://google.serper.dev/search"
    name: str = "serper"

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        asked: dict[str, Any] = {"q": f"{query} site:{site}" if site else query, "num": count}
        if freshness is not None:
            # Google's own parameter: a period that ends now, or two dates.
            since, until = (f"{day.month}/{day.day}/{day.year}" for day in (freshness.since, freshness.until))
            is_now = freshness.until == freshness.today and freshness.period is not None
            asked["tbs"] = f"qdr:{str(freshness.period)[0]}" if is_now else f"cdr:1,cd_min:{since},cd_max:{until}"
        answer = await ask(self.fetcher, self.url, headers={"x-api-key": self.key}, body=asked)
        return hits_of(part(answer, "organic"), title="title", url="link", description="snippet", count=count)
