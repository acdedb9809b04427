"""Which provider is asked, and which one rests. The clock is the tests' own."""

from dataclasses import dataclass, field

import pytest

from models.base import EngineUnavailable
from tasks.search.failover import MORE_PROVIDERS_REMEDY, Hit, SearchFailed, SearchFailover
from tasks.wording.search_query import Freshness, SearchQuery

QUERY = SearchQuery("tides")


@dataclass
class Scripted:
    """Answers with what it is given, in order; the last again and again."""

    name: str
    answers: list[list[Hit] | SearchFailed]
    asked: list[tuple[str, str | None, int]] = field(default_factory=list)

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        self.asked.append((query, site, count))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, SearchFailed):
            raise answer
        return answer

    async def close(self) -> None: ...


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def hit(url: str) -> Hit:
    return Hit(url, url, "")


GOOD = [hit("https://a.example/")]


async def test_one_that_failed_rests_and_is_asked_again_after_it() -> None:
    clock = Clock()
    first, second = Scripted("first", [SearchFailed("is slow", 30.0), GOOD]), Scripted("second", [GOOD])
    search = SearchFailover([first, second], clock=clock)
    for seconds in (0.0, 29.0):
        clock.now += seconds
        await search.search(QUERY, 5)
    assert (len(first.asked), len(second.asked)) == (1, 2)
    clock.now += 1
    await search.search(QUERY, 5)
    assert (len(first.asked), len(second.asked)) == (2, 2)


async def test_a_query_that_is_refused_lets_nobody_rest() -> None:
    first = Scripted("first", [SearchFailed("rejected the query", 0.0), GOOD])
    search = SearchFailover([first])
    with pytest.raises(EngineUnavailable):
        await search.search(QUERY, 5)
    assert await search.search(QUERY, 5) == GOOD


async def test_when_all_fail_each_reason_is_told() -> None:
    first = Scripted("first", [SearchFailed("asks for a CAPTCHA")])
    second = Scripted("second", [SearchFailed("took longer than 8 s")])
    with pytest.raises(EngineUnavailable) as caught:
        await SearchFailover([first, second]).search(QUERY, 5)
    assert caught.value.capability == "web_search"
    assert caught.value.remedy == f"first asks for a CAPTCHA. second took longer than 8 s. {MORE_PROVIDERS_REMEDY}"


async def test_each_page_comes_once_in_the_order_of_the_answer() -> None:
    urls = ["https://b.example/", "http://www.a.example/x/", "https://b.example/?utm_source=1", "https://a.example/x#y"]
    found = await SearchFailover([Scripted("first", [[hit(url) for url in urls]])]).search(QUERY, 5)
    assert [one.url for one in found] == urls[:2]


async def test_what_is_not_on_the_site_is_left_out() -> None:
    urls = ["https://other.example/", "https://www.a.example/", "https://a.example.evil.example/"]
    provider = Scripted("first", [[hit(url) for url in urls]])
    found = await SearchFailover([provider]).search(SearchQuery("tides", "a.example"), 5)
    assert [one.url for one in found] == ["https://www.a.example/"]
