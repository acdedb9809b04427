"""The events of an answer: what the pipeline yields, the cache keeps and encoders turn into bytes."""

from dataclasses import dataclass
from typing import Any, Literal

from tasks.precontext import Entry, Evidence

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of the work. It is never part of an answer."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Precontext:
    """Results of tasks of the full model, before the answer."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class ReasoningChunk:
    """A chunk of what a model that reasons writes before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A chunk of the answer's text."""

    text: str
    logprobs: Any = None
    """The log probabilities of this chunk as the LLM gives them, where the client asked for them."""


@dataclass(frozen=True, slots=True)
class ToolCallChunk:
    """A chunk of a call of the client's tool: the first chunk of each `index` has `id` and `name`."""

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
    """The last event. Token counts are those of the whole request."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None
    may_be_kept: bool = True
    """False where something is withheld, so that nobody else may get this answer."""
    vcache: bool = False
    """The answer is that of an earlier request."""


Event = Progress | Precontext | ReasoningChunk | TextChunk | ToolCallChunk | Evidence | AnswerWarning | Finish
