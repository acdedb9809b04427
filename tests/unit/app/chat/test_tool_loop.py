"""One request's calls of the LLM: what each is sent, what comes of it, and how it is counted."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from app.access.admission import Admission
from app.chat import tool_loop
from app.chat.call import TimeLimit
from app.chat.prompt import LLM_TOOLS
from app.chat.run_plan import Specialists
from app.chat.tool_loop import MAX_TOOL_ROUNDS, Rounds
from app.chat.trim import assemble
from app.events import AnswerWarning, Event, Finish, Precontext, TextChunk, ToolCallChunk
from app.wire.request import ChatRequest
from models.language.llm import (
    Done,
    LlmBroke,
    LlmCall,
    LlmError,
    LlmEvent,
    LlmSilent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from tasks.base import Task, TaskRequest
from tasks.precontext import Entry
from tasks.result import JsonResult, Result
from tasks.wording.search_query import WebSearchOptions
from tests.kit.chats.inquiries import inquiry_of
from tests.kit.engines.scripted_llm import STOP, ScriptedLlm

SEARCH = next(tool for tool in LLM_TOOLS if tool.task == "web_search")
CALLS = Done("tool_calls", prompt_tokens=10, completion_tokens=2)


class Search:
    name = "web_search"

    async def run(self, request: TaskRequest[WebSearchOptions]) -> Result[Any]:
        if request.options.query == "for ever":
            await asyncio.Event().wait()
        if request.options.query == "nothing":
            raise RuntimeError("not for clients")
        return JsonResult({"text": f"about {request.options.query}"})


def find_task(_: str) -> Task:
    return Search()


async def whole(entries: Sequence[Entry], _: Sequence[str]) -> list[str]:
    return [assemble(list(entry.result.pieces())) for entry in entries]


def rounds_with(llm: ScriptedLlm, *, searching: bool = True, **fields: Any) -> Rounds:
    request = ChatRequest.model_validate({"model": "auto", "messages": [{"role": "user", "content": "Hm?"}], **fields})
    return Rounds(
        llm=llm,
        inquiry=inquiry_of(request),
        messages=[{"role": "user", "content": "Hm?"}],
        specialists=Specialists(find_task),
        shorten=whole,
        internal={SEARCH.name: SEARCH} if searching else {},
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
    """Return the events of the answer before its Finish."""
    *events, finish = [event async for event in rounds.answer()]
    assert finish == rounds.finish
    return events


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
    count = Count()
    rounds.inquiry = replace(rounds.inquiry, call=replace(rounds.inquiry.call, admission=count))
    async with aclosing(rounds.answer()) as events:
        async for event in events:
            if isinstance(event, TextChunk):
                break
    assert count.counted == ['{"query":', ' "a"}', (CALLS.prompt_tokens, CALLS.completion_tokens), "so", "nine"]


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


async def test_calls_beyond_the_limits_are_not_run_and_the_llm_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in (("AT_ONCE", 3), ("PER_ROUND", 5), ("PER_REQUEST", 8)):
        monkeypatch.setattr(tool_loop, f"TASKS_{name}", limit)
    running, most = 0, 0
    ran: list[str] = []

    class Counted(Search):
        async def run(self, request: TaskRequest[WebSearchOptions]) -> Result[Any]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            ran.append(request.options.query)
            await asyncio.sleep(0)
            running -= 1
            return await super().run(request)

    many = [f"q{number}" for number in range(2000)]
    llm = ScriptedLlm(searched(*many), searched(*many), searched(*many), [TextDelta("nine"), STOP])
    rounds = rounds_with(llm)
    rounds.specialists = Specialists(lambda _: Counted())
    events = await events_of(rounds)
    assert ran == [*many[:5], *many[:3]]
    assert most == 3
    assert [len(event.entries) for event in events if isinstance(event, Precontext)] == [8]
    told = [message for message in llm.calls[1].messages if message["role"] == "tool"]
    assert len(told) == 2000
    assert "q4" in told[4]["content"]
    assert told[5]["content"].startswith("error: not run. At most 5 calls after one answer, and 8 in all")


async def test_specialists_are_offered_for_so_many_rounds() -> None:
    llm = ScriptedLlm(*[searched("tides")] * MAX_TOOL_ROUNDS, [TextDelta("nine"), STOP])
    await events_of(rounds_with(llm))
    assert [len(call.tools) for call in llm.calls] == [*[1] * MAX_TOOL_ROUNDS, 0]


LOOK_UP = {"type": "function", "function": {"name": "look_up"}}
INVENTED = [ToolCallDelta(0, "{}", "call_1", "look_down"), CALLS]


@pytest.mark.parametrize("searching", [True, False])
async def test_an_invented_tool_is_not_shown_and_the_llm_is_told_once_what_there_is(searching: bool) -> None:
    llm = ScriptedLlm(INVENTED, [ToolCallDelta(0, "{}", "call_2", "look_up"), CALLS])
    rounds = rounds_with(llm, searching=searching, tools=[LOOK_UP])
    events = await events_of(rounds)
    assert events == [ToolCallChunk(0, "{}", "call_2", "look_up")]
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


TIME_IS_UP = TimeLimit(seconds=300, answer_by=0)


async def cut(llm: ScriptedLlm, **fields: Any) -> tuple[Rounds, list[Event]]:
    """An answer whose time is up as soon as something is waited for: its events, but for the warning at their end."""
    rounds = rounds_with(llm, **fields)
    rounds.inquiry = replace(rounds.inquiry, call=replace(rounds.inquiry.call, limit=TIME_IS_UP))
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
