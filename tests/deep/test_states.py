"""Queues, slots, workers and counters, taken through states that nobody thought of."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.state.counters import Amount, CountedKey, CounterStore, Limits, Refusal, Reservation
from app.state.memory_counters import MemoryCounters
from app.state.redis_counters import RedisCounters
from models.base import EngineOverloaded
from models.queues import KEY, FairQueue, QueueFull, Slots
from models.workers.pool import JobCrashed, WorkerLimits, Workers
from tasks.errors import InputError
from tests.kit.processes import worker_jobs
from tests.kit.servers.redis_server import RedisServer, serving_redis

pytestmark = pytest.mark.hypothesis
T = TypeVar("T")
NOON = 1_800_014_400.0
"""2027-01-15 12:00 UTC."""
KEYS = st.sampled_from("abc")


class QueueMachine(RuleBasedStateMachine):
    """A queue beside a list of all that waits, in the order in which it came."""

    LIMIT, LIMIT_OF_KEY = 6, 3

    def __init__(self) -> None:
        super().__init__()
        self.queue = FairQueue[int](self.LIMIT, self.LIMIT_OF_KEY)
        self.waiting: list[tuple[str, int]] = []
        self.passed: dict[str, Counter[str]] = {}
        """How many items other keys have given since it was last this key's turn, by key with items."""
        self.made = 0

    def of(self, key: str) -> list[int]:
        return [item for owner, item in self.waiting if owner == key]

    @rule(key=KEYS)
    def put(self, key: str) -> None:
        self.made += 1
        try:
            self.queue.put(key, self.made)
        except QueueFull as full:
            is_own, waiting = full.is_own, full.waiting
        else:
            self.passed.setdefault(key, Counter())
            self.waiting.append((key, self.made))
            return
        assert waiting == (self.LIMIT_OF_KEY if is_own else self.LIMIT)
        assert waiting == len(self.of(key) if is_own else self.waiting)

    @rule(held=st.sets(KEYS))
    def pop(self, held: set[str]) -> None:
        """Items of the keys that are `held` may not leave."""
        owners = {item: key for key, item in self.waiting}
        item = self.queue.pop(lambda one: owners[one] not in held)
        if item is None:
            assert owners.keys() <= {one for one, key in owners.items() if key in held}
            return
        key = owners[item]
        assert key not in held
        assert item == self.of(key)[0], "a key's oldest item leaves first"
        self.waiting.remove((key, item))
        del self.passed[key]
        for other in self.passed.keys() - held:
            self.passed[other][key] += 1
            assert self.passed[other][key] == 1, "no key has two turns before another that waits"
        if self.of(key):
            self.passed[key] = Counter()

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        key, item = data.draw(st.sampled_from([*self.waiting, ("a", 0)]))
        self.queue.remove(key, item)
        if (key, item) in self.waiting:
            self.waiting.remove((key, item))
            if not self.of(key):
                del self.passed[key]

    @invariant()
    def counts_agree(self) -> None:
        assert len(self.queue) == len(self.waiting) <= self.LIMIT
        assert all(len(self.of(key)) <= self.LIMIT_OF_KEY for key in "abc")
        assert sorted(self.queue) == sorted(item for _, item in self.waiting)
        assert all(self.queue.waiting(key) == len(self.of(key)) for key in "abc")


