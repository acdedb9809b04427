"""What robots.txt closes, and how often a host is visited. The clock is the tests' own: nobody waits."""

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from protego import Protego

from models.queues import KEY, Slots
from tasks.errors import InputError
from tasks.inputs.fetch import politeness as politeness_module
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.fetch.politeness import Politeness, ScrapePolicy
from tasks.inputs.fetch.url_policy import FetchFailed
from tests.conftest import each_case
from tests.loop_time import LoopTime
from tests.waiting import until
from tests.web import TLS, Handler, Names, Server, redirect, response, serving

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
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1/32",), cache_bytes=0), resolver=names, tls=TLS)
        yield Politeness(fetcher, policy or ScrapePolicy(host_rps=1000), clock, clock.sleep), server, clock
        await fetcher.close()


def robots(text: bytes | str, **pages: bytes) -> dict[str, Any]:
    return {"robots.txt": response(text if isinstance(text, bytes) else text.encode()), **pages}


def asked(server: Server) -> list[str]:
    return [head.split()[1] for head in server.requests]


async def test_a_page_that_is_open_to_robots_is_fetched() -> None:
    async with scraping(**robots(CLOSED)) as (politeness, server, _):
        assert (await politeness.fetch(server.url("page"))).data == b"hello"
    assert asked(server) == ["/robots.txt", "/page"]
    assert "User-Agent: openfaze" in server.requests[0]


