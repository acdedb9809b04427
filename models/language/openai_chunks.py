"""Converts the chunks of an OpenAI-compatible stream into an LLM's events. An answer that was not streamed is one
chunk."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from models.language.llm import Done, LlmBroke, LlmError, LlmEvent, ReasoningDelta, TextDelta, ToolCallDelta
from models.language.openai_faults import NO_COMPLETION, ServerError, error_of
from models.language.think_tags import ThinkTags

CUT_REASONS = frozenset({"length", "max_tokens", "model_length"})
"""Finish reasons with which servers mark an answer that was cut at its limit."""

FILTERED = "content_filter"
"""Finish reason of an answer that a filter of the server ended."""

FAILURE_REASONS = frozenset({"error", "abort"})
"""Finish reasons with which servers mark an answer that they could not finish."""

MOST_CALLS = 512
"""An answer may contain at most this many calls of functions."""
_MOST_TOKENS = 1_000_000_000
"""No call has more tokens than this. A larger count is ignored."""
_LEFT_OUT = "The language model's answer has parts that are not text, which were left out: {types}."
_LONGEST_TYPE = 64
_MOST_CHOICES = 16
"""A chunk has at most this many choices. openfaze asks for one."""


class _ServerModel(BaseModel):
    # The model's words must not reach a log through a validation error.
    model_config = ConfigDict(hide_input_in_errors=True)


class _Function(_ServerModel):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(_ServerModel):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _ContentPart(_ServerModel):
    """A part of a message's content, as Mistral's servers send it."""

    type: str = "text"
    text: str | None = None
    thinking: "str | list[_ContentPart] | None" = None

    def reasoning(self) -> str:
        parts = self.thinking or ""
        return parts if isinstance(parts, str) else "".join(part.text or "" for part in parts)


class _Message(_ServerModel):
    """A delta of a stream, or the message of a whole answer."""

    content: str | list[_ContentPart] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: Annotated[list[_ToolCall], Field(max_length=MOST_CALLS)] | None = None
    function_call: _Function | None = None
    """Call of a function in the older form, from before `tool_calls`."""


class _ChunkChoice(_ServerModel):
    delta: _Message | None = None
    message: _Message | None = None
    finish_reason: str | None = None
    logprobs: Any = None


def _none_if_invalid(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


_Count = Annotated[
    Annotated[int, Field(ge=0, le=_MOST_TOKENS)] | None,
    WrapValidator(_none_if_invalid),
]
"""Number of tokens. It decides what a client pays, so a value that cannot be a number of tokens counts as missing."""


class _CompletionDetails(_ServerModel):
    reasoning_tokens: _Count = None


class _Usage(_ServerModel):
    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    completion_tokens_details: _CompletionDetails | None = None


class _Chunk(_ServerModel):
    choices: Annotated[list[_ChunkChoice], Field(max_length=_MOST_CHOICES)] | None = None
    usage: _Usage | None = None
    error: str | dict[str, Any] | None = None


class ChunkReader:
    """Reads the chunks of one answer, in order."""

    def __init__(
        self, *, joins: bool = False, holds: bool = False, on_written: Callable[[str], None] | None = None
    ) -> None:
        """Create a reader. If `joins`, adjacent deltas of text, or of reasoning, in chunks that arrive together are
        merged into one event, because each event has a cost. `holds` is that of ThinkTags, and `on_written` that of
        LlmCall."""
        self._joins = joins
        self._on_written = on_written or _ignore
        self._thinking = ThinkTags(holds=holds)
        self._calls: list[_Call] = []
        self._latest_by_index: dict[int, _Call] = {}
        """The latest call with each of the server's indexes."""
        self._finish_reason: str | None = None
        self._usage = _Usage()
        self._left_out: dict[str, None] = {}
        """Types of the content's parts that are neither text nor reasoning."""
        self.is_empty = True
        """True until a part of the answer has arrived."""

    @property
    def lacks_opening_tag(self) -> bool:
        """True if the answer has reasoning without an opening tag."""
        return self._thinking.lacks_opening_tag

    @property
    def is_whole(self) -> bool:
        """True once the server has stated how the answer ended; counts may follow."""
        return self._finish_reason is not None

    def read(self, documents: Iterable[bytes]) -> Iterator[LlmEvent]:
        """Yield the events of chunks that arrive together. Raises LlmBroke if a document is not a valid chunk, or the
        matching error if a chunk reports one."""
        events: list[LlmEvent] = []
        try:
            for document in documents:
                events += self._read(document)
        except LlmError:
            yield from self._joined_if_wanted(events)
            raise
        yield from self._joined_if_wanted(events)

    def _joined_if_wanted(self, events: list[LlmEvent]) -> Iterable[LlmEvent]:
        return _joined_texts(events) if self._joins else events

    def _read(self, data: bytes) -> list[LlmEvent]:
        try:
            chunk = _Chunk.model_validate_json(data)
        except ValidationError as error:
            raise LlmBroke(
                f"The LLM server sent {len(data)} bytes that are not a chunk: {error}",
                reason="an invalid chunk",
                public=NO_COMPLETION if self.is_empty else None,
            ) from None
        if chunk.error is not None:
            complaint = ServerError.of(chunk.error)
            raise error_of(complaint.status or 500, complaint)
        if chunk.usage is not None:
            self._usage = chunk.usage
        events: list[LlmEvent] = []
        for choice in chunk.choices or ():
            self.is_empty = False
            if (message := choice.delta or choice.message) is not None:
                self._read_message(message, choice.logprobs, events)
            self._finish_reason = choice.finish_reason or self._finish_reason
        return events

    def close(self) -> list[LlmEvent]:
        """Return the text that was held back, then Done. Raises LlmBroke if the server reported a failure, or sent no
        answer."""
        if self.is_empty:
            raise LlmBroke("The LLM server's answer is empty.", reason="an empty answer", public=NO_COMPLETION)
        if self._finish_reason in FAILURE_REASONS:
            raise LlmBroke(f"The LLM server ended its answer with '{self._finish_reason}'.")
        details = self._usage.completion_tokens_details or _CompletionDetails()
        done = Done(
            self._public_finish_reason(),
            self._usage.prompt_tokens,
            self._usage.completion_tokens,
            details.reasoning_tokens,
        )
        if self._left_out:
            done = done.noting(_LEFT_OUT.format(types=", ".join(self._left_out)))
        # A function without parameters may be called without arguments. Clients parse them as JSON.
        is_complete = done.finish_reason in ("stop", "tool_calls")
        empty = [call for call in self._calls if call.announced and call.is_empty and is_complete]
        # White space that was held back for a tag does not count as text beside a call.
        held = [one for one in self._thinking.close() if one.text.strip() or not self._calls]
        return [*held, *(ToolCallDelta(call.index, "{}") for call in empty), done]

    def _public_finish_reason(self) -> Literal["stop", "length", "tool_calls", "content_filter"]:
        if self._finish_reason in CUT_REASONS:
            return "length"
        if self._finish_reason == FILTERED:
            return "content_filter"
        # Some servers report `stop` after a call, above all after a forced call.
        return "tool_calls" if self._calls else "stop"

    def _read_message(self, message: _Message, logprobs: Any, events: list[LlmEvent]) -> None:
        if reasoning := message.reasoning_content or message.reasoning:
            self._read_reasoning(reasoning, events)
        text = message.content
        if isinstance(text, list):
            text = self._read_parts(text, events)
        if text or logprobs:
            self._on_written(text or "")
            events += self._thinking.feed(text or "", logprobs)
        if message.refusal:
            self._on_written(message.refusal)
            events.append(TextDelta(message.refusal, is_refusal=True))
        if message.function_call is not None or message.tool_calls:
            events += self._thinking.skip()
        if message.function_call is not None:
            events += self._read_call(_ToolCall(index=0, function=message.function_call))
        for piece in message.tool_calls or ():
            events += self._read_call(piece)

    def _read_reasoning(self, reasoning: str, events: list[LlmEvent]) -> None:
        self._on_written(reasoning)
        events += self._thinking.skip()
        events.append(ReasoningDelta(reasoning))

    def _read_parts(self, parts: Iterable[_ContentPart], events: list[LlmEvent]) -> str:
        """Add the reasoning in the parts of a content to `events`, and return their text."""
        texts = []
        for part in parts:
            if reasoning := part.reasoning():
                self._read_reasoning(reasoning, events)
            elif part.text is not None:
                texts.append(part.text)
            elif part.type not in ("text", "thinking"):
                self._left_out[part.type[:_LONGEST_TYPE]] = None
        return "".join(texts)

    def _read_call(self, piece: _ToolCall) -> list[ToolCallDelta]:
        function = piece.function or _Function()
        arguments = function.arguments or ""
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        self._on_written(arguments)
        return self._call_of(piece).feed(arguments, function.name)

    def _call_of(self, piece: _ToolCall) -> "_Call":
        """Return the call that `piece` belongs to, according to its index. Some servers leave the index out, or give
        every call the index 0; in their streams, a new id begins a new call, unless the piece has no name. Raises
        LlmBroke if there are too many calls."""
        if piece.index is None:
            latest = self._calls[-1] if self._calls else None
        else:
            latest = self._latest_by_index.get(piece.index)
        if latest and (not piece.id or piece.id == latest.id or not _has_name(piece)):
            return latest
        if len(self._calls) == MOST_CALLS:
            raise LlmBroke(f"The LLM calls more than {MOST_CALLS} functions in one answer.", reason="too many calls")
        call = _Call(len(self._calls), piece.id or f"call_{secrets.token_hex(12)}")
        self._calls.append(call)
        self._latest_by_index[call.index if piece.index is None else piece.index] = call
        return call


