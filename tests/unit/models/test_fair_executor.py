"""Long work in slices: in other threads, by keys in turn, ended with its caller."""

import asyncio
import threading
import time
import weakref
from collections.abc import Coroutine, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from models import fair_executor
from models.base import EngineNotReady, EngineOverloaded
from models.fair_executor import FairExecutor, Rests, Slices
from models.loop_turns import LoopTurns
from models.scheduler import SHARE, Share
from models.turns import Rivalry
from tests.panics import panic
from tests.waiting import until


@pytest.fixture(autouse=True)
def every_step_is_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "SLICE_S", 0.0)
    monkeypatch.setattr(fair_executor, "RESTING_SLICE_S", 0.0)
    monkeypatch.setattr(fair_executor, "OVERDUE_S", 600.0)


def of(key: str, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    token = SHARE.set(Share(key, 0.5) if key else Share())
    try:
        return asyncio.create_task(work)
    finally:
        SHARE.reset(token)


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


def record_requests(*keys: str) -> None:
    """Let the event loop know of requests of these keys, and of none before."""
    turns = LoopTurns.of_running_loop()
    turns.rivalry = Rivalry()
    for key in keys:
        turns.rivalry.record_request(key)


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


async def test_a_job_of_short_steps_has_as_much_time_as_one_of_long_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(fair_executor, "time", SimpleNamespace(perf_counter=lambda: now))
    executor = FairExecutor("test")
    log: list[str] = []
    blocker, holding = await blocked(executor)

    def steps(name: str, most: int, seconds: float) -> Slices[None]:
        nonlocal now
        for _ in range(most):
            now += seconds
            log.append(name)
            yield

    large = of("a", executor.run(steps, "a", 50, 0.01))
    await until(lambda: executor.waiting == 1)
    small = of("b", executor.run(steps, "b", 100, 0.0002))
    await until(lambda: executor.waiting == 2)
    blocker.end.set()
    await asyncio.gather(holding, large, small)
    last = len(log) - log[::-1].index("b")
    assert log[:last].count("a") <= 4, "100 short steps take as long as two long ones"
    await executor.close()


async def test_a_job_of_another_key_waits_for_the_running_step_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "SLICE_S", 600.0)
    executor = FairExecutor("test")
    entered, go_on, order = threading.Event(), threading.Event(), list[str]()

    def long() -> Slices[None]:
        for number in range(3):
            order.append(f"long {number}")
            entered.set()
            assert go_on.wait(60)
            yield

    jobs = [of("a", executor.run(long))]
    await until(entered.is_set)
    jobs += [of(key, executor.run(order.append, f"of {key}")) for key in "ba"]
    await until(lambda: executor.waiting == 2)
    go_on.set()
    await asyncio.gather(*jobs)
    assert order[:2] == ["long 0", "of b"], "a slice is much longer"
    await executor.close()


async def test_a_job_whose_step_takes_long_is_overtaken_by_jobs_of_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "OVERDUE_S", 0.02)
    executor = FairExecutor("test")
    done: list[str] = []
    blockers = [Blocker(), Blocker()]
    held = [of("a", executor.run(blockers[0])), of("b", executor.run(blockers[1]))]
    await until(lambda: all(one.entered.is_set() for one in blockers))
    other = of("a", executor.run(done.append, "a"))
    await of("c", executor.run(done.append, "c"))
    assert done == ["c"], "one job of each key runs at a time"
    for one in blockers:
        one.end.set()
    await asyncio.gather(*held, other)
    assert done == ["c", "a"]
    await executor.close()


async def test_no_more_jobs_are_overtaken_than_there_are_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "OVERDUE_S", 0.02)
    executor = FairExecutor("test")
    blockers = [Blocker() for _ in range(fair_executor.MOST_OVERTAKEN + 1)]
    held = [of(f"key{number}", executor.run(one)) for number, one in enumerate(blockers)]
    await until(lambda: all(one.entered.is_set() for one in blockers))
    other = of("other", executor.run(int))
    await asyncio.sleep(0.1)
    assert executor.waiting == 1
    blockers[0].end.set()
    assert await other == 0
    for one in blockers:
        one.end.set()
    await asyncio.gather(*held)
    await executor.close()


