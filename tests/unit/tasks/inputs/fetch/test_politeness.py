"""What robots.txt closes, and how often a host is visited. The clock is the tests' own: nobody waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tasks.errors import InputError
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.politeness import Politeness, ScrapePolicy
from tasks.inputs.fetch.url_policy import FetchFailed
from tests.conftest import each_case
from tests.kit.internet.web import TLS, Handler, Names, Server, redirect, response, serving

CLOSED = b"User-agent: *\nDisallow: /closed\nAllow: /closed/but-this\n"


class Clock:
    """Time passes while somebody sleeps, and when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def scraping(
    policy: ScrapePolicy | None = None, **pages: bytes | Handler
) -> AsyncIterator[tuple[Politeness, Server, Clock]]:
    clock = Clock()
    names = Names(good_test=["127.0.0.1"], other_test=["127.0.0.1"])
    served: dict[str, Any] = {"page": response(b"hello"), **pages}
    async with serving(**served) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1/32",)), resolver=names, tls=TLS)
        yield Politeness(fetcher, policy or ScrapePolicy(host_rps=1000), clock, clock.sleep), server, clock
        await fetcher.close()


def robots(text: bytes | str, **pages: bytes) -> dict[str, Any]:
    return {"robots.txt": response(text if isinstance(text, bytes) else text.encode()), **pages}


def asked(server: Server) -> list[str]:
    return [head.split()[1] for head in server.requests]


@each_case(
    ("text", "path", "is_open"),
    [
        (CLOSED, "closed", False),
        (CLOSED, "closed/but-this", True),
        ("User-agent: *\nDisallow: /", "page", False),
        ("User-agent: openfaze\nDisallow: /", "page", False),
        ("User-agent: other\nDisallow: /", "page", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: openfaze\nAllow: /", "page", True),
        ("User-agent: *\nDisallow: /*?print=", "page?print=1", False),
        ("\ufeffUser-agent: *\nDisallow: /page", "page", False),
        (b"\xff\xfe\x00garbage", "page", True),
        ("<html>not found</html>", "page", True),
    ],
)
async def test_robots_txt_decides(text: bytes | str, path: str, is_open: bool) -> None:
    async with scraping(**robots(text, **{path: response(b"x")})) as (politeness, server, _):
        if is_open:
            assert (await politeness.fetch(server.url(path))).data == b"x"
        else:
            with pytest.raises(InputError) as caught:
                await politeness.fetch(server.url(path), param="p")
            assert (caught.value.code, caught.value.param) == ("url_not_allowed", "p")
            assert "is closed to robots by its host's robots.txt (OPENFAZE_SCRAPE_ROBOTS)" in caught.value.message
            assert asked(server) == ["/robots.txt"]


async def test_robots_txt_can_be_left_unread() -> None:
    policy = ScrapePolicy(robots=False, host_rps=1000)
    async with scraping(policy, **robots("User-agent: *\nDisallow: /")) as (politeness, server, _):
        await politeness.fetch(server.url("page"))
    assert asked(server) == ["/page"]


@pytest.mark.parametrize("status", ["404 Not Found", "403 No"])
async def test_a_host_without_rules_is_open(status: str) -> None:
    pages: dict[str, Any] = {"robots.txt": response(b"Disallow: /", status=status)}
    async with scraping(**pages) as (politeness, server, _):
        assert (await politeness.fetch(server.url("page"))).data == b"hello"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(b"", status="503 Down"), "robots.txt answered with status 503"),
        (b"nonsense\r\n\r\n", "robots.txt could not be read"),
        (response(bytes(1024 * 1024 + 1)), "robots.txt is too large"),
        (response(b"Disallow: /x\n" * 5_001), "robots.txt is too large"),
    ],
)
async def test_a_host_whose_rules_cannot_be_known_is_left_alone_for_a_minute(answer: bytes, says: str) -> None:
    pages: dict[str, Any] = {"robots.txt": answer}
    async with scraping(**pages) as (politeness, server, clock):
        for _ in range(2):
            with pytest.raises(FetchFailed, match=says):
                await politeness.fetch(server.url("page"))
        assert asked(server) == ["/robots.txt"]
        server.pages["robots.txt"] = response(b"")
        clock.now += 60
        assert (await politeness.fetch(server.url("page"))).data == b"hello"


async def test_rules_are_read_once_an_hour_and_origin_however_many_ask() -> None:
    async with scraping(**robots(CLOSED)) as (politeness, server, clock):
        await asyncio.gather(*(politeness.fetch(server.url("page")) for _ in range(5)))
        assert asked(server).count("/robots.txt") == 1
        await politeness.fetch(server.url("page", host="good.test"))
        assert asked(server).count("/robots.txt") == 2
        clock.now += 3601
        await politeness.fetch(server.url("page"))
    assert asked(server).count("/robots.txt") == 3


async def test_a_redirect_into_what_is_closed_is_refused() -> None:
    async with scraping(**robots(CLOSED, page=redirect("/closed"))) as (politeness, server, _):
        with pytest.raises(InputError, match="redirects to an address that is closed to robots"):
            await politeness.fetch(server.url("page"))
    assert asked(server) == ["/robots.txt", "/page"]


async def test_a_redirect_asks_the_rules_of_the_other_host() -> None:
    async with scraping() as (politeness, server, _):
        server.pages["page"] = redirect(server.url("there", host="other.test"))
        server.pages["there"] = response(b"there")
        assert (await politeness.fetch(server.url("page", host="good.test"))).data == b"there"
    assert asked(server) == ["/robots.txt", "/page", "/robots.txt", "/there"]
    assert "Host: other.test" in server.requests[2]


async def test_visits_of_a_host_keep_their_distance() -> None:
    async with scraping(ScrapePolicy(host_rps=2), **robots("")) as (politeness, server, clock):
        for _ in range(3):
            await politeness.fetch(server.url("page"))
        assert clock.slept == [0.5, 0.5]
        clock.now += 100
        await politeness.fetch(server.url("page"))
        await politeness.fetch(server.url("page", host="good.test"))
    assert clock.slept == [0.5, 0.5]


async def test_only_so_many_visit_a_host_at_a_time() -> None:
    inside, most, go = 0, 0, asyncio.Event()

    async def page(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 3:
            go.set()
        await go.wait()
        writer.write(response(b"x"))
        await writer.drain()
        inside -= 1

    policy = ScrapePolicy(host_rps=1000, host_concurrent=3)
    async with scraping(policy, **robots(""), page=page) as (politeness, server, _):
        await asyncio.gather(*(politeness.fetch(server.url("page")) for _ in range(9)))
    assert most == 3
