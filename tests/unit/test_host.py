"""The host: batching, its bounded queue, withdrawal, failure, loading and unloading."""

import asyncio
import contextvars
import errno
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from models.base import (
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    EngineSpec,
    EngineUnavailable,
    ShareUsedUp,
)
from models.host import EngineHost
from models.memory import _CALM_BATCHES, Batches
from models.scheduler import SHARE, Share
from models.turns import Turns
from models.workplace import HostLimits

ResultT = TypeVar("ResultT")

SPEC = EngineSpec("doubler", "doubling", "Apache-2.0", "none")


class Doubler:
    """Doubles numbers; holds every batch until `gate` is open. Negative numbers break it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.loads = 0
        self.closes = 0

    def load(self) -> None:
        self.loads += 1

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        self.threads.add(threading.get_ident())
        self.batches.append(list(batch))
        self.entered.release()
        assert self.gate.wait(60)
        if any(number < -100 for number in batch):
            raise RuntimeError("the whole batch broke")
        return [ValueError("negative") if number < 0 else number * 2 for number in batch]

    def close(self) -> None:
        self.closes += 1


async def has_entered(engine: Doubler) -> None:
    assert await asyncio.to_thread(engine.entered.acquire, timeout=60)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def running(engine: Doubler, host: EngineHost[int, int]) -> "asyncio.Task[int]":
    """A call that the engine works on, and will until its gate is opened."""
    engine.gate.clear()
    call = asyncio.create_task(host.run(1))
    await has_entered(engine)
    return call


async def abandoned(engine: Doubler, host: EngineHost[int, int]) -> None:
    """The same, and its caller has left."""
    call = await running(engine, host)
    call.cancel()
    await asyncio.wait([call])


def hosted(**limits: object) -> tuple[Doubler, EngineHost[int, int]]:
    engine = Doubler()
    return engine, EngineHost(SPEC, lambda: engine, HostLimits(**limits))  # type: ignore[arg-type]


async def test_results_come_back_in_order() -> None:
    _, host = hosted(max_batch=4)
    assert await host.run_many(range(10)) == [number * 2 for number in range(10)]
    await host.close()


async def test_the_engine_runs_off_the_event_loops_thread() -> None:
    engine, host = hosted()
    await host.run(1)
    assert threading.get_ident() not in engine.threads
    await host.close()


async def test_what_arrives_while_the_engine_works_is_one_batch() -> None:
    engine, host = hosted(max_batch=8)
    first = await running(engine, host)
    rest = [asyncio.create_task(host.run(number)) for number in (2, 3, 4)]
    await until(lambda: host.queued == 3)
    engine.gate.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert engine.batches == [[1], [2, 3, 4]]
    await host.close()


async def test_a_full_queue_refuses_with_a_time_to_come_back() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    waiting = [asyncio.create_task(host.run(number)) for number in (2, 3)]
    await until(lambda: host.queued == 2)
    with pytest.raises(EngineOverloaded) as refusal:
        await host.run(4)
    assert refusal.value.retry_after >= 1
    assert host.counters.rejected == 1
    engine.gate.set()
    assert await asyncio.gather(first, *waiting) == [2, 4, 6]
    await host.close()


async def test_a_caller_that_can_wait_gets_its_turn_in_a_full_queue() -> None:
    _, host = hosted(max_queue=2)
    assert await host.run_many(range(20), wait=True) == [number * 2 for number in range(20)]
    await host.close()


async def test_a_place_given_to_a_caller_who_leaves_goes_to_the_next() -> None:
    engine, host = hosted(max_queue=1)
    first = await running(engine, host)
    queued = asyncio.create_task(host.run(2))
    await until(lambda: host.queued == 1)
    leaves, stays = (asyncio.create_task(host.run(number, wait=True)) for number in (3, 4))
    await asyncio.sleep(0)
    # The queue empties, the place is promised to the first who waits, and that one leaves before taking it.
    queued.cancel()
    while len(host._room) == 2:
        await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([queued, leaves])
    engine.gate.set()
    async with asyncio.timeout(60):
        assert await asyncio.gather(first, stays) == [2, 8]
    await host.close()


async def test_keys_are_served_in_turn_however_much_one_of_them_sends() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    calls = [shared_by("flood", host.run(number)) for number in range(10, 15)]
    calls += [shared_by("other", host.run(number)) for number in range(20, 22)]
    await until(lambda: host.queued == 7)
    engine.gate.set()
    await asyncio.gather(first, *calls)
    assert [batch[0] for batch in engine.batches] == [1, 10, 20, 11, 21, 12, 13, 14]
    await host.close()


async def test_a_key_may_not_fill_the_queue_and_is_told_what_waits() -> None:
    engine, host = hosted(max_queue=4)
    first = await running(engine, host)
    calls = [shared_by("flood", host.run(number)) for number in range(2)]
    await until(lambda: host.queued == 2)
    with pytest.raises(ShareUsedUp, match="^2 pieces of work of this key wait for 'doubler'"):
        await shared_by("flood", host.run(3))
    calls.append(shared_by("other", host.run(5)))
    await until(lambda: host.queued == 3)
    engine.gate.set()
    assert await asyncio.gather(*calls) == [0, 2, 10]
    await first
    assert host.counters.rejected == 1
    await host.close()


async def test_a_place_may_be_kept_for_an_item_that_is_still_to_be_made() -> None:
    engine, host = hosted(max_queue=4)
    first = await running(engine, host)
    waiting = shared_by("flood", host.run(2))
    await until(lambda: host.queued == 1)

    async def made() -> int:
        with host.place() as leave:
            with pytest.raises(ShareUsedUp, match="^2 pieces of work of this key wait"):
                await host.run(9)
            leave()
            return await host.run(3)

    placed = shared_by("flood", made())
    await until(lambda: host.queued == 2)
    engine.gate.set()
    assert await asyncio.gather(first, waiting, placed) == [2, 4, 6]
    await host.close()


async def test_a_place_that_is_given_up_goes_to_who_waits_for_it() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)

    async def given_up(patient: asyncio.Event) -> None:
        with host.place():
            await patient.wait()
            raise ValueError("damaged")

    leaves = asyncio.Event()
    failing = shared_by("flood", given_up(leaves))
    await asyncio.sleep(0)
    waits = shared_by("flood", host.run(4, wait=True))
    await asyncio.sleep(0)
    assert host.queued == 0
    leaves.set()
    with pytest.raises(ValueError, match="damaged"):
        await failing
    await until(lambda: host.queued == 1)
    engine.gate.set()
    assert await asyncio.gather(first, waits) == [2, 8]
    await host.close()


async def test_a_key_has_its_share_of_the_workers_and_another_runs_at_once() -> None:
    engine, host = hosted(workers=2)
    engine.gate.clear()
    calls = [shared_by("flood", host.run(number)) for number in (1, 2, 3)]
    await has_entered(engine)
    await until(lambda: host.queued == 2)
    other = shared_by("other", host.run(9))
    await has_entered(engine)
    assert engine.batches == [[1], [9]]
    engine.gate.set()
    assert await asyncio.gather(*calls, other) == [2, 4, 6, 18]
    await host.close()


async def test_those_who_wait_for_room_wait_for_that_of_their_own_key() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    document = shared_by("flood", host.run_many([1, 2, 3, 4], wait=True))
    await until(lambda: host.queued == 1)
    other = shared_by("other", host.run(9, wait=True))
    await until(lambda: host.queued == 2)
    engine.gate.set()
    assert await document == [2, 4, 6, 8]
    assert await other == 18
    await first
    assert engine.batches.index([9]) <= 2
    await host.close()


def shared_by(key: str, call: Coroutine[Any, Any, ResultT]) -> "asyncio.Task[ResultT]":
    """`call` as work of `key`, one of several."""
    context = contextvars.copy_context()
    context.run(SHARE.set, Share(key, 0.5))
    return asyncio.create_task(call, context=context)


async def test_urgent_items_overtake_others_and_share_no_batch_with_them() -> None:
    engine, host = hosted(max_batch=2)
    first = await running(engine, host)
    long = asyncio.create_task(host.run_many([10, 11, 12]))
    await until(lambda: host.queued == 3)
    short = [asyncio.create_task(host.run(number, urgent=True)) for number in (2, 3, 4)]
    await until(lambda: host.queued == 6)
    engine.gate.set()
    assert await asyncio.gather(first, long, *short) == [2, [20, 22, 24], 4, 6, 8]
    assert engine.batches == [[1], [2, 3], [4], [10, 11], [12]]
    await host.close()


async def test_urgent_items_do_not_keep_others_waiting_for_ever() -> None:
    engine, host = hosted(max_batch=2)
    first = await running(engine, host)
    other = asyncio.create_task(host.run(50))
    await until(lambda: host.queued == 1)
    urgent = asyncio.create_task(host.run_many(range(2, 14), urgent=True))
    await until(lambda: host.queued == 13)
    engine.gate.set()
    await asyncio.gather(first, other, urgent)
    assert [50 in batch for batch in engine.batches].index(True) == 5
    assert engine.batches[5] == [50, 10]
    await host.close()


async def test_a_full_queue_keeps_no_urgent_item_out() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    others = asyncio.create_task(host.run_many([10, 11]))
    await until(lambda: host.queued == 2)
    urgent = [asyncio.create_task(host.run(number, urgent=True)) for number in (2, 3)]
    await until(lambda: host.queued == 4)
    with pytest.raises(EngineOverloaded):
        await host.run(4, urgent=True)
    can_wait = asyncio.create_task(host.run(5, urgent=True, wait=True))
    await until(lambda: host.queued == 5)
    engine.gate.set()
    await asyncio.gather(first, others, *urgent, can_wait)
    assert engine.batches == [[1], [2], [3], [5], [10], [11]]
    await host.close()


async def test_a_withdrawn_urgent_item_never_runs() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    withdrawn = asyncio.create_task(host.run(2, urgent=True))
    await until(lambda: host.queued == 1)
    withdrawn.cancel()
    await asyncio.wait([withdrawn])
    engine.gate.set()
    await first
    assert (engine.batches, host.counters.dropped) == ([[1]], 1)
    await host.close()


async def test_withdrawn_work_never_runs_and_frees_its_place() -> None:
    engine, host = hosted(max_queue=1)
    first = await running(engine, host)
    withdrawn = asyncio.create_task(host.run(2))
    await until(lambda: host.queued == 1)
    withdrawn.cancel()
    await asyncio.wait([withdrawn])
    successor = asyncio.create_task(host.run(3))
    await until(lambda: host.queued == 1)
    engine.gate.set()
    assert await asyncio.gather(first, successor) == [2, 6]
    assert engine.batches == [[1], [3]]
    assert host.counters.dropped == 1
    await host.close()


async def test_the_result_of_running_work_is_discarded_when_its_caller_leaves() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    engine.gate.set()
    assert await host.run(2) == 4
    assert host.counters.discarded == 1
    await host.close()


async def test_an_exception_in_one_item_fails_that_item_only() -> None:
    engine, host = hosted(max_batch=8)
    first = await running(engine, host)
    tasks = [asyncio.create_task(host.run(number)) for number in (2, -3, 4)]
    await until(lambda: host.queued == 3)
    engine.gate.set()
    good, bad, also_good = await asyncio.gather(*tasks, return_exceptions=True)
    assert (await first, good, also_good) == (2, 4, 8)
    assert isinstance(bad, EngineFailed)
    assert isinstance(bad.__cause__, ValueError)
    assert "negative" not in str(bad)
    await host.close()


class OutOfMemoryError(RuntimeError):
    """As PyTorch calls its own."""


class Card(Doubler):
    """Has memory for `room` items. What is too much for it breaks the batch, or is an item's result."""

    def __init__(self, room: int, error: Exception, *, as_results: bool = False) -> None:
        super().__init__()
        self.room, self.error, self.as_results = room, error, as_results

    def run(self, batch: Sequence[int]) -> Sequence[int | Exception]:
        results = super().run(batch)
        if len(batch) <= self.room:
            return results
        if self.as_results:
            return [*results[: self.room], *[self.error] * (len(batch) - self.room)]
        raise self.error


