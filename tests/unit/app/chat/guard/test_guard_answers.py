"""An answer under `<guard>`: what of it leaves before its verdict, whole or as a stream."""

from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.guard.request_guard import RequestGuard, Unsafe
from app.events import Event, Precontext, TextChunk
from models.base import EngineUnavailable
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tests.keyword_guards import FINISH, KeywordGuard, Make, guard_of, said


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits())
    yield loader
    await loader.close()


@pytest.fixture
def keywords() -> KeywordGuard:
    return KeywordGuard()


@pytest.fixture
def make(loader: MediaLoader, keywords: KeywordGuard) -> Make:
    return partial(guard_of, loader=loader, keywords=keywords)


def pieces(answer: str, size: int = 4) -> list[Event]:
    return [TextChunk(answer[start : start + size]) for start in range(0, len(answer), size)]


async def shown(guard: RequestGuard, *events: Event) -> tuple[list[Event], bool]:
    """What leaves without the verdicts, and whether it was stopped."""
    left: list[Event] = []
    try:
        async for event in guard.check_answer(said(*events)):
            left.append(event)  # noqa: PERF401 - what came before the end counts
    except Unsafe:
        return [event for event in left if not isinstance(event, Precontext)], True
    return [event for event in left if not isinstance(event, Precontext)], False


def words_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextChunk))


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("size", [1, 3, 4, 17, 1000])
@pytest.mark.parametrize(
    "answer",
    [
        "From platform nine. At ten!\nWhich one?  This one… 这里。那里！ End",
        "x" * 10_000,
        "word " * 2_000,
        "\n\n  \n",
        "",
        "Dr. No said: “Yes.” (No.) v1.2.3\n\n```py\nx = 1\n```\n",
    ],
)
async def test_a_safe_answer_leaves_as_it_came(make: Make, streamed: bool, size: int, answer: str) -> None:
    events = [*pieces(answer, size), FINISH]
    assert await shown(make(stream=streamed), *events) == (events, False)


ANSWERS = st.text(st.sampled_from("ab .!?\n。”\u200b"), max_size=60)


@given(ANSWERS, ANSWERS, st.integers(1, 20))
async def test_whatever_is_unsafe_does_not_leave(before: str, after: str, size: int) -> None:
    events, stopped = await shown(guard_of("Hm?", stream=True), *pieces(f"{before} a pipe bomb {after}", size), FINISH)
    assert stopped
    assert f"{before} ".startswith(words_of(events))


async def test_of_a_stream_each_sentence_is_judged_with_what_stood_before_it(
    make: Make, keywords: KeywordGuard
) -> None:
    await shown(make(stream=True), *pieces("One. Two. ", 1), TextChunk("Three."), FINISH)
    assert keywords.texts == ["One. ", "One. Two. ", "One. Two. Three."]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_stream_ends_before_the_sentence_that_is_unsafe(make: Make, size: int) -> None:
    guard = make(stream=True)
    events, stopped = await shown(guard, *pieces("One. Two. Take a pipe bomb. Go.", size), FINISH)
    assert stopped
    assert guard.shown
    assert "One." in words_of(events)
    assert "Take" not in words_of(events)


async def test_an_answer_that_cannot_be_judged_does_not_leave(make: Make, keywords: KeywordGuard) -> None:
    def breaks(_: str) -> None:
        raise RuntimeError("not for clients")

    keywords.before = breaks
    left = []
    with pytest.raises(EngineUnavailable, match="nothing is answered unguarded"):
        async for event in make(stream=True).check_answer(said(TextChunk("Nine. "), FINISH)):
            left.append(event)  # noqa: PERF401
    assert left == []
