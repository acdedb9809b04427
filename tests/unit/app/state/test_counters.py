"""What keys use, counted: the same rules in SQLite and in a real Redis."""

import asyncio
import itertools
import math
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from structlog.testing import capture_logs

from app.state import counters
from app.state.counters import (
    ENDED_LEASE_S,
    KEPT_DAYS,
    LEASE_S,
    MAX_UNFORESEEN,
    NANO,
    UNFORESEEN_ANSWER,
    UNFORESEEN_READING,
    Amount,
    CounterStore,
    DailyUsage,
    Limit,
    Limits,
    RateLevels,
    Refusal,
    Reservation,
    Unsettled,
)
from app.state.entries import StoreDown
from app.state.redis_counters import RedisCounters
from app.state.sqlite_counters import SqliteCounters
from app.state.sqlite_file import SqliteFile
from tests.conftest import each_case
from tests.redis_server import RedisServer, serving_redis

NOON = 1_800_014_400.0
"""2027-01-15 12:00 UTC."""
TENANTS = (f"{number:032x}" for number in itertools.count())
ONE = Amount(requests=1, places=1)
CALLERS = 200


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Counted:
    """A store, its clock, and a tenant that nobody else uses."""

    store: CounterStore
    clock: Clock
    tenant: str
    another: Callable[[], CounterStore]
    """Opens the same counters once more, as another server does."""

    async def take(self, limits: Limits, ask: Amount = ONE) -> Reservation:
        taken = await self.store.reserve(self.tenant, limits, ask)
        assert isinstance(taken, Reservation), taken
        return taken

    async def refused(self, limits: Limits, ask: Amount = ONE) -> Refusal:
        refusal = await self.store.reserve(self.tenant, limits, ask)
        assert isinstance(refusal, Refusal), refusal
        return refusal


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(params=["sqlite", "redis"])
async def counted(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Counted]:
    clock = Clock()
    opened: list[CounterStore] = []
    url = request.getfixturevalue("redis").url if request.param == "redis" else ""

    def another() -> CounterStore:
        store: CounterStore = (
            RedisCounters(url, clock=clock) if url else SqliteCounters(tmp_path / "counters.sqlite", clock=clock)
        )
        opened.append(store)
        return store

    yield Counted(another(), clock, next(TENANTS), another)
    for store in opened:
        await store.close()


async def test_a_rate_refills_evenly_over_its_minute(counted: Counted) -> None:
    limits = Limits(requests_per_minute=6)
    for left in (5, 4, 3, 2, 1, 0):
        assert 6 - (await counted.take(limits)).levels.requests == left
    refusal = await counted.refused(limits)
    assert (refusal.limit, refusal.wait_s) == ("requests", 10)
    counted.clock.now += 9.9
    assert (await counted.refused(limits)).wait_s == pytest.approx(0.1, abs=1e-3)
    counted.clock.now += 0.1
    await counted.take(limits)
    await counted.refused(limits)
    counted.clock.now += 3600
    assert (await counted.take(limits)).levels.requests == 1, "no more than a minute's worth is saved up"


async def test_a_clock_that_was_ahead_and_is_set_back_locks_nobody_out_for_as_long(counted: Counted) -> None:
    limits = Limits(requests_per_minute=6, tokens_per_minute=60)
    ask = Amount(requests=1, tokens=10)
    counted.clock.now += 24 * 3600
    for _ in range(6):
        await counted.take(limits, ask)
    counted.clock.now = NOON
    assert (await counted.refused(limits, ask)).wait_s == 10
    counted.clock.now += 10
    assert (await counted.take(limits, ask)).levels.requests == pytest.approx(6)
    counted.clock.now += 60
    assert (await counted.take(limits, ask)).levels.requests == 1


async def test_what_was_held_by_a_clock_that_was_ahead_is_free_after_one_lease(counted: Counted) -> None:
    limits = Limits(concurrent=2, budget=1500)
    ask = Amount(requests=1, money=500, places=1)
    counted.clock.now += 24 * 3600
    await counted.take(limits, ask)
    living = await counted.take(limits, ask)
    counted.clock.now = NOON
    assert (await counted.refused(limits, Amount(places=1))).limit == "concurrent"
    counted.clock.now += LEASE_S - 1
    await counted.store.renew([living])
    counted.clock.now += 2
    assert (await counted.take(limits, ask)).amount == ask, "of the two, only the living one is left"
    assert (await counted.refused(limits, Amount(places=1))).limit == "concurrent"


