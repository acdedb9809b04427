"""Runs the steps of a plan side by side, each as soon as the results that it needs are available."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.chat.context.trim import assemble
from app.chat.plan import Plan, Step
from app.errors import report_error
from models.base import EngineUnavailable
from models.concurrency import call_off
from tasks.base import Progress, Redact, Task, TaskRequest, unredacted
from tasks.catalog import PRECONTEXT_NAMES
from tasks.errors import InputError
from tasks.precontext import Entry
from tasks.result import Failure, Result
from tasks.wording.page_range import PLAIN, Form


async def execute_plan(
    plan: Plan,
    find_task: Callable[[str], Task],
    progress: Progress,
    redact: Redact = unredacted,
    *,
    form: Form = PLAIN,
    is_all: bool = False,
) -> tuple[Entry, ...]:
    """Run the steps of `plan`, and return an entry for each step, in the plan's order.

    `redact` and `form` are passed to the tasks. `redact` is also applied to texts passed from one step to another.

    The entry of a failed step contains the error. The first failure is raised only if the request asks for nothing but
    the last step's result, or if no input can be read. Even then, EngineUnavailable is not raised, because the LLM can
    still answer by itself. A link of the text that cannot be read never fails the request, because the text may only
    mention it.

    `is_all` means that the LLM can do nothing by itself. The failure of a requested task is then also raised if the
    task failed on every input. An exception is the translation of a transcript, or of a text that the request also asks
    for, because the original text is an answer, too.

    Cancelling the call cancels every step.
    """
    if not plan.steps:
        return ()
    running: list[asyncio.Task[Result[Any]]] = []
    for step in plan.steps:
        earlier_steps = [(plan.steps[index], running[index]) for index in step.after]
        running.append(asyncio.create_task(_run_step(step, earlier_steps, find_task, progress, redact, form)))
    try:
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    finally:
        await call_off(*running)
    links = _unread_links(plan, outcomes)
    required = [index for index in range(len(outcomes)) if index not in links]
    failures = [outcome for index in required if isinstance(outcome := outcomes[index], BaseException)]
    unreadable = len(failures) == len(required) and all(
        isinstance(failure, InputError) and not _is_silence(failure) for failure in failures
    )
    if failures and (plan.last_result_only or unreadable) and not isinstance(failures[0], EngineUnavailable):
        raise failures[0]
    if is_all and (failure := _failure_of_needed(plan, outcomes, links)) is not None:
        raise failure
    return tuple(
        as_entry(step.task, outcome, links.get(index))
        for index, (step, outcome) in enumerate(zip(plan.steps, outcomes, strict=True))
    )


def _unread_links(plan: Plan, outcomes: Sequence[Result[Any] | BaseException]) -> dict[int, str]:
    """Return the URLs of the text that could not be read, by the indexes of the steps that failed because of them."""
    found: dict[int, str] = {}
    for index, (step, outcome) in enumerate(zip(plan.steps, outcomes, strict=True)):
        if _is_unreadable_link(step, outcome):
            found[index] = str(step.sources[0].url)
        elif step.after and found.keys() >= set(step.after):
            found[index] = found[step.after[0]]
    return found


def _is_unreadable_link(step: Step, outcome: object) -> bool:
    if not step.sources or not all(source.is_linked for source in step.sources):
        return False
    # A page that only a browser could show cannot be read without one.
    return isinstance(outcome, InputError) or (step.task == "scraper" and isinstance(outcome, EngineUnavailable))


def _is_silence(failure: BaseException) -> bool:
    """True if transcription failed because a video has no sound. Its pictures can still be used."""
    return isinstance(failure, InputError) and failure.code == "no_audio"


def _failure_of_needed(
    plan: Plan, outcomes: Sequence[Result[Any] | BaseException], links: Mapping[int, str]
) -> BaseException | None:
    """Return the failure of a requested task that yielded no result at all, or None. The steps of unread `links` do not
    count.

    A failed web search counts only if the request asks for nothing else, because an LLM may know the answer as well.
    """
    by_task: dict[str, list[Result[Any] | BaseException]] = {}
    for index, (step, outcome) in enumerate(zip(plan.steps, outcomes, strict=True)):
        if index in links:
            continue
        if step.text_may_answer and isinstance(outcome, EngineUnavailable) and _text_in_pictures(plan, outcomes):
            continue
        if isinstance(outcome, BaseException) and _keeps_readings(plan, step, outcomes):
            continue
        if not (step.is_aside or step.is_guess) and (step.task != "web_search" or plan.last_result_only):
            by_task.setdefault(step.task, []).append(outcome)
    lost = [
        results[0]
        for results in by_task.values()
        if isinstance(results[0], BaseException) and all(isinstance(one, BaseException) for one in results)
    ]
    if not all(isinstance(outcome, BaseException) for outcome in outcomes):
        lost = [failure for failure in lost if not _is_silence(failure)]
    return next(iter(lost), None)


def _keeps_readings(plan: Plan, step: Step, outcomes: Sequence[Result[Any] | BaseException]) -> bool:
    """True if the texts to be translated are an answer even without the translation: transcripts, which took minutes,
    and texts that the request asks for in addition to their translation."""
    read = [plan.steps[index].task for index in step.after if not isinstance(outcomes[index], BaseException)]
    return step.task == "translate" and bool(read) and (plan.reads_out or "speech_to_text" in read)


def _text_in_pictures(plan: Plan, outcomes: Sequence[Result[Any] | BaseException]) -> str:
    """Return the text that was read in pictures."""
    texts = [
        outcome.text()
        for step, outcome in zip(plan.steps, outcomes, strict=True)
        if step.task == "ocr" and not isinstance(outcome, BaseException | Failure)
    ]
    return "\n\n".join(filter(None, map(str.strip, texts)))


def without_empty_asides(plan: Plan, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return `entries` (one per step of `plan`) without the readings of pictures that were only made in addition and
    found no text."""
    return tuple(
        entry
        for step, entry in zip(plan.steps, entries, strict=True)
        if not (step.is_aside and entry.error is None and not entry.result.text().strip())
    )


