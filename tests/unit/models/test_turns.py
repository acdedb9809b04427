"""Engines that take turns, and processes that keys share, while several ask."""

import asyncio
from dataclasses import replace

from models.scheduler import Share
from models.turns import CONTESTED_S, SLOW_S, Homes, Turns

A, B, C = Share("a", 0.5), Share("b", 0.5), Share("c", 0.5)


async def test_who_came_last_is_a_rival_for_a_while() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now)
    turns.record_request(A)
    turns.record_request(A)
    assert not turns.is_contested
    turns.record_request(B)
    assert turns.is_contested
    now += CONTESTED_S
    assert not turns.is_contested
    turns.record_request(A)
    assert not turns.is_contested


async def test_the_next_turn_is_of_the_key_whose_work_took_least() -> None:
    now, order = 0.0, []
    turns = Turns(clock=lambda: now)
    turns.record_request(A)
    turns.record_request(B)

    async def work(share: Share, seconds: float) -> None:
        nonlocal now
        async with turns.turn(lambda: share) as batch:
            batch[share] += 1
            order.append(share.key)
            await asyncio.sleep(0)
            now += seconds

    await asyncio.gather(*(work(A, 3.0) for _ in range(3)), *(work(B, 1.0) for _ in range(4)))
    assert order == ["a", "b", "b", "b", "a", "b", "a"]


async def test_of_those_who_want_one_engine_the_key_is_next_whose_work_took_least() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now)
    assert turns.next_of([]) is None
    turns.record_request(A)
    async with turns.turn(lambda: A) as batch:
        batch[A] += 1
        now = 1.0
    assert turns.next_of([A, B]) == A, "nobody else has asked"
    turns.record_request(B)
    assert turns.next_of([A, B]) == B
    assert turns.next_of([A]) == A


async def test_what_somebody_waits_for_goes_before_the_work_of_batches() -> None:
    turns, order = Turns(), []
    turns.record_request(B)
    turns.record_request(A)
    later = replace(A, is_later=True)
    assert turns.next_of([B, A]) == B
    assert turns.next_of([later, B]) == later, "the queue has passed it over often enough"

    async def work(share: Share) -> None:
        async with turns.turn(lambda: share, is_followed=True) as batch:
            batch[share] += 1
            order.append((share.key, share.is_later))
            await asyncio.sleep(0)

    await asyncio.gather(*(work(share) for share in (C, later, B, later, A)))
    assert order == [("c", False), ("b", False), ("a", False), ("a", True), ("a", True)]


async def test_of_one_keys_work_what_was_begun_is_ended_first() -> None:
    turns, order = Turns(), []
    turns.record_request(B)
    turns.record_request(A)

    async def work(name: str, *, is_followed: bool) -> None:
        async with turns.turn(lambda: A, is_followed=is_followed):
            order.append(name)

    async with turns.turn(lambda: B):
        waiting = [asyncio.create_task(work("first step", is_followed=True)) for _ in range(2)]
        waiting.append(asyncio.create_task(work("second step", is_followed=False)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["second step", "first step", "first step"]


async def test_work_of_a_key_with_much_waiting_counts_three_times() -> None:
    now, order = 0.0, []
    turns = Turns(clock=lambda: now)
    turns.join({"a": 64, "b": 1}.__getitem__)
    turns.record_request(A)
    turns.record_request(B)

    async def work(share: Share) -> None:
        nonlocal now
        async with turns.turn(lambda: share) as batch:
            batch[share] += 1
            order.append(share.key)
            await asyncio.sleep(0)
            now += 1.0

    await asyncio.gather(*(work(share) for share in (A, A, B, B, B, B)))
    assert order == ["a", "b", "b", "b", "a", "b"]


async def test_a_turn_that_nobody_waits_for_any_longer_goes_to_the_next() -> None:
    turns = Turns()
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: A):
        gone, next_one = (asyncio.create_task(_turn_of(turns, share)) for share in (A, B))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
    granted, then = (asyncio.create_task(_turn_of(turns, share)) for share in (A, B))
    await asyncio.wait_for(next_one, 60)
    granted.cancel()
    await asyncio.wait_for(then, 60)


async def _turn_of(turns: Turns, share: Share) -> None:
    async with turns.turn(lambda: share):
        await asyncio.sleep(0)


async def test_a_key_that_does_not_come_back_is_waited_for_a_moment_and_no_longer() -> None:
    turns = Turns()
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: B) as batch:
        batch[B] += 1
        await asyncio.sleep(0.001)
    async with turns.turn(lambda: A) as batch:
        batch[A] += 1
        await asyncio.sleep(0.01)
    # B is behind A, and has nothing more to do.
    async with turns.turn(lambda: B, is_followed=True) as batch:
        batch[B] += 1
    await asyncio.wait_for(_turn_of(turns, A), 60)


async def test_a_key_is_not_waited_for_while_its_work_goes_on_in_the_same_engine() -> None:
    now = 0.0
    turns = Turns(clock=lambda: now)
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: B) as batch:
        batch[B] += 1
        now += 1.0
    for unfinished in (set(), {A}):
        async with turns.turn(lambda: A, is_followed=True) as batch:
            batch[A] += 1
            batch.unfinished |= unfinished
        other = asyncio.create_task(_turn_of(turns, B))
        for _ in range(5):
            await asyncio.sleep(0)
        assert other.done() is bool(unfinished)
        await other