def _joined_texts(events: Iterable[LlmEvent]) -> Iterator[LlmEvent]:
    for kind, run in groupby(events, _joined_type):
        if kind is None:
            yield from run
        else:
            # The run holds only events of this type; the condition tells the type checker so.
            yield kind("".join(piece.text for piece in run if isinstance(piece, kind)))


def _joined_type(event: LlmEvent) -> type[TextDelta | ReasoningDelta] | None:
    """Return the type of the event into which `event` and its neighbours of the same type are joined. Return None if
    `event` is not text, or has its own probabilities and must stay separate."""
    match event:
        case TextDelta(logprobs=None, is_refusal=False) | ReasoningDelta():
            return type(event)
    return None


def _has_name(piece: _ToolCall) -> bool:
    return piece.function is not None and bool(piece.function.name)


@dataclass(slots=True)
class _Call:
    index: int
    id: str
    announced: bool = False
    held: list[str] = field(default_factory=list)
    """Arguments that arrived before the name of the function."""
    is_empty: bool = True
    """True as long as the arguments are only white space."""

    def feed(self, arguments: str, name: str | None) -> list[ToolCallDelta]:
        self.is_empty = self.is_empty and not arguments.strip()
        if self.announced:
            return [ToolCallDelta(self.index, arguments)] if arguments else []
        self.held.append(arguments)
        if not name:
            return []
        self.announced = True
        return [ToolCallDelta(self.index, "".join(self.held), self.id, name)]


def _ignore(_text: str) -> None:
    pass