RAN_OUT = [
    OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("CUDA failed with error out of memory"),
    RuntimeError("Failed to allocate memory for requested buffer of size 1024"),
    RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
    MemoryError(),
]


@pytest.mark.parametrize("as_results", [False, True])
@pytest.mark.parametrize("error", RAN_OUT, ids=str)
async def test_what_a_card_has_no_room_for_is_computed_in_smaller_batches(error: Exception, as_results: bool) -> None:
    engine = Card(3, error, as_results=as_results)
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=16))
    assert await host.run_many(range(16)) == [2 * number for number in range(16)]
    assert [len(batch) for batch in engine.batches][:3] == [16, 8, 4]
    tried = len(engine.batches)
    assert await host.run_many(range(9)) == [2 * number for number in range(9)]
    # How many it has room for is remembered.
    assert max(len(batch) for batch in engine.batches[tried:]) <= engine.room
    assert host.healthy
    await host.close()


async def test_an_item_that_a_card_has_no_room_for_at_all_may_be_tried_again_later() -> None:
    engine = Card(0, RAN_OUT[0])
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=4))
    with pytest.raises(EngineFailed) as failure:
        await host.run(1)
    assert failure.value.retry_after is not None
    engine.room = 1
    assert await host.run(1) == 2
    await host.close()


