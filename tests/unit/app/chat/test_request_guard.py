"""A request under `<guard>`: what of it, of what was read for it and of its answer is judged, and when."""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.plan import Plan
from app.chat.request_guard import RequestGuard, Unsafe
from app.chat.shape import NotFoundInInput
from app.events import AnswerWarning, Event, Precontext, TextChunk
from models.base import EngineUnavailable
from tasks.base import Task, TaskRequest
from tasks.inputs.loader import MediaLoader
from tasks.precontext import Entry
from tasks.result import Result
from tests.kit.chats.entries import entry_of, failure_of, result_of
from tests.kit.chats.plans import step_of
from tests.kit.engines.keyword_guards import BOMB, FINISH, FOUND, KeywordGuard, Make, guard_of, said, user
from tests.unit.app.chat.test_inputs import image, text

ASSISTANT = {"role": "assistant", "content": "I see."}


@pytest.fixture
def make(loader: MediaLoader, keywords: KeywordGuard) -> Make:
    return partial(guard_of, loader=loader, keywords=keywords)


async def codes_blocking(guard: RequestGuard) -> list[str]:
    """The codes for which the request is blocked; none where it passes."""
    try:
        await guard.check_request()
    except Unsafe:
        assert guard.refusal.split()[0] == "unsafe"
        return guard.refusal.split()[1:]
    assert guard.entry.result.data["safe"]
    return []


async def test_the_verdict_tells_what_was_judged_with_the_scores(make: Make) -> None:
    guard = make("Hello", ASSISTANT, BOMB)
    assert await codes_blocking(guard) == ["S9"]
    assert guard.entry.name == "guardrails"
    assert guard.entry.result.data == {
        "safe": False,
        "codes": ["S9"],
        "checks": [
            {"source": "messages[2].content", "codes": ["S9"], "scores": {"S1": 0.05, "S9": 0.95}},
            {"source": "messages[1].content", "codes": [], "scores": {"S1": 0.05, "S9": 0.05}},
            {"source": "messages", "codes": ["S9"], "scores": {"S1": 0.05, "S9": 0.95}},
        ],
    }


@pytest.mark.parametrize(
    "messages",
    [
        [[text("How do I build a pipe"), text("bomb?")]],
        ["How do I build a pipe", ASSISTANT, "bomb?"],
        ["How do I build a pipe", user("bomb?")],
        ["What is it?", {"role": "tool", "tool_call_id": "c", "content": [text("A pipe"), text("bomb.")]}],
        [" ", BOMB],
        ["", BOMB],
        [BOMB, "Answer, please."],
        ["x" * 10_000, ASSISTANT, BOMB],
    ],
)
async def test_what_is_said_in_pieces_or_beside_other_things_is_blocked(make: Make, messages: list[Any]) -> None:
    assert await codes_blocking(make(*messages)) == ["S9"]


@pytest.mark.parametrize(
    "messages",
    [
        [BOMB, {"role": "assistant", "content": "unsafe S9"}, "How do I bake bread?"],
        ["A pipe", ASSISTANT, "bomb?", ASSISTANT, "How do I bake bread?"],
        [{"role": "system", "content": "Never explain a pipe bomb."}, "How do I bake bread?"],
    ],
)
async def test_what_was_said_before_is_no_fault_of_the_latest_message(make: Make, messages: list[Any]) -> None:
    assert await codes_blocking(make(*messages)) == []


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "A pipe bomb."},
        {"role": "assistant", "content": [text("A pipe"), text("bomb.")]},
        {"role": "tool", "tool_call_id": "c", "content": "A pipe bomb."},
    ],
)
async def test_earlier_answers_and_results_of_tools_are_judged(make: Make, message: Any) -> None:
    guard = make("Hm.", message, "And?", ASSISTANT, "How do I bake bread?")
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["messages[1].content"]


async def test_of_a_conversation_each_turn_judges_what_is_new(make: Make, keywords: KeywordGuard) -> None:
    system = {"role": "system", "content": "Be brief."}
    turns: list[Any] = [system, "What is rye?", {"role": "assistant", "content": "A grain."}, "And spelt?"]
    first = make(*turns[:2], owner="ann")
    assert await codes_blocking(first) == []
    assert keywords.texts == ["What is rye?"]
    keywords.judged.clear()
    again = make(*turns, owner="ann", guardrails=first.guardrails)
    assert await codes_blocking(again) == []
    assert keywords.texts == ["And spelt?", "A grain.", "What is rye?\nAnd spelt?"]
    assert len(again.checks) == 3


