"""The event loop's default threads."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from models.fair_threads import FairThreads
from models.scheduler import SHARE, Share
from tests.panics import Panic, panic


@pytest.fixture
def threads() -> Iterator[FairThreads]:
    threads = FairThreads(3)
    yield threads
    threads.shutdown()


class Gate:
    """Calls that run until the gate is opened, and how many of them have begun."""

    def __init__(self) -> None:
        self._begun = threading.Semaphore(0)
        self._open = threading.Event()

    def pass_through(self) -> None:
        self._begun.release()
        assert self._open.wait(60)

    def wait_for(self, calls: int) -> None:
        for _ in range(calls):
            assert self._begun.acquire(timeout=60)

    @property
    def has_more(self) -> bool:
        return self._begun.acquire(blocking=False)

    def open(self) -> None:
        self._open.set()


def submit_as(key: str, threads: FairThreads, work: Gate | threading.Event) -> None:
    token = SHARE.set(Share(key))
    try:
        threads.submit(work.pass_through if isinstance(work, Gate) else work.set)
    finally:
        SHARE.reset(token)


def test_one_key_never_has_all_threads(threads: FairThreads) -> None:
    gate, others = Gate(), threading.Event()
    for _ in range(10):
        submit_as("alice", threads, gate)
    gate.wait_for(2)
    submit_as("bob", threads, others)
    assert others.wait(60)
    assert not gate.has_more
    gate.open()
    gate.wait_for(8)


def test_keys_take_turns_at_a_thread_that_is_free(threads: FairThreads) -> None:
    gate, begun = Gate(), list[str]()
    for key in ("x", "y", "z"):
        submit_as(key, threads, gate)
    gate.wait_for(3)
    for key in ("alice", "alice", "alice", "bob"):
        token = SHARE.set(Share(key))
        calls = [threads.submit(begun.append, key)]
        SHARE.reset(token)
    gate.open()
    for call in calls:
        call.result(60)
    assert begun.index("bob") <= 2, "all three threads may have begun one of the calls before it"


def test_results_and_errors_reach_who_waits(threads: FairThreads) -> None:
    assert threads.submit(int, "7").result(60) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        threads.submit(int, "seven").result(60)
    with pytest.raises(RuntimeError, match="the work ended with a Panic") as failure:
        threads.submit(panic).result(60)
    assert isinstance(failure.value.__cause__, Panic)


async def test_a_call_whose_caller_has_left_does_not_begin(threads: FairThreads) -> None:
    asyncio.get_running_loop().set_default_executor(threads)
    gate, begun = Gate(), threading.Event()
    running = [asyncio.create_task(asyncio.to_thread(gate.pass_through)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(asyncio.to_thread(begun.set))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.open()
    await asyncio.wait(running)
    await asyncio.to_thread(int)
    assert not begun.is_set()


def test_a_shutdown_cancels_what_waits() -> None:
    threads, gate = FairThreads(2), Gate()
    running, waiting = threads.submit(gate.pass_through), threads.submit(int)
    gate.wait_for(1)
    threads.shutdown(wait=False)
    assert waiting.cancelled()
    gate.open()
    assert running.result(60) is None
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(int)
