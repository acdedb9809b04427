"""Reads the answer of an OpenAI-compatible server: chunks become an LLM's events. An answer that was not streamed is
one chunk."""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from models.language.llm import Done, LlmBroke, LlmError, LlmEvent, ReasoningDelta, TextDelta, ToolCallDelta
from models.language.openai_faults import NO_COMPLETION, ServerError, error_of
from models.language.openai_http import STREAM_END
from models.language.think_tags import ThinkTags

FINISH_REASONS: Mapping[str | None, Literal["length", "content_filter"]] = {
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
}
"""Finish reasons of servers for answers that are not whole. Every other reason is a `stop`, or a `tool_calls` if the
answer has calls: some servers report `stop` after a call."""
FAILURE_REASONS = frozenset({"error", "abort"})
"""Finish reasons with which servers mark an answer that they could not finish."""
_MOST_TOKENS = 1_000_000_000
"""No call has more tokens than this. A larger count is ignored."""
_LEFT_OUT = "The language model's answer has parts that are not text, which were left out: {types}."
_LONGEST_TYPE = 64
_CALL_START = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.){0,400}")\s*,\s*"arguments"\s*:\s*')
"""Beginning of a call that was requested as JSON, up to its arguments."""


class _ServerModel(BaseModel):
    # The model's words must not reach a log through a validation error.
    model_config = ConfigDict(hide_input_in_errors=True)


class _Function(_ServerModel):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(_ServerModel):
    index: int | None = None
    id: str | None = None
    function: _Function = _Function()


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
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    """Call of a function in the older form, from before `tool_calls`."""


class _ChunkChoice(_ServerModel):
    delta: _Message | None = None
    message: _Message | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class _Chunk(_ServerModel):
    choices: list[_ChunkChoice] | None = None
    usage: dict[str, Any] | None = None
    error: str | dict[str, Any] | None = None


