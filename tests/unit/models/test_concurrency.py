"""Bounded concurrency, and deadlines."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator

import pytest

from models.concurrency import Deadline, EngineAdmission, TimeIsUp, both, side_by_side
from tasks.errors import InputError


async def test_no_more_than_the_bound_are_under_way() -> None:
    under_way = most = 0

    async def work(_: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        under_way -= 1

    await side_by_side(work, range(20), at_most=4)
    assert most == 4


async def test_items_are_begun_in_their_order() -> None:
    begun = []

    async def work(item: int) -> None:
        begun.append(item)
        await asyncio.sleep(0)

    await side_by_side(work, range(7), at_most=3)
    assert begun == list(range(7))


async def test_a_failure_is_raised_as_it_is_and_cancels_the_rest() -> None:
    cancelled = []

    async def work(item: int) -> None:
        if item == 2:
            raise InputError("the second one") from ValueError("the cause")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(InputError, match="the second one") as raised:
        await side_by_side(work, [1, 2, 3, 4], at_most=3)
    assert isinstance(raised.value.__cause__, ValueError)
    assert sorted(cancelled) == [1, 3]


async def test_cancelling_the_caller_cancels_the_work() -> None:
    begun, cancelled = asyncio.Event(), []

    async def work(item: int) -> None:
        if item == 2:
            begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    caller = asyncio.create_task(side_by_side(work, [1, 2, 3], at_most=2))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert sorted(cancelled) == [1, 2]


async def test_after_each_it_is_told_how_many_are_done() -> None:
    told: list[tuple[int, int]] = []

    async def work(item: int) -> int:
        assert len(told) <= item
        return item

    await side_by_side(work, range(5), at_most=2, done=lambda *counts: told.append(counts))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_only_the_first_is_refused_where_it_would_have_to_wait() -> None:
    admission = EngineAdmission()
    assert [admission.waits() for _ in range(3)] == [False, True, True]


NOW = 0.0
"""By the loop's clock, which is past it."""
FAR = float("inf")


class Pieces:
    """One piece at once; then none, or a failure."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.waits, self.let_go = asyncio.Event(), False
        self._failure = failure

    async def come(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
            if self._failure:
                raise self._failure
            self.waits.set()
            await asyncio.Event().wait()
        finally:
            self.let_go = True


async def two() -> AsyncGenerator[int, None]:
    yield 1
    await asyncio.sleep(0)
    yield 2


async def test_a_time_ends_the_wait_and_leaves_no_cancellation_behind() -> None:
    pieces = Pieces()
    coming, soon = pieces.come(), asyncio.get_running_loop().time() + 0.05
    with Deadline(soon) as deadline:
        assert await deadline.wait_for(anext(coming)) == 1
        with pytest.raises(TimeIsUp):
            await deadline.wait_for(anext(coming))
    assert pieces.let_go
    late = two()
    with Deadline(NOW) as deadline:
        assert await deadline.wait_for(anext(late)) == 1
        with pytest.raises(TimeIsUp):
            await deadline.wait_for(anext(late))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_deadline_may_move_either_way() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with Deadline(began + 0.05) as deadline:
        await deadline.wait_for(asyncio.sleep(0))
        deadline.move(began + 0.2)
        await deadline.wait_for(asyncio.sleep(0.1))
        deadline.move(began + 600)
        deadline.move(loop.time() + 0.01)
        with pytest.raises(TimeIsUp):
            await deadline.wait_for(asyncio.sleep(600))
    assert loop.time() < began + 60


async def test_of_two_deadlines_the_earlier_one_ends_the_wait() -> None:
    with Deadline(FAR) as far, Deadline(asyncio.get_running_loop().time() + 0.01) as near:

        async def wait() -> str:
            try:
                return await near.wait_for(asyncio.sleep(600, ""))
            except TimeIsUp:
                return "near"

        assert await far.wait_for(wait()) == "near"
    with Deadline(asyncio.get_running_loop().time() + 0.01) as near, pytest.raises(TimeIsUp):
        await near.wait_for(far.wait_for(asyncio.sleep(600)))


async def test_other_failures_and_cancellations_are_passed_on() -> None:
    failing = Pieces(TimeoutError("a socket's")).come()
    with Deadline(FAR) as deadline:
        await deadline.wait_for(anext(failing))
        with pytest.raises(TimeoutError, match="a socket's"):
            await deadline.wait_for(anext(failing))

    pieces = Pieces()

    async def wait() -> None:
        coming = pieces.come()
        with Deadline(FAR) as deadline:
            await deadline.wait_for(anext(coming))
            await deadline.wait_for(anext(coming))

    waiting = asyncio.create_task(wait())
    await pieces.waits.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_the_failure_of_one_of_both_cancels_the_other_and_is_raised_as_it_is() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def fails() -> None:
        await begun.wait()
        raise InputError("no")

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(InputError, match="no"):
        await both(waits(), fails())
    assert ended.is_set()


async def test_cancelling_the_caller_cancels_both() -> None:
    begun, ended = asyncio.Event(), []

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    task = asyncio.create_task(both(waits(), waits()))
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ended) == 2


class _Large:
    """A result that takes much memory."""


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_results_are_freed_at_once_when_a_later_call_fails_or_all_are_cancelled(is_cancelled: bool) -> None:
    kept: list[weakref.ref[_Large]] = []
    waits = asyncio.Event()

    async def work(item: int) -> _Large:
        if item == 2:
            if not is_cancelled:
                raise ValueError(item)
            waits.set()
            await asyncio.Event().wait()
        result = _Large()
        kept.append(weakref.ref(result))
        return result

    gc.collect()
    gc.disable()
    try:
        running = asyncio.create_task(side_by_side(work, range(3), at_most=1))
        if is_cancelled:
            await waits.wait()
            running.cancel()
        with pytest.raises((ValueError, asyncio.CancelledError)):
            await running
        del running
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()