async def test_what_is_refused_for_one_thing_takes_nothing_of_any(counted: Counted) -> None:
    limits = Limits(requests_per_minute=10, tokens_per_minute=100, concurrent=2, budget=1000)
    ask = Amount(requests=1, tokens=40, money=300, places=1)
    first = await counted.take(limits, ask)
    for more, limit in (
        (Amount(requests=11), "requests"),
        (Amount(1, 61, 300, 1), "tokens"),
        (Amount(1, 40, 701, 1), "budget"),
        (Amount(1, 40, 300, 2), "concurrent"),
    ):
        for _ in range(20):
            assert (await counted.refused(limits, more)).limit == limit
    second = await counted.take(limits, ask)
    assert (second.levels.requests, second.levels.tokens) == (2, 80)
    await counted.store.settle(first, ask)
    await counted.take(limits, Amount(requests=1, tokens=20, money=400, places=1))


async def test_a_request_refused_for_concurrency_costs_no_request(counted: Counted) -> None:
    limits = Limits(requests_per_minute=3, concurrent=1)
    running = await counted.take(limits)
    for _ in range(10):
        assert (await counted.refused(limits)).limit == "concurrent"
    await counted.store.settle(running, ONE)
    assert (await counted.take(limits)).levels.requests == 2


@pytest.mark.parametrize(("used", "left"), [(0, 100), (10, 90), (60, 40), (130, 0)])
async def test_what_was_not_used_comes_back_and_what_was_used_beyond_it_is_charged(
    used: int, left: int, counted: Counted
) -> None:
    limits = Limits(tokens_per_minute=100, budget=1000)
    taken = await counted.take(limits, Amount(requests=1, tokens=60, money=600, places=1))
    await counted.store.settle(taken, Amount(requests=1, tokens=used, money=10 * used))
    if left:
        await counted.refused(limits, Amount(tokens=left + 1))
        await counted.refused(limits, Amount(money=10 * left + 1))
        await counted.take(limits, Amount(requests=1, tokens=left, money=10 * left, places=1))
    else:
        refusal = await counted.refused(limits, Amount(requests=1, tokens=1, places=1))
        assert refusal.wait_s == pytest.approx((used + 1 - 100) * 0.6)


async def test_more_than_a_minutes_worth_is_never_given(counted: Counted) -> None:
    refusal = await counted.refused(Limits(tokens_per_minute=100), Amount(requests=1, tokens=101))
    assert (refusal.limit, refusal.wait_s) == ("tokens", math.inf)


async def test_the_budget_is_told_of_first_because_waiting_does_not_help(counted: Counted) -> None:
    limits = Limits(requests_per_minute=1, concurrent=1, budget=10)
    await counted.take(limits)
    assert (await counted.refused(limits, Amount(requests=1, money=11, places=1))).limit == "budget"


@pytest.mark.parametrize(
    ("period", "seconds", "is_new"),
    [
        ("day", 12 * 3600 - 1, False),
        ("day", 12 * 3600, True),
        ("month", 16 * 86400, False),
        ("month", 16 * 86400 + 12 * 3600, True),
        ("total", 300 * 86400, False),
    ],
)
async def test_a_budget_begins_anew_with_the_calendar(
    period: str, seconds: float, is_new: bool, counted: Counted
) -> None:
    limits = Limits(budget=5 * NANO, budget_period=period)  # type: ignore[arg-type]
    all_of_it = Amount(requests=1, money=5 * NANO, places=1)
    await counted.store.settle(await counted.take(limits, all_of_it), all_of_it)
    counted.clock.now += seconds
    again = await counted.store.reserve(counted.tenant, limits, all_of_it)
    assert isinstance(again, Reservation) is is_new


async def test_money_that_was_held_by_a_request_is_free_after_it_in_the_period_that_it_was_of(
    counted: Counted,
) -> None:
    limits = Limits(budget=100, budget_period="day")
    taken = await counted.take(limits, Amount(requests=1, money=100, places=1))
    counted.clock.now += 12 * 3600
    await counted.store.settle(taken, Amount(requests=1, money=100))
    await counted.take(limits, Amount(requests=1, money=100, places=1))
    counted.clock.now -= 12 * 3600
    assert (await counted.refused(limits, Amount(requests=1, money=1, places=1))).limit == "budget"


