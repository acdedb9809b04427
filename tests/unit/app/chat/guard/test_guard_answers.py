"""An answer under `<guard>`: what of it leaves before its verdict, whole or as a stream."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks.redaction
from app.chat.guard import redaction
from app.chat.guard.request_guard import RequestGuard, Unsafe
from app.chat.render import Envelope
from app.events import Event, Precontext, Progress, ReasoningChunk, TextChunk, ToolCallChunk
from models.base import EngineUnavailable
from models.safety import personal_data
from models.safety.personal_data import PersonalDataSpan
from models.workers.pool import Workers
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tests.keyword_guards import BOMB, FINISH, FOUND, KeywordGuard, Make, guard_of, said

ENVELOPE = Envelope("req-1", 0, "interfaze-beta")


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


@given(st.lists(st.tuples(st.booleans(), ANSWERS), max_size=12), st.booleans(), st.booleans())
async def test_whatever_is_safe_leaves_in_its_order(
    said_and_thought: list[tuple[bool, str]], streamed: bool, shows_reasoning: bool
) -> None:
    guard = guard_of("Hm?", stream=streamed, reasoning_effort="low" if shows_reasoning else None)
    events = [ReasoningChunk(words) if is_thought else TextChunk(words) for is_thought, words in said_and_thought]
    expected = [event for event in events if shows_reasoning or isinstance(event, TextChunk)]
    assert await shown(guard, *events, FINISH) == ([*expected, FINISH], False)


@given(ANSWERS, ANSWERS, st.integers(1, 20))
async def test_whatever_is_unsafe_does_not_leave(before: str, after: str, size: int) -> None:
    events, stopped = await shown(guard_of("Hm?", stream=True), *pieces(f"{before} a pipe bomb {after}", size), FINISH)
    assert stopped
    assert f"{before} ".startswith(words_of(events))


async def test_a_whole_answer_is_judged_once_and_as_an_answer_to_the_question(
    make: Make, keywords: KeywordGuard
) -> None:
    await shown(make("Where?"), *pieces("From platform nine. At ten."), FINISH)
    assert keywords.judged == [("From platform nine. At ten.", ("S1", "S9"), "Where?")]


async def test_of_a_stream_each_sentence_is_judged_with_what_stood_before_it(
    make: Make, keywords: KeywordGuard
) -> None:
    await shown(make(stream=True), *pieces("One. Two. ", 1), TextChunk("Three."), FINISH)
    assert keywords.texts == ["One. ", "One. Two. ", "One. Two. Three."]


async def test_a_whole_answer_that_is_unsafe_anywhere_shows_nothing(make: Make) -> None:
    guard = make()
    assert await shown(guard, *pieces(f"From platform nine. A pipe bomb. {'x' * 9_000}"), FINISH) == ([], True)
    assert not guard.shown


@pytest.mark.parametrize("size", [1, 2, 5, 13, 400])
@pytest.mark.parametrize("blank", ["", "\n\n", "  "])
async def test_a_stream_whose_first_sentence_is_unsafe_shows_nothing(make: Make, size: int, blank: str) -> None:
    guard = make(stream=True)
    assert await shown(guard, *pieces(f"{blank}Take a pipe bomb. And go.", size), FINISH) == ([], True)
    assert not guard.shown


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_stream_ends_before_the_sentence_that_is_unsafe(make: Make, size: int) -> None:
    guard = make(stream=True)
    events, stopped = await shown(guard, *pieces("One. Two. Take a pipe bomb. Go.", size), FINISH)
    assert stopped
    assert guard.shown
    assert "One." in words_of(events)
    assert "Take" not in words_of(events)


async def test_a_delta_that_begins_a_sentence_waits_for_its_end(make: Make) -> None:
    events: list[Event] = [TextChunk("One. Two. Take"), TextChunk(" a pipe bomb. And"), TextChunk(" go."), FINISH]
    assert await shown(make(stream=True), *events) == ([], True)


async def test_what_only_two_sentences_say_together_is_found(make: Make) -> None:
    events, stopped = await shown(make(stream=True), *pieces("Nine. Take a pipe\nbomb. Go.", 1), FINISH)
    assert stopped
    assert words_of(events) == "Nine. Take a pipe\n"


async def test_a_long_text_without_sentences_is_judged_in_pieces_that_overlap(
    make: Make, keywords: KeywordGuard
) -> None:
    for place in range(1180, 1220):
        answer = "x" * place + " pipe bomb " + "x" * 5_000
        events, stopped = await shown(make(stream=True), *pieces(answer, 7), FINISH)
        assert stopped
        assert "bomb" not in words_of(events)
    assert max(map(len, keywords.texts)) < 2_000


async def test_reasoning_that_is_shown_is_judged(make: Make) -> None:
    for streamed in (False, True):
        guard = make(stream=streamed, reasoning_effort="high")
        assert await shown(guard, ReasoningChunk("A pipe"), ReasoningChunk(" bomb? "), TextChunk("No."), FINISH) == (
            [],
            True,
        )
    guard = make(stream=True, reasoning_effort="high")
    events: list[Event] = [
        ReasoningChunk("A pipe. "),
        ReasoningChunk("Hm. "),
        TextChunk("bomb"),
        TextChunk("s away. "),
        FINISH,
    ]
    assert await shown(guard, *events) == (events, False)


@pytest.mark.parametrize("streamed", [False, True])
async def test_reasoning_that_nobody_sees_is_neither_judged_nor_passed_on(
    make: Make, keywords: KeywordGuard, streamed: bool
) -> None:
    events: list[Event] = [ReasoningChunk("A pipe bomb? No. "), TextChunk("No."), FINISH]
    assert await shown(make(stream=streamed), *events) == ([TextChunk("No."), FINISH], False)
    assert keywords.texts == ["No."]


async def test_hidden_reasoning_shows_nothing_of_the_answer_after_it(make: Make) -> None:
    guard = make(stream=True)
    assert await shown(guard, ReasoningChunk("Let me see. Well. "), *pieces("A pipe bomb. Go.", 1), FINISH) == (
        [],
        True,
    )
    assert not guard.shown


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "arguments",
    ['{"what": "a pipe bomb"}', '{"what": "a pipe\\nbomb"}', '{"what": "a \\u0070ipe bomb', '{"a pipe bomb": 1}'],
)
async def test_calls_of_the_clients_tools_are_judged_whole(make: Make, streamed: bool, arguments: str) -> None:
    calls = [ToolCallChunk(0, "", "call_1", "look_up"), *(ToolCallChunk(0, letter) for letter in arguments)]
    events, stopped = await shown(make(stream=streamed), TextChunk("One moment."), *calls, FINISH)
    assert (words_of(events), stopped) == ("", True)
    assert not any(isinstance(event, ToolCallChunk) for event in events)


async def test_safe_calls_leave_as_they_came_each_judged_with_its_name(make: Make, keywords: KeywordGuard) -> None:
    calls: list[Event] = [
        ToolCallChunk(0, '{"city":', "call_a", "rain"),
        ToolCallChunk(1, "{}", "call_b", "snow"),
        ToolCallChunk(0, '"Oslo"}'),
    ]
    events = [TextChunk("One moment. "), TextChunk("Or two. "), *calls, FINISH]
    assert await shown(make(stream=True), *events) == (events, False)
    assert keywords.texts[-2:] == ['rain {"city":"Oslo"}', "snow {}"]


async def test_personal_data_of_a_stream_is_looked_for_beside_the_event_loop_and_a_sentence_at_a_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(text: str, before: str = "") -> list[PersonalDataSpan]:
        threads.append(threading.current_thread())
        return personal_data.find(text, before)

    monkeypatch.setattr(redaction, "find", lambda *args: watched(*args))
    monkeypatch.setattr(tasks.redaction, "find", watched)
    guard = make(stream=True)
    guard.redaction = redaction.Redaction(Workers())
    sentence = "Ann has a card and can be reached at ann@example.org or by telephone at any time of the day. "
    left, stopped = await shown(guard, *pieces(sentence * 20, 3), FINISH)
    assert words_of(left) == (sentence * 20).replace("ann@example.org", "[EMAIL]")
    assert not stopped
    assert threading.current_thread() not in threads
    # Where a sentence is over, and while its end may still be the beginning of something.
    assert len(threads) < 20 * 10 < len(sentence * 20) / 3


async def test_json_is_judged_as_it_will_be_read(make: Make) -> None:
    form = {"type": "json_object"}
    events: list[Event] = [TextChunk('{"steps": "a pipe\\nbomb"}'), FINISH]
    assert await shown(make(stream=True, response_format=form), *events) == ([], True)
    half = TextChunk('{"steps": "a \\ud83d pipe')
    assert await shown(make(response_format=form), half, FINISH) == ([half, FINISH], False)


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_verdict_is_the_last_of_the_first_precontext(make: Make, streamed: bool) -> None:
    guard = make(stream=streamed)
    events = [event async for event in guard.check_answer(said(Precontext((FOUND,)), *pieces("Nine. Ten. "), FINISH))]
    first, *others = events
    assert isinstance(first, Precontext)
    assert [one.name for one in first.entries] == ["ocr", "guardrails"]
    assert first.entries[1].result.data["safe"]
    assert not any(isinstance(event, Precontext) for event in others)


async def test_the_verdict_is_there_where_nothing_else_is(make: Make) -> None:
    [first, *_] = [event async for event in make().check_answer(said(TextChunk("Nine."), FINISH))]
    assert isinstance(first, Precontext)
    assert [one.name for one in first.entries] == ["guardrails"]


async def test_progress_is_told_at_once(make: Make) -> None:
    guard = make()
    async with aclosing(guard.check_answer(said(Progress("ocr", 1, 2), TextChunk(BOMB), FINISH))) as events:
        assert await anext(events) == Progress("ocr", 1, 2)
    assert not guard.shown


async def test_the_llm_is_left_when_its_answer_is_unsafe(make: Make) -> None:
    left = asyncio.Event()

    async def goes_on() -> AsyncGenerator[Event, None]:
        try:
            yield TextChunk("A pipe bomb. ")
            yield TextChunk("And more. ")
        finally:
            left.set()

    with pytest.raises(Unsafe):
        async for _ in make(stream=True).check_answer(goes_on()):
            pass
    assert left.is_set()


async def test_an_answer_that_cannot_be_judged_does_not_leave(make: Make, keywords: KeywordGuard) -> None:
    def breaks(_: str) -> None:
        raise RuntimeError("not for clients")

    keywords.before = breaks
    left = []
    with pytest.raises(EngineUnavailable, match="nothing is answered unguarded"):
        async for event in make(stream=True).check_answer(said(TextChunk("Nine. "), FINISH)):
            left.append(event)  # noqa: PERF401
    assert left == []
