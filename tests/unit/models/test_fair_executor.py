"""Long work in slices: in other threads, by keys in turn, ended with its caller."""

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from models import fair_executor
from models.base import EngineNotReady, EngineOverloaded
from models.fair_executor import FairExecutor, Slices
from models.fair_queue import KEY
from tests.panics import panic
from tests.waiting import until


@pytest.fixture(autouse=True)
def every_step_is_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "SLICE_S", 0.0)


def of(key: str, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    token = KEY.set(key)
    try:
        return asyncio.create_task(work)
    finally:
        KEY.reset(token)


class Blocker:
    """Holds the executor's thread until it is told to let go."""

    def __init__(self) -> None:
        self.entered, self.end = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.end.wait(60)


async def blocked(executor: FairExecutor) -> tuple[Blocker, "asyncio.Task[Any]"]:
    blocker = Blocker()
    task = of("", executor.run(blocker))
    await until(blocker.entered.is_set)
    return blocker, task


async def test_results_and_failures_come_back_from_another_thread() -> None:
    executor = FairExecutor("test")

    def sliced(most: int) -> Slices[int]:
        total = 0
        for number in range(most):
            total += number
            yield
        return total

    assert await executor.run(threading.current_thread) is not threading.current_thread()
    assert await executor.run(sliced, 10) == 45
    with pytest.raises(ZeroDivisionError):
        await executor.run(lambda: 1 // 0)
    with pytest.raises(RuntimeError, match="the work ended with a Panic"):
        await executor.run(panic)
    await executor.close()
    with pytest.raises(EngineNotReady):
        await executor.run(int)


async def test_a_small_job_of_another_key_is_done_between_the_slices_of_a_large_one() -> None:
    executor = FairExecutor("test")
    log: list[str] = []
    blocker, holding = await blocked(executor)

    def steps(name: str, most: int) -> Slices[None]:
        for _ in range(most):
            log.append(name)
            yield

    jobs = [of("a", executor.run(steps, name, 5)) for name in ("a1", "a2")]
    await until(lambda: executor.waiting == 2)
    jobs.append(of("b", executor.run(steps, "b", 2)))
    await until(lambda: executor.waiting == 3)
    blocker.end.set()
    await asyncio.gather(holding, *jobs)
    assert log.index("b") <= 2
    assert [name[0] for name in log[:6]].count("b") == 2
    assert (log.count("a1"), log.count("a2")) == (5, 5)
    await executor.close()


async def test_work_whose_caller_leaves_ends_after_its_slice() -> None:
    executor = FairExecutor("test")
    steps, closed = [], threading.Event()

    def endless() -> Slices[None]:
        try:
            while True:
                steps.append(1)
                yield
        finally:
            closed.set()

    task = of("a", executor.run(endless))
    await until(lambda: len(steps) > 3)
    task.cancel()
    await asyncio.wait([task])
    await until(closed.is_set)
    assert await executor.run(len, steps) == len(steps), "it has ended"
    await executor.close()


async def test_work_that_waits_never_begins_when_its_caller_leaves() -> None:
    executor = FairExecutor("test")
    blocker, holding = await blocked(executor)
    begun: list[int] = []
    task = of("a", executor.run(begun.append, 1))
    await until(lambda: executor.waiting == 1)
    task.cancel()
    await asyncio.wait([task])
    assert executor.waiting == 0
    blocker.end.set()
    await holding
    await executor.close()
    assert begun == []


async def test_more_than_may_wait_is_refused() -> None:
    executor = FairExecutor("test", most_waiting=2)
    blocker, holding = await blocked(executor)
    waiting = [of("", executor.run(int)) for _ in range(2)]
    await until(lambda: executor.waiting == 2)
    with pytest.raises(EngineOverloaded, match="'test' is busy"):
        await executor.run(int)
    blocker.end.set()
    await asyncio.gather(holding, *waiting)
    await executor.close()


async def test_closing_ends_what_runs_in_slices_and_what_waits() -> None:
    executor = FairExecutor("test")

    def endless() -> Iterator[None]:
        while True:
            yield

    begun: list[int] = []
    tasks = [of("a", executor.run(endless)) for _ in range(2)]
    await until(lambda: bool(executor._running or executor.waiting))
    blocker, holding = await blocked(executor)
    tasks.append(of("a", executor.run(begun.append, 1)))
    await until(lambda: executor.waiting == 3)
    closing = asyncio.create_task(executor.close())
    await until(lambda: executor._closed)
    blocker.end.set()
    await closing
    done, _ = await asyncio.wait([*tasks, holding], timeout=60)
    assert len(done) == 4
    assert all(task.cancelled() for task in tasks)
    assert begun == []


async def test_several_threads_work_side_by_side() -> None:
    executor = FairExecutor("test", threads=2)
    barrier = threading.Barrier(2, timeout=60)
    await asyncio.gather(executor.run(barrier.wait), executor.run(barrier.wait))
    await executor.close()


async def test_nothing_of_a_job_that_is_done_is_held() -> None:
    class Large:
        pass

    executor = FairExecutor("test")
    large = Large()
    gone = weakref.ref(large)
    await executor.run(lambda held: None, large)
    del large
    await until(lambda: gone() is None)
    await executor.close()