async def test_sums_of_money_are_exact(counted: Counted) -> None:
    """A tenth of a dollar ten times is a dollar, and no phantom of a dollar refuses the last."""
    limits = Limits(budget=NANO)
    tenth = Amount(requests=1, money=NANO // 10, places=1)
    for _ in range(10):
        await counted.store.settle(await counted.take(limits, tenth), tenth)
    assert (await counted.refused(limits, Amount(money=1))).limit == "budget"


async def test_what_a_dead_server_ran_is_charged_as_reserved_and_frees_its_place_when_its_lease_ends(
    counted: Counted,
) -> None:
    limits = Limits(concurrent=1, budget=200)
    ask = Amount(requests=1, money=100, places=1)
    lost = await counted.take(limits, ask)
    counted.clock.now += LEASE_S - 1
    await counted.refused(limits, ask)
    counted.clock.now += 1
    found = await counted.take(limits, ask)
    assert (await counted.refused(limits, Amount(money=1))).limit == "budget"
    # It was not dead, after all: then it is charged for what it used, and frees nobody else's place.
    await counted.store.settle(lost, Amount(requests=1, money=30))
    assert (await counted.refused(limits)).limit == "concurrent"
    await counted.store.settle(found, Amount(requests=1, money=0))
    await counted.refused(limits, Amount(requests=1, money=171, places=1))
    await counted.take(limits, Amount(requests=1, money=170, places=1))


async def test_a_reservation_is_settled_once(counted: Counted) -> None:
    limits = Limits(tokens_per_minute=100, budget=100)
    taken = await counted.take(limits, Amount(requests=1, tokens=50, money=50, places=1))
    for _ in range(2):
        await counted.store.settle(taken, Amount(requests=1, tokens=80, money=80))
    await counted.refused(limits, Amount(tokens=21))
    await counted.refused(limits, Amount(money=21))
    await counted.take(limits, Amount(requests=1, tokens=20, money=20, places=1))


async def test_a_lease_that_ended_long_ago_leaves_its_reservation_charged(counted: Counted) -> None:
    limits = Limits(budget=100, budget_period="total")
    lost = await counted.take(limits, Amount(requests=1, money=60, places=1))
    counted.clock.now += LEASE_S + ENDED_LEASE_S
    await counted.take(limits, Amount(requests=1, money=10, places=1))
    await counted.store.settle(lost, Amount(requests=1, money=0))
    await counted.refused(limits, Amount(money=31))
    await counted.take(limits, Amount(money=30))


async def test_a_request_that_runs_keeps_its_place_as_long_as_it_is_renewed(counted: Counted) -> None:
    limits = Limits(concurrent=1)
    running = await counted.take(limits)
    for _ in range(10):
        counted.clock.now += LEASE_S / 3
        await counted.store.renew([running])
        await counted.refused(limits)
    await counted.store.settle(running, ONE)
    await counted.store.renew([running])
    await counted.take(limits)


async def test_limits_that_change_count_at_once(counted: Counted) -> None:
    for _ in range(2):
        await counted.take(Limits(requests_per_minute=2))
    await counted.refused(Limits(requests_per_minute=2))
    await counted.take(Limits(requests_per_minute=10))
    await counted.refused(Limits(requests_per_minute=3))


async def test_looking_takes_nothing(counted: Counted) -> None:
    limits = Limits(requests_per_minute=2, concurrent=1, budget=1)
    await counted.take(limits)
    for _ in range(5):
        assert (await counted.take(limits, Amount())).levels.requests == 1


async def test_tenants_have_nothing_in_common(counted: Counted) -> None:
    limits = Limits(requests_per_minute=1, concurrent=1)
    await counted.take(limits)
    assert isinstance(await counted.store.reserve(next(TENANTS), limits, ONE), Reservation)


RACES: dict[Limit, tuple[Limits, Amount, int]] = {
    "requests": (Limits(requests_per_minute=30), Amount(requests=1), 30),
    "tokens": (Limits(tokens_per_minute=1000), Amount(requests=1, tokens=300), 3),
    "concurrent": (Limits(concurrent=7), Amount(requests=1, places=1), 7),
    "budget": (Limits(budget=1000), Amount(requests=1, money=90, places=1), 11),
    "unforeseen": (Limits(budget=1000), Amount(1, money=1, places=1, unforeseen=UNFORESEEN_READING), 4),
}


@pytest.mark.parametrize("limit", RACES)
async def test_callers_that_race_never_exceed_a_limit(limit: Limit, counted: Counted) -> None:
    """As many get through as together stay within the limit, on two servers, though each passes it by itself."""
    limits, ask, most = RACES[limit]
    servers = (counted.store, counted.another())
    results = await asyncio.gather(
        *(servers[place % 2].reserve(counted.tenant, limits, ask) for place in range(CALLERS))
    )
    assert [result.limit for result in results if isinstance(result, Refusal)] == [limit] * (CALLERS - most)


@pytest.mark.parametrize("unforeseen", [UNFORESEEN_ANSWER, UNFORESEEN_READING])
@pytest.mark.parametrize("limits", [Limits(budget=1000), Limits(tokens_per_minute=1000)], ids=["budget", "tokens"])
async def test_what_costs_more_than_was_taken_exceeds_a_limit_by_what_may_run_at_a_time(
    limits: Limits, unforeseen: int, counted: Counted
) -> None:
    """However many begin together, on two servers, and whichever ends first."""
    servers = (counted.store, counted.another())
    at_once, cost = MAX_UNFORESEEN // unforeseen, 300
    ask = Amount(1, 10, 10, 1, unforeseen)
    spent = running = most = 0

    async def call(store: CounterStore) -> None:
        nonlocal spent, running, most
        while isinstance(taken := await store.reserve(counted.tenant, limits, ask), Refusal):
            if taken.limit != "unforeseen":
                return
            await asyncio.sleep(0)
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        spent += cost
        await store.settle(taken, Amount(1, cost, cost))

    await asyncio.gather(*(call(servers[place % 2]) for place in range(60)))
    assert most <= at_once
    assert 1000 <= spent <= 1000 + at_once * (cost - 10)


async def test_only_where_a_limit_is_of_cost_it_matters_that_it_is_unforeseen(counted: Counted) -> None:
    limits = Limits(requests_per_minute=100, concurrent=100)
    for _ in range(2 * MAX_UNFORESEEN):
        await counted.take(limits, Amount(1, 10, 10, 1, MAX_UNFORESEEN))
    for _ in range(2 * MAX_UNFORESEEN):
        await counted.take(Limits(budget=1000), Amount(1, 10, 10, 1))


async def test_a_place_of_what_is_unforeseen_is_free_when_its_lease_ends(counted: Counted) -> None:
    limits = Limits(tokens_per_minute=1000)
    ask = Amount(1, 1, 1, 1, MAX_UNFORESEEN)
    await counted.take(limits, ask)
    counted.clock.now += LEASE_S - 1
    refusal = await counted.refused(limits, ask)
    assert (refusal.limit, refusal.wait_s) == ("unforeseen", 1)
    counted.clock.now += 1
    await counted.take(limits, ask)


async def test_a_place_is_never_held_by_two(counted: Counted) -> None:
    limits = Limits(concurrent=5, requests_per_minute=100_000)
    servers = (counted.store, counted.another())
    running = most = served = 0

    async def call(store: CounterStore) -> None:
        nonlocal running, most, served
        while isinstance(taken := await store.reserve(counted.tenant, limits, ONE), Refusal):
            assert taken.limit == "concurrent"
            await asyncio.sleep(0)
        running += 1
        most = max(most, running)
        # A place is kept until all are taken, or nobody is left to take one.
        while running < 5 and served + running < 60 and most < 5:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        served += 1
        await store.settle(taken, ONE)

    await asyncio.gather(*(call(servers[place % 2]) for place in range(60)))
    assert (served, most) == (60, 5)


def used(counted: Counted, day: str, requests: int, name: str = "alice") -> DailyUsage:
    return DailyUsage(counted.tenant, name, day, requests, 10 * requests, 100 * requests, 1000 * requests)


async def own_usage(counted: Counted) -> list[DailyUsage]:
    return [one for one in await counted.store.usage() if one.tenant == counted.tenant]


async def test_usage_is_added_up_by_day(counted: Counted) -> None:
    await counted.store.add([used(counted, "2027-01-15", 2), used(counted, "2027-01-14", 1)])
    await counted.another().add([used(counted, "2027-01-15", 3)])
    assert await own_usage(counted) == [used(counted, "2027-01-14", 1), used(counted, "2027-01-15", 5)]


async def test_what_is_forgotten_is_gone(counted: Counted) -> None:
    limits = Limits(requests_per_minute=1, concurrent=1, budget=10)
    await counted.take(limits, Amount(requests=1, money=10, places=1))
    await counted.store.add([used(counted, "2027-01-14", 1), used(counted, "2027-01-15", 1)])
    assert await counted.store.forget(counted.tenant) == 2
    assert await own_usage(counted) == []
    await counted.take(limits, Amount(requests=1, money=10, places=1))


async def test_sqlite_keeps_usage_for_a_year_and_not_for_ever(tmp_path: Path) -> None:
    clock = Clock()
    store = SqliteCounters(tmp_path / "counters.sqlite", clock=clock)
    counted = Counted(store, clock, next(TENANTS), lambda: store)
    await store.add([used(counted, "2027-01-15", 1)])
    clock.now += (KEPT_DAYS - 1) * 86400
    await store.add([used(counted, "2028-01-15", 1)])
    assert len(await store.usage()) == 2
    clock.now += 2 * 86400
    await store.add([used(counted, "2028-02-18", 1)])
    assert [one.day for one in await store.usage()] == ["2028-01-15", "2028-02-18"]
    await store.close()


async def test_a_file_that_cannot_be_used_says_so_and_is_used_again_when_it_can(tmp_path: Path) -> None:
    path = tmp_path / "counters.sqlite"
    path.mkdir()
    store = SqliteCounters(path)
    with pytest.raises(StoreDown):
        await store.reserve("a", Limits(concurrent=1), ONE)
    path.rmdir()
    assert isinstance(await store.reserve("a", Limits(concurrent=1), ONE), Reservation)
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    assert isinstance(await store.reserve("a", Limits(concurrent=1), ONE), Reservation), "another file is another count"
    await store.close()


async def test_many_that_wait_cost_the_thread_one_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = 0
    submit = SqliteFile.submit

    def counted_submit(self: SqliteFile, call: Callable[..., object], *args: object) -> object:
        nonlocal jobs
        jobs += 1
        return submit(self, call, *args)

    monkeypatch.setattr(SqliteFile, "submit", counted_submit)
    store = SqliteCounters(tmp_path / "counters.sqlite")
    await store.usage()
    release = threading.Event()
    store._file.submit(release.wait)
    jobs = 0
    waiting = [asyncio.create_task(store.reserve("a", Limits(concurrent=1000), ONE)) for _ in range(1000)]
    await asyncio.sleep(0)
    assert jobs == 1
    release.set()
    assert all(isinstance(taken, Reservation) for taken in await asyncio.gather(*waiting))
    assert jobs == 4, "one for each 256 of them"
    await store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_nobody_waits_for_a_settlement_and_one_that_failed_is_counted(kind: str, tmp_path: Path) -> None:
    limits = Limits(concurrent=1)
    with serving_redis(tmp_path) as server:
        file = tmp_path / "counters.sqlite"
        store: CounterStore = RedisCounters(server.url) if kind == "redis" else SqliteCounters(file)
        first = await store.reserve("a", limits, ONE)
        assert isinstance(first, Reservation)
        await store.settle(first, ONE)
        second = await store.reserve("a", limits, ONE)
        assert isinstance(second, Reservation), "what this server asks for next is done after it"
        if kind == "redis":
            server.kill()
        else:
            file.unlink()
            file.mkdir()
        await store.settle(second, ONE)
        assert store.faults == 0
        with pytest.raises(StoreDown):
            await store.reserve("a", limits, ONE)
        assert store.faults == 1
        await store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_settlement_that_failed_is_written_when_the_store_works_again(kind: str, tmp_path: Path) -> None:
    limits = Limits(budget=100, budget_period="total")
    with serving_redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        file = tmp_path / "counters.sqlite"
        store: CounterStore = RedisCounters(server.url) if kind == "redis" else SqliteCounters(file)
        taken = await store.reserve("a", limits, Amount(requests=1, money=10, places=1))
        assert isinstance(taken, Reservation)
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            if kind == "redis":
                server.kill()
            else:
                other.execute("BEGIN IMMEDIATE")
            await store.settle(taken, Amount(requests=1, money=90))
            for _ in range(2):
                with pytest.raises(StoreDown):
                    await store.reserve("a", limits, Amount(money=1))
                await store.settle_again()
            with pytest.raises(StoreDown):
                await store.reserve("a", limits, Amount(money=1))
        if kind == "redis":
            await asyncio.to_thread(server.start)
        await store.settle_again()
        assert store.faults == 1
        refusal = await store.reserve("a", limits, Amount(money=11))
        assert isinstance(refusal, Refusal)
        assert isinstance(await store.reserve("a", limits, Amount(money=10)), Reservation)
        await store.close()


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "counters.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE wages (name)")
    store = SqliteCounters(path)
    with pytest.raises(StoreDown, match="not a database of this version"):
        await store.usage()
    await store.close()
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("wages",)]


