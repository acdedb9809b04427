"""The results of a request's tasks by name, and the evidence for its answer's fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.result import Failure, Result

REQUEST = "request"
"""Name of the user's own text in evidence."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Entry:
    """The result of one task, or the user's own text, under its name."""

    name: str
    """The name that clients see in `precontext`."""
    result: Result[Any]

    @property
    def error(self) -> str | None:
        """The message of the task's failure, if the task failed."""
        return self.result.message if isinstance(self.result, Failure) else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The source of each field of a structured answer, by JSON pointer, and the fields that nothing supports."""

    fields: Mapping[str, Any]
    unsupported: Sequence[str]
    explanation: Mapping[str, Any] | None = None
    """Why one field has its value (`tasks.extraction.explain`); present only on request."""