@pytest.mark.parametrize(("free", "most"), [(10_000, 16), (1600, 8), (250, 1), (0, 1), (None, 16)])
async def test_as_many_items_are_computed_together_as_the_card_has_room_for(
    free: int | None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def free_on(device: str) -> int | None:
        asked.append(device)
        return free

    monkeypatch.setattr("models.workplace.free_on", free_on)
    engine = Doubler()
    host = EngineHost[int, int](SPEC, lambda: engine, HostLimits(max_batch=16, item_bytes=100, device="cuda:1"))
    await host.run_many(range(16))
    await host.close()
    assert asked == ["cuda:1"]
    assert max(len(batch) for batch in engine.batches) == most


def test_batches_grow_again_where_memory_has_long_sufficed() -> None:
    card, batches = Card(2, RAN_OUT[0]), Batches[int, int]("card", 8)
    assert batches.run(card, list(range(8))) == [2 * number for number in range(8)]
    assert batches.most == 2
    card.room = 8
    for _ in range(2 * _CALM_BATCHES):
        batches.run(card, list(range(batches.most)))
    assert batches.most == 8
    batches.run(card, list(range(8)))
    assert len(card.batches[-1]) == 8


async def test_a_batch_that_breaks_as_a_whole_fails_only_the_culprit() -> None:
    engine, host = hosted(max_batch=8)
    first = await running(engine, host)
    tasks = [asyncio.create_task(host.run(number)) for number in (2, -300, 4)]
    await until(lambda: host.queued == 3)
    engine.gate.set()
    good, bad, also_good = await asyncio.gather(*tasks, return_exceptions=True)
    assert (await first, good, also_good) == (2, 4, 8)
    assert isinstance(bad, EngineFailed)
    await host.close()


async def test_the_engine_loads_once_for_many_first_callers() -> None:
    engine, host = hosted()
    await asyncio.gather(*(host.run(number) for number in range(20)))
    assert engine.loads == 1
    await host.close()


async def test_a_load_goes_on_when_the_caller_who_began_it_leaves() -> None:
    class Slow(Doubler):
        def load(self) -> None:
            super().load()
            self.entered.release()
            assert self.gate.wait(60)

    engine = Slow()
    host = EngineHost(SPEC, lambda: engine)
    await abandoned(engine, host)
    next_one = asyncio.create_task(host.run(2))
    await asyncio.sleep(0)
    engine.gate.set()
    assert await next_one == 4
    assert engine.loads == 1
    await host.close()
    assert engine.closes == 1


async def test_work_that_comes_while_the_engine_is_unloaded_waits_for_it_to_load_again() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    unloading = asyncio.create_task(host.unload())
    await asyncio.sleep(0)
    late = asyncio.create_task(host.run(2))
    await asyncio.sleep(0)
    engine.gate.set()
    assert await unloading
    assert await late == 4
    assert engine.loads == 2
    await host.close()


async def test_work_that_comes_while_the_host_closes_is_refused() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    closing = asyncio.create_task(host.close())
    await asyncio.sleep(0)
    with pytest.raises(EngineNotReady):
        await host.run(2)
    engine.gate.set()
    assert await first == 2
    await closing


async def test_an_engine_that_does_not_load_is_unavailable_and_tried_again() -> None:
    class Fragile(Doubler):
        def load(self) -> None:
            super().load()
            if self.loads == 1:
                raise OSError("no such file: /secret/path")

    engine = Fragile()
    host = EngineHost(SPEC, lambda: engine)
    with pytest.raises(EngineUnavailable) as failure:
        await host.run(1)
    assert type(failure.value) is EngineUnavailable
    assert "/secret" not in str(failure.value)
    assert await host.run(1) == 2
    await host.close()


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "/secret/path")], ids=repr)
async def test_an_engine_that_finds_no_memory_may_load_later(error: Exception) -> None:
    class Large(Doubler):
        def load(self) -> None:
            raise error

    host = EngineHost(SPEC, Large)
    with pytest.raises(EngineNotReady) as failure:
        await host.run(1)
    assert failure.value.retry_after
    assert "/secret" not in str(failure.value)
    await host.close()


