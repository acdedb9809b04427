"""Calls of the LLM, one after the other, until it answers: the specialists that it asks for are run in between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from app.chat.collect import Turn
from app.chat.events import Event, Finish, Precontext, Reasoning, Text, ToolCall
from app.chat.gather import entry
from app.chat.prompt import LlmMessage, fenced
from app.chat.tools import PREFIX, InternalTool
from app.wire.request import ChatRequest
from app.wire.response import FinishReason, PrecontextEntry
from models.language.llm import Done, Llm, LlmBroke, LlmCall, ReasoningDelta, TextDelta, ToolCallDelta
from tasks.base import Task, as_it_is

MAX_TOOL_ROUNDS = 4
"""How often the LLM may ask for specialists before it must answer."""

PASSED_ON = (
    "temperature",
    "top_p",
    "seed",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "top_k",
    "min_p",
    "user",
)
"""Fields that go to the LLM as they came."""

EFFORTS = {"minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "on": "medium"}
"""`reasoning_effort` as OpenAI-compatible servers know it; what is not here is not passed on."""


@dataclass
class _Asked:
    """A call of a tool, put together from its pieces."""

    id: str
    name: str
    arguments: str = ""

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass
class Rounds:
    """The LLM's work on one request. `messages` grows; the counts add up over all calls."""

    llm: Llm
    request: ChatRequest
    messages: list[LlmMessage]
    find_task: Callable[[str], Task]
    shorten: Callable[[Sequence[PrecontextEntry], Sequence[str]], Awaitable[list[str]]]
    """The text of each of these results, as far as the LLM's context has room for them beside these other texts."""
    response_format: Mapping[str, Any] | None = None
    internal: Mapping[str, InternalTool] = field(default_factory=dict)
    """By name; empty: the LLM answers at once."""
    turn: Turn = field(default_factory=lambda: Turn("", ()))
    entries: list[PrecontextEntry] = field(default_factory=list)
    """What is in `precontext` so far; results of the LLM's own calls are added."""
    fence: str = ""
    check: Callable[[Sequence[PrecontextEntry]], Awaitable[Sequence[PrecontextEntry]]] | None = None
    """Called with what specialists found, before the LLM sees it; what it raises ends the request, what it returns is
    used instead."""
    redact: Callable[[str], str] = as_it_is
    """As a TaskRequest's."""
    text: str = ""
    """Of the last call."""
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int | None = None

    async def answer(self) -> AsyncGenerator[Event, None]:
        """The events of the answer. Precontext comes after each round of specialists, with the new entries."""
        for round_ in range(MAX_TOOL_ROUNDS + 1):
            allowed = self.internal if round_ < MAX_TOOL_ROUNDS else {}
            asked: list[_Asked] = []
            async with aclosing(self._call(allowed, asked)) as events:
                async for event in events:
                    yield event
            if not asked:
                return
            yield Precontext(await self._run(asked))
            if self.text.strip():
                yield Text("\n\n")

    async def again(self, complaint: str) -> AsyncGenerator[Event, None]:
        """One more call, after `complaint` about the last one's text."""
        self.messages += [{"role": "assistant", "content": self.text}, {"role": "user", "content": complaint}]
        async with aclosing(self._call({}, [])) as events:
            async for event in events:
                yield event

    @property
    def finish(self) -> Finish:
        return Finish(self.finish_reason, self.prompt_tokens, self.completion_tokens, self.reasoning_tokens)

    async def _call(self, internal: Mapping[str, InternalTool], asked: list[_Asked]) -> AsyncGenerator[Event, None]:
        """One call. Calls of internal tools go to `asked`, unless the client's tools are called too; those of an
        internal tool that it was not offered come to nothing, and no client sees any of them."""
        calls: dict[int, _Asked] = {}
        places: dict[int, int] = {}
        thought: list[str] = []
        said: list[str] = []
        done = Done("stop")
        async with aclosing(self.llm.stream(self._llm_call(internal))) as events:
            async for event in events:
                match event:
                    case TextDelta(text, logprobs):
                        said.append(text)
                        yield Text(text, logprobs)
                    case ReasoningDelta(text):
                        thought.append(text)
                        yield Reasoning(text)
                    case ToolCallDelta():
                        call = calls.setdefault(event.index, _Asked(event.id or "", event.name or ""))
                        call.arguments += event.arguments
                        if not self._is_ours(call.name):
                            place = places.setdefault(event.index, len(places))
                            yield ToolCall(place, event.arguments, event.id, event.name)
                    case Done():
                        done = event
        self.text = "".join(said)
        if done.finish_reason == "length":
            self.finish_reason = "length"
        else:
            self.finish_reason = "tool_calls" if places else "stop"
        self._count(done, self.text + "".join(thought) + "".join(call.arguments for call in calls.values()))
        if not places:
            asked += [call for call in calls.values() if call.name in internal]
            if calls and not asked and not self.text:
                raise LlmBroke("The LLM goes on calling specialists that it is no longer offered.")

    def _is_ours(self, name: str) -> bool:
        """Also of a specialist that it was never offered, unless the client has a tool of that name."""
        if name in self.internal:
            return True
        return name.startswith(PREFIX) and name not in {tool.function.name for tool in self.request.tools or ()}

    def _llm_call(self, internal: Mapping[str, InternalTool]) -> LlmCall:
        request = self.request
        silenced = request.tool_choice == "none"
        tools = [] if silenced else [tool.model_dump(exclude_unset=True) for tool in request.tools or ()]
        choice: Any = None if silenced else request.tool_choice
        if choice == "auto" and not tools:
            # It says nothing then, and servers refuse it.
            choice = None
        if not isinstance(choice, str | None):
            choice = choice.model_dump()
        return LlmCall(
            self.messages,
            tools=[*tools, *(tool.definition() for tool in internal.values())],
            tool_choice=choice,
            response_format=self.response_format,
            options=options_of(request, with_tools=bool(tools)),
        )

    def _count(self, done: Done, output: str) -> None:
        """The LLM's own counts, or by the tokenizer, or the estimate, whichever there is."""
        if done.prompt_tokens is None:
            self.prompt_tokens += sum(self.llm.count_tokens(text) for text in map(_text_of, self.messages))
        else:
            self.prompt_tokens += done.prompt_tokens
        if done.completion_tokens is None:
            self.completion_tokens += self.llm.count_tokens(output)
        else:
            self.completion_tokens += done.completion_tokens
        if done.reasoning_tokens is not None:
            self.reasoning_tokens = (self.reasoning_tokens or 0) + done.reasoning_tokens

    async def _run(self, asked: Sequence[_Asked]) -> tuple[PrecontextEntry, ...]:
        """Runs the specialists side by side and tells the LLM what they found."""
        found = tuple(await asyncio.gather(*(self._result(call) for call in asked)))
        if self.check is not None:
            found = tuple(await self.check(found))
        self.messages.append(
            {"role": "assistant", "content": self.text or None, "tool_calls": [call.message() for call in asked]}
        )
        texts = await self.shorten(found, [_text_of(message) for message in self.messages])
        shown = fenced(enumerate(found, len(self.entries)), texts, self.fence)
        self.entries += found
        for call, result in zip(asked, shown, strict=True):
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return found

    async def _result(self, call: _Asked) -> PrecontextEntry:
        tool = self.internal[call.name]
        try:
            request = replace(tool.request(call.arguments, self.turn), redact=self.redact)
            return entry(tool.task, await self.find_task(tool.task).run(request))
        except Exception as error:  # noqa: BLE001 - the LLM is told, and goes on
            return entry(tool.task, error)


def options_of(request: ChatRequest, *, with_tools: bool) -> dict[str, Any]:
    """What the client set of the LLM's parameters, under OpenAI's names."""
    given = {**request.model_dump(include=set(PASSED_ON), exclude_none=True), **(request.model_extra or {})}
    options = {name: given[name] for name in PASSED_ON if given.get(name) is not None}
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None:
        options["max_tokens"] = limit
    if request.reasoning_effort in EFFORTS:
        options["reasoning_effort"] = EFFORTS[request.reasoning_effort]
    if with_tools and request.parallel_tool_calls is not None:
        options["parallel_tool_calls"] = request.parallel_tool_calls
    return options


def _text_of(message: LlmMessage) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return str(content or "")
