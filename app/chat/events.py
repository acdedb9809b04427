"""What a request produces, in order. Answers, streams and replays are all made from these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.wire.response import FinishReason
from tasks.result import Failure, Result


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is. Never part of an answer."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one task answered."""

    name: str
    """As clients see it in `precontext`."""
    result: Result

    @property
    def error(self) -> str | None:
        """Why the task failed, where it did."""
        return self.result.message if isinstance(self.result, Failure) else None


@dataclass(frozen=True, slots=True)
class Precontext:
    """What the tasks of the full model found, before the answer."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Reasoning:
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str
    logprobs: Any = None
    """Of this piece, as the LLM gives them, where the client asked for them."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a call of the client's tool: `id` and `name` in the first piece of each `index`."""

    index: int
    arguments: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where each field of a structured answer comes from, by JSON pointer, and the fields that nothing supports."""

    fields: Mapping[str, Any]
    unsupported: Sequence[str]


@dataclass(frozen=True, slots=True)
class Warned:
    """A sentence that the caller should know beside the answer, which stands nonetheless."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Always the last event. Token counts are of the whole request."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int | None = None


Event = Progress | Precontext | Reasoning | Text | ToolCall | Evidence | Warned | Finish