async def test_an_idle_engine_is_unloaded_and_loads_again() -> None:
    engine, host = hosted(idle_unload_s=0.01)
    assert await host.run(1) == 2
    await until(lambda: engine.closes == 1)
    assert not host.loaded
    assert await host.run(2) == 4
    assert engine.loads == 2
    await host.close()


@pytest.mark.usefixtures("rounds_as_in_a_server")
async def test_the_garbage_collector_leaves_a_loaded_engine_alone_and_frees_it_once_it_is_unloaded() -> None:
    class Knotted(Doubler):
        def __init__(self) -> None:
            super().__init__()
            self.itself = self

    host = EngineHost(SPEC, Knotted)
    await host.run(1)
    engine = weakref.ref(host._workplace._engine)  # type: ignore[attr-defined]
    assert not any(isinstance(thing, Knotted) for thing in gc.get_objects())
    await host.unload()
    assert engine() is None
    await host.close()


async def test_a_lease_keeps_the_engine_loaded() -> None:
    engine, host = hosted(idle_unload_s=0.0)
    async with host.lease():
        assert not await host.unload()
        assert host.loaded
    await until(lambda: engine.closes == 1)
    assert not host.loaded
    await host.close()


async def test_an_abandoned_batch_ends_before_the_engine_is_freed() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    unloading = asyncio.create_task(host.unload())
    await asyncio.sleep(0)
    assert engine.closes == 0
    engine.gate.set()
    assert await unloading
    assert engine.closes == 1
    await host.close()


