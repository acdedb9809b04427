"""Calls the LLM until it answers, and runs the tasks that it requests between the calls.

If the time is over or the LLM falls silent after an answer has begun, the text written so far becomes the answer, with
the finish reason `length`. If no answer has begun, the request fails.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from pydantic_core import from_json

from app.chat.call import Inquiry
from app.chat.prompt import TOOL_PREFIX, InternalTool, LlmMessage, fence_results
from app.chat.run_plan import Specialists
from app.errors import took_too_long
from app.events import AnswerWarning, Event, Finish, FinishReason, Precontext, ReasoningChunk, TextChunk, ToolCallChunk
from app.wire.request import LLM_OPTIONS, ChatRequest
from models.concurrency import Deadline, TimeIsUp
from models.language.llm import (
    CAUTION,
    Done,
    Llm,
    LlmBroke,
    LlmCall,
    LlmEvent,
    LlmLate,
    LlmSilent,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    estimate_tokens,
)
from models.language.think_tags import CLOSE, lacks_opening_tag
from tasks.precontext import Entry

MAX_TOOL_ROUNDS = 4
"""The LLM may call tasks in at most this many rounds, and must answer after the last one."""
TASKS_AT_ONCE, TASKS_PER_ROUND, TASKS_PER_REQUEST = 8, 16, 32
"""Largest numbers of tasks that the LLM may run at a time, after one answer, and for one request. A call beyond them
gets an error that the LLM reads."""
NOT_RUN = (
    "error: not run. At most {per_round} calls after one answer, and {per_request} in all, are run. "
    "Answer with what is there."
)
NO_SUCH_TOOL = "error: there is no tool of that name. There are: {names}. Call one of these, or answer in words."
_CALL_DROPPED = (
    "The language model called '{}', which is not one of the tools that it was offered; the call was dropped."
)
_NO_JSON = "The arguments of the call of '{}' are not valid JSON; they are passed on as the language model wrote them."
LONGEST_TOOL_NAME = 64
"""A warning quotes at most this many characters of an invented name, which is OpenAI's limit for real names."""
EFFORTS = {"minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "on": "medium"}
"""Values of `reasoning_effort` that are passed on, each with the value that OpenAI-compatible servers know for it."""
_TIME_IS_UP = "The answer was cut because the request reached its time limit of {:g} s (OPENFAZE_REQUEST_TIMEOUT_S)."
_NO_REASONING = "The language model sent no reasoning, although 'reasoning_effort' asks for it."
_ASKS_FOR_REASONING = frozenset({"low", "medium", "high", "xhigh", "on"})
"""Values of `reasoning_effort` with which a client expects to be shown reasoning."""
_REASONING_AS_TEXT = (
    f"The answer's text begins with reasoning, up to '{CLOSE}', because the language model's server does not mark its "
    "beginning."
)
_FELL_SILENT = "The answer was cut because the language model took too long to continue."


@dataclass
class _RequestedCall:
    """A call of a tool, assembled from its chunks."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    def message(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass
class _Reply:
    """The LLM's output so far in one call."""

    written: list[str] = field(default_factory=list)
    """All pieces that the LLM wrote, in order, even those that are held back or left out."""
    text_chunks: list[str] = field(default_factory=list)
    calls: dict[int, _RequestedCall] = field(default_factory=dict)
    held: list[Event] = field(default_factory=list)
    """Events that wait for the end of the call."""
    places: dict[int, int] = field(default_factory=dict)
    """The index at which the client sees each call of its tools, by the index that the LLM gave the call. The two
    differ, because the client does not see calls of internal tools."""


@dataclass
class Rounds:
    """The LLM's work on one request. Each round adds to `messages`. The counts of tokens are sums over all calls of the
    LLM."""

    llm: Llm
    inquiry: Inquiry
    messages: list[LlmMessage]
    specialists: Specialists
    shorten: Callable[[Sequence[Entry], Sequence[str]], Awaitable[list[str]]]
    """Function that returns the texts of the results, shortened to fit the LLM's context together with other texts."""
    response_format: Mapping[str, Any] | None = None
    internal: Mapping[str, InternalTool] = field(default_factory=dict)
    """Tasks that the LLM may call, by name. If there are none, the LLM answers at once."""
    entries: list[Entry] = field(default_factory=list)
    """Entries of `precontext` so far. Results of the LLM's own calls are added."""
    fence: str = ""
    holds_text: bool = False
    """True if the client sees no text before a call of the LLM has ended, because only the text of the last call is the
    answer."""
    refused: bool = False
    """True once the LLM has said why it does not answer."""
    corrected: bool = False
    """True once the LLM has received an error for calling a tool that does not exist."""
    ran: int = 0
    """Number of specialists that the LLM's calls have started so far."""
    text: str = ""
    """Text of the last call's answer."""
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int | None = None
    _reply: _Reply | None = None
    """Output of the current call; None between two calls."""
    _requested: list[_RequestedCall] = field(default_factory=list)
    """Calls of the last reply that are to be run."""
    _has_begun: bool = False
    """True once the client was shown a part of the answer."""

    async def answer(self) -> AsyncGenerator[Event, None]:
        """Yield the events of the answer, with Finish last. A Precontext with the new entries follows each round of
        specialists.

        The precontext is sent as one piece before the answer. It waits if the LLM may still call specialists, because
        their results are added to it.
        """
        has_reasoned = False
        late: Sequence[Event] = ()
        untold = tuple(self.entries)
        if untold and not self.internal:
            yield Precontext(untold)
            untold = ()
        for round_ in range(MAX_TOOL_ROUNDS + 1):
            is_last = round_ == MAX_TOOL_ROUNDS
            async with aclosing(self._call({} if is_last else self.internal, corrects=not is_last)) as events:
                async for event in events:
                    if untold and not (self.holds_text and isinstance(event, TextChunk) and not event.is_refusal):
                        yield Precontext(untold)
                        untold = ()
                    has_reasoned = has_reasoned or isinstance(event, ReasoningChunk)
                    yield event
            if not self._requested:
                break
            with Deadline(self.inquiry.call.limit.answer_by) as deadline:
                try:
                    untold += await deadline.wait_for(self._run(self._requested))
                except TimeIsUp:
                    late = self._cut(*self._too_late)
                    break
            if self.text.strip():
                if untold and not self.holds_text:
                    yield Precontext(untold)
                    untold = ()
                yield TextChunk("\n\n")
        if untold:
            yield Precontext(untold)
        for event in late:
            yield event
        if self.inquiry.request.reasoning_effort in _ASKS_FOR_REASONING and not has_reasoned:
            yield AnswerWarning(_NO_REASONING)
        if not self.llm.is_capable:
            yield AnswerWarning(CAUTION)
        self.inquiry.call.stages.done("answer")
        yield self.finish

    def retry(self, complaint: str) -> AsyncGenerator[Event, None]:
        """Call the LLM again, with a `complaint` about the text of its last call."""
        self.messages += [{"role": "assistant", "content": self.text}, {"role": "user", "content": complaint}]
        self._has_begun = False
        return self._call({})

    @property
    def finish(self) -> Finish:
        return Finish(self.finish_reason, self.prompt_tokens, self.completion_tokens, self.reasoning_tokens)

    @property
    def _too_late(self) -> tuple[Exception, str]:
        """The error of a request whose time is over, and the warning if its answer has begun."""
        seconds = self.inquiry.call.limit.seconds
        return took_too_long(seconds), _TIME_IS_UP.format(seconds)

    def _cut(self, error: Exception, warning: str) -> Sequence[Event]:
        """Cut an answer whose time is over, or whose LLM has fallen silent, and return its last events. Raises `error`
        if the client cannot be shown the beginning of an answer."""
        reply = self._reply
        if not (
            self._has_begun or (reply and any(isinstance(one, TextChunk) or self._shows(one) for one in reply.held))
        ):
            raise error
        events = self._end_call(reply, Done("length")) if reply else ()
        self.finish_reason = "length"
        return [*events, AnswerWarning(warning)]

    def _shows(self, event: Event) -> bool:
        """True if the event shows the client a part of the answer."""
        if isinstance(event, ReasoningChunk):
            return self.inquiry.request.shows_reasoning
        if isinstance(event, TextChunk):
            return event.is_refusal or not self.holds_text
        return isinstance(event, ToolCallChunk)

    @property
    def _holds(self) -> bool:
        """True if nobody reads the answer before a call of the LLM has ended. Only then is it known what its text was:
        the beginning of reasoning may be marked in the prompt alone."""
        return self.holds_text or not self.inquiry.request.stream

    async def _call(
        self, internal: Mapping[str, InternalTool], *, corrects: bool = False
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one call to the LLM.

        Afterwards, `_requested` has the calls of internal tools, unless the reply also calls tools of the client. With
        `corrects`, it has calls of unknown tools, too, if the reply contains nothing else; otherwise they are dropped.
        The client sees calls of its own tools only.
        """
        self._requested = []
        reply = self._reply = _Reply()
        done = Done("stop")

        def note(text: str) -> None:
            # Text is charged when it arrives. The events with it may come later, or never.
            reply.written.append(text)
            self.inquiry.call.admission.count_text(text)

        llm_call = replace(self._llm_call(internal), on_written=note)
        late: Sequence[Event] = ()
        with Deadline(self.inquiry.call.limit.answer_by) as deadline:
            async with aclosing(self.llm.stream(llm_call)) as events:
                try:
                    while True:
                        event = await deadline.wait_for(anext(events))
                        if isinstance(event, Done):
                            done = event
                        elif (shown := self._record(reply, event)) is None:
                            continue
                        elif self._holds:
                            reply.held.append(shown)
                        else:
                            self._has_begun = self._has_begun or self._shows(shown)
                            yield shown
                except StopAsyncIteration:
                    pass
                except TimeIsUp:
                    late = self._cut(*self._too_late)
                except (LlmLate, LlmSilent) as silence:
                    late = self._cut(silence, _FELL_SILENT)
        if late:
            for last in late:
                yield last
            return
        for held in self._end_call(reply, done):
            self._has_begun = self._has_begun or self._shows(held)
            yield held
        if lacks_opening_tag(self.text):
            yield AnswerWarning(_REASONING_AS_TEXT)
        if done.note:
            yield AnswerWarning(done.note)
        clients = [call for index, call in reply.calls.items() if index in reply.places]
        invented = [call for call in reply.calls.values() if self._is_invented(call.name)]
        if not clients:
            runnable = [call for call in reply.calls.values() if call.name in internal]
            if corrects and invented and not (runnable or self.text or self.corrected):
                self.corrected = True
                runnable = list(reply.calls.values())
            self._requested = runnable
            if reply.calls and not (runnable or self.text):
                raise LlmBroke(
                    "The LLM keeps calling tools that it was not offered.",
                    reason="a call of a tool that was not offered",
                    public="The language model goes on calling tools that it was not offered.",
                )
        if invented and not self._requested:
            for name in dict.fromkeys(call.name for call in invented if not call.name.startswith(TOOL_PREFIX)):
                yield AnswerWarning(_CALL_DROPPED.format(name[:LONGEST_TOOL_NAME]))
        if done.finish_reason in ("stop", "tool_calls"):
            for call in clients:
                if not _is_json(call.arguments):
                    yield AnswerWarning(_NO_JSON.format(call.name))

    def _record(self, reply: _Reply, event: LlmEvent) -> Event | None:
        """Record an event, and return the event that the client is to see, if any."""
        match event:
            case TextDelta(text, is_refusal=True):
                self.refused = True
                return TextChunk(text, is_refusal=True)
            case TextDelta(text, logprobs):
                reply.text_chunks.append(text)
                return TextChunk(text, logprobs)
            case ReasoningDelta(text):
                return ReasoningChunk(text)
            case ToolCallDelta():
                call = reply.calls.setdefault(event.index, _RequestedCall(event.id or "", event.name or ""))
                call.pieces.append(event.arguments)
                if call.name in self._offered:
                    place = reply.places.setdefault(event.index, len(reply.places))
                    return ToolCallChunk(place, event.arguments, event.id, event.name)
        return None

    def _end_call(self, reply: _Reply, done: Done) -> Sequence[Event]:
        """Take over the counts and the text of a call that has ended, and return the events that waited for its
        end."""
        self._reply = None
        self.text = "".join(reply.text_chunks)
        if done.finish_reason in ("length", "content_filter"):
            self.finish_reason = done.finish_reason
        else:
            self.finish_reason = "tool_calls" if reply.places else "stop"
        # If the LLM's server reports no token counts, the tokens are estimated here.
        prompt, completion = done.prompt_tokens, done.completion_tokens
        if prompt is None:
            prompt = estimate_tokens(*map(_text_of, self.messages))
        if completion is None:
            completion = estimate_tokens("".join(reply.written))
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.inquiry.call.admission.count_call(prompt, completion)
        if done.reasoning_tokens is not None:
            self.reasoning_tokens = (self.reasoning_tokens or 0) + done.reasoning_tokens
        if not (self._holds and lacks_opening_tag(self.text)):
            return reply.held
        # The beginning of the reasoning is marked in the prompt alone.
        reasoning, _, self.text = self.text.partition(CLOSE)
        self.text = self.text.lstrip()
        others = [event for event in reply.held if not isinstance(event, TextChunk) or event.is_refusal]
        return [ReasoningChunk(reasoning.lstrip()), *([TextChunk(self.text)] if self.text else []), *others]

    @cached_property
    def _offered(self) -> frozenset[str]:
        """Names of the client's tools that the LLM may call."""
        tools = () if self.inquiry.request.tool_choice == "none" else self.inquiry.request.tools or ()
        return frozenset(tool.function.name for tool in tools) - self.internal.keys()

    def _is_invented(self, name: str) -> bool:
        return name not in self._offered and name not in self.internal

    def _llm_call(self, internal: Mapping[str, InternalTool]) -> LlmCall:
        request = self.inquiry.request
        silenced = request.tool_choice == "none"
        tools = [] if silenced else [tool.model_dump(exclude_unset=True) for tool in request.tools or ()]
        choice: Any = None if silenced else request.tool_choice
        if choice == "auto" and not tools:
            # Without tools the value would have no effect, and servers refuse it.
            choice = None
        if not isinstance(choice, str | None):
            choice = choice.model_dump()
        return LlmCall(
            self.messages,
            tools=[*tools, *(tool.definition for tool in internal.values())],
            tool_choice=choice,
            response_format=self.response_format,
            options=llm_options(request, with_tools=bool(tools)),
            thinks=request.shows_reasoning,
            is_the_clients=True,
        )

    async def _run(self, requested: Sequence[_RequestedCall]) -> tuple[Entry, ...]:
        """Run the requested tasks side by side, up to the limits, and add their results to the messages."""
        limit = min(TASKS_PER_ROUND, TASKS_PER_REQUEST - self.ran)
        runnable = [(self.internal[call.name], call) for call in requested if call.name in self.internal]
        requests = [
            (tool.task, partial(tool.request, call.arguments, self.inquiry.turn)) for tool, call in runnable[:limit]
        ]
        results = await self.specialists.run_calls(requests, at_most=TASKS_AT_ONCE)
        self.ran += len(results)
        self.messages.append(
            {"role": "assistant", "content": self.text or None, "tool_calls": [call.message() for call in requested]}
        )
        texts = await self.shorten(results, [_text_of(message) for message in self.messages]) if results else []
        shown = iter(fence_results(enumerate(results, len(self.entries)), texts, self.fence))
        self.entries += results
        refused = NOT_RUN.format(per_round=TASKS_PER_ROUND, per_request=TASKS_PER_REQUEST)
        names = ", ".join([*sorted(self._offered), *self.internal]) or "none"
        for call in requested:
            result = next(shown, refused) if call.name in self.internal else NO_SUCH_TOOL.format(names=names)
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return results


def llm_options(request: ChatRequest, *, with_tools: bool) -> dict[str, Any]:
    """Return the LLM's parameters that the client set, under OpenAI's names."""
    given = {**request.model_dump(include=set(LLM_OPTIONS), exclude_none=True), **(request.model_extra or {})}
    options = {name: given[name] for name in LLM_OPTIONS if given.get(name) is not None}
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None:
        options["max_tokens"] = limit
    if request.reasoning_effort in EFFORTS:
        options["reasoning_effort"] = EFFORTS[request.reasoning_effort]
    if with_tools and request.parallel_tool_calls is not None:
        options["parallel_tool_calls"] = request.parallel_tool_calls
    return options


def _is_json(arguments: str) -> bool:
    try:
        from_json(arguments or "{}")
    except ValueError:
        return False
    return True


def _text_of(message: LlmMessage) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return str(content or "")
