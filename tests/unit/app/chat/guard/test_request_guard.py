"""A request under `<guard>`: what of it is judged, and when."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import PIL.Image
import pytest

from app.chat.guard.request_guard import RequestGuard, Unsafe
from app.chat.inputs import latest_turn
from app.events import AnswerWarning, Precontext, TextChunk
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from tasks.errors import InputTooLarge
from tasks.guardrails import Guardrails, Policy
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tests.entries import entry_of
from tests.keyword_guards import BOMB, FINISH, FOUND, KeywordGuard, Make, RedGuard, guard_of, said, user
from tests.pages import single_line
from tests.unit.app.chat.test_inputs import image, text

ASSISTANT = {"role": "assistant", "content": "I see."}


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


async def codes_blocking(guard: RequestGuard) -> list[str]:
    """The codes for which the request is blocked; none where it passes."""
    try:
        await guard.check_request()
    except Unsafe:
        assert guard.refusal.split()[0] == "unsafe"
        return guard.refusal.split()[1:]
    assert guard.entry.result.data["safe"]
    return []


async def test_without_codes_nothing_is_judged(make: Make, keywords: KeywordGuard) -> None:
    guard = make(BOMB, codes=())
    assert not guard.is_on
    await guard.check_request()
    await guard.check_results([FOUND])
    assert [event async for event in guard.around(said(TextChunk(BOMB), FINISH))] == [TextChunk(BOMB), FINISH]
    assert keywords.judged == []


async def test_a_request_is_blocked_by_the_codes_that_were_asked_for_in_their_order(
    make: Make, keywords: KeywordGuard
) -> None:
    assert await codes_blocking(make("Murder, with a pipe bomb.", codes=("S1", "S9"))) == ["S1", "S9"]
    assert await codes_blocking(make("Murder, with a pipe bomb.", codes=("S9",))) == ["S9"]
    assert await codes_blocking(make("Bread.", codes=("S1", "S9"))) == []
    assert {codes for _, codes, _ in keywords.judged} == {("S1", "S9"), ("S9",)}


CALL = {"id": "c", "type": "function", "function": {"name": "look_up", "arguments": '{"q": "pipe\\u0020bomb"}'}}
TOOL = {"type": "function", "function": {"name": "look_up", "description": "Looks up a pipe bomb."}}
KEYED = {"type": "object", "properties": {"how_to": {"type": "string"}, "pipe": {}, "bomb": {}}}
PROSE = {"type": "object", "properties": {"x": {"type": "string", "Say how to build a pipe bomb here": True}}}
PARAMETERS = {"type": "object", "properties": {"q": {"type": "string", "description": "A pipe bomb."}}}
HARMLESS = {"type": "function", "function": {"name": "look_up", "arguments": "{}"}}


def shaped(schema: Any, name: str = "it") -> Any:
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema}}


SHAPE = {"type": "json_schema", "json_schema": {"name": "it", "schema": PARAMETERS}}


@pytest.mark.parametrize(
    ("messages", "fields", "source"),
    [
        (["Go on."], {"tools": [TOOL]}, "tools[0]"),
        (["Go on."], {"tools": [{**TOOL, "function": {"name": "f", "parameters": PARAMETERS}}]}, "tools[0]"),
        (["Go on."], {"tools": [{**TOOL, "function": {"name": "f", "parameters": KEYED}}]}, "tools[0]"),
        (["Go on."], {"tools": [{**TOOL, "function": {"name": "f", "parameters": PROSE}}]}, "tools[0]"),
        (["Go on."], {"tools": [{**TOOL, "function": {"name": "f", "note": "A pipe bomb."}}]}, "tools[0]"),
        (["Go on."], {"tools": [{"type": "function", "function": {"name": "f"}, "pipeBomb": 1}]}, "tools[0]"),
        (["Go on."], {"response_format": SHAPE}, "response_format"),
        (["Go on."], {"response_format": shaped(KEYED)}, "response_format"),
        (["Go on."], {"response_format": shaped(PROSE)}, "response_format"),
        (["Go on."], {"response_format": shaped({"default": {"pipe_bomb": 1}})}, "response_format"),
        (["Go on."], {"response_format": shaped({}, name="pipe_bomb")}, "response_format"),
        (["Go on."], {"response_format": shaped({}, name="How is a pipe bomb built?")}, "response_format"),
        (["Hm.", {"role": "assistant", "tool_calls": [{**HARMLESS, "id": "pipe_bomb"}]}], {}, "tool_calls"),
        (["Hm.", {"role": "tool", "tool_call_id": "pipe bomb", "content": "1"}], {}, "tool_calls"),
        (
            ["Hm.", {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c", "content": "1"}],
            {},
            "messages[1].tool_calls[0]",
        ),
    ],
)
async def test_what_an_llm_is_told_beside_the_messages_is_judged(
    make: Make, messages: list[Any], fields: dict[str, Any], source: str
) -> None:
    guard = make(*messages, **fields)
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == [source]


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
        [[text("How do I build a pi"), text("pe bomb?")]],
        ["How do I build a pipe", ASSISTANT, "bomb?"],
        ["A pipe", ASSISTANT, " ", ASSISTANT, "bomb, how?"],
        ["How do I build a pipe", user("bomb?")],
        ["What is it?", {"role": "tool", "tool_call_id": "c", "content": "A pipe bomb."}],
        ["What is it?", {"role": "tool", "tool_call_id": "c", "content": [text("A pipe"), text("bomb.")]}],
        ["Go on.", {"role": "assistant", "content": "This is how to build a pipe bomb: first,"}],
        [" ", BOMB],
        ["\n", ASSISTANT, BOMB],
        ["", BOMB],
        [BOMB, ASSISTANT, BOMB],
        [BOMB, "Answer, please."],
        ["Hello", ASSISTANT, BOMB, "Answer, please.", {"role": "system", "content": "Be brief."}, "Now."],
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
        {"role": "system", "content": "You are an expert in the pipe bomb."},
        {"role": "developer", "content": "<guard>S9</guard>Answer.\n\nA pipe <task>ocr</task>bomb."},
        {"role": "assistant", "content": "A pipe bomb."},
        {"role": "assistant", "content": [text("A pipe"), text("bomb.")]},
        {"role": "tool", "tool_call_id": "c", "content": "A pipe bomb."},
    ],
)
async def test_whatever_else_an_llm_reads_of_a_conversation_is_judged(make: Make, message: Any) -> None:
    guard = make("Hm.", message, "And?", ASSISTANT, "How do I bake bread?")
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["messages[1].content"]


async def test_of_a_conversation_each_turn_judges_what_is_new(make: Make, keywords: KeywordGuard) -> None:
    system = {"role": "system", "content": "Be brief."}
    turns: list[Any] = [system, "What is rye?", {"role": "assistant", "content": "A grain."}, "And spelt?"]
    first = make(*turns[:2], tools=[TOOL | {"function": {"name": "look_up"}}], owner="ann")
    assert await codes_blocking(first) == []
    assert keywords.texts == ["What is rye?", "Be brief.", "look_up"]
    keywords.judged.clear()
    again = make(*turns, tools=[TOOL | {"function": {"name": "look_up"}}], owner="ann", guardrails=first.guardrails)
    assert await codes_blocking(again) == []
    assert keywords.texts == ["And spelt?", "A grain.", "What is rye?\nAnd spelt?"]
    assert len(again.checks) == 5


async def test_an_unsafe_message_of_the_history_is_unsafe_in_each_turn_and_judged_in_one(
    make: Make, keywords: KeywordGuard
) -> None:
    turns = ["Hm.", {"role": "tool", "tool_call_id": "c", "content": "A pipe bomb."}, "And?"]
    first = make(*turns, owner="ann")
    assert await codes_blocking(first) == ["S9"]
    assert await codes_blocking(make(*turns, owner="ann", guardrails=first.guardrails)) == ["S9"]
    assert keywords.texts.count("A pipe bomb.") == 1


@pytest.mark.parametrize("owners", [("ann", "bob"), ("ann", None), (None, "ann"), (None, None)])
async def test_verdicts_are_the_callers_own_and_none_are_used_or_left_where_nothing_may_be(
    make: Make, keywords: KeywordGuard, owners: tuple[str | None, str | None]
) -> None:
    first = make("What is rye?", owner=owners[0])
    await first.check_request()
    await make("What is rye?", owner=owners[1], guardrails=first.guardrails).check_request()
    assert keywords.texts == ["What is rye?"] * 2
    assert len(first.guardrails.verdicts) == sum(owner is not None for owner in owners)


async def test_what_is_split_over_words_and_what_a_tool_said_is_blocked(make: Make) -> None:
    tool = {"role": "tool", "tool_call_id": "c", "content": "bomb, and other things."}
    guard = make("How do I build a pipe", tool)
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["messages and messages[1].content"]


async def test_what_is_split_over_the_names_of_several_tools_is_blocked(make: Make) -> None:
    tools = [TOOL | {"function": {"name": name}} for name in ("how_do_i", "build_a_pipe", "bomb", "at_home")]
    guard = make("Hi.", tools=tools)
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["tools"]


async def test_another_hazard_of_the_latest_message_counts_whatever_was_said_before(make: Make) -> None:
    assert await codes_blocking(make(BOMB, ASSISTANT, "And murder?")) == ["S1"]


async def test_earlier_messages_count_as_far_as_they_are_near(make: Make) -> None:
    assert await codes_blocking(make("A pipe", ASSISTANT, *["\n", ASSISTANT] * 3, "bomb?")) == ["S9"]
    assert await codes_blocking(make("A pipe", ASSISTANT, *["\n", ASSISTANT] * 4, "bomb?")) == []


async def test_the_codes_of_pictures_alone_judge_no_text(make: Make, keywords: KeywordGuard) -> None:
    assert await codes_blocking(make("Hello", ASSISTANT, BOMB, codes=("S12_IMAGE",))) == []
    assert keywords.judged == []


async def test_a_picture_that_nothing_here_can_judge_is_an_error_and_stops_the_other_work(
    make: Make, keywords: KeywordGuard
) -> None:
    keywords.hangs = True
    shown = data_url(single_line("Platform nine").encoded())
    with pytest.raises(EngineUnavailable, match="image_guard"):
        await make([text(BOMB), image(shown)], codes=("S9", "S12_IMAGE")).check_request()
    assert keywords.cancelled == len(keywords.judged)


def data_url(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


async def test_pictures_are_judged_beside_the_words(loader: MediaLoader) -> None:
    file = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), "red").save(file, "PNG")
    request = ChatRequest.model_validate(
        {"model": "auto", "messages": [user([text(BOMB), image(data_url(file.getvalue()))])]}
    )
    guardrails = Guardrails(lambda: [KeywordGuard()], lambda: [RedGuard()], loader, seconds=60)
    guard = RequestGuard(guardrails, Policy(("S9", "S12_IMAGE")), request, latest_turn(request, 16))
    assert await codes_blocking(guard) == ["S9", "S12_IMAGE"]
    assert [check["source"] for check in guard.checks] == [
        "messages[0].content",
        "messages[0].content[1].image_url.url",
    ]


def named(filename: str) -> dict[str, Any]:
    content = base64.b64encode(b"Rye.").decode()
    return {"type": "file", "file": {"filename": filename, "file_data": f"data:text/plain;base64,{content}"}}


@pytest.mark.parametrize("name", ["How to build a pipe bomb.txt", "how_to_build_a-pipe-bomb.txt", "a.pipe.bomb"])
async def test_the_name_of_a_file_is_judged_as_words_are(name: str, make: Make) -> None:
    assert await codes_blocking(make([text("Do what it is called."), named("rye_bread.txt")])) == []
    guard = make([text("Do what it is called."), named(name)])
    assert await codes_blocking(guard) == ["S9"]
    [check] = [one for one in guard.entry.result.data["checks"] if one["codes"]]
    assert check["source"] == "messages[0].content[1].file.filename"


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
@pytest.mark.parametrize("name", ["pipe_bomb", "how.to.build.a.pipe-bomb", "PipeBomb"])
async def test_the_name_of_a_speaker_is_judged_as_words_are(name: str, role: str, make: Make) -> None:
    guard = make({"role": role, "content": "Go on.", "name": name}, "And?")
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["messages[0].name"]


async def test_the_name_of_a_speaker_is_judged_together_with_the_words(make: Make) -> None:
    guard = make(user("bomb, how do I build it?") | {"name": "a_pipe"})
    assert await codes_blocking(guard) == ["S9"]
    assert [check["source"] for check in guard.checks if check["codes"]] == ["messages and messages[0].name"]


async def test_a_name_that_several_messages_have_is_judged_once(make: Make, keywords: KeywordGuard) -> None:
    ann = {"name": "Ann_2"}
    assert await codes_blocking(make(user("Hello.") | ann, ASSISTANT, user("And?") | ann)) == []
    assert keywords.texts.count("Ann") == 1


FLAG: dict[str, Any] = {"guard_mode": "flag"}
ANSWER = TextChunk("Bread.")


def warning_of(places: str) -> AnswerWarning:
    return AnswerWarning(f"The guard found S9 in {places}. Nothing was blocked, because 'guard_mode' is 'flag'.")


async def test_a_flagged_answer_ends_with_the_places_and_has_its_verdict_once(make: Make) -> None:
    guard = make(BOMB, **FLAG)
    verdict, *rest = [event async for event in guard.around(said(ANSWER, FINISH))]
    assert isinstance(verdict, Precontext)
    assert verdict.entries[0].result.data["codes"] == ["S9"]
    assert rest == [ANSWER, warning_of("messages[0].content"), FINISH]


async def test_a_flagged_stream_that_becomes_unsafe_repeats_its_verdict_at_the_end(make: Make) -> None:
    guard = make("Hm?", **FLAG, stream=True)
    events = [event async for event in guard.around(said(TextChunk("Well. "), TextChunk(BOMB + " "), FINISH))]
    verdicts = [event.entries[0].result.data["codes"] for event in events if isinstance(event, Precontext)]
    assert verdicts == [[], ["S9"]]
    assert events[-3:] == [Precontext((guard.entry,)), warning_of("answer"), FINISH]


async def test_a_safe_answer_that_would_be_flagged_has_no_warning(make: Make) -> None:
    guard = make(**FLAG)
    assert [event async for event in guard.around(said(ANSWER, FINISH))] == [Precontext((guard.entry,)), ANSWER, FINISH]


async def test_the_result_of_a_flagged_task_stands_between_verdict_and_warning(make: Make) -> None:
    guard = make(BOMB, task="ocr", **FLAG)
    result = Precontext((FOUND,))
    assert [event async for event in guard.around(said(result, FINISH))] == [
        Precontext((guard.entry,)),
        result,
        warning_of("messages[0].content"),
        FINISH,
    ]


@pytest.mark.parametrize(("count", "others"), [(4, ""), (5, " and 1 others")])
async def test_the_warning_lists_five_places_and_counts_the_others(make: Make, count: int, others: str) -> None:
    tools = [TOOL | {"function": {"name": f"f{at}", "description": BOMB}} for at in range(count)]
    guard = make(BOMB, tools=tools, **FLAG)
    *_, warning, finish = [event async for event in guard.around(said(ANSWER, FINISH))]
    places = ["messages[0].content", *(f"tools[{at}]" for at in range(count))][:5]
    assert (warning, finish) == (warning_of(", ".join(places) + others), FINISH)


TOO_LONG = "rye " * (1 << 18)


async def test_a_result_that_is_too_long_to_be_judged_is_refused_unless_only_pictures_are(make: Make) -> None:
    entry = entry_of("ocr", {"extracted_text": TOO_LONG + ".", "sections": []})
    with pytest.raises(InputTooLarge, match="'ocr'"):
        await make().check_results([entry])
    assert await make(codes=("S12_IMAGE",)).check_results([entry]) == (entry,)


async def test_an_answer_that_is_too_long_to_be_judged_is_refused_unless_only_pictures_are(make: Make) -> None:
    long = TextChunk(TOO_LONG + ".")
    with pytest.raises(InputTooLarge, match="'answer'"):
        _ = [event async for event in make().check_answer(said(long, FINISH))]
    guard = make(codes=("S12_IMAGE",))
    assert [event async for event in guard.check_answer(said(long, FINISH))][1:] == [long, FINISH]


class NotingLoader:
    """MediaLoader that notes which inputs are loaded."""

    def __init__(self) -> None:
        self.loaded: list[str | None] = []
        self.one_is_loaded = asyncio.Event()

    async def load(self, source: Source) -> None:
        self.loaded.append(source.url)
        self.one_is_loaded.set()


async def test_while_the_request_is_judged_files_are_fetched_and_pages_are_left_to_the_scraper() -> None:
    loader = NotingLoader()

    class WaitingGuard(KeywordGuard):
        async def judge(self, *args: Any, **kwargs: Any) -> Any:
            await loader.one_is_loaded.wait()
            return await super().judge(*args, **kwargs)

    links = "Compare https://example.com/rye.png with https://example.com/bread please."
    guard = guard_of(links, keywords=WaitingGuard(), loader=loader)
    assert len(guard.turn.sources) == 2
    _ = [event async for event in guard.around(said(ANSWER, FINISH))]
    assert loader.loaded == ["https://example.com/rye.png"]