async def test_a_redis_that_is_killed_says_so_and_is_used_again_when_it_is_back(tmp_path: Path) -> None:
    with serving_redis(tmp_path) as server:
        store = RedisCounters(server.url)
        limits = Limits(requests_per_minute=1)
        assert isinstance(await store.reserve("a", limits, ONE), Reservation)
        server.kill()
        with pytest.raises(StoreDown):
            await store.reserve("a", limits, ONE)
        server.start()
        assert isinstance(await store.reserve("a", limits, ONE), Reservation)
        await store.close()


@each_case(
    ("command", "name", "value"),
    [
        ("set", "spent:2027-01", ["abc"]),
        ("set", "spent:2027-01", ["12.5"]),
        ("hset", "spent:2027-01", ["a", "b"]),
        ("set", "rates", ["1"]),
        ("hset", "rates", ["tokens", "many"]),
        ("set", "leases", ["1"]),
    ],
)
async def test_a_damaged_counter_of_one_key_begins_anew(
    command: str, name: str, value: list[str], redis: RedisServer
) -> None:
    tenant, other = next(TENANTS), next(TENANTS)
    limits = Limits(requests_per_minute=100, tokens_per_minute=100, concurrent=10, budget=100)
    amount = Amount(requests=1, tokens=10, money=10, places=1)
    store = RedisCounters(redis.url, clock=Clock())
    taken = await store.reserve(tenant, limits, amount)
    assert isinstance(taken, Reservation)
    with Redis.from_url(redis.url) as client, capture_logs() as log:
        key = f"openfaze:{{{tenant}}}:{name}"
        client.delete(key)
        client.execute_command(command, key, *value)
        reserved = await asyncio.gather(*(store.reserve(one, limits, amount) for one in (other, tenant, other)))
        assert [type(one) for one in reserved] == [Reservation] * 3
    assert [(line["event"], line["keys"]) for line in log] == [("counters_damaged", [key])]
    await store.settle(taken, amount)
    await store.renew([taken])
    assert store.faults == 0
    await store.close()


