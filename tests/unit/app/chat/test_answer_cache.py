"""An answer that is under way: who listens to it, who leaves, and when it ends."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from app.chat.answer_cache import _SharedAnswer
from app.events import Event, Finish, TextChunk
from app.state.entries import Written

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


async def heard(answering: _SharedAnswer, *, is_first: bool) -> list[Event]:
    return [event async for event in answering.follow(is_first=is_first)]


async def test_whoever_joins_hears_it_from_the_beginning_and_is_told_that_it_is_shared() -> None:
    spoken = Spoken()
    answering = spoken.answering()
    first = asyncio.create_task(heard(answering, is_first=True))
    spoken.say(2)
    await asyncio.sleep(0.01)
    late = asyncio.create_task(heard(answering, is_first=False))
    spoken.say()
    words = [TextChunk("one"), TextChunk("two"), TextChunk("three")]
    assert await first == [*words, FINISH]
    assert await late == [*words, Finish("stop", 1, 2, vcache=True)]
    assert spoken.begun == 1
    assert spoken.kept == [[*words, FINISH]]
    assert spoken.ended == [answering]


async def test_who_came_first_may_leave_and_the_others_hear_it_to_the_end() -> None:
    spoken = Spoken()
    answering = spoken.answering()
    async with aclosing(answering.follow(is_first=True)) as first:
        spoken.say()
        assert await anext(first) == TextChunk("one")
        other = asyncio.create_task(heard(answering, is_first=False))
        await asyncio.sleep(0)
    assert answering.can_be_joined
    spoken.say(2)
    assert await other == [TextChunk("one"), TextChunk("two"), TextChunk("three"), FINISH]
    assert not spoken.cancelled


async def test_all_are_told_what_it_fails_with() -> None:
    async def fails() -> AsyncGenerator[Event, None]:
        yield TextChunk("one")
        raise ValueError("no")

    spoken = Spoken()

    async def begin() -> AsyncGenerator[Event, None]:
        return fails()

    answering = _SharedAnswer(spoken.nothing_known, begin, spoken.keep, spoken.ended.append)
    both = await asyncio.gather(
        heard(answering, is_first=True), heard(answering, is_first=False), return_exceptions=True
    )
    assert [type(one) for one in both] == [ValueError, ValueError]
    assert not answering.can_be_joined
    assert spoken.kept == []
