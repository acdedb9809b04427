"""Hosts that share processors: whose turn it is, and what a batch holds while several keys ask."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from models.fair_executor import Rests
from models.host import CONTESTED_BATCH_S, EngineHost
from models.measures import Pace
from models.scheduler import Share
from models.turns import Turns
from models.workplace import HostLimits
from tests.hosts import SPEC, Doubler, shared_by
from tests.waiting import until


class Pages:
    """Two engines that compute with the same processors, and calls of keys that pass through both, in this order."""

    def __init__(self, **limits: int) -> None:
        self.turns = Turns(long_s=600)  # a busy machine may take long to open a gate
        self.first, self.second = Doubler(), Doubler()
        self.hosts = [
            EngineHost(SPEC, lambda: self.first, HostLimits(is_followed=True, **limits), self.turns),
            EngineHost(SPEC, lambda: self.second, HostLimits(**limits), self.turns),
        ]
        self.at_once = self.most_at_once = 0
        self.ran: list[tuple[str, list[int]]] = []
        for name, engine in (("first", self.first), ("second", self.second)):
            engine.run = self.noted(name, engine.run)  # type: ignore[method-assign]

    def noted(self, name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def noted_run(batch: Sequence[int]) -> Any:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.ran.append((name, list(batch)))
            try:
                return run(batch)
            finally:
                self.at_once -= 1

        return noted_run

    async def read(self, number: int) -> int:
        for host in self.hosts:
            await host.run(number, wait=True)
        return number

    async def close(self) -> None:
        for host in self.hosts:
            await host.close()


async def test_a_key_that_asks_little_waits_for_one_batch_of_another_and_for_none_between_its_steps() -> None:
    pages = Pages()
    await shared_by("alice", pages.read(0))
    pages.first.gate.clear()
    flood = [shared_by("alice", pages.read(number)) for number in range(1, 30)]
    await until(lambda: ("first", [1]) in pages.ran)
    bob = shared_by("bob", pages.read(100))
    await until(lambda: pages.hosts[0].queued == 29)
    begun = len(pages.ran)
    pages.first.gate.set()
    assert await bob == 100
    assert pages.ran[begun : begun + 2] == [("first", [100]), ("second", [100])], pages.ran[begun : begun + 6]
    await asyncio.gather(*flood)
    await pages.close()


async def test_engines_run_side_by_side_for_one_key_and_in_turn_for_several() -> None:
    pages = Pages()
    await shared_by("alice", pages.read(0))
    for keys, most in ((("alice", "alice"), 2), (("alice", "bob"), 1)):
        pages.most_at_once = 0
        pages.first.gate.clear()
        pages.second.gate.clear()
        calls = [shared_by(key, host.run(1)) for key, host in zip(keys, pages.hosts, strict=True)]
        await until(lambda most=most: pages.at_once == most)  # type: ignore[misc]
        pages.first.gate.set()
        pages.second.gate.set()
        await asyncio.gather(*calls)
        assert pages.most_at_once == most
    await pages.close()


async def test_batches_are_small_while_several_keys_ask() -> None:
    pages = Pages(max_batch=8, contested_batch=2)
    host, engine = pages.hosts[0], pages.first
    await shared_by("alice", host.run(0))
    for key, sizes in (("alice", [1, 8]), ("bob", [1, 2, 2, 2, 2])):
        engine.gate.clear()
        before = len(engine.batches)
        calls = [shared_by("alice", host.run(0))]
        await until(lambda before=before: len(engine.batches) > before)  # type: ignore[misc]
        calls += [shared_by(key, host.run(number)) for number in range(8)]
        await until(lambda: host.queued == 8)
        engine.gate.set()
        await asyncio.gather(*calls)
        assert [len(batch) for batch in engine.batches[before:]] == sizes
    await pages.close()


async def test_a_batch_is_of_one_key_while_several_ask() -> None:
    pages = Pages(max_batch=8, contested_batch=2)
    host, engine = pages.hosts[0], pages.first
    await shared_by("alice", host.run(0))
    engine.gate.clear()
    calls = [shared_by("alice", host.run(0))]
    await until(lambda: len(engine.batches) == 2)
    calls += [shared_by(key, host.run(number)) for number, key in enumerate(["alice", "alice", "alice", "bob", "bob"])]
    await until(lambda: host.queued == 5)
    engine.gate.set()
    await asyncio.gather(*calls)
    assert sorted(engine.batches[2:]) == [[0, 1], [2], [3, 4]]
    await pages.close()


async def test_a_batch_is_of_few_items_of_an_engine_that_takes_long_for_each() -> None:
    turns, engine = Turns(long_s=600), Doubler()
    host = EngineHost(SPEC, lambda: engine, HostLimits(max_batch=8), turns)
    turns.record_request(Share("bob"))
    for seconds, sizes in ((0.0, [1, 8]), (CONTESTED_BATCH_S / 3.5, [1, 3, 3, 2])):
        # So many items that the duration of the test's own batches, on a busy machine, does not count.
        host.pace = Pace(1_000_000 * seconds, 1_000_000)
        engine.gate.clear()
        before = len(engine.batches)
        calls = [shared_by("alice", host.run(0))]
        await until(lambda before=before: len(engine.batches) > before)  # type: ignore[misc]
        calls += [shared_by("alice", host.run(number)) for number in range(8)]
        await until(lambda: host.queued == 8)
        engine.gate.set()
        await asyncio.gather(*calls)
        assert [len(batch) for batch in engine.batches[before:]] == sizes
    await host.close()


def test_the_latest_batches_tell_how_long_an_item_takes() -> None:
    pace = Pace()
    for _ in range(100):
        pace.add(0.01, 16)
    for _ in range(5):
        pace.add(0.4, 16)
    assert pace.seconds / pace.items > 0.015


async def test_an_engine_of_single_items_gives_keys_equal_time_and_not_equal_numbers_of_items() -> None:
    now = [0.0]
    turns, engine = Turns(long_s=600, clock=lambda: now[0]), Doubler()
    host = EngineHost(SPEC, lambda: engine, HostLimits(max_batch=1), turns)
    run = engine.run

    def timed_run(batch: Sequence[int]) -> Any:
        """Take as many seconds as the item says."""
        result = run(batch)
        now[0] += batch[0]
        return result

    engine.run = timed_run  # type: ignore[method-assign]
    engine.gate.clear()
    calls = [shared_by("alice", host.run(8))]
    await until(lambda: len(engine.batches) == 1)
    calls += [shared_by("alice", host.run(8)) for _ in range(3)]
    calls += [shared_by("bob", host.run(1)) for _ in range(7)]
    await until(lambda: host.queued == 10)
    engine.gate.set()
    await asyncio.gather(*calls)
    assert engine.batches == [[8], *[[1]] * 7, *[[8]] * 3]
    await host.close()


async def test_a_key_with_rivals_rests_after_each_batch_of_an_engine_that_says_so() -> None:
    turns, engine = Turns(long_s=600), Doubler()
    host = EngineHost(SPEC, lambda: engine, HostLimits(max_batch=1, rest=1e6), turns)
    turns.record_request(Share("bob"))
    first = await shared_by("alice", host.run(1))
    second = shared_by("alice", host.run(2))
    assert (first, await shared_by("bob", host.run(3))) == (2, 6)
    assert not second.done()
    assert engine.batches == [[1], [3]]
    second.cancel()
    await host.close()


async def test_a_batch_that_holds_the_lock_counts_as_work_on_its_keys_texts() -> None:
    for holds_lock in (True, False):
        turns, rests = Turns(long_s=600), Rests(1.0)
        host = EngineHost(SPEC, Doubler, HostLimits(holds_lock=holds_lock))
        host.take(turns, rests)
        await shared_by("alice", host.run(1))
        assert not rests.until(), "alice has no rivals"
        turns.record_request(Share("bob"))
        await shared_by("alice", host.run(1))
        assert list(rests.until()) == ["alice"] * holds_lock
        await host.close()


async def test_a_key_alone_does_not_rest() -> None:
    engine = Doubler()
    host = EngineHost(SPEC, lambda: engine, HostLimits(max_batch=1, rest=1e6), Turns(long_s=600))
    assert [await shared_by("alice", host.run(number)) for number in range(3)] == [0, 2, 4]
    await host.close()


async def test_a_rest_ends() -> None:
    turns, engine = Turns(long_s=600), Doubler()
    host = EngineHost(SPEC, lambda: engine, HostLimits(max_batch=1, rest=1.0), turns)
    turns.record_request(Share("bob"))
    assert [await shared_by("alice", host.run(number)) for number in range(3)] == [0, 2, 4]
    await host.close()


async def test_an_engine_may_let_others_begin_earlier_beside_it() -> None:
    turns = Turns(long_s=600)
    turns.record_request(Share("alice"))
    turns.record_request(Share("bob"))
    async with turns.turn(lambda: Share("alice"), long_s=0.0), turns.turn(lambda: Share("bob")):
        pass
