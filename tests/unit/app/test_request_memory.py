"""The memory of all requests, shared between keys."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.request_memory import LARGE, AnswerMemory, RequestMemory
from models.base import EngineOverloaded
from models.scheduler import SHARE, Share

MB = 1024 * 1024


@contextmanager
def of_key(memory: RequestMemory, key: str = "") -> Iterator[None]:
    token = SHARE.set(Share(key))
    try:
        with memory.of_request():
            yield
    finally:
        SHARE.reset(token)


async def test_little_pieces_count_once_they_are_much_together() -> None:
    memory = RequestMemory(100 * MB, most_waiting=8)
    with of_key(memory):
        assert await memory.hold(LARGE // 2) is None
        assert await memory.hold(LARGE // 2) is None
        assert await memory.hold(10) is not None
        assert memory.bytes.running == LARGE // 2 * 2 + 10
    assert memory.bytes.running == 0


async def test_a_key_leaves_a_part_to_others() -> None:
    memory = RequestMemory(100 * MB, most_waiting=8)
    ended = asyncio.Event()

    async def ask(key: str, megabytes: int) -> str:
        with of_key(memory, key):
            await memory.hold(megabytes * MB)
            await ended.wait()
            return key

    asked = [asyncio.create_task(ask(*one)) for one in (("a", 50), ("a", 30), ("a", 5), ("b", 15))]
    for _ in range(5):
        await asyncio.sleep(0)
    assert (memory.bytes.running, memory.bytes.waiting) == (95 * MB, 1), "the third of key a waits"
    ended.set()
    assert await asyncio.gather(*asked) == ["a", "a", "a", "b"]


async def test_who_holds_some_is_refused_rather_than_kept_waiting_for_others_who_wait() -> None:
    memory = RequestMemory(100 * MB, most_waiting=8)
    with of_key(memory, "a"):
        await memory.hold(60 * MB)
        with of_key(memory, "b"):
            await memory.hold(20 * MB)
            with pytest.raises(EngineOverloaded, match="'memory' is busy"):
                await memory.hold(30 * MB)
            await memory.hold(20 * MB)
        assert memory.bytes.running == 60 * MB


async def test_more_than_there_is_gets_all_of_it() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8)
    with of_key(memory):
        await memory.hold(64 * MB)
        assert memory.bytes.running == 10 * MB


async def test_outside_of_requests_and_after_them_nothing_is_held() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8)
    ended = asyncio.Event()

    async def outlive() -> None:
        await ended.wait()
        assert await memory.hold(2 * MB) is None

    with of_key(memory):
        await memory.hold(2 * MB)
        outliving = asyncio.create_task(outlive())
    assert await memory.hold(64 * MB) is None
    ended.set()
    await outliving
    assert memory.bytes.running == 0


async def test_text_that_is_held_ahead_is_not_held_again_when_it_is_passed_on() -> None:
    held: list[int] = []

    async def hold(size: int) -> None:
        held.append(size)

    memory = AnswerMemory(hold)
    text = "word" * 100
    size = sys.getsizeof(text)
    await memory.hold_ahead(2 * size)
    await memory.hold_ahead(size)
    for _ in range(3):
        await memory.pass_on(text)
    assert held == [2 * size, size]
