"""One request's calls of the LLM: what each is sent, what comes of it, and how it is counted."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from app.access.admission import Admission
from app.chat.context.trim import assemble
from app.chat.feed import TimeLimit
from app.chat.inputs import Turn
from app.chat.run_plan import Specialists
from app.chat.tool_loop import MAX_TOOL_ROUNDS, Rounds, ToolLimits, options_of
from app.chat.tools import TOOLS
from app.errors import Unavailable
from app.events import AnswerWarning, Event, Finish, Precontext, TextChunk, ToolCallChunk
from app.wire.request import ChatRequest
from models.language.llm import (
    CAUTION,
    Abilities,
    Done,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmEvent,
    LlmLate,
    LlmSilent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from tasks.base import Task, TaskRequest
from tasks.precontext import Entry
from tasks.result import JsonResult, Result

SEARCH = next(tool for tool in TOOLS if tool.task == "web_search")
STOP = Done("stop", prompt_tokens=10, completion_tokens=2)
CALLS = Done("tool_calls", prompt_tokens=10, completion_tokens=2)


class ScriptedLlm:
    """Says its answers in order; remembers what it was sent."""

    name = "scripted"
    is_capable = True
    loaded = True

    def __init__(self, *answers: Sequence[LlmEvent]) -> None:
        self._answers = list(answers)
        self.calls: list[LlmCall] = []
        self.left = 0
        """Answers that were not heard to their end."""

    async def abilities(self) -> Abilities:
        return Abilities()

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        self.calls.append(replace(call, messages=list(call.messages)))
        try:
            for event in self._answers.pop(0):
                if call.on_written and not isinstance(event, Done):
                    call.on_written(event.arguments if isinstance(event, ToolCallDelta) else event.text)
                yield event
        except GeneratorExit:
            self.left += 1
            raise

    async def model(self) -> str:
        return self.name

    def check_room(self) -> None: ...

    async def load(self) -> None: ...

    async def close(self) -> None: ...


class Search:
    name = "web_search"

    async def run(self, request: TaskRequest) -> Result:
        if request.text == "for ever":
            await asyncio.Event().wait()
        if request.text == "nothing":
            raise RuntimeError("not for clients")
        return JsonResult({"text": f"about {request.text}"})


def find_task(_: str) -> Task:
    return Search()


async def whole(entries: Sequence[Entry], _: Sequence[str]) -> list[str]:
    return [assemble(list(entry.result.pieces())) for entry in entries]


def rounds_with(llm: ScriptedLlm, *, searching: bool = True, **fields: Any) -> Rounds:
    request = ChatRequest.model_validate({"model": "auto", "messages": [{"role": "user", "content": "Hm?"}], **fields})
    return Rounds(
        llm=llm,
        request=request,
        messages=[{"role": "user", "content": "Hm?"}],
        specialists=Specialists(find_task),
        shorten=whole,
        internal={SEARCH.name: SEARCH} if searching else {},
        turn=Turn("Hm?", ()),
        fence="==f==",
    )


def searched(*queries: str) -> list[LlmEvent]:
    """A turn in which the LLM searches, each call in two pieces."""
    events: list[LlmEvent] = []
    for index, query in enumerate(queries):
        events.append(ToolCallDelta(index, '{"query":', f"call_{index}", SEARCH.name))
        events.append(ToolCallDelta(index, f' "{query}"}}'))
    return [*events, CALLS]


async def events_of(rounds: Rounds) -> list[Event]:
    return [event async for event in rounds.answer()]


async def test_what_the_llm_writes_is_counted_when_it_is_written() -> None:
    class Count(Admission):
        """Admission that keeps what is counted."""

        def __init__(self) -> None:
            super().__init__()
            self.counted: list[Any] = []

        def count_text(self, text: str) -> None:
            self.counted.append(text)

        def count_call(self, prompt_tokens: int, answer_tokens: int) -> None:
            self.counted.append((prompt_tokens, answer_tokens))

    llm = ScriptedLlm([*searched("a")], [ReasoningDelta("so"), TextDelta("nine"), STOP])
    rounds = rounds_with(llm, stream=True)
    rounds.admission = count = Count()
    async with aclosing(rounds.answer()) as events:
        async for event in events:
            if isinstance(event, TextChunk):
                break
    assert count.counted == ['{"query":', ' "a"}', (CALLS.prompt_tokens, CALLS.completion_tokens), "so", "nine"]


async def test_an_answer_that_is_cut_in_the_middle_costs_what_was_held_back_too() -> None:
    class Holding(FallsSilent):
        async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
            assert call.on_written
            call.on_written("{" + "\n" * 98 + "}")
            async for event in super().stream(call):
                yield event

    rounds = rounds_with(Holding([TextDelta("nine")]))
    await events_of(rounds)
    assert (rounds.text, rounds.completion_tokens) == ("nine", 26)


async def test_an_llm_that_is_not_capable_is_told_of_beside_every_answer() -> None:
    llm = ScriptedLlm([TextDelta("nine"), STOP])
    llm.is_capable = False
    assert await events_of(rounds_with(llm)) == [TextChunk("nine"), AnswerWarning(CAUTION)]
    late = Late([TextDelta("Let me see."), *searched("tides")], [])
    late.is_capable = False
    assert (await events_of(rounds_with(late)))[-1] == AnswerWarning(CAUTION)


async def test_a_search_is_run_and_told_and_the_next_answer_counts() -> None:
    llm = ScriptedLlm(searched("tides"), [TextDelta("nine"), STOP])
    rounds = rounds_with(llm)
    found = Entry("web_search", JsonResult({"text": "about tides"}))
    assert await events_of(rounds) == [Precontext((found,)), TextChunk("nine")]
    assert rounds.entries == [found]
    assert rounds.finish == Finish("stop", 20, 4)
    asked, told = llm.calls[1].messages[1:]
    assert asked["tool_calls"][0]["function"] == {"name": "openfaze_web_search", "arguments": '{"query": "tides"}'}
    assert told == {
        "role": "tool",
        "tool_call_id": "call_0",
        "content": "==f== result 1: web_search\nabout tides\n==f==",
    }


async def test_searches_of_one_turn_are_told_in_their_order_and_one_may_fail() -> None:
    llm = ScriptedLlm(searched("tides", "nothing"), [TextDelta("nine"), STOP])
    [first, _] = await events_of(rounds_with(llm))
    assert isinstance(first, Precontext)
    assert [entry.error for entry in first.entries] == [None, "The server had an error while processing your request."]
    told = [message["content"].splitlines()[:2] for message in llm.calls[1].messages[-2:]]
    assert told == [
        ["==f== result 1: web_search", "about tides"],
        ["==f== result 2: web_search", "failed: The server had an error while processing your request."],
    ]


async def test_calls_beyond_the_limits_are_not_run_and_the_llm_is_told() -> None:
    running, most = 0, 0
    ran: list[str] = []

    class Counted(Search):
        async def run(self, request: TaskRequest) -> Result:
            nonlocal running, most
            running += 1
            most = max(most, running)
            ran.append(request.text)
            await asyncio.sleep(0)
            running -= 1
            return await super().run(request)

    many = [f"q{number}" for number in range(2000)]
    llm = ScriptedLlm(searched(*many), searched(*many), searched(*many), [TextDelta("nine"), STOP])
    rounds = rounds_with(llm)
    rounds.specialists = Specialists(lambda _: Counted())
    rounds.limits = ToolLimits(at_once=3, per_round=5, per_request=8)
    events = await events_of(rounds)
    assert ran == [*many[:5], *many[:3]]
    assert most == 3
    assert [len(event.entries) for event in events if isinstance(event, Precontext)] == [5, 3, 0]
    told = [message for message in llm.calls[1].messages if message["role"] == "tool"]
    assert len(told) == 2000
    assert "q4" in told[4]["content"]
    assert told[5]["content"].startswith("error: not run. At most 5 calls after one answer, and 8 in all")


async def test_specialists_are_offered_for_so_many_rounds() -> None:
    llm = ScriptedLlm(*[searched("tides")] * MAX_TOOL_ROUNDS, [TextDelta("nine"), STOP])
    await events_of(rounds_with(llm))
    assert [len(call.tools) for call in llm.calls] == [*[1] * MAX_TOOL_ROUNDS, 0]


async def test_a_call_that_was_not_offered_any_more_is_neither_run_nor_shown() -> None:
    llm = ScriptedLlm(*[searched("tides")] * (MAX_TOOL_ROUNDS + 1))
    shown = []
    with pytest.raises(LlmBroke):
        async for event in rounds_with(llm).answer():
            shown.append(event)  # noqa: PERF401 - what came before the failure counts
    assert [type(event) for event in shown] == [Precontext] * MAX_TOOL_ROUNDS


LOOK_UP = {"type": "function", "function": {"name": "look_up"}}
INVENTED = [ToolCallDelta(0, "{}", "call_1", "look_down"), CALLS]


@pytest.mark.parametrize("searching", [True, False])
async def test_an_invented_tool_is_not_shown_and_the_llm_is_told_once_what_there_is(searching: bool) -> None:
    llm = ScriptedLlm(INVENTED, [ToolCallDelta(0, "{}", "call_2", "look_up"), CALLS])
    rounds = rounds_with(llm, searching=searching, tools=[LOOK_UP])
    events = await events_of(rounds)
    assert [event for event in events if event != Precontext(())] == [ToolCallChunk(0, "{}", "call_2", "look_up")]
    assert (rounds.finish_reason, rounds.entries) == ("tool_calls", [])
    asked, told = llm.calls[1].messages[1:]
    assert asked["tool_calls"][0]["function"]["name"] == "look_down"
    names = "look_up, openfaze_web_search" if searching else "look_up"
    assert told["tool_call_id"] == "call_1"
    assert f"no tool of that name. There are: {names}." in told["content"]


async def test_an_llm_that_goes_on_inventing_tools_has_failed() -> None:
    llm = ScriptedLlm(INVENTED, INVENTED)
    with pytest.raises(LlmBroke) as failure:
        await events_of(rounds_with(llm, tools=[LOOK_UP]))
    assert "tools that it was not offered" in failure.value.public


async def test_an_invented_tool_beside_words_or_real_calls_is_left_out_and_told() -> None:
    beside_words = rounds_with(ScriptedLlm([TextDelta("nine"), *INVENTED]), tools=[LOOK_UP])
    text, warned = await events_of(beside_words)
    assert (text, beside_words.finish_reason) == (TextChunk("nine"), "stop")
    assert isinstance(warned, AnswerWarning)
    assert "'look_down'" in warned.text
    beside_call = rounds_with(
        ScriptedLlm([*INVENTED[:-1], ToolCallDelta(1, "{}", "call_2", "look_up"), CALLS]), tools=[LOOK_UP]
    )
    call, warned = await events_of(beside_call)
    assert (call, beside_call.finish_reason) == (ToolCallChunk(0, "{}", "call_2", "look_up"), "tool_calls")
    assert isinstance(warned, AnswerWarning)


@pytest.mark.parametrize(("arguments", "is_told"), [('{"of": ', True), ("tides", True), ("", False), ("{}", False)])
async def test_arguments_that_are_no_json_come_as_they_are_and_are_told(arguments: str, is_told: bool) -> None:
    llm = ScriptedLlm([ToolCallDelta(0, arguments, "call_1", "look_up"), CALLS])
    call, *warned = await events_of(rounds_with(llm, tools=[LOOK_UP]))
    assert call == ToolCallChunk(0, arguments, "call_1", "look_up")
    assert bool(warned) == is_told


async def test_the_clients_calls_are_numbered_among_themselves_and_end_the_rounds() -> None:
    mixed = [*searched("tides")[:-1], ToolCallDelta(1, "{", "call_x", "look_up"), ToolCallDelta(1, "}"), CALLS]
    rounds = rounds_with(ScriptedLlm(mixed), tools=[LOOK_UP])
    assert await events_of(rounds) == [ToolCallChunk(0, "{", "call_x", "look_up"), ToolCallChunk(0, "}")]
    assert rounds.finish_reason == "tool_calls"
    assert rounds.entries == []


async def test_asking_again_adds_the_complaint_and_offers_no_specialists() -> None:
    llm = ScriptedLlm([TextDelta("nine"), STOP], [TextDelta("9"), STOP])
    await events_of(rounds := rounds_with(llm))
    assert [event async for event in rounds.retry("A number.")] == [TextChunk("9")]
    assert llm.calls[1].messages[1:] == [
        {"role": "assistant", "content": "nine"},
        {"role": "user", "content": "A number."},
    ]
    assert llm.calls[1].tools == []
    assert (rounds.text, rounds.finish) == ("9", Finish("stop", 20, 4))


class HangingLlm(ScriptedLlm):
    """Says its last answer, and then nothing more: no end either."""

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        async for event in super().stream(call):
            yield event
        if not self._answers:
            await asyncio.Event().wait()


class FallsSilent(ScriptedLlm):
    """Says its last answer, and is then given up."""

    error: LlmError = LlmSilent("Nothing came.")

    async def stream(self, call: LlmCall) -> AsyncGenerator[LlmEvent, None]:
        async for event in super().stream(call):
            yield event
        if not self._answers:
            raise self.error


class Late(FallsSilent):
    error = LlmLate("Nothing came.")


TIME_IS_UP = TimeLimit(seconds=300, answer_by=0)


async def cut(llm: ScriptedLlm, **fields: Any) -> tuple[Rounds, list[Event]]:
    """An answer whose time is up as soon as something is waited for: its events, but for the warning at their end."""
    rounds = rounds_with(llm, **fields)
    rounds.limit = TIME_IS_UP
    *events, warned = await events_of(rounds)
    assert isinstance(warned, AnswerWarning)
    assert "cut" in warned.text
    assert rounds.finish_reason == "length"
    return rounds, events


@pytest.mark.parametrize("kind", [HangingLlm, FallsSilent])
async def test_an_answer_that_has_begun_is_cut_and_counted(kind: type[ScriptedLlm]) -> None:
    rounds, events = await cut(kind([TextDelta("ni"), TextDelta("ne")]))
    assert events == [TextChunk("ni"), TextChunk("ne")]
    assert rounds.text == "nine"
    assert rounds.finish == Finish("length", 1, 1)


@pytest.mark.parametrize(
    ("llm", "failure"),
    [
        (HangingLlm([]), Unavailable),
        (HangingLlm([ReasoningDelta("so")]), Unavailable),
        (HangingLlm(searched("tides"), []), Unavailable),
        (Late([]), LlmLate),
        (FallsSilent([ReasoningDelta("so")]), LlmSilent),
    ],
)
async def test_what_nobody_sees_is_no_beginning(llm: ScriptedLlm, failure: type[Exception]) -> None:
    rounds = rounds_with(llm)
    rounds.limit = TIME_IS_UP
    with pytest.raises(failure) as raised:
        await events_of(rounds)
    if isinstance(raised.value, Unavailable):
        assert raised.value.code == "timeout"
        assert "300 s" in raised.value.message


def options(*, with_tools: bool = False, **fields: Any) -> dict[str, Any]:
    request = ChatRequest.model_validate({"model": "auto", "messages": [{"role": "user", "content": "Hm?"}], **fields})
    return options_of(request, with_tools=with_tools)


def test_parameters_that_openai_does_not_have_reach_servers_that_do() -> None:
    assert options(top_k=40, min_p=0.1, logit_bias={"1": -100}) == {
        "top_k": 40,
        "min_p": 0.1,
        "logit_bias": {"1": -100},
    }
