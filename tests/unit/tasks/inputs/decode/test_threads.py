"""Worker threads: what is queued can be dropped, what was opened is closed."""

import asyncio
import threading

import pytest

from models.scheduler import SHARE, Share
from tasks.inputs.decode.threads import Worker


class Resource:
    def __init__(self, may_open: threading.Event | None = None, opening: threading.Event | None = None) -> None:
        self.closed = threading.Event()
        RESOURCES.append(self)
        if opening:
            opening.set()
        if may_open:
            may_open.wait(60)

    def close(self) -> None:
        self.closed.set()


RESOURCES: list[Resource] = []


async def test_a_call_runs_in_the_workers_thread() -> None:
    worker = Worker("name", threads=1)
    assert (await worker.run(lambda: threading.current_thread().name)).startswith("name")
    await worker.close()


async def test_an_exception_comes_back() -> None:
    worker = Worker("name", threads=1)
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 / 0)
    await worker.close()


async def test_a_queued_call_is_dropped_when_its_caller_leaves() -> None:
    worker = Worker("name", threads=1)
    gate, ran = threading.Event(), threading.Event()
    first = asyncio.create_task(worker.run(gate.wait, 10))
    second = asyncio.create_task(worker.run(ran.set))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    await first
    await worker.run(lambda: None)
    assert not ran.is_set()
    await worker.close()


async def test_calls_whose_caller_left_still_count_for_their_key() -> None:
    worker = Worker("name", threads=2)
    gate, begun = threading.Event(), threading.Semaphore(0)

    def hang() -> None:
        begun.release()
        gate.wait(60)

    token = SHARE.set(Share("alice", part=0.5))
    left = [asyncio.create_task(worker.run(hang)) for _ in range(2)]
    await asyncio.to_thread(begun.acquire)
    for one in left:
        one.cancel()
    await asyncio.wait(left)
    again = [asyncio.create_task(worker.run(hang)) for _ in range(2)]
    SHARE.reset(token)
    try:
        assert await asyncio.wait_for(worker.run(lambda: "bob's"), 30) == "bob's"
    finally:
        gate.set()
    await asyncio.gather(*again)
    await worker.close()


async def test_what_is_opened_for_a_caller_who_left_is_closed() -> None:
    worker = Worker("name", threads=1)
    may_open, opening = threading.Event(), threading.Event()
    opened = asyncio.create_task(worker.acquire(Resource, may_open, opening))
    await asyncio.to_thread(opening.wait, 60)
    opened.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opened
    may_open.set()
    await worker.run(lambda: None)
    assert RESOURCES[-1].closed.is_set()
    await worker.close()


async def test_a_release_happens_even_when_its_caller_is_cancelled() -> None:
    worker = Worker("name", threads=1)
    resource = await worker.acquire(Resource)
    gate = threading.Event()
    running = asyncio.create_task(worker.run(gate.wait, 10))
    releasing = asyncio.create_task(worker.release(resource))
    await asyncio.sleep(0)
    releasing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await releasing
    gate.set()
    await running
    await worker.run(lambda: None)
    assert resource.closed.is_set()
    await worker.close()