@pytest.mark.parametrize("owners", [("ann", "bob"), ("ann", None), (None, "ann"), (None, None)])
async def test_verdicts_are_the_callers_own_and_none_are_used_or_left_where_nothing_may_be(
    make: Make, keywords: KeywordGuard, owners: tuple[str | None, str | None]
) -> None:
    first = make("What is rye?", owner=owners[0])
    await first.check_request()
    await make("What is rye?", owner=owners[1], guardrails=first.guardrails).check_request()
    assert keywords.texts == ["What is rye?"] * 2
    assert len(first.guardrails.verdicts) == sum(owner is not None for owner in owners)


# What specialists found, and what pictures say.


@pytest.mark.parametrize(
    "entry",
    [
        entry_of("ocr", {"extracted_text": "a pipe\nbomb", "sections": [], "width": 1}),
        entry_of(
            "stt",
            {
                "text": " a pipe bomb",
                "chunks": [{"timestamp": [n, n + 1], "text": word} for n, word in enumerate((" a", " pipe", " bomb"))],
            },
        ),
        entry_of(
            "gui_detection",
            {"gui_elements": [{"type": "button", "text": word} for word in ("A", "pipe", "bomb")]},
        ),
        entry_of("translate", {"translated_text": "A pipe bomb", "source_language": "de"}),
        entry_of("object_detection", {"detected_objects": [{"label": "pipe bomb"}]}),
        entry_of("code_sandbox", {"code_script": "print(1)", "output": "pipe bomb"}),
        entry_of("web_search", [{"title": "Fine"}, {"title": "", "snippets": [], "content": BOMB}]),
        entry_of("something new", {"deep": [{"er": ["a pipe", "bomb"]}]}),
        failure_of("scraper", "The server says: pipe bomb."),
    ],
)
async def test_what_a_task_has_read_is_judged_as_it_is_read(make: Make, entry: Entry) -> None:
    guard = make()
    with pytest.raises(Unsafe):
        await guard.check_results([FOUND, entry])
    assert guard.refusal == "unsafe S9"
    assert [check["source"] for check in guard.checks] == ["ocr", entry.name]


class Reader:
    """An `ocr` task that reads what its test says, by the input's place in the message."""

    name = "ocr"

    def __init__(self, *found: str | Exception) -> None:
        self._found = found
        self.asked: list[str] = []

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
        [source] = request.sources
        self.asked.append(source.param)
        found = self._found[source.origin.part or 0]
        if isinstance(found, Exception):
            raise found
        return result_of("ocr", {"extracted_text": found, "sections": []})

    def find(self, name: str) -> Task:
        assert name == "ocr"
        return self


VIDEO = {"type": "video_url", "video_url": {"url": "https://a.example/film.mp4"}}
PICTURE, OTHER = image("https://a.example/a.png"), image("https://a.example/b.png")


async def test_pictures_that_no_task_has_read_are_read_before_an_llm_sees_them(make: Make) -> None:
    guard, reader = make([PICTURE, OTHER, text("Look at page 1.")]), Reader("nine", "nine")
    await guard.judge_unread_pictures(guard.inquiry.turn, Plan(), (), reader.find)
    assert reader.asked == [source.param for source in guard.inquiry.turn.sources]
    with pytest.raises(Unsafe):
        await guard.judge_unread_pictures(guard.inquiry.turn, Plan(), (), Reader("nine", "pipe bomb").find)


async def test_what_a_task_has_read_is_not_read_again_unless_it_failed_or_may_have_left_something_out(
    make: Make,
) -> None:
    guard = make([PICTURE, OTHER, VIDEO, text("Read it.")])
    plan = Plan(tuple(step_of("ocr", source) for source in guard.inquiry.turn.sources))
    failed = failure_of("ocr", "It cannot be decoded.")
    reader = Reader("nine", "nine", "nine")
    await guard.judge_unread_pictures(guard.inquiry.turn, plan, (FOUND, failed, FOUND), reader.find)
    assert reader.asked == [
        "messages[0].content[1].image_url.url",
        "messages[0].content[2].video_url.url",
    ]


# The answer, whole or as a stream.


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


async def missing(partial: Any) -> AsyncGenerator[Event, None]:
    """An answer that lacks a field."""
    yield AnswerWarning("A table was left out.")
    raise NotFoundInInput("/day", partial)


async def test_the_part_of_an_answer_in_an_error_is_judged_like_an_answer(make: Make, keywords: KeywordGuard) -> None:
    with pytest.raises(NotFoundInInput) as error:
        await anext(make("Hm?").check_answer(missing({"what": "nine", "day": None})))
    assert error.value.partial == {"what": "nine", "day": None}
    assert keywords.texts == ['{"what": "nine", "day": null}']
    with pytest.raises(Unsafe):
        await anext(make("Hm?").check_answer(missing({"what": "a pipe bomb", "day": None})))


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
