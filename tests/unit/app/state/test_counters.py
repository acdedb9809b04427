"""What keys use, counted: the same rules in memory and in a real Redis."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.state.counters import (
    ENDED_LEASE_S,
    LEASE_S,
    NANO,
    Amount,
    CountedKey,
    CounterStore,
    Limit,
    Limits,
    Refusal,
    Reservation,
)
from app.state.entries import StoreDown
from app.state.memory_counters import MemoryCounters
from app.state.redis_counters import RedisCounters
from tests.kit.servers.redis_server import RedisServer, serving_redis

NOON = 1_800_014_400.0
"""2027-01-15 12:00 UTC."""
KEYS = (CountedKey(f"{number:032x}", "alice") for number in itertools.count())
ONE = Amount(requests=1, places=1)
CALLERS = 200


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Counted:
    """A store, its clock, and a key that nobody else uses."""

    store: CounterStore
    clock: Clock
    key: CountedKey
    another: Callable[[], CounterStore]
    """Opens the same counters once more, as another server does; those in memory are one server's."""
    spent: "Spent"

    async def take(self, limits: Limits, ask: Amount = ONE) -> Reservation:
        taken = await self.store.reserve(self.key, limits, ask)
        assert isinstance(taken, Reservation), taken
        return taken

    async def refused(self, limits: Limits, ask: Amount = ONE) -> Refusal:
        refusal = await self.store.reserve(self.key, limits, ask)
        assert isinstance(refusal, Refusal), refusal
        return refusal


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


class Spent:
    """What the database says was spent."""

    def __init__(self) -> None:
        self.by_period: dict[tuple[CountedKey, str], int] = {}

    async def spent(self, key: CountedKey, period: str) -> int:
        await asyncio.sleep(0)
        return self.by_period.get((key, period), 0)


@pytest.fixture(params=["memory", "redis"])
async def counted(request: pytest.FixtureRequest) -> AsyncIterator[Counted]:
    clock, spent = Clock(), Spent()
    if request.param == "memory":
        in_memory = MemoryCounters(spent, clock=clock, calendar=clock)
        yield Counted(in_memory, clock, next(KEYS), lambda: in_memory, spent)
        return
    async with counting_in(request.getfixturevalue("redis"), clock, spent) as counted:
        yield counted


@pytest.fixture
async def shared(redis: RedisServer) -> AsyncIterator[Counted]:
    """Counters in Redis."""
    async with counting_in(redis, Clock(), Spent()) as counted:
        yield counted


@contextlib.asynccontextmanager
async def counting_in(redis: RedisServer, clock: Clock, spent: Spent) -> AsyncIterator[Counted]:
    opened: list[CounterStore] = []

    def another() -> CounterStore:
        opened.append(RedisCounters(redis.url, spent, clock=clock))
        return opened[-1]

    yield Counted(another(), clock, next(KEYS), another, spent)
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
    again = await counted.store.reserve(counted.key, limits, all_of_it)
    assert isinstance(again, Reservation) is is_new


async def test_money_that_was_held_by_a_request_is_free_after_it_in_the_period_that_it_was_of(
    counted: Counted,
) -> None:
    limits = Limits(budget=100, budget_period="day")
    taken = await counted.take(limits, Amount(requests=1, money=100, places=1))
    counted.clock.now += 12 * 3600
    await counted.store.settle(taken, Amount(requests=1, money=100))
    await counted.take(limits, Amount(requests=1, money=100, places=1))


async def test_a_reservation_is_settled_once(counted: Counted) -> None:
    limits = Limits(tokens_per_minute=100, budget=100)
    taken = await counted.take(limits, Amount(requests=1, tokens=50, money=50, places=1))
    for _ in range(2):
        await counted.store.settle(taken, Amount(requests=1, tokens=80, money=80))
    await counted.refused(limits, Amount(tokens=21))
    await counted.refused(limits, Amount(money=21))
    await counted.take(limits, Amount(requests=1, tokens=20, money=20, places=1))


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


async def test_keys_of_one_tenant_are_counted_by_themselves_whatever_their_limits(counted: Counted) -> None:
    """One after the other in turn, so that the limits of each would let the counts of the other drain, or begin its
    period anew."""
    limited = Limits(requests_per_minute=3, concurrent=3, budget=300)
    ask = Amount(requests=1, money=100, places=1)
    others = {"bob": Limits(), "x:rates": Limits(budget=10_000, budget_period="day"), "": Limits(tokens_per_minute=1)}

    async def let_others_pass() -> None:
        for name, limits in others.items():
            taken = await counted.store.reserve(CountedKey(counted.key.tenant, name), limits, ask)
            assert isinstance(taken, Reservation)
            await counted.store.settle(taken, ask)

    running = []
    for _ in range(3):
        running.append(await counted.take(limited, ask))
        await let_others_pass()
    assert (await counted.refused(limited, ask)).limit == "budget"
    assert (await counted.refused(limited)).limit == "concurrent"
    for taken in running:
        await counted.store.settle(taken, ask)
    await let_others_pass()
    assert (await counted.refused(limited)).limit == "requests"
    assert (await counted.refused(limited, Amount(money=1))).limit == "budget"


