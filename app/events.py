"""The events of an answer: what the pipeline yields, the cache keeps and encoders turn into bytes."""

from dataclasses import dataclass
from typing import Any, Literal

from tasks.precontext import Entry, Evidence

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is. Never part of an answer."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Precontext:
    """What the tasks of the full model found, before the answer."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    text: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of the answer."""

    text: str
    logprobs: Any = None
    """This piece's, as the LLM gives them, where the client asked for them."""


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """A piece of a call of the client's tool: `id` and `name` in the first piece of each `index`."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """A sentence that the caller should know beside the answer, which stands nonetheless."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Always the last event. Token counts are of the whole request."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None
    may_be_kept: bool = True
    """False where nobody else is to be answered so: it withholds something."""
    vcache: bool = False
    """Whether it is the answer to an earlier request."""


Event = Progress | Precontext | ReasoningChunk | TextChunk | ToolCallChunk | Evidence | AnswerWarning | Finish