async def test_closing_ends_threads_that_have_nothing_to_overtake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_executor, "OVERDUE_S", 0.02)
    executor = FairExecutor("test")
    blocker, holding = await blocked(executor)
    begun: list[int] = []
    waiting = [of("", executor.run(begun.append, 1)) for _ in range(3)]
    await until(lambda: executor.waiting == 3)
    closing = asyncio.create_task(executor.close())
    await asyncio.sleep(0.1)
    blocker.end.set()
    await closing
    await asyncio.wait([holding, *waiting])
    assert begun == []


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


async def test_a_key_with_rivals_rests_after_each_slice_and_lets_others_go_first() -> None:
    record_requests("a", "b")
    executor = FairExecutor("test", rests=Rests(1e6))
    done: list[str] = []

    def sliced(name: str) -> Slices[None]:
        for _ in range(2):
            done.append(name)
            yield

    first = of("a", executor.run(sliced, "a"))
    await until(lambda: done == ["a"])
    await of("b", executor.run(lambda: done.append("b")))
    assert done == ["a", "b"]
    first.cancel()
    await executor.close()


async def test_a_key_that_rests_has_shorter_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    now, done = 0.0, 0
    monkeypatch.setattr(fair_executor, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(fair_executor, "SLICE_S", 20.0)
    monkeypatch.setattr(fair_executor, "RESTING_SLICE_S", 5.0)
    record_requests("a", "b")
    rests = Rests(1e6)
    executor = FairExecutor("test", rests=rests)

    def sliced() -> Slices[None]:
        nonlocal now, done
        for _ in range(20):
            now, done = now + 2.0, done + 1
            yield

    job = of("a", executor.run(sliced))
    await until(lambda: "a" in rests.until())
    assert done == 3
    job.cancel()
    await executor.close()


async def test_a_key_alone_does_not_rest() -> None:
    record_requests("a")
    executor = FairExecutor("test", rests=Rests(1e6))
    assert [await of("a", executor.run(int)) for _ in range(3)] == [0, 0, 0]
    await executor.close()


async def test_a_short_job_does_not_rest() -> None:
    record_requests("a", "b")
    executor = FairExecutor("test", rests=Rests(1e6, 60.0))
    assert [await of("a", executor.run(int)) for _ in range(3)] == [0, 0, 0]
    await executor.close()


async def test_many_short_jobs_rest_like_a_long_one() -> None:
    record_requests("a", "b")
    executor = FairExecutor("test", rests=Rests(1e6, 0.05))
    jobs = [asyncio.ensure_future(of("a", executor.run(time.sleep, 0.02))) for _ in range(30)]
    done, pending = await asyncio.wait(jobs, timeout=1.5)  # without a rest, they take 0.6 s
    assert done
    assert pending
    await executor.close()
    await asyncio.gather(*jobs, return_exceptions=True)


async def test_a_rest_ends() -> None:
    record_requests("a", "b")
    executor = FairExecutor("test", rests=Rests(1.0))
    assert [await of("a", executor.run(int)) for _ in range(3)] == [0, 0, 0]
    await executor.close()


async def test_executors_that_share_rests_count_the_work_of_a_key_together() -> None:
    record_requests("a", "b")
    rests = Rests(1e6, 0.05)
    texts, pages = FairExecutor("texts", rests=rests), FairExecutor("pages", rests=rests)
    await of("a", texts.run(time.sleep, 0.2))
    await until(lambda: "a" in rests.until())  # the rest is recorded just after the result
    job = asyncio.ensure_future(of("a", pages.run(int)))
    await of("b", pages.run(int))
    await asyncio.sleep(0.05)
    assert not job.done()
    job.cancel()
    await texts.close()
    await pages.close()
