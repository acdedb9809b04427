"""Planned tasks run side by side, each as soon as what it depends on is there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from app.chat.plan import Plan, Step
from app.errors import is_expected, to_api_error
from app.wire.response import PrecontextEntry
from models.base import EngineUnavailable
from tasks.base import PRECONTEXT_NAMES, Progress, Task, TaskRequest, as_it_is
from tasks.errors import InputError

TEXT_OF = {
    "ocr": "extracted_text",
    "speech_to_text": "text",
    "scraper": "text",
    "translate": "translated_text",
}
"""Where a task's result has the text that a step after it works on."""

log = structlog.get_logger(__name__)


async def gather(
    plan: Plan, find_task: Callable[[str], Task], progress: Progress, redact: Callable[[str], str] = as_it_is
) -> tuple[PrecontextEntry, ...]:
    """An entry for each step, in the plan's order. `redact` is a TaskRequest's, and for what one step has from another.

    A step that fails has its error in its entry. Its failure is raised only when the request is about nothing else,
    or when none of the inputs can be read; a missing engine's never, for then the LLM does what it can by itself.
    Cancelling it cancels every step.
    """
    if not plan.steps:
        return ()
    running: list[asyncio.Task[Any]] = []
    for step in plan.steps:
        before = [(plan.steps[index], running[index]) for index in step.after]
        running.append(asyncio.create_task(_run(step, before, find_task, progress, redact)))
    try:
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    finally:
        for work in running:
            work.cancel()
        await asyncio.wait(running)
    failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    unreadable = len(failures) == len(outcomes) and all(map(_is_unreadable, failures))
    if failures and (plan.about_only or unreadable) and not isinstance(failures[0], EngineUnavailable):
        raise failures[0]
    return tuple(entry(step.task, outcome) for step, outcome in zip(plan.steps, outcomes, strict=True))


def _is_unreadable(failure: BaseException) -> bool:
    """A video without sound can still be looked at."""
    return isinstance(failure, InputError) and failure.code != "no_audio"


def entry(task: str, outcome: Any) -> PrecontextEntry:
    """A result, or the exception in its place, as clients see it."""
    name = PRECONTEXT_NAMES.get(task, task)
    if not isinstance(outcome, BaseException):
        return PrecontextEntry(name=name, result=outcome)
    if not is_expected(outcome):
        log.error("planned_task_failed", task=task, exc_info=outcome)
    return PrecontextEntry(name=name, error=to_api_error(outcome).message)


async def _run(
    step: Step,
    before: Sequence[tuple[Step, "asyncio.Task[Any]"]],
    find_task: Callable[[str], Task],
    progress: Progress,
    redact: Callable[[str], str],
) -> Any:
    """The step's result; what a step before it failed with, it fails with too."""
    texts = [step.text]
    for earlier, work in before:
        result: Mapping[str, Any] = await work
        texts.append(await asyncio.to_thread(redact, str(result[TEXT_OF[earlier.task]])))
    request = TaskRequest("\n\n".join(text for text in texts if text), step.sources, progress, redact)
    return await find_task(step.task).run(request)