class LoopMachine(RuleBasedStateMachine):
    """Has an event loop of its own, which runs only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def turn(self) -> None:
        async def passes() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        self.run(passes())

    def teardown(self) -> None:
        self.loop.close()


@dataclass(eq=False)
class Caller:
    key: str
    asking: "asyncio.Task[None]"


class SlotsMachine(LoopMachine):
    """Callers that come, leave while they wait or just when they get a slot, and give back."""

    COUNT, MOST_WAITING = 2, 2

    def __init__(self) -> None:
        super().__init__()
        self.slots = Slots("ocr", self.COUNT, self.MOST_WAITING)
        self.callers: list[Caller] = []

    def holders(self) -> list[Caller]:
        return [one for one in self.callers if one.asking.done()]

    def waiters(self, key: str = "abc") -> list[Caller]:
        return [one for one in self.callers if not one.asking.done() and one.key in key]

    @rule(key=KEYS, wait=st.booleans())
    def take(self, key: str, wait: bool) -> None:
        self.turn()
        is_full = len(self.holders()) == self.COUNT and len(self.waiters(key)) >= self.MOST_WAITING

        async def asked() -> None:
            KEY.set(key)
            await self.slots.take(wait=wait)

        caller = Caller(key, self.loop.create_task(asked()))
        self.turn()
        if is_full and not wait:
            assert isinstance(caller.asking.exception(), EngineOverloaded)
        else:
            self.callers.append(caller)

    @precondition(lambda self: self.holders())
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        self.callers.remove(data.draw(st.sampled_from(self.holders())))
        self.slots.give_back()

    @precondition(lambda self: self.waiters())
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Perhaps just after a slot was given to it, and before it knows."""
        caller = data.draw(st.sampled_from(self.waiters()))
        caller.asking.cancel()
        self.callers.remove(caller)

    @rule()
    def settle(self) -> None:
        self.turn()
        assert len(self.holders()) == self.slots.running <= self.COUNT
        assert len(self.waiters()) == self.slots.waiting
        assert not self.waiters() or self.slots.running == self.COUNT, "nobody waits beside a free slot"

    def teardown(self) -> None:
        self.settle()
        while holders := self.holders():
            self.callers.remove(holders[0])
            self.slots.give_back()
            self.settle()
        assert not self.callers
        super().teardown()


class WorkersMachine(LoopMachine):
    """Jobs that end, are refused, crash and are left, side by side, and files that stay open between jobs."""

    PROCESSES = 2

    def __init__(self) -> None:
        super().__init__()
        self.pool = self.run(self.made())
        self.jobs: list[tuple[asyncio.Task[object], object]] = []
        """Jobs that run, each with the value or the type of the exception that it ends with."""
        self.opened = self.pool.open(worker_jobs.Counter)

    async def made(self) -> Workers:
        return Workers(WorkerLimits(self.PROCESSES, clock_factor=600))

    @rule(key=KEYS, value=st.one_of(st.integers(), st.text(max_size=5), st.binary(max_size=100_000)))
    def answers(self, key: str, value: object) -> None:
        async def asked() -> object:
            KEY.set(key)
            return await self.pool.run(worker_jobs.same, value)

        self.jobs.append((self.loop.create_task(asked()), value))

    @rule()
    def refuses(self) -> None:
        self.jobs.append((self.loop.create_task(self.pool.run(worker_jobs.refuse)), InputError))

    @rule()
    def crashes(self) -> None:
        self.jobs.append((self.loop.create_task(self.pool.run(worker_jobs.crash)), JobCrashed))

    @rule()
    def reads_an_open_file(self) -> None:
        process, calls = self.run(self.opened.run(worker_jobs.Counter.call))
        assert process in self.pool.pids
        assert calls >= 1

    @rule()
    def reopens(self) -> None:
        self.run(self.opened.close())
        self.opened = self.pool.open(worker_jobs.Counter)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        job[0].cancel()
        self.jobs.remove(job)

    @rule()
    def settle(self) -> None:
        for job, expected in self.jobs:
            found = self.run(self.ended(job))
            assert type(found) is expected if isinstance(expected, type) else found == expected
        self.jobs.clear()
        assert len(self.pool.pids) <= self.PROCESSES

    async def ended(self, job: "asyncio.Task[object]") -> object:
        """What a job returns or raises."""
        [found] = await asyncio.gather(job, return_exceptions=True)
        return found

    def teardown(self) -> None:
        self.settle()
        assert self.run(self.pool.run(worker_jobs.same, "still there")) == "still there"
        self.run(self.pool.close())
        assert self.pool.pids == []
        super().teardown()


class Nothing:
    async def spent(self, key: CountedKey, period: str) -> int:
        return 0