async def test_damaged_usage_of_one_key_is_no_reason_to_count_the_others_twice(redis: RedisServer) -> None:
    tenant, other = next(TENANTS), next(TENANTS)
    store = RedisCounters(redis.url)
    days = [DailyUsage(one, f"key-{one}", "2027-01-15", 1, 2, 3, 4) for one in (tenant, other)]
    with Redis.from_url(redis.url) as client:
        client.set(f"openfaze:{{{tenant}}}:usage:2027-01-15", "abc")
    for _ in range(2):
        await store.add(days)
    found = {one.tenant: one.requests for one in await store.usage() if one.tenant in (tenant, other)}
    assert found == {tenant: 1, other: 2}
    await store.close()


async def test_redis_counts_by_its_own_clock(redis: RedisServer) -> None:
    store = RedisCounters(redis.url)
    limits = Limits(requests_per_minute=60_000)
    tenant = next(TENANTS)
    taken = await store.reserve(tenant, limits, Amount(requests=60_000))
    assert isinstance(taken, Reservation)
    while isinstance(await store.reserve(tenant, limits, ONE), Refusal):
        await asyncio.sleep(0.001)
    await store.close()


def test_what_could_not_be_settled_is_bounded_and_what_was_used_has_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "MAX_UNSETTLED", 4)
    unsettled = Unsettled()
    released, used = ([reservation(f"{kind}{n}") for n in range(5)] for kind in ("released", "used"))
    for one in released:
        unsettled.keep(one, Amount())
    for one in used:
        unsettled.keep(one, ONE, StoreDown("full"))
    expected = ["released0", "released1", "used0", "used1"]
    assert [one.lease for one, _ in unsettled.take()] == expected
    assert unsettled.take() == []
    assert unsettled.faults == 5


def reservation(lease: str) -> Reservation:
    return Reservation("a", Limits(budget=1), ONE, RateLevels(), lease)