def without_unread_links(plan: Plan, entries: Sequence[Entry]) -> tuple[Plan, tuple[Entry, ...], tuple[Entry, ...]]:
    """Return `plan` and `entries` (one per step) without the steps that failed because a link of the text could not be
    read, and the entries of these steps."""
    kept = [index for index, entry in enumerate(entries) if not _is_unread_link(entry)]
    places = {index: place for place, index in enumerate(kept)}
    steps = tuple(
        replace(plan.steps[index], after=tuple(places[one] for one in plan.steps[index].after if one in places))
        for index in kept
    )
    unread = tuple(filter(_is_unread_link, entries))
    return replace(plan, steps=steps), tuple(entries[index] for index in kept), unread


def _is_unread_link(entry: Entry) -> bool:
    return isinstance(entry.result, Failure) and entry.result.link is not None


def text_read_instead(plan: Plan, entries: Sequence[Entry]) -> tuple[str, str] | None:
    """Return the text in a picture, and the reason why no objects were detected.

    This applies only to steps whose `text_may_answer` is true. Return None if objects were detected, or if there is no
    text.
    """
    pairs = zip(plan.steps, entries, strict=True)
    missing = [one.error for step, one in pairs if step.text_may_answer and one.error is not None]
    text = _text_in_pictures(plan, [one.result for one in entries]) if missing else ""
    return (text, missing[0]) if text else None


def answer_from_results(plan: Plan, entries: Sequence[Entry]) -> str | None:
    """Return the text of the results (one per step of `plan`) if the request asks for nothing else.

    Such results are texts that were read, transcripts, translations and forecasts. If a translation failed, its error
    follows the original text. Return None if an LLM has to add something, or if nothing was found.
    """
    if not plan.results_only or not entries:
        return None
    if (failure := translation_error(plan, entries)) is not None:
        return "\n\n".join([*(entry.result.text() for entry in entries[:-1]), failure])
    if any(entry.error is not None for entry in entries):
        return None
    if plan.steps[-1].task == "forecast":
        return assemble(tuple(entries[-1].result.pieces()))
    texts = [entry.result.text() for entry in entries]
    # A text that is only the input of a translation is not shown.
    shown = texts if plan.reads_out else texts[-1:]
    return "\n\n".join(text for text in shown if text.strip()) or None


def objects_found(plan: Plan, entries: Sequence[Entry]) -> str | None:
    """Return the number of objects by label, `4 × person`, and the text that was read in the same pictures.

    Return None if the plan does not detect objects, if it has steps other than object detection and `ocr`, or if no
    object was found.
    """
    if {step.task for step in plan.steps} not in ({"object_detection"}, {"object_detection", "ocr"}):
        return None
    found = [one for one in entries if one.name == "object_detection" and one.error is None]
    labels = Counter(item["label"] for one in found for item in one.result.data["detected_objects"])
    if not labels:
        return None
    read = [one.result.text().strip() for one in entries if one.name == "ocr" and one.error is None]
    counts = "\n".join(f"{count} × {label}" for label, count in labels.most_common())
    return "\n\n".join(filter(None, [counts, *read]))


def translation_error(plan: Plan, entries: Sequence[Entry]) -> str | None:
    """Return the error of the last step if this step translates texts of earlier steps and no earlier step failed;
    otherwise None."""
    if not plan.steps or plan.steps[-1].task != "translate" or not plan.steps[-1].after:
        return None
    return None if any(entry.error is not None for entry in entries[:-1]) else entries[-1].error


def as_entry(task: str, outcome: Result[Any] | BaseException, link: str | None = None) -> Entry:
    """Return the entry of a result, or of the exception that was raised instead. `link` is the URL of the text that
    could not be read, if that is the reason."""
    if isinstance(outcome, BaseException):
        outcome = Failure(report_error(outcome, "planned_task_failed", task=task).message, link)
    return Entry(PRECONTEXT_NAMES.get(task, task), outcome)


async def _run_step(
    step: Step,
    earlier_steps: Sequence[tuple[Step, "asyncio.Task[Result[Any]]"]],
    find_task: Callable[[str], Task],
    progress: Progress,
    redact: Redact,
    form: Form,
) -> Result[Any]:
    """Return the step's result. Raises the error of an earlier step whose result it needs. Links that could not be read
    are left out, unless there is nothing else."""
    texts = [step.text]
    unread: list[Exception] = []
    for earlier, work in earlier_steps:
        try:
            texts.append(await redact((await work).text()))
        except (InputError, EngineUnavailable) as error:
            if not _is_unreadable_link(earlier, error):
                raise
            unread.append(error)
    if unread and len(unread) == len(earlier_steps):
        raise unread[0]
    request = TaskRequest("\n\n".join(text for text in texts if text), step.sources, progress, redact, form)
    return await find_task(step.task).run(request)