async def test_closing_tells_those_who_wait() -> None:
    engine, host = hosted()
    first = await running(engine, host)
    waiting = asyncio.create_task(host.run(2))
    await until(lambda: host.queued == 1)
    closing = asyncio.create_task(host.close())
    with pytest.raises(EngineNotReady):
        await waiting
    engine.gate.set()
    assert await first == 2
    await closing
    with pytest.raises(EngineNotReady):
        await host.run(3)


async def test_several_workers_run_at_the_same_time() -> None:
    engine, host = hosted(workers=2)
    engine.gate.clear()
    tasks = [asyncio.create_task(host.run(number)) for number in (1, 2)]
    await has_entered(engine)
    await has_entered(engine)
    engine.gate.set()
    assert await asyncio.gather(*tasks) == [2, 4]
    assert len(engine.threads) == 2
    await host.close()


async def test_counters_tell_what_happened() -> None:
    _, host = hosted(max_batch=4)
    await asyncio.gather(host.run(1), host.run(-1), return_exceptions=True)
    counters = host.counters
    assert (counters.batch_items.sum, counters.failures.total(), counters.loads) == (2, 1, 1)
    assert counters.seconds.sum > 0
    assert host.healthy
    await host.close()


class Pages:
    """Two engines that compute with the same processors, and calls of keys that pass through both, in this order."""

    def __init__(self, **limits: int) -> None:
        self.turns = Turns()
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