class CountersMachine(LoopMachine):
    """The counters in memory and those in Redis, beside plain sums of what was reserved and used."""

    LIMITS = Limits(requests_per_minute=6, tokens_per_minute=600, concurrent=3, budget=1000)
    numbers = iter(range(1_000_000))

    def __init__(self, url: str) -> None:
        super().__init__()
        self.now = NOON
        self.key = CountedKey(f"{next(self.numbers):032x}", "alice")
        self.stores: list[CounterStore] = [
            MemoryCounters(Nothing(), clock=self.clock, calendar=self.clock),
            RedisCounters(url, Nothing(), clock=self.clock),
        ]
        self.running: list[list[Reservation]] = []
        self.money = 0

    def clock(self) -> float:
        return self.now

    def asked(self, amount: Amount) -> list[Reservation] | Refusal:
        """What both stores say, which is the same."""
        one, other = (self.run(store.reserve(self.key, self.LIMITS, amount)) for store in self.stores)
        assert (one.levels.requests, one.levels.tokens) == pytest.approx(
            (other.levels.requests, other.levels.tokens), abs=1e-3
        )
        if isinstance(one, Refusal):
            assert isinstance(other, Refusal)
            assert one.limit == other.limit
            assert one.wait_s == pytest.approx(other.wait_s, abs=1e-3)
            return one
        assert isinstance(other, Reservation)
        return [one, other]

    def settled(self, reservations: list[Reservation], used: Amount) -> None:
        for store, reservation in zip(self.stores, reservations, strict=True):
            self.run(store.settle(reservation, used))

    @rule(tokens=st.integers(0, 700), money=st.integers(0, 600))
    def reserve(self, tokens: int, money: int) -> None:
        before = self.asked(Amount())
        assert isinstance(before, list), "looking is never refused"
        amount = Amount(requests=1, tokens=tokens, money=money, places=1)
        answer = self.asked(amount)
        levels = before[0].levels
        over = {
            "budget": money > 0 and self.money + money > 1000,
            "concurrent": len(self.running) >= 3,
            "requests": levels.requests + 1 > 6 + 1e-6,
            "tokens": tokens > 0 and levels.tokens + tokens > 600 + 1e-6,
        }
        if isinstance(answer, Refusal):
            assert answer.limit == next(limit for limit, is_over in over.items() if is_over)
            return
        assert not any(over.values())
        self.running.append(answer)
        self.money += money

    @precondition(lambda self: self.running)
    @rule(data=st.data(), tokens=st.integers(0, 900), money=st.integers(0, 900), is_repeated=st.booleans())
    def settle(self, data: st.DataObject, tokens: int, money: int, is_repeated: bool) -> None:
        reservations = data.draw(st.sampled_from(self.running))
        self.running.remove(reservations)
        self.money += money - reservations[0].amount.money
        for _ in range(1 + is_repeated):
            self.settled(reservations, Amount(requests=1, tokens=tokens, money=money))

    @rule(seconds=st.floats(0, 20))
    def pass_time(self, seconds: float) -> None:
        """Less than a lease lasts, and all that run are renewed."""
        self.now += seconds
        for number, store in enumerate(self.stores):
            self.run(store.renew([one[number] for one in self.running]))

    @invariant()
    def the_budget_is_exact(self) -> None:
        left = 1000 - self.money
        assert isinstance(self.asked(Amount(money=max(left, 0) + 1)), Refusal)
        if left > 0:
            held = self.asked(Amount(money=left))
            assert isinstance(held, list)
            self.settled(held, Amount())

    def teardown(self) -> None:
        for store in self.stores:
            self.run(store.close())
        super().teardown()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with serving_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


def test_keys_take_turns_in_a_queue() -> None:
    run_state_machine_as_test(QueueMachine)


def test_no_slot_is_lost_or_held_by_two() -> None:
    run_state_machine_as_test(SlotsMachine)


@pytest.mark.deep
def test_each_job_of_a_worker_has_its_own_end() -> None:
    run_state_machine_as_test(WorkersMachine, settings=settings(max_examples=6, stateful_step_count=12))


def test_counters_in_memory_and_in_redis_say_the_same(redis: RedisServer) -> None:
    run_state_machine_as_test(lambda: CountersMachine(redis.url))  # type: ignore[arg-type]
