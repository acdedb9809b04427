"""The host: batching, its bounded queue, its keys, withdrawal and failure."""

import asyncio

import pytest

from models.base import EngineFailed, EngineOverloaded
from models.hosts.host import EngineHost
from tests.kit.engines.hosts import abandoned, has_entered, hosted, running, shared_by
from tests.kit.processes.panics import Panic
from tests.kit.waits.waiting import until


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
    engine.gate.set()
    assert await asyncio.gather(first, *waiting) == [2, 4, 6]
    await host.close()


async def test_a_full_queue_of_one_key_keeps_no_other_out() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    calls = [shared_by("flood", host.run(number)) for number in range(2)]
    await until(lambda: host.queued == 2)
    with pytest.raises(EngineOverloaded):
        await shared_by("flood", check(host))
    with pytest.raises(EngineOverloaded):
        await shared_by("flood", host.run(3))
    await shared_by("other", check(host))
    calls.append(shared_by("other", host.run(5)))
    await until(lambda: host.queued == 3)
    engine.gate.set()
    assert await asyncio.gather(*calls) == [0, 2, 10]
    await first
    await host.close()


async def check(host: EngineHost[int, int]) -> None:
    host.check_room()


async def test_a_caller_that_can_wait_gets_its_turn_in_a_full_queue() -> None:
    _, host = hosted(max_queue=2)
    assert await host.run_many(range(20), wait=True) == [number * 2 for number in range(20)]
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


async def test_those_who_wait_for_room_wait_for_that_of_their_own_key() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    document = shared_by("flood", host.run_many([1, 2, 3, 4], wait=True))
    await until(lambda: host.queued == 2)
    other = shared_by("other", host.run(9, wait=True))
    await until(lambda: host.queued == 3)
    engine.gate.set()
    assert await document == [2, 4, 6, 8]
    assert await other == 18
    await first
    assert engine.batches.index([9]) <= 2
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
    await host.close()


async def test_the_result_of_running_work_is_discarded_when_its_caller_leaves() -> None:
    engine, host = hosted()
    await abandoned(engine, host)
    engine.gate.set()
    assert await host.run(2) == 4
    assert engine.batches == [[1], [2]]
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


async def test_an_engine_that_panics_over_an_item_goes_on() -> None:
    engine, host = hosted()
    with pytest.raises(EngineFailed) as failure:
        await host.run(-1000)
    assert Panic.__name__ in str(failure.value.__cause__)
    assert await host.run(2) == 4
    assert len(engine.batches) == 2
    await host.close()


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