def of_key(key: str, work: Coroutine[Any, Any, ResultT]) -> "asyncio.Task[ResultT]":
    context = contextvars.copy_context()
    context.run(SHARE.set, Share(key))
    return asyncio.create_task(work, context=context)


async def test_a_key_that_asks_little_waits_for_one_batch_of_another_and_for_none_between_its_steps() -> None:
    pages = Pages()
    await of_key("alice", pages.read(0))
    pages.first.gate.clear()
    flood = [of_key("alice", pages.read(number)) for number in range(1, 30)]
    await until(lambda: ("first", [1]) in pages.ran)
    bob = of_key("bob", pages.read(100))
    await until(lambda: pages.hosts[0].queued == 29)
    begun = len(pages.ran)
    pages.first.gate.set()
    assert await bob == 100
    assert pages.ran[begun : begun + 2] == [("first", [100]), ("second", [100])], pages.ran[begun : begun + 6]
    await asyncio.gather(*flood)
    await pages.close()


async def test_engines_run_side_by_side_for_one_key_and_in_turn_for_several() -> None:
    pages = Pages()
    await of_key("alice", pages.read(0))
    for keys, most in ((("alice", "alice"), 2), (("alice", "bob"), 1)):
        pages.most_at_once = 0
        pages.first.gate.clear()
        pages.second.gate.clear()
        calls = [of_key(key, host.run(1)) for key, host in zip(keys, pages.hosts, strict=True)]
        await until(lambda most=most: pages.at_once == most)  # type: ignore[misc]
        pages.first.gate.set()
        pages.second.gate.set()
        await asyncio.gather(*calls)
        assert pages.most_at_once == most
    await pages.close()


async def test_batches_are_small_while_several_keys_ask() -> None:
    pages = Pages(max_batch=8, contested_batch=2)
    host, engine = pages.hosts[0], pages.first
    await of_key("alice", host.run(0))
    for key, sizes in (("alice", [1, 8]), ("bob", [1, 2, 2, 2, 2])):
        engine.gate.clear()
        before = len(engine.batches)
        calls = [of_key("alice", host.run(0))]
        await until(lambda before=before: len(engine.batches) > before)  # type: ignore[misc]
        calls += [of_key(key, host.run(number)) for number in range(8)]
        await until(lambda: host.queued == 8)
        engine.gate.set()
        await asyncio.gather(*calls)
        assert [len(batch) for batch in engine.batches[before:]] == sizes
    await pages.close()


async def test_a_batch_is_of_one_key_while_several_ask() -> None:
    pages = Pages(max_batch=8, contested_batch=2)
    host, engine = pages.hosts[0], pages.first
    await of_key("alice", host.run(0))
    engine.gate.clear()
    calls = [of_key("alice", host.run(0))]
    await until(lambda: len(engine.batches) == 2)
    calls += [of_key(key, host.run(number)) for number, key in enumerate(["alice", "alice", "alice", "bob", "bob"])]
    await until(lambda: host.queued == 5)
    engine.gate.set()
    await asyncio.gather(*calls)
    assert sorted(engine.batches[2:]) == [[0, 1], [2], [3, 4]]
    await pages.close()