async def test_beside_a_batch_that_gives_way_other_keys_begin_but_not_its_own() -> None:
    turns = Turns(long_s=600)
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: A, long_s=0.0) as batch:
        batch[A] += 1
        await _turn_of(turns, B)
        assert turns.next_of([A, B]) == B
        own = asyncio.create_task(_turn_of(turns, A))
        await _turn_of(turns, B)
        assert not own.done()
    await asyncio.wait_for(own, 60)


async def test_a_long_batch_that_gave_way_no_longer_keeps_those_of_its_key() -> None:
    turns = Turns(long_s=0.001)
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: A, long_s=0.0) as batch:
        batch[A] += 1
        await asyncio.wait_for(_turn_of(turns, A), 60)


def test_a_key_that_asks_alone_uses_all_and_several_keep_apart() -> None:
    now = 0.0
    homes = Homes(2, clock=lambda: now)
    assert homes.of(A) == [0, 1]
    assert homes.of(B) == [1]
    assert homes.of(A) == [0]
    assert homes.of(Share("all")) == [0, 1], "whose share is all of it"
    now = CONTESTED_S
    assert homes.of(B) == [0, 1], "nobody else has asked of late"


def test_a_key_has_its_share_while_other_keys_ask_for_something_else() -> None:
    is_contested = False
    homes = Homes(4, is_contested=lambda: is_contested)
    assert homes.of(A) == [0, 1, 2, 3]
    is_contested = True
    assert homes.usable(A) == [0, 1]
    homes.began_long(A)
    assert homes.of(A) == [0, 1]
    is_contested = False
    assert homes.of(A) == [0, 1, 2, 3]


def test_a_key_with_long_calls_has_none_of_the_processes_of_the_others() -> None:
    now = 0.0
    homes = Homes(2, clock=lambda: now)
    assert homes.of(A) == [0, 1]
    homes.began_long(A)
    assert homes.usable(A) == [0, 1], "nobody else has asked"
    assert [homes.of(share) for share in (B, C, A)] == [[1], [1], [0]]
    homes.began_long(B)
    assert [homes.usable(share) for share in (A, B, C)] == [[0], [0], [1]]
    now = CONTESTED_S
    assert homes.of(C) == [1], "they are long still"
    homes.ended_long(A)
    homes.ended_long(B)
    now += SLOW_S
    assert homes.of(C) == [1, 0]


def test_many_calls_of_a_key_are_long_together() -> None:
    now = 0.0
    homes = Homes(2, clock=lambda: now)
    assert [homes.of(share) for share in (A, B)] == [[0, 1], [1]]
    for _ in range(20):
        homes.ended(B, 0.2)
        now += 0.5
    assert homes.of(A) == [0]
    assert homes.of(B) == [1], "its calls take less than half of the time"
    for _ in range(6):
        homes.ended(B, 0.2)
    assert homes.usable(B) == [0], "it leaves the last process"
    assert homes.of(C) == [1]


def test_the_last_of_four_processes_is_for_calls_that_are_short() -> None:
    homes = Homes(4)
    slow = [Share(key, 0.5) for key in "abc"]
    for share in slow:
        homes.of(share)
        homes.began_long(share)
    assert homes.of(Share("d", 0.5)) == [3]
    assert [homes.of(share) for share in slow] == [[0, 1], [2, 0], [1, 2]]


def test_keys_with_long_calls_alone_keep_apart_on_all_processes_until_another_asks() -> None:
    homes = Homes(2)
    for share in (A, B):
        homes.of(share)
        homes.began_long(share)
    assert [homes.of(share) for share in (A, B)] == [[0], [1]]
    assert homes.of(C) == [1]
    assert [homes.usable(share) for share in (A, B)] == [[0], [0]]


def test_of_a_single_process_all_keys_have_their_turn() -> None:
    homes = Homes(1)
    homes.of(A)
    homes.began_long(A)
    assert [homes.of(share) for share in (A, B)] == [[0], [0]]


def test_keys_keep_apart_as_far_as_there_are_enough() -> None:
    homes = Homes(3)
    assert [homes.of(share) for share in (A, B, C, Share("d", 0.5), A)] == [[0, 1, 2], [1], [2], [0], [0]]


async def test_a_batch_that_runs_long_gives_its_turn_away() -> None:
    turns = Turns(long_s=0.001)
    turns.record_request(A)
    turns.record_request(B)
    async with turns.turn(lambda: A):
        await asyncio.wait_for(_turn_of(turns, B), 60)


async def test_batches_that_take_parts_of_the_processors_run_together_up_to_all_of_them() -> None:
    turns, running, most = Turns(long_s=600), 0, []
    turns.record_request(A)
    turns.record_request(B)

    async def work(width: float) -> None:
        nonlocal running
        async with turns.turn(lambda: A, width=width):
            running += 1
            most.append(running)
            await asyncio.sleep(0.001)
            running -= 1

    for width in (1 / 3, 0.4, 1.0):
        await asyncio.gather(*(work(width) for _ in range(7)))
        assert max(most) == int(1 / width)
        most.clear()