class AnswerReader:
    """Reads the chunks of one answer, in order."""

    def __init__(self, *, holds: bool = False, on_written: Callable[[str], None] | None = None) -> None:
        """Create a reader. `holds` is that of ThinkTags, and `on_written` that of LlmCall."""
        self._on_written = on_written or (lambda _text: None)
        self._tags = ThinkTags(holds=holds)
        self._calls: list[_Call] = []
        self._latest_by_index: dict[int, _Call] = {}
        """The latest call with each of the server's indexes."""
        self._finish_reason: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._left_out: dict[str, None] = {}
        """Types of the content's parts that are neither text nor reasoning."""
        self.is_empty = True
        """True until a part of the answer has arrived."""
        self.failure: LlmError | None = None
        """The error that ends the answer, once a chunk shows it."""

    @property
    def lacks_opening_tag(self) -> bool:
        """True if the answer has reasoning without an opening tag."""
        return self._tags.lacks_opening_tag

    @property
    def is_whole(self) -> bool:
        """True once the server has stated how the answer ended, or that it has; counts may follow."""
        return self._finish_reason is not None

    def read(self, documents: Iterable[bytes]) -> Sequence[LlmEvent]:
        """Return the events of chunks that arrived together. If a chunk is not valid or reports an error, `failure` is
        set, and what came before it is returned."""
        events: list[LlmEvent] = []
        try:
            for document in documents:
                self._read_chunk(document, events)
        except LlmError as failure:
            self.failure = failure
        return events

    def _read_chunk(self, document: bytes, events: list[LlmEvent]) -> None:
        """Add the events of a chunk to `events`. Raises LlmBroke if the document is not a valid chunk, or the matching
        error if it reports one."""
        if document == STREAM_END:
            self._finish_reason = self._finish_reason or "stop"
            return
        try:
            chunk = _Chunk.model_validate_json(document)
        except ValidationError as error:
            raise LlmBroke(
                f"The LLM server sent {len(document)} bytes that are not a chunk: {error}",
                reason="an invalid chunk",
                public=NO_COMPLETION if self.is_empty else None,
            ) from None
        if chunk.error is not None:
            complaint = ServerError.of(chunk.error)
            raise error_of(complaint.status or 500, complaint)
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or ():
            self.is_empty = False
            if (message := choice.delta or choice.message) is not None:
                self._read_message(message, choice.logprobs, events)
            self._finish_reason = choice.finish_reason or self._finish_reason

    def close(self) -> list[LlmEvent]:
        """Return the text that was held back, then Done. Raises LlmBroke if the server reported a failure, or sent no
        whole answer."""
        if self.is_empty:
            raise LlmBroke("The LLM server's answer is empty.", reason="an empty answer", public=NO_COMPLETION)
        if not self.is_whole:
            raise LlmBroke("The LLM server's answer ended halfway.", reason="an answer that ended halfway")
        if self._finish_reason in FAILURE_REASONS:
            raise LlmBroke(f"The LLM server ended its answer with '{self._finish_reason}'.")
        reason = FINISH_REASONS.get(self._finish_reason) or ("tool_calls" if self._calls else "stop")
        details = self._usage.get("completion_tokens_details") or {}
        done = Done(
            reason,
            _count(self._usage.get("prompt_tokens")),
            _count(self._usage.get("completion_tokens")),
            _count(details.get("reasoning_tokens")),
        )
        if self._left_out:
            done = done.noting(_LEFT_OUT.format(types=", ".join(self._left_out)))
        # A function without parameters may be called without arguments. Clients parse them as JSON.
        is_complete = reason in ("stop", "tool_calls")
        empty = [call for call in self._calls if call.is_empty and is_complete]
        # White space that was held back for a tag does not count as text beside a call.
        held = [one for one in self._tags.close() if one.text.strip() or not self._calls]
        return [*held, *(ToolCallDelta(call.index, "{}") for call in empty), done]

    def _read_message(self, message: _Message, logprobs: Any, events: list[LlmEvent]) -> None:
        if reasoning := message.reasoning_content or message.reasoning:
            self._read_reasoning(reasoning, events)
        text = message.content
        if isinstance(text, list):
            text = self._read_parts(text, events)
        if text or logprobs:
            self._on_written(text or "")
            events += self._tags.feed(TextDelta(text or "", logprobs))
        if message.refusal:
            self._on_written(message.refusal)
            events.append(TextDelta(message.refusal, is_refusal=True))
        calls = [*(message.tool_calls or ())]
        if message.function_call is not None:
            calls.append(_ToolCall(index=0, function=message.function_call))
        if calls:
            events += self._tags.skip()
        for piece in calls:
            events += self._read_call(piece)

    def _read_reasoning(self, reasoning: str, events: list[LlmEvent]) -> None:
        self._on_written(reasoning)
        events += self._tags.skip()
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
        arguments = piece.function.arguments or ""
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        self._on_written(arguments)
        # Some servers leave the index out, or give every call the index 0; in their streams, a new id begins a new
        # call, unless the piece has no name.
        if piece.index is None:
            call = self._calls[-1] if self._calls else None
        else:
            call = self._latest_by_index.get(piece.index)
        if call and (not piece.id or piece.id == call.id or not piece.function.name):
            call.is_empty = call.is_empty and not arguments.strip()
            return [ToolCallDelta(call.index, arguments)] if arguments else []
        call = _Call(len(self._calls), piece.id or f"call_{secrets.token_hex(12)}", not arguments.strip())
        self._calls.append(call)
        self._latest_by_index[call.index if piece.index is None else piece.index] = call
        return [ToolCallDelta(call.index, arguments, call.id, piece.function.name or "")]


@dataclass(slots=True)
class _Call:
    index: int
    id: str
    is_empty: bool
    """True as long as the arguments are only white space."""


def _count(value: object) -> int | None:
    """Return a number of tokens. It decides what a client pays, so any other value counts as missing."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS
    return value if is_count else None  # type: ignore[return-value]


def call_in(text: str, *, is_whole: bool) -> Sequence[ToolCallDelta]:
    """Return the call that `text` has as `{"name": …, "arguments": {…}}`. The arguments of a text that is not whole end
    where it ends. Raises LlmBroke if a whole text is not a call."""
    start = _CALL_START.match(text)
    try:
        if is_whole:
            json.loads(text, strict=False)
        name = json.loads(start[1], strict=False) if start else None
    except ValueError:
        name = None
    if start is None or name is None:
        if is_whole:
            raise LlmBroke("The LLM did not make the call that was required.", reason="no call")
        return []
    arguments = text[start.end() :]
    if is_whole:
        arguments = arguments.rstrip().removesuffix("}").rstrip()
    return [ToolCallDelta(0, arguments, f"call_{secrets.token_hex(12)}", name)]
