"""The memory of all requests, shared between keys."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models.base import MemoryShort
from models.request_memory import LARGE, RequestMemory
from models.scheduler import SHARE, Share

MB = 1024 * 1024


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@contextmanager
def of_key(memory: RequestMemory, key: str = "", part: float = 1.0) -> Iterator[None]:
    token = SHARE.set(Share(key, part))
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

    asked = [asyncio.create_task(ask(*one)) for one in (("a", 40), ("a", 26), ("a", 5), ("b", 20))]
    await settled()
    assert (memory.bytes.running, memory.bytes.waiting) == (86 * MB, 1), "the third of key a waits"
    ended.set()
    assert await asyncio.gather(*asked) == ["a", "a", "a", "b"]


async def test_two_keys_cannot_take_so_much_that_a_third_waits() -> None:
    memory = RequestMemory(1024 * MB, most_waiting=64)

    async def ask(key: str) -> None:
        with of_key(memory, key, part=0.5):
            await memory.hold(128 * MB)
            await asyncio.Event().wait()

    asked = [asyncio.create_task(ask(key)) for key in "ab" * 6]
    await settled()
    assert memory.bytes.running == 6 * 128 * MB
    assert memory.bytes.waiting == 6
    with of_key(memory, "c", part=0.5):
        async with asyncio.timeout(0):
            await memory.hold(128 * MB)
    for one in asked:
        one.cancel()
    await asyncio.wait(asked)
    assert memory.bytes.running == 0


async def test_a_small_claim_passes_the_large_ones_of_its_key() -> None:
    memory = RequestMemory(640 * MB, most_waiting=8)
    with of_key(memory, "a"):
        await memory.hold(400 * MB)
        with of_key(memory, "a"):
            large = asyncio.create_task(memory.hold(200 * MB))
            await settled()
            assert not large.done()
        with of_key(memory, "a"):
            async with asyncio.timeout(0):
                await memory.hold(8 * MB)
    await large
    assert memory.bytes.running == 0, "the request of the large claim is over"


async def test_a_small_claim_passes_a_large_one_of_another_key_for_which_too_little_is_free() -> None:
    memory, million = RequestMemory(1024 * MB, most_waiting=64), 10**6
    served = ""

    async def ask(key: str, megabytes: int) -> None:
        nonlocal served
        with of_key(memory, key, part=0.5):
            await memory.hold(megabytes * million)
            served += key
            await asyncio.Event().wait()

    given = (("a", 200), ("a", 200), ("a", 100), ("b", 200), ("b", 181), ("c", 200))
    asked = [asyncio.create_task(ask(*one)) for one in given]
    await settled()
    assert served == "aaabb", "the claim of key c is larger than what is free"
    with of_key(memory, "d", part=0.5):
        await asyncio.wait_for(memory.hold(2 * MB), 1)
    asked[0].cancel()
    await settled()
    assert served == "aaabbc", "the large claim has what was given back"
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_who_holds_some_is_refused_rather_than_kept_waiting_for_others_who_wait() -> None:
    memory = RequestMemory(100 * MB, most_waiting=8)
    with of_key(memory, "a"):
        await memory.hold(60 * MB)
        with of_key(memory, "b"):
            await memory.hold(20 * MB)
            with pytest.raises(MemoryShort, match="more 'memory' than other requests leave free"):
                await memory.hold(30 * MB)
            await memory.hold(5 * MB)
            assert memory.bytes.running == 85 * MB
        assert memory.bytes.running == 60 * MB


async def test_who_has_begun_gets_more_ahead_of_those_of_its_key_who_wait() -> None:
    memory = RequestMemory(100 * MB, most_waiting=8)
    with of_key(memory, "a"):
        await memory.hold(60 * MB)
        with of_key(memory, "a"):
            waiting = asyncio.create_task(memory.hold(30 * MB))
            await settled()
        async with asyncio.timeout(0):
            await memory.hold(10 * MB)
        assert not waiting.done()
    await waiting


async def test_words_are_waited_for_and_what_is_not_needed_goes_to_others() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB)
    with of_key(memory, "a"):
        held = await memory.hold_words(60 * MB)
        assert held is not None
        with of_key(memory, "a"):
            second = asyncio.create_task(memory.hold_words(50 * MB))
            await settled()
            assert not second.done()
            await held.resize(10 * MB)
            await second
            assert memory.words.running == 60 * MB
            await memory.hold_words(10 * MB)
            assert memory.words.running == 70 * MB
    assert memory.words.running == 0


async def test_who_needs_more_words_than_the_reserve_has_is_refused_at_once() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB, words_reserve=40 * MB)
    with of_key(memory, "a"):
        await memory.hold_words(60 * MB)
        with of_key(memory, "b"):
            held = await memory.hold_words(10 * MB)
            assert held is not None
            with pytest.raises(MemoryShort, match="memory for words"):
                await held.resize(45 * MB)
            await held.resize(40 * MB)
            assert memory.words.running == 100 * MB


async def test_the_parts_of_a_request_have_the_reserve_together() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB, words_reserve=40 * MB)
    with of_key(memory, "a"):
        await memory.hold_words(60 * MB)
        with of_key(memory, "b"):
            await memory.hold_words(20 * MB)
            second = await memory.hold_words(15 * MB)
            assert second is not None
            assert memory.words.running == 95 * MB
            await second.resize(20 * MB)
            with pytest.raises(MemoryShort):
                await memory.hold_words(1 * MB)


async def test_more_words_are_waited_for_as_long_as_that_may_take() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB, words_reserve=40 * MB, words_wait_s=0.01)
    with of_key(memory, "a"):
        await memory.hold_words(60 * MB)
        with of_key(memory, "b"):
            await memory.hold_words(30 * MB)
            await memory.hold_words(10 * MB)
            assert memory.words.running == 100 * MB, "key b is in the reserve"
            with of_key(memory, "c"):
                held = await memory.hold_words(30 * MB)
                assert held is not None
                with pytest.raises(MemoryShort, match="memory for words"):
                    await held.resize(40 * MB)
                assert (held.size, memory.words.growing) == (30 * MB, 0)


async def test_words_that_are_granted_after_their_request_are_given_back() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB, words_reserve=40 * MB)
    with of_key(memory, "a"):
        await memory.hold_words(70 * MB)
        with of_key(memory, "b"):
            await memory.hold_words(20 * MB)
            await memory.hold_words(20 * MB)
            with of_key(memory, "c"):
                held = await memory.hold_words(30 * MB)
                assert held is not None
                outliving = asyncio.create_task(held.resize(40 * MB))
                await settled()
                assert memory.words.growing == 1
            await outliving
        assert memory.words.running == 70 * MB


async def test_who_holds_words_does_not_wait_for_other_memory_for_which_others_wait_with_words_to_come() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=10 * MB)
    with of_key(memory, "a"):
        await memory.hold(10 * MB)
        with of_key(memory, "b"):
            await memory.hold_words(10 * MB)
            with pytest.raises(MemoryShort):
                await memory.hold(2 * MB)


@pytest.mark.parametrize("ending", ["error", "cancellation"])
async def test_words_are_given_back_however_a_request_ends(ending: str) -> None:
    memory = RequestMemory(10 * MB, most_waiting=8, most_of_words=100 * MB)
    goes_on = asyncio.Event()

    async def ask() -> None:
        with of_key(memory, "a"):
            await memory.hold_words(50 * MB)
            await goes_on.wait()
            raise ValueError

    asked = asyncio.create_task(ask())
    waiting = asyncio.create_task(ask())
    await settled()
    assert (memory.words.running, memory.words.waiting) == (50 * MB, 1)
    if ending == "error":
        goes_on.set()
    else:
        waiting.cancel()
        asked.cancel()
    await asyncio.wait([asked, waiting])
    assert (memory.words.running, memory.words.waiting) == (0, 0)


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
