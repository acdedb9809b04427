"""The host: batching, its bounded queue, its keys, withdrawal and failure."""

import asyncio
import threading

import pytest

from models.base import EngineFailed, EngineOverloaded, ShareUsedUp
from models.turns import Turns
from tests.hosts import abandoned, has_entered, hosted, running, shared_by
from tests.panics import Panic
from tests.waiting import until


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
    while len(host._waiting_callers) == 2:
        await asyncio.sleep(0)
    leaves.cancel()
    await asyncio.wait([queued, leaves])
    engine.gate.set()
    async with asyncio.timeout(60):
        assert await asyncio.gather(first, stays) == [2, 8]
    await host.close()


async def test_keys_are_served_in_turn_however_much_one_of_them_sends() -> None:
    engine, host = hosted()
    host.take(Turns(clock=lambda: 0.0))  # all items take equally long
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
    with pytest.raises(ShareUsedUp, match="^2 pieces of work of this key are already waiting for 'doubler'"):
        await shared_by("flood", host.run(3))
    calls.append(shared_by("other", host.run(5)))
    await until(lambda: host.queued == 3)
    engine.gate.set()
    assert await asyncio.gather(*calls) == [0, 2, 10]
    await first
    await host.close()


async def test_a_caller_who_has_just_left_yields_its_place_to_another_key() -> None:
    engine, host = hosted(max_queue=2)
    first = await running(engine, host)
    [stays, leaves] = [asyncio.create_task(host.run(number)) for number in (2, 3)]
    await until(lambda: host.queued == 2)
    arrives = shared_by("other", host.run(5))
    # The other key asks before the code of the caller that leaves has run again.
    leaves.cancel()
    await until(lambda: leaves.done())
    engine.gate.set()
    assert await asyncio.gather(first, stays, arrives) == [2, 4, 10]
    assert leaves.cancelled()
    await host.close()


async def test_a_place_may_be_kept_for_an_item_that_is_still_to_be_made() -> None:
    engine, host = hosted(max_queue=4)
    first = await running(engine, host)
    waiting = shared_by("flood", host.run(2))
    await until(lambda: host.queued == 1)

    async def made() -> int:
        with host.place() as leave:
            with pytest.raises(ShareUsedUp, match="^2 pieces of work of this key are already waiting"):
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


async def test_urgent_items_of_one_key_do_not_keep_another_key_waiting() -> None:
    engine, host = hosted(max_batch=2, contested_batch=1, max_queue=200)
    first = await running(engine, host)
    urgent = shared_by("flood", host.run_many(range(2, 50), urgent=True))
    other = shared_by("other", host.run_many([50, 51]))
    await until(lambda: host.queued == 50)
    engine.gate.set()
    await asyncio.gather(first, other, urgent)
    # A key whose item a busy machine interrupted waits for some more.
    assert engine.batches.index([51]) <= 25
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
    assert engine.batches == [[1]]
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
    assert (host.pace.seconds, host.pace.items) > (0, 0)
    assert host.healthy
    await host.close()
