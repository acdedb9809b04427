"""Encodes the events of an answer as one completion, or as the chunks of a stream."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal

import pydantic_core

from app.errors import ApiError
from app.events import (
    AnswerWarning,
    Event,
    Finish,
    FinishReason,
    Precontext,
    Progress,
    ReasoningChunk,
    TextChunk,
    ToolCallChunk,
)
from app.runnable_commands import adapt_for_client
from app.wire import response
from app.wire.response import (
    DONE,
    ChatCompletion,
    ChatCompletionChunk,
    ChunkChoice,
    CompletionUsage,
    Delta,
    encode_error,
    encode_model,
    encode_progress,
)
from tasks.precontext import Entry, Evidence

_NO_CONTENT = b'"content":""'
"""The empty content in the JSON of a chunk. These bytes cannot occur inside a JSON string, where quotes are escaped."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Fields that are the same in every chunk and in the completion."""

    id: str
    created: int
    """Unix time in seconds."""
    model: str
    """Name of the model as the client wrote it."""


@dataclass(frozen=True, slots=True)
class ChunkOptions:
    include_usage: bool = False
    show_precontext: bool = False
    show_progress: bool = False
    show_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class _CallInPieces:
    """A call of a tool, while its pieces arrive."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)

    def whole(self) -> response.CompletionToolCall:
        function = response.CompletionFunctionCall(name=self.name, arguments="".join(self.pieces))
        return response.CompletionToolCall(id=self.id, function=function)


def usage_of(finish: Finish) -> CompletionUsage:
    reasoning_tokens = finish.reasoning_tokens
    return CompletionUsage(
        prompt_tokens=finish.prompt_tokens,
        completion_tokens=finish.completion_tokens,
        total_tokens=finish.prompt_tokens + finish.completion_tokens,
        completion_tokens_details=None
        if reasoning_tokens is None
        else response.TokensDetails(reasoning_tokens=reasoning_tokens),
    )


async def completion(
    events: AsyncGenerator[Event, None],
    envelope: Envelope,
    *,
    show_reasoning: bool = False,
    report: Callable[[Progress], Awaitable[None]] | None = None,
) -> ChatCompletion:
    """Return all events as one completion. `report` is called with each event of progress."""
    precontext: list[response.PrecontextEntry] = []
    reasoning: list[str] = []
    text: list[str] = []
    refusal: list[str] = []
    logprobs: list[Any] = []
    evidence: Evidence | None = None
    warnings: dict[str, None] = {}
    calls: dict[int, _CallInPieces] = {}
    finish: Finish | None = None
    async with aclosing(events):
        async for event in events:
            match event:
                case Precontext(entries):
                    precontext += map(_wire_entry, entries)
                case ReasoningChunk(piece):
                    reasoning.append(piece)
                case TextChunk(piece, is_refusal=True):
                    refusal.append(piece)
                case TextChunk(piece, piece_logprobs):
                    text.append(piece)
                    logprobs += (piece_logprobs or {}).get("content") or []
                case ToolCallChunk(index, arguments, id_, name):
                    calls.setdefault(index, _CallInPieces(id_ or "", name or "")).pieces.append(arguments)
                case Evidence():
                    evidence = event
                case AnswerWarning(warning):
                    warnings[adapt_for_client(warning)] = None
                case Finish():
                    finish = event
                case Progress():
                    if report is not None:
                        await report(event)
    if finish is None:
        raise RuntimeError("the pipeline ended without a Finish event")
    # Some servers send white space before a call.
    has_content = any(map(str.strip, text)) or not (calls or refusal)
    return ChatCompletion(
        id=envelope.id,
        created=envelope.created,
        model=envelope.model,
        usage=usage_of(finish),
        vcache=finish.vcache,
        precontext=precontext or None,
        reasoning="".join(reasoning) if show_reasoning and reasoning else None,
        choices=[
            response.CompletionChoice(
                message=response.CompletionMessage(
                    content="".join(text) if has_content else None,
                    refusal="".join(refusal) or None,
                    tool_calls=[call.whole() for call in calls.values()] or None,
                ),
                logprobs={"content": logprobs, "refusal": None} if logprobs else None,
                finish_reason=finish.reason,
            )
        ],
        warnings=list(warnings) or None,
        **_evidence_fields(evidence),
    )


def _evidence_fields(evidence: Evidence | None) -> dict[str, Any]:
    if evidence is None:
        return {}
    return {
        "evidence": dict(evidence.fields),
        "unsupported": list(evidence.unsupported),
        "explanation": evidence.explanation,
    }


def _wire_entry(entry: Entry) -> response.PrecontextEntry:
    return response.PrecontextEntry(name=entry.name, result=entry.result.data, error=entry.error)


def _precontext_block(entry: Entry) -> str:
    """Return an entry's block in an answer's text.

    Nothing in the entry can end the block: in JSON, `</` occurs only in strings, where the slash may be escaped.
    """
    json = pydantic_core.to_json(_wire_entry(entry)).decode().replace("</", r"<\/")
    return f"<precontext>\n{json}\n</precontext>"


def failure(request_id: str) -> Callable[[ApiError], bytes]:
    """Return a function that encodes the end of a stream in which an error occurred."""
    return lambda error: encode_error(error.body(request_id)) + DONE


class ChunkEncoder:
    """Encodes the events of an answer as chunks of a stream. The encoder remembers whether the role was sent, and
    whether the tag `<think>` is open."""

    def __init__(self, envelope: Envelope, options: ChunkOptions) -> None:
        self._envelope = envelope
        self._options = options
        self._has_begun = False
        self._thinking = False
        self._around: tuple[bytes, bytes] | None = None
        """Bytes before and after the text of a chunk."""
        self._evidence: Evidence | None = None
        self._warnings: dict[str, None] = {}

    async def encode(self, event: Event) -> bytes:
        """Return the chunks for an event; empty if the client does not see it."""
        if isinstance(event, Precontext):
            # What specialists found may have megabytes.
            return await asyncio.to_thread(lambda: b"".join(self._chunks_of(event)))
        return b"".join(self._chunks_of(event))

    def _chunks_of(self, event: Event) -> Iterator[bytes]:
        match event:
            case Progress(stage, done, total):
                if self._options.show_progress:
                    yield encode_progress(stage, done, total)
            case Precontext(entries):
                if self._options.show_precontext:
                    yield from self._end_of_reasoning()
                    yield self._text_chunk("".join(map(_precontext_block, entries)))
            case ReasoningChunk(text):
                if self._options.show_reasoning:
                    if not self._thinking:
                        self._thinking = True
                        yield self._delta_chunk(Delta(content="<think>"))
                    yield self._text_chunk(text)
            case TextChunk(text, is_refusal=True):
                yield from self._end_of_reasoning()
                yield self._delta_chunk(Delta(refusal=text))
            case TextChunk(text, logprobs):
                yield from self._end_of_reasoning()
                if logprobs is None:
                    yield self._text_chunk(text)
                else:
                    yield self._delta_chunk(Delta(content=text), logprobs=logprobs)
            case ToolCallChunk(index, arguments, id_, name):
                yield from self._end_of_reasoning()
                function = response.FunctionDelta(name=name, arguments=arguments)
                kind: Literal["function"] | None = "function" if id_ else None
                call = response.CompletionToolCallDelta(index=index, id=id_, type=kind, function=function)
                yield self._delta_chunk(Delta(tool_calls=[call]))
            case Evidence():
                self._evidence = event
            case AnswerWarning(text):
                self._warnings[adapt_for_client(text)] = None
            case Finish():
                yield from self._end_of_reasoning()
                yield self._delta_chunk(
                    Delta(),
                    finish_reason=event.reason,
                    warnings=list(self._warnings) or None,
                    **_evidence_fields(self._evidence),
                )
                if self._options.include_usage:
                    yield self._chunk([], usage=usage_of(event), vcache=event.vcache)
                yield DONE

    def _end_of_reasoning(self) -> Iterator[bytes]:
        if self._thinking:
            self._thinking = False
            yield self._delta_chunk(Delta(content="</think>"))

    def _text_chunk(self, text: str) -> bytes:
        """Return a chunk with `text`. All chunks of text but the first of a stream have the same bytes around it."""
        is_first, around = not self._has_begun, self._around
        if around is None:
            before, content, after = self._delta_chunk(Delta(content="")).partition(_NO_CONTENT)
            around = before + content.removesuffix(b'""'), after
            self._around = None if is_first else around
        return around[0] + pydantic_core.to_json(text) + around[1]

    def _delta_chunk(
        self, delta: Delta, *, logprobs: Any = None, finish_reason: FinishReason | None = None, **others: Any
    ) -> bytes:
        """Return a chunk with this delta. The first chunk includes the role."""
        if not self._has_begun:
            delta.role = "assistant"
            self._has_begun = True
        return self._chunk([ChunkChoice(delta=delta, logprobs=logprobs, finish_reason=finish_reason)], **others)

    def _chunk(self, choices: list[ChunkChoice], **others: Any) -> bytes:
        envelope = self._envelope
        return encode_model(
            ChatCompletionChunk(
                id=envelope.id, created=envelope.created, model=envelope.model, choices=choices, **others
            )
        )
