"""An answer that is under way: who listens to it, who leaves, and when it ends."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from app.chat.answer_cache import MAX_EVENTS_AHEAD, _SharedAnswer
from app.errors import took_too_long
from app.events import Event, Finish, TextChunk
from app.state.entries import Written
from models.concurrency import call_off

FINISH = Finish("stop", 1, 2)


class Spoken:
    """An answer that says a word whenever it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = False
        self.ended: list[_SharedAnswer] = []
        self.kept: list[Sequence[Event]] = []
        self._turns = asyncio.Semaphore(0)

    def say(self, words: int = 1) -> None:
        for _ in range(words):
            self._turns.release()

    async def answer(self) -> AsyncGenerator[Event, None]:
        self.begun += 1
        try:
            for word in ("one", "two", "three"):
                await self._turns.acquire()
                yield TextChunk(word)
            yield FINISH
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def begin(self) -> AsyncGenerator[Event, None]:
        return self.answer()

    async def nothing_known(self) -> None:
        return None

    def keep(self, events: Sequence[Event]) -> Written:
        self.kept.append(list(events))
        return None

    def answering(self) -> _SharedAnswer:
        return _SharedAnswer(self.nothing_known, self.begin, self.keep, self.ended.append)


async def heard(answering: _SharedAnswer) -> list[Event]:
    return [event async for event in answering.read()]


async def test_whoever_joins_gets_it_whole_and_is_told_that_it_is_shared() -> None:
    spoken = Spoken()
    answering = spoken.answering()
    first = asyncio.create_task(heard(answering))
    spoken.say(2)
    await asyncio.sleep(0)
    late = asyncio.create_task(answering.whole())
    spoken.say()
    words = [TextChunk("one"), TextChunk("two"), TextChunk("three")]
    assert await first == [*words, FINISH]
    assert await late == [*words, Finish("stop", 1, 2, vcache=True)]
    assert spoken.begun == 1
    assert spoken.kept == [[*words, FINISH]]
    assert spoken.ended == [answering]


async def test_who_came_first_may_leave_and_another_gets_it_whole_and_pays() -> None:
    spoken = Spoken()
    answering = spoken.answering()
    async with aclosing(answering.read()) as first:
        spoken.say()
        assert await anext(first) == TextChunk("one")
        others = [asyncio.create_task(answering.whole()) for _ in range(2)]
        await asyncio.sleep(0)
    assert answering.can_be_joined
    spoken.say(2)
    ends = [whole[-1] for whole in await asyncio.gather(*others) if whole]
    assert ends == [FINISH, Finish("stop", 1, 2, vcache=True)]
    assert not spoken.cancelled


async def test_the_last_to_leave_ends_it() -> None:
    spoken = Spoken()
    answering = spoken.answering()
    first = asyncio.create_task(heard(answering))
    joined = asyncio.create_task(answering.whole())
    spoken.say()
    while not spoken.begun:
        await asyncio.sleep(0)
    await call_off(first, joined)
    assert spoken.cancelled
    assert not answering.can_be_joined


def ending_with(spoken: Spoken, end: Event | BaseException) -> _SharedAnswer:
    async def answer() -> AsyncGenerator[Event, None]:
        yield TextChunk("one")
        if isinstance(end, BaseException):
            raise end
        yield end

    async def begin() -> AsyncGenerator[Event, None]:
        return answer()

    return _SharedAnswer(spoken.nothing_known, begin, spoken.keep, spoken.ended.append)


async def test_all_are_told_what_it_fails_with() -> None:
    spoken = Spoken()
    answering = ending_with(spoken, ValueError("no"))
    both = await asyncio.gather(heard(answering), answering.whole(), return_exceptions=True)
    assert [type(one) for one in both] == [ValueError, ValueError]
    assert not answering.can_be_joined
    assert spoken.kept == []


@pytest.mark.parametrize("end", [Finish("length", 1, 2), took_too_long(300), asyncio.CancelledError()])
async def test_a_cut_answer_is_only_the_first_clients(end: Event | BaseException) -> None:
    answering = ending_with(Spoken(), end)
    _, whole = await asyncio.gather(heard(answering), answering.whole(), return_exceptions=True)
    assert whole is None
    assert not answering.can_be_joined


async def test_it_runs_only_so_far_ahead_of_a_client_that_does_not_read() -> None:
    made = 0

    async def answer() -> AsyncGenerator[Event, None]:
        nonlocal made
        for number in range(1, 1000):
            made = number
            yield TextChunk("word")
        yield FINISH

    async def begin() -> AsyncGenerator[Event, None]:
        return answer()

    spoken = Spoken()
    answering = _SharedAnswer(spoken.nothing_known, begin, spoken.keep, spoken.ended.append)
    async with aclosing(answering.read()) as first:
        await anext(first)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert made == MAX_EVENTS_AHEAD + 1
        # Whoever joins does not wait for the first.
        assert len(await answering.whole() or ()) == 1000
