"""Requests of tasks, with the options that a user's words ask for."""

from collections.abc import Sequence
from typing import Any

from tasks.base import Progress, Redact, TaskRequest, unredacted, unreported
from tasks.catalog import SPECIALISTS
from tasks.inputs.source import Source


def request_of(
    task: str,
    words: str,
    sources: Sequence[Source] = (),
    progress: Progress = unreported,
    redact: Redact = unredacted,
    **given: Any,
) -> TaskRequest[Any]:
    """Return the request of `task` for a user's words and the `given` options, which prevail over the words."""
    options = SPECIALISTS[task].options_of(words, given, has_sources=bool(sources))
    return TaskRequest(options, tuple(sources), progress, redact)
