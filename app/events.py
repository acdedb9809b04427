"""Events of an answer. The pipeline yields them, the cache stores them, and encoders turn them into bytes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, cast

from tasks.precontext import Entry, Evidence

PIECE = 64 * 1024
"""At most this many characters of text are joined in one event, so that encoding an event takes less than a
millisecond."""

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the work. It is never a part of an answer."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Precontext:
    """Results of tasks, sent before the answer of the full model."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    """Chunk of the reasoning that a model writes before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Chunk of the answer's text."""

    text: str
    logprobs: Any = None
    """Log probabilities of this chunk in the LLM's form, if the client requested them."""
    is_refusal: bool = False
    """True if the LLM says here why it does not answer. The answer's content does not include this text."""


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """Chunk of a call of the client's tool. The first chunk of each `index` has `id` and `name`."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """Warning for the caller, sent with an answer that remains valid."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Last event of an answer, with the token counts of the whole request."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None
    may_be_kept: bool = True
    """False if something was withheld, so no other request may receive this answer."""
    vcache: bool = False
    """True if the answer was made for an earlier request. The name is that of the field in responses."""


Event = Progress | Precontext | ReasoningChunk | TextChunk | ToolCallChunk | Evidence | AnswerWarning | Finish


def text_chunks(text: str) -> Iterator[TextChunk]:
    """Yield `text` in chunks of at most PIECE characters. There is at least one."""
    yield from map(TextChunk, _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, max(1, len(text)), PIECE):
        yield text[start : start + PIECE]


def joined(events: Iterable[Event]) -> Iterator[Event]:
    """Yield all events, with the texts of adjacent chunks of one kind joined to chunks of PIECE characters. Chunks with
    log probabilities are not joined."""
    for kind, group in groupby(events, _joined_kind):
        if kind is None:
            yield from group
        else:
            chunks = cast("Iterator[TextChunk | ReasoningChunk]", group)
            yield from map(kind, _pieces("".join(chunk.text for chunk in chunks)))


def _joined_kind(event: Event) -> type[TextChunk] | type[ReasoningChunk] | None:
    if isinstance(event, TextChunk) and event.logprobs is None and not event.is_refusal:
        return TextChunk
    return ReasoningChunk if isinstance(event, ReasoningChunk) else None