async def test_a_budget_whose_period_is_changed_and_changed_back_forgets_no_request_that_runs(
    counted: Counted,
) -> None:
    ask = Amount(requests=1, money=60, places=1)
    by_month, by_day = (Limits(budget=100, budget_period=period) for period in ("month", "day"))  # type: ignore[arg-type]
    running = await counted.take(by_month, ask)
    await counted.take(by_day, ask)
    await counted.refused(by_month, ask)
    await counted.store.settle(running, Amount(requests=1, money=30))
    await counted.refused(by_month, Amount(money=71))
    await counted.take(by_month, Amount(requests=1, money=70, places=1))
    await counted.refused(by_day, Amount(money=41))


RACES: dict[Limit, tuple[Limits, Amount, int]] = {
    "requests": (Limits(requests_per_minute=30), Amount(requests=1), 30),
    "tokens": (Limits(tokens_per_minute=1000), Amount(requests=1, tokens=300), 3),
    "concurrent": (Limits(concurrent=7), Amount(requests=1, places=1), 7),
    "budget": (Limits(budget=1000), Amount(requests=1, money=90, places=1), 11),
}


@pytest.mark.parametrize("limit", RACES)
async def test_callers_that_race_never_exceed_a_limit(limit: Limit, counted: Counted) -> None:
    """As many get through as together stay within the limit, on two servers, though each passes it by itself."""
    limits, ask, most = RACES[limit]
    servers = (counted.store, counted.another())
    results = await asyncio.gather(*(servers[place % 2].reserve(counted.key, limits, ask) for place in range(CALLERS)))
    assert [result.limit for result in results if isinstance(result, Refusal)] == [limit] * (CALLERS - most)


async def test_a_place_is_never_held_by_two(counted: Counted) -> None:
    limits = Limits(concurrent=5, requests_per_minute=100_000)
    servers = (counted.store, counted.another())
    running = most = served = 0

    async def call(store: CounterStore) -> None:
        nonlocal running, most, served
        while isinstance(taken := await store.reserve(counted.key, limits, ONE), Refusal):
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


async def test_a_budget_goes_on_from_what_was_spent_before(counted: Counted) -> None:
    """By a server that ended, or was counted by a Redis that lost it."""
    limits = Limits(budget=100, budget_period="day")
    counted.spent.by_period[counted.key, "2027-01-15"] = 70
    results = await asyncio.gather(
        *(counted.store.reserve(counted.key, limits, Amount(requests=1, money=15, places=1)) for _ in range(5))
    )
    assert sum(isinstance(result, Reservation) for result in results) == 2
    counted.clock.now += 24 * 3600
    await counted.take(limits, Amount(money=100))


async def test_what_is_forgotten_is_gone(counted: Counted) -> None:
    limits = Limits(requests_per_minute=1, concurrent=1, budget=10)
    await counted.take(limits, Amount(requests=1, money=10, places=1))
    await counted.store.forget(counted.key.tenant)
    await counted.take(limits, Amount(requests=1, money=10, places=1))


async def test_a_dead_servers_requests_are_charged_as_reserved_and_free_their_places_when_their_leases_end(
    shared: Counted,
) -> None:
    limits = Limits(concurrent=1, budget=200)
    ask = Amount(requests=1, money=100, places=1)
    lost = await shared.take(limits, ask)
    shared.clock.now += LEASE_S - 1
    await shared.refused(limits, ask)
    shared.clock.now += 1
    found = await shared.take(limits, ask)
    assert (await shared.refused(limits, Amount(money=1))).limit == "budget"
    # It was not dead, after all: then it is charged for what it used, and frees nobody else's place.
    await shared.store.settle(lost, Amount(requests=1, money=30))
    assert (await shared.refused(limits)).limit == "concurrent"
    await shared.store.settle(found, Amount(requests=1, money=0))
    await shared.refused(limits, Amount(requests=1, money=171, places=1))
    await shared.take(limits, Amount(requests=1, money=170, places=1))


async def test_a_lease_that_ended_long_ago_leaves_its_reservation_charged(shared: Counted) -> None:
    limits = Limits(budget=100, budget_period="total")
    lost = await shared.take(limits, Amount(requests=1, money=60, places=1))
    shared.clock.now += LEASE_S + ENDED_LEASE_S
    await shared.take(limits, Amount(requests=1, money=10, places=1))
    await shared.store.settle(lost, Amount(requests=1, money=0))
    await shared.refused(limits, Amount(money=31))
    await shared.take(limits, Amount(money=30))


async def test_a_request_that_runs_keeps_its_place_as_long_as_it_is_renewed(shared: Counted) -> None:
    limits = Limits(concurrent=1)
    running = await shared.take(limits)
    for _ in range(10):
        shared.clock.now += LEASE_S / 3
        await shared.store.renew([running])
        await shared.refused(limits)
    await shared.store.settle(running, ONE)
    await shared.store.renew([running])
    await shared.take(limits)


async def test_a_settlement_that_fails_leaves_what_was_reserved_charged(tmp_path: Path) -> None:
    limits = Limits(budget=100, budget_period="total")
    with serving_redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        store = RedisCounters(server.url, Spent())
        taken = await store.reserve(CountedKey("a"), limits, Amount(requests=1, money=60, places=1))
        assert isinstance(taken, Reservation)
        server.kill()
        await store.settle(taken, Amount(requests=1, money=10))
        with pytest.raises(StoreDown):
            await store.reserve(CountedKey("a"), limits, Amount(money=1))
        assert store.faults == 1
        await asyncio.to_thread(server.start)
        assert isinstance(await store.reserve(CountedKey("a"), limits, Amount(money=41)), Refusal)
        assert isinstance(await store.reserve(CountedKey("a"), limits, Amount(money=40)), Reservation)
        await store.close()
