"""What is used again without asking, what is asked about, and what is never kept: against real servers."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tasks.errors import InputTooLarge
from tasks.inputs.fetch.body import FetchedResponse
from tasks.inputs.fetch.cache import HttpCache
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tests.conftest import each_case
from tests.web import TLS, Handler, Server, dated, redirect, response, serving

FRESH = "Cache-Control: max-age=60"


@asynccontextmanager
async def fetching(cache_bytes: int = 1_000_000, **pages: bytes | Handler) -> AsyncIterator[tuple[Fetcher, Server]]:
    async with serving(tls=None, **pages) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",), cache_bytes=cache_bytes), tls=TLS)
        yield fetcher, server
        await fetcher.close()


async def times_asked(*headers: str, body: bytes = b"x") -> int:
    """How often a server is asked for the same page by two fetches in a row. `@60` is the date of a minute ago."""
    now = [re.sub(r"@(-?\d+)", lambda ago: dated(int(ago[1])), header) for header in headers]
    async with fetching(page=response(body, *now)) as (fetcher, server):
        for _ in range(2):
            assert (await fetcher.fetch(server.url("page"))).data == body
    return len(server.requests)


def conditional(etag: str | None, body: bytes, *headers: str) -> Handler:
    """Answers 304 to whoever knows `etag`, or any date, else `body`."""

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        known = b"if-modified-since" in head.lower() if etag is None else f"If-None-Match: {etag}".encode() in head
        own = (*headers, *([f"ETag: {etag}"] if etag else []))
        writer.write(response(b"", *own, status="304 Not Modified") if known else response(body, *own))

    return answer


@pytest.mark.parametrize(
    "headers",
    [
        [FRESH],
        ["Cache-Control: public, max-age=60"],
        ["Cache-Control: s-maxage=60, max-age=0"],
        ["Expires: @-60"],
        ["Date: @100", "Expires: @-60"],
        ["Date: @-300", FRESH],
        [FRESH, "Date: @30"],
        [FRESH, "Age: 30"],
    ],
)
async def test_what_is_fresh_is_used_again(headers: list[str]) -> None:
    assert await times_asked(*headers) == 1


@each_case(
    "headers",
    [
        [],
        ["Cache-Control: no-store", "ETag: x"],
        ["Cache-Control: private, max-age=60"],
        ["Cache-Control: max-age=0"],
        ["Cache-Control: s-maxage=0, max-age=60"],
        ["Cache-Control: no-cache, max-age=60"],
        [FRESH, "Date: @100"],
        [FRESH, "Age: 100"],
        [FRESH, "Vary: *"],
        ["Expires: 0"],
        ["Expires: @1"],
        # An old page may have changed since: its age is no promise.
        ["Last-Modified: @10000000"],
        ["Pragma: no-cache"],
        ["Cache-Control: max-age=junk"],
        ["Expires: Mon, 01 Jan 99999 00:00:00 GMT"],
    ],
)
async def test_what_is_not_is_asked_for_again(headers: list[str]) -> None:
    assert await times_asked(*headers) == 2


@pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', None])
async def test_a_stale_answer_is_used_when_the_server_says_that_it_still_holds(etag: str | None) -> None:
    modified = dated(1000)
    page = conditional(etag, b"the body", f"Last-Modified: {modified}", "Content-Type: text/plain")
    async with fetching(page=page) as (fetcher, server):
        first = await fetcher.fetch(server.url("page"))
        again = await fetcher.fetch(server.url("page"))
    assert again == first
    assert again.content_type == "text/plain"
    assert len(server.requests) == 2
    assert f"If-Modified-Since: {modified}" in server.requests[1]
    assert ("If-None-Match" in server.requests[1]) == (etag is not None)


async def test_a_confirmed_answer_is_fresh_again() -> None:
    answers = [
        response(b"x", 'ETag: "v1"', "Cache-Control: max-age=0"),
        response(b"", 'ETag: "v1"', FRESH, status="304 Not Modified"),
    ]

    async def page(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with fetching(page=page) as (fetcher, server):
        for _ in range(4):
            assert (await fetcher.fetch(server.url("page"))).data == b"x"
    assert len(server.requests) == 2


async def test_a_changed_page_replaces_the_old_one() -> None:
    async with fetching(page=response(b"old", 'ETag: "1"')) as (fetcher, server):
        await fetcher.fetch(server.url("page"))
        server.pages["page"] = response(b"new", 'ETag: "2"', FRESH)
        assert [(await fetcher.fetch(server.url("page"))).data for _ in range(2)] == [b"new", b"new"]
    assert len(server.requests) == 2


async def test_a_confirmation_of_something_else_is_not_believed() -> None:
    answers = [
        response(b"one", 'ETag: "1"'),
        response(b"", 'ETag: "2"', status="304 Not Modified"),
        response(b"two", 'ETag: "2"'),
    ]

    async def page(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))

    async with fetching(page=page) as (fetcher, server):
        await fetcher.fetch(server.url("page"))
        assert (await fetcher.fetch(server.url("page"))).data == b"two"
    assert "If-None-Match" not in server.requests[2]


@each_case("header", ["Cache-Control: max-age=60", "Vary: a", "Expires: a", "ETag: a"])
async def test_an_answer_with_a_long_rule_is_not_kept(header: str) -> None:
    assert await times_asked(FRESH, header + ",a" * 1_000) == 2


async def test_a_confirmation_with_a_long_rule_is_not_read() -> None:
    page = conditional('"1"', b"new", "Cache-Control: max-age=0" + ",a" * 1_000)
    async with fetching(page=page) as (fetcher, server):
        assert (await fetcher.fetch(server.url("page"))).data == b"new"
        assert (await fetcher.fetch(server.url("page"))).data == b"new"


async def test_a_page_that_turns_private_is_forgotten() -> None:
    async with fetching(page=response(b"x", 'ETag: "1"')) as (fetcher, server):
        await fetcher.fetch(server.url("page"))
        server.pages["page"] = response(b"y", 'ETag: "1"', "Cache-Control: no-store")
        await fetcher.fetch(server.url("page"))
        await fetcher.fetch(server.url("page"))
    assert "If-None-Match" not in server.requests[2]


async def test_failures_are_never_kept_and_do_not_forget_what_was() -> None:
    async with fetching(page=response(b"x", 'ETag: "1"')) as (fetcher, server):
        await fetcher.fetch(server.url("page"))
        server.pages["page"] = response(b"down", FRESH, status="503 Down")
        for _ in range(2):
            with pytest.raises(Exception, match="answered with status 503"):
                await fetcher.fetch(server.url("page"))
        server.pages["page"] = conditional('"1"', b"other")
        assert (await fetcher.fetch(server.url("page"))).data == b"x"


async def test_an_answer_is_shared_only_between_requests_that_vary_in_nothing_that_matters() -> None:
    async with fetching(page=response(b"x", FRESH, "Vary: Accept-Language, Accept")) as (fetcher, server):
        for language in ("de", "de", "en", "en"):
            await fetcher.fetch(server.url("page"), headers={"Accept-Language": language})
        await fetcher.fetch(server.url("page"), headers={"Accept-Language": "en", "User-Agent": "other"})
        assert len(server.requests) == 2
        await fetcher.fetch(server.url("page"))
    assert len(server.requests) == 3


async def test_another_variants_validator_is_not_sent() -> None:
    async with fetching(page=response(b"x", 'ETag: "1"', "Vary: Accept-Language")) as (fetcher, server):
        for language in ("de", "en"):
            await fetcher.fetch(server.url("page"), headers={"Accept-Language": language})
    assert "If-None-Match" not in server.requests[1]


@pytest.mark.parametrize("secret", ["Authorization", "Cookie", "X-Api-Key", "X-Subscription-Token"])
async def test_answers_to_credentials_are_neither_kept_nor_replaced_by_kept_ones(secret: str) -> None:
    async with fetching(page=response(b"x", "Cache-Control: public, max-age=60")) as (fetcher, server):
        await fetcher.fetch(server.url("page"), headers={secret: "s"})
        await fetcher.fetch(server.url("page"))
        await fetcher.fetch(server.url("page"), headers={secret: "s"})
    assert len(server.requests) == 3


async def test_posts_are_not_kept() -> None:
    async with fetching(page=response(b"x", FRESH)) as (fetcher, server):
        for _ in range(2):
            await fetcher.fetch(server.url("page"), json={"q": 1})
    assert len(server.requests) == 2


async def test_fresh_neither_reads_nor_fills_the_cache() -> None:
    async with fetching(page=response(b"old", FRESH)) as (fetcher, server):
        await fetcher.fetch(server.url("page"), fresh=True)
        await fetcher.fetch(server.url("page"))
        server.pages["page"] = response(b"new", FRESH)
        assert (await fetcher.fetch(server.url("page"), fresh=True)).data == b"new"
        assert (await fetcher.fetch(server.url("page"))).data == b"old"
    assert len(server.requests) == 3


async def test_no_memory_means_no_cache() -> None:
    async with fetching(0, page=response(b"x", FRESH)) as (fetcher, server):
        for _ in range(2):
            await fetcher.fetch(server.url("page"))
    assert len(server.requests) == 2


async def test_each_url_has_its_own_answer() -> None:
    async with fetching(a=response(b"a", FRESH), b=response(b"b", FRESH)) as (fetcher, server):
        for path in ("a", "b", "a?x=1", "a", "b"):
            server.pages[path] = response(path.encode(), FRESH)
            assert (await fetcher.fetch(server.url(path))).data == path.encode()
    assert len(server.requests) == 3


async def test_a_redirect_is_asked_for_each_time_and_its_target_is_not() -> None:
    async with fetching(a=redirect("/b", "301 Moved"), b=response(b"b", FRESH)) as (fetcher, server):
        for _ in range(2):
            assert (await fetcher.fetch(server.url("a"))).url == server.url("b")
    assert [head.split()[1] for head in server.requests] == ["/a", "/b", "/a"]


async def test_a_kept_answer_may_be_too_large_for_another_visit() -> None:
    async with fetching(page=response(bytes(1000), FRESH)) as (fetcher, server):
        await fetcher.fetch(server.url("page"))
        with pytest.raises(InputTooLarge):
            await fetcher.fetch(server.url("page"), max_bytes=999)


async def test_a_compressed_answer_is_kept_as_what_it_unpacks_to() -> None:
    page = response(gzip.compress(b"words " * 100), FRESH, "Content-Encoding: gzip")
    async with fetching(page=page) as (fetcher, server):
        for _ in range(2):
            assert (await fetcher.fetch(server.url("page"))).data == b"words " * 100
    assert len(server.requests) == 1


def sender(body: bytes, *, asked: list[str], url: str, fields: int = 0) -> Callable[[object], object]:
    async def send(_: object) -> FetchedResponse:
        asked.append(url)
        await asyncio.sleep(0)
        return FetchedResponse(200, {"cache-control": "max-age=60", **{f"x{n}": "y" for n in range(fields)}}, body)

    return send


async def test_memory_is_bounded_and_the_least_recently_used_leaves_first() -> None:
    cache, asked = HttpCache(38_000), list[str]()

    async def visit(url: str, size: int = 10_000) -> None:
        await cache.answer("me", url, {}, sender(bytes(size), asked=asked, url=url))  # type: ignore[arg-type]
        assert cache.size <= 38_000

    for url in "abcad":
        await visit(url)
    assert asked == ["a", "b", "c", "d"]
    for url in "acdb":
        await visit(url)
    assert asked == ["a", "b", "c", "d", "b"]
    await visit("huge", 100_000)
    await visit("huge", 100_000)
    assert asked[-2:] == ["huge", "huge"]
    await visit("b")
    assert asked[-1] == "huge"


async def test_header_fields_count_by_what_they_take() -> None:
    cache, asked = HttpCache(100_000), list[str]()
    for url in "abcd":
        await cache.answer("me", url, {}, sender(b"x", asked=asked, url=url, fields=200))  # type: ignore[arg-type]
    assert len(asked) == 4
    assert 50_000 < cache.size <= 100_000  # one has left


async def test_two_at_once_ask_twice_and_leave_one_answer() -> None:
    cache, asked = HttpCache(100_000), list[str]()
    answers = [cache.answer("me", "u", {}, sender(b"x", asked=asked, url="u")) for _ in range(2)]  # type: ignore[arg-type]
    await asyncio.gather(*answers)
    size = cache.size
    await cache.answer("me", "u", {}, sender(b"x", asked=asked, url="u"))  # type: ignore[arg-type]
    assert (asked, cache.size) == (["u", "u"], size)


async def test_what_one_caller_has_fetched_no_other_finds() -> None:
    cache, asked = HttpCache(100_000), list[str]()
    for owner in ("one", "another", "one", "another"):
        await cache.answer(owner, "u", {}, sender(b"x", asked=asked, url=owner))  # type: ignore[arg-type]
    assert asked == ["one", "another"]
