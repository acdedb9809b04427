"""What the tasks of one request give to its answer: their results by name, and where the answer's fields come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.result import Failure, Result

REQUEST = "request"
"""The name, in evidence, of what the user says himself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The result of one task, or of the user's own text, under its name."""

    name: str
    """As clients see it in `precontext`."""
    result: Result[Any]

    @property
    def error(self) -> str | None:
        """Why the task failed, where it did."""
        return self.result.message if isinstance(self.result, Failure) else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where each field of a structured answer comes from, by JSON pointer, and the fields that nothing supports."""

    fields: Mapping[str, Any]
    unsupported: Sequence[str]