@each_case(
    ("text", "path", "is_open"),
    [
        (CLOSED, "closed", False),
        (CLOSED, "closed/but-this", True),
        ("User-agent: *\nDisallow: /", "page", False),
        ("User-agent: openfaze\nDisallow: /", "page", False),
        ("User-agent: OpenFaze\nDisallow: /page", "page", False),
        ("User-agent: other\nDisallow: /", "page", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: openfaze\nAllow: /", "page", True),
        ("User-agent: *\nDisallow: /*?print=", "page?print=1", False),
        ("User-agent: *\nDisallow:", "page", True),
        ("\ufeffUser-agent: *\nDisallow: /page", "page", False),
        (b"\xff\xfe\x00garbage", "page", True),
        ("<html>not found</html>", "page", True),
        ("", "page", True),
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


async def test_a_url_that_a_user_names_is_fetched_whatever_robots_txt_says() -> None:
    async with scraping(**robots("User-agent: *\nDisallow: /")) as (politeness, server, _):
        assert (await politeness.fetcher.fetch(server.url("page"))).data == b"hello"


@pytest.mark.parametrize("status", ["404 Not Found", "401 Who", "403 No", "410 Gone"])
async def test_a_host_without_rules_is_open(status: str) -> None:
    pages: dict[str, Any] = {"robots.txt": response(b"Disallow: /", status=status)}
    async with scraping(**pages) as (politeness, server, _):
        assert (await politeness.fetch(server.url("page"))).data == b"hello"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(b"", status="503 Down"), "robots.txt answered with status 503"),
        (response(b"", status="429 Slowly"), "robots.txt answered with status 429"),
        (b"nonsense\r\n\r\n", "robots.txt could not be read"),
        (response(bytes(1024 * 1024 + 1)), "robots.txt is too large"),
        (response(b"Disallow: /x\n" * 5_001), "robots.txt is too large"),
        (response(b"Disallow: /x\r" * 5_001), "robots.txt is too large"),
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


async def test_a_host_that_is_not_there_is_what_fails_and_not_its_robots_txt() -> None:
    async with scraping() as (politeness, _, _):
        for _ in range(2):
            with pytest.raises(FetchFailed, match="there is no host of this name") as caught:
                await politeness.fetch("http://nowhere.test/page", param="p")
        assert "robots" not in caught.value.message
        assert caught.value.param == "p"


async def test_a_host_that_refuses_connections_is_what_fails() -> None:
    async with serving() as server:
        closed = server.url("page")
    async with scraping() as (politeness, _, _):
        with pytest.raises(FetchFailed, match=r"^'http://127.*/page' could not be reached: the connection was refused"):
            await politeness.fetch(closed)


@pytest.mark.parametrize("target", ["http://nowhere.test/robots.txt", "http://169.254.169.254/", "http://10.0.0.1/"])
async def test_a_robots_txt_that_leads_to_no_public_host_leaves_the_rules_unknown(target: str) -> None:
    pages: dict[str, Any] = {"robots.txt": redirect(target)}
    async with scraping(**pages) as (politeness, server, _):
        with pytest.raises(FetchFailed, match="robots.txt could not be read"):
            await politeness.fetch(server.url("page"))


@pytest.mark.parametrize(
    "target", ["ftp://good.test/", "http://user:word@good.test/", "http://9.9.9.9:22/", "http://a b/"]
)
async def test_a_robots_txt_that_leads_to_a_url_that_is_not_permitted_leaves_the_rules_unknown(target: str) -> None:
    pages: dict[str, Any] = {"robots.txt": redirect(target)}
    async with scraping(**pages) as (politeness, server, clock):
        for _ in range(2):
            with pytest.raises(FetchFailed, match=r"/page' is on a host whose robots\.txt could not be read"):
                await politeness.fetch(server.url("page"))
        assert asked(server) == ["/robots.txt"]
        server.pages["robots.txt"] = response(b"")
        clock.now += 60
        assert (await politeness.fetch(server.url("page"))).data == b"hello"


async def test_a_port_that_is_not_permitted_is_what_fails_and_not_robots_txt() -> None:
    async with scraping() as (politeness, _, _):
        for _ in range(2):
            with pytest.raises(
                InputError, match=r"^'http://9\.9\.9\.9:22/page' uses a port that is not allowed"
            ) as caught:
                await politeness.fetch("http://9.9.9.9:22/page", param="p")
        assert (caught.value.code, caught.value.param) == ("url_not_allowed", "p")


async def test_rules_are_read_once_an_hour_and_origin_however_many_ask() -> None:
    async with scraping(**robots(CLOSED)) as (politeness, server, clock):
        await asyncio.gather(*(politeness.fetch(server.url("page")) for _ in range(5)))
        assert asked(server).count("/robots.txt") == 1
        await politeness.fetch(server.url("page", host="good.test"))
        assert asked(server).count("/robots.txt") == 2
        clock.now += 3601
        await politeness.fetch(server.url("page"))
    assert asked(server).count("/robots.txt") == 3


async def test_rules_are_parsed_once_however_many_pages_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def counted(text: str) -> Protego:
        parsed.append(text)
        return parse(text)

    parse = Protego.parse
    monkeypatch.setattr(Protego, "parse", counted)
    async with scraping(**robots(CLOSED)) as (politeness, server, _):
        await asyncio.gather(*(politeness.fetch(server.url("page")) for _ in range(5)))
    assert parsed == [CLOSED.decode()]


async def test_no_key_waits_for_the_reading_of_another() -> None:
    answers = [response(CLOSED), b""]

    async def slow_at_first(_: bytes, writer: asyncio.StreamWriter) -> None:
        answer = answers.pop()
        if not answer:
            await may_answer.wait()
            answer = response(CLOSED)
        writer.write(answer)

    def fetch_as(key: str) -> asyncio.Task[Any]:
        context = contextvars.copy_context()
        context.run(KEY.set, key)
        return asyncio.create_task(politeness.fetch(server.url("page")), context=context)

    may_answer = asyncio.Event()
    async with scraping(**{"robots.txt": slow_at_first}) as (politeness, server, _):
        alices = [fetch_as("alice"), fetch_as("alice")]
        await until(lambda: not answers[1:])
        assert (await asyncio.wait_for(fetch_as("bob"), 20)).data == b"hello"
        may_answer.set()
        await asyncio.gather(*alices)
        assert asked(server).count("/robots.txt") == 2
        await asyncio.gather(fetch_as("alice"), fetch_as("bob"))
    assert asked(server).count("/robots.txt") == 2


async def test_no_key_learns_by_the_time_what_another_has_visited() -> None:
    async with scraping(**robots(CLOSED)) as (politeness, server, _):
        for key in ("alice", "bob", "alice"):
            context = contextvars.copy_context()
            context.run(KEY.set, key)
            await asyncio.create_task(politeness.fetch(server.url("page"), owner=key), context=context)
    assert asked(server).count("/robots.txt") == 2


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


@pytest.mark.parametrize("target", ["http://169.254.169.254/", "http://10.0.0.1/page"])
async def test_rules_are_never_fetched_from_where_a_page_may_not_be(target: str) -> None:
    async with scraping() as (politeness, _, _):
        with pytest.raises(InputError, match=f"^'{target}' is not on the public internet"):
            await politeness.fetch(target)


async def test_visits_of_a_host_keep_their_distance() -> None:
    async with scraping(ScrapePolicy(host_rps=2), **robots("")) as (politeness, server, clock):
        for _ in range(3):
            await politeness.fetch(server.url("page"))
        assert clock.slept == [0.5, 0.5]
        clock.now += 100
        await politeness.fetch(server.url("page"))
        await politeness.fetch(server.url("page", host="good.test"))
    assert clock.slept == [0.5, 0.5]


async def test_visits_that_come_at_once_are_spread_out() -> None:
    async with scraping(ScrapePolicy(host_rps=4, host_concurrent=10), **robots("")) as (politeness, server, clock):
        began = clock.now
        await asyncio.gather(*(politeness.fetch(server.url("page")) for _ in range(4)))
    assert clock.now - began >= 0.75
    assert len(clock.slept) == 3


async def test_a_visit_that_is_given_up_before_it_begins_delays_no_other() -> None:
    waiting = 0

    async def for_ever(_: float) -> None:
        nonlocal waiting
        waiting += 1
        await asyncio.Event().wait()

    async with scraping(ScrapePolicy(host_rps=2), **robots("")) as (politeness, server, clock):
        await politeness.fetch(server.url("page"))
        politeness.sleep = for_ever
        for count in range(1, 6):
            visits = [asyncio.create_task(politeness.fetch(server.url("page"), fresh=True)) for _ in range(4)]
            await until(lambda count=count: waiting >= count)
            for visit in visits:
                visit.cancel()
            await asyncio.gather(*visits, return_exceptions=True)
        politeness.sleep = clock.sleep
        await politeness.fetch(server.url("page"), fresh=True)
    assert clock.slept == [0.5]


@pytest.mark.parametrize(("delay", "waits"), [("3", 3.0), ("0.1", 0.5), ("3600", 10.0), ("junk", 0.5)])
async def test_a_host_may_ask_for_more_distance_within_reason(delay: str, waits: float) -> None:
    rules = robots(f"User-agent: *\nCrawl-delay: {delay}")
    async with scraping(ScrapePolicy(host_rps=2), **rules) as (politeness, server, clock):
        for _ in range(2):
            await politeness.fetch(server.url("page"))
    assert clock.slept == [waits]


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


async def test_keys_visit_a_host_in_turn() -> None:
    order: list[str] = []
    asked, go = asyncio.Event(), asyncio.Event()

    async def page(head: bytes, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go.wait()
        order.append(head.split()[1].decode())
        writer.write(response(b"x"))
        await writer.drain()

    policy = ScrapePolicy(robots=False, host_rps=1000, host_concurrent=1)
    async with scraping(policy, a1=page, a2=page, a3=page, b1=page) as (politeness, server, _):

        async def visit(name: str) -> None:
            KEY.set(name[0])
            await politeness.fetch(server.url(name))

        visits = [asyncio.create_task(visit("a1"))]
        await asked.wait()
        visits += [asyncio.create_task(visit(name)) for name in ("a2", "a3", "b1")]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*visits)
    assert order[0] == "/a1"
    assert order.index("/b1") < order.index("/a3")


async def test_waiting_for_a_turn_counts_against_the_time_of_the_fetch() -> None:
    time = LoopTime()

    async def forever(_: float) -> None:
        time.passes(30)
        await asyncio.Event().wait()

    async with serving(page=response(b"x")) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1",), total_timeout=30))
        politeness = Politeness(fetcher, ScrapePolicy(robots=False, host_rps=0.01), sleep=forever)
        await politeness.fetch(server.url("page"), fresh=True)
        with pytest.raises(FetchFailed, match="took longer than 30 s"):
            await politeness.fetch(server.url("page"), fresh=True)
        await fetcher.close()


async def test_a_failed_visit_gives_its_place_back() -> None:
    policy = ScrapePolicy(host_rps=1000, host_concurrent=1)
    async with scraping(policy, **robots("")) as (politeness, server, _):
        for _ in range(3):
            with pytest.raises(FetchFailed, match="404"):
                await politeness.fetch(server.url("missing"))
        assert (await politeness.fetch(server.url("page"))).data == b"hello"


async def test_hosts_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their turns nor their rules, whatever a crawl comes across."""
    monkeypatch.setattr(politeness_module, "_MAX_HOSTS", 50)

    def remembered() -> int:
        return sum(isinstance(thing, Slots) for thing in gc.get_objects())

    before = remembered()
    names, clock = Names(**{f"h{n}_test": ["127.0.0.1"] for n in range(100)}), Clock()
    async with serving(**robots("# x\n" * 300), page=response(b"x")) as server:
        fetcher = Fetcher(FetchPolicy(allow=("127.0.0.1/32",), cache_bytes=0), resolver=names, tls=TLS)
        politeness = Politeness(fetcher, ScrapePolicy(), clock, clock.sleep)
        for n in [*range(100), 99, 0]:
            await politeness.fetch(server.url("page", host=f"h{n}.test"))
            clock.now += 1
        await fetcher.close()
    assert remembered() - before <= 51
    rules_of = [head for head in server.requests if head.startswith("GET /robots.txt")]
    assert len(rules_of) == 101
    assert "Host: h0.test" in rules_of[-1]


async def test_agents_with_too_many_rules_together_are_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser gives each agent of a group each of its rules: 2,500 of both took half a minute."""
    agents = "\n# and\nSitemap: /s\n".join(f"User-agent: bot{number}" for number in range(500))
    rules = "\n".join(f"Disallow: /x{number}" for number in range(500))
    monkeypatch.setattr(Protego, "parse", None)
    async with scraping(**robots(f"{agents}\n{rules}")) as (politeness, server, _):
        with pytest.raises(FetchFailed, match="is too large"):
            await politeness.fetch(server.url("page"))


@pytest.mark.parametrize(
    "text",
    ["Disallow: /" + "*a" * 1_500, "Disallow: /*a*b*c*d*e*f*g\n" * 4_000, f"Disallow: /{'a' * 1_900}\n" * 2_000],
    ids=["a long line", "many signs", "many long lines"],
)
async def test_rules_that_take_much_memory_are_not_parsed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser keeps three copies of a rule, and each part between two wildcards."""
    monkeypatch.setattr(Protego, "parse", None)
    async with scraping(**robots(f"User-agent: *\n{text}")) as (politeness, server, _):
        with pytest.raises(FetchFailed, match="is too large"):
            await politeness.fetch(server.url("page"))


async def test_many_agents_and_many_rules_in_groups_of_their_own_are_parsed() -> None:
    groups = "\n".join(f"User-agent: bot{number}\nDisallow: /" for number in range(1_000))
    async with scraping(**robots(f"{groups}\nUser-agent: *\nDisallow: /closed")) as (politeness, server, _):
        assert (await politeness.fetch(server.url("page"))).data
