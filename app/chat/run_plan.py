"""Runs tasks for one request: the steps of a plan side by side, each as soon as the results that it needs are there.
The request's guard judges the results before any use. They are the material of the answer.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from app.chat.call import Inquiry, Work, as_progress
from app.chat.filling import Filling
from app.chat.inputs import Turn, pasted_document
from app.chat.plan import Plan, Step, as_entry
from app.chat.request_guard import RequestGuard
from app.chat.shape import Shape
from app.chat.trim import assemble
from app.events import AnswerWarning, Event
from app.events import Progress as ProgressEvent
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.concurrency import call_off, side_by_side
from models.language.llm import Llm
from tasks.base import Progress, Redact, Task, TaskRequest, unredacted
from tasks.catalog import PRECONTEXT_NAMES, SPECIALISTS
from tasks.errors import InputError
from tasks.precontext import Entry
from tasks.result import Failure, Result

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def execute_plan(
    plan: Plan,
    find_task: Callable[[str], Task],
    progress: Progress,
    redact: Redact = unredacted,
    *,
    is_all: bool = False,
) -> tuple[Entry, ...]:
    """Run the steps of `plan`, and return an entry for each step, in the plan's order.

    `redact` is passed to the tasks, and also applied to texts passed from one step to another.

    The entry of a failed step contains the error. The first failure is raised only if the request asks for nothing but
    the last step's result, or if no input can be read. Even then, EngineUnavailable is not raised, because the LLM can
    still answer by itself. A link of the text that cannot be read never fails the request, because the text may only
    mention it.

    `is_all` means that the LLM can do nothing by itself. The failure of a requested task is then also raised if the
    task failed on every input, and no other step has found anything that may answer the request.

    Cancelling the call cancels every step.
    """
    if not plan.steps:
        return ()
    running: list[asyncio.Task[Result[Any]]] = []
    for step in plan.steps:
        earlier_steps = [(plan.steps[index], running[index]) for index in step.after]
        running.append(asyncio.create_task(_run_step(step, earlier_steps, find_task, progress, redact)))
    try:
        outcomes = await asyncio.gather(*running, return_exceptions=True)
    finally:
        await call_off(*running)
    links = _unread_links(plan, outcomes)
    rest, required = _without_steps(plan, outcomes, links)
    failures = [outcome for outcome in required if isinstance(outcome, BaseException)]
    unreadable = len(failures) == len(required) and all(
        isinstance(failure, InputError) and not _is_silence(failure) for failure in failures
    )
    if failures and (plan.last_result_only or unreadable) and not isinstance(failures[0], EngineUnavailable):
        raise failures[0]
    if is_all and (failure := _failure_of_needed(rest, required) or _unfindable(rest, required)) is not None:
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
    # A series that was read, but is too short, is the request's own error.
    if step.task == "forecast" and isinstance(outcome, InputError) and outcome.code == "invalid_request":
        return False
    # A page that only a browser could show cannot be read without one.
    return isinstance(outcome, InputError) or (step.task == "scraper" and isinstance(outcome, EngineUnavailable))


def _is_silence(failure: BaseException) -> bool:
    """True if transcription failed because a video has no sound. Its pictures can still be used."""
    return isinstance(failure, InputError) and failure.code == "no_audio"


def _failure_of_needed(plan: Plan, outcomes: Sequence[Result[Any] | BaseException]) -> BaseException | None:
    """Return the failure of a requested task that yielded no result at all, or None if there is none, or another step
    may answer the request.

    A failed web search does not count: an LLM may know the answer as well, or else the answer says that nothing here
    does.
    """
    by_task: dict[str, list[Result[Any] | BaseException]] = {}
    for step, outcome in zip(plan.steps, outcomes, strict=True):
        if not (step.is_secondary or step.is_guess or step.task == "web_search"):
            by_task.setdefault(step.task, []).append(outcome)
    lost = [
        results[0]
        for results in by_task.values()
        if isinstance(results[0], BaseException) and all(isinstance(one, BaseException) for one in results)
    ]
    if not all(isinstance(outcome, BaseException) for outcome in outcomes):
        lost = [failure for failure in lost if not _is_silence(failure)]
    if lost and any(_may_answer(plan, index, outcomes) for index in range(len(outcomes))):
        return None
    return next(iter(lost), None)


def _may_answer(plan: Plan, index: int, outcomes: Sequence[Result[Any] | BaseException]) -> bool:
    """True if a step found something that may answer the request although other steps failed.

    A reading made in addition is an answer only if the request need not mean the things in the picture. A text to be
    translated is one only if the request also asks for it, or if it is a transcript, which took minutes.
    """
    step, outcome = plan.steps[index], outcomes[index]
    if isinstance(outcome, BaseException) or not _has_content(outcome):
        return False
    failed = [one for one, result in zip(plan.steps, outcomes, strict=True) if isinstance(result, BaseException)]
    if step.is_secondary:
        return any(one.text_may_answer for one in failed)
    is_input = any(index in one.after for one in failed)
    return not is_input or plan.reads_out or step.task == "speech_to_text"


def _unfindable(plan: Plan, outcomes: Sequence[Result[Any] | BaseException]) -> BaseException | None:
    """Return the reason why the things that the request looks for are not detected, if nothing was read either."""
    results = () if plan.unfindable is None else outcomes
    return None if any(not isinstance(one, BaseException) and _has_content(one) for one in results) else plan.unfindable


def _has_content(result: Result[Any]) -> bool:
    return bool(result.text().strip()) or not result.is_empty


def without_empty_readings(plan: Plan, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return `entries` (one per step of `plan`) without the readings of pictures that were only made in addition and
    found no text."""
    return tuple(
        entry
        for step, entry in zip(plan.steps, entries, strict=True)
        if not (step.is_secondary and entry.error is None and not entry.result.text().strip())
    )


def without_unread_links(plan: Plan, entries: Sequence[Entry]) -> tuple[Plan, tuple[Entry, ...], tuple[Entry, ...]]:
    """Return `plan` and `entries` (one per step) without the steps that failed because a link of the text could not be
    read, and the entries of these steps."""
    unread = {
        index: one
        for index, one in enumerate(entries)
        if isinstance(one.result, Failure) and one.result.link is not None
    }
    return *_without_steps(plan, entries, unread), tuple(unread.values())


def _without_steps(plan: Plan, outcomes: Sequence[T], left_out: Container[int]) -> tuple[Plan, tuple[T, ...]]:
    """Return the plan and the outcomes of its steps without the steps at the indexes `left_out`."""
    kept = [index for index in range(len(plan.steps)) if index not in left_out]
    places = {index: place for place, index in enumerate(kept)}
    steps = [
        replace(plan.steps[index], after=tuple(places[one] for one in plan.steps[index].after if one in places))
        for index in kept
    ]
    return replace(plan, steps=tuple(steps)), tuple(outcomes[index] for index in kept)


def answer_from_results(plan: Plan, entries: Sequence[Entry]) -> str | None:
    """Return the text of the results (one per step of `plan`) if the request asks for nothing else.

    Such results are texts that were read, transcripts, translations and forecasts. In the place of a translation that
    failed stands its error, after the original text. Return None if an LLM has to add something, or if nothing was
    found.
    """
    if not plan.results_only or not entries:
        return None
    translations = [entry for entry in entries if entry.name == "translate"]
    others = [entry for entry in entries if entry.name != "translate"]
    if any(entry.error is not None for entry in others):
        return None
    if plan.steps[-1].task in ("forecast", "code_sandbox"):
        return assemble(tuple(entries[-1].result.pieces()))
    # A text that is only the input of a translation is not shown, unless a translation failed.
    shown = others if plan.reads_out or not translations or any(one.error for one in translations) else []
    texts = [*(_shown_text(entry, plan) for entry in shown), *(one.error or one.result.text() for one in translations)]
    return "\n\n".join(text for text in texts if text.strip()) or None


def _shown_text(entry: Entry, plan: Plan) -> str:
    """Return the text of what was read or heard; with times and speakers if the plan shows them."""
    is_heard = plan.shows_times and entry.name == "stt"
    return assemble(tuple(entry.result.pieces())) if is_heard else entry.result.text()


def objects_found(plan: Plan, entries: Sequence[Entry]) -> str | None:
    """Return the number of objects by label, `4 × person`, and the text that was read in the same pictures, unless the
    request only counts or locates objects.

    Return None if the plan does not detect objects, if it has steps other than object detection and `ocr`, or if no
    object was found.
    """
    if {step.task for step in plan.steps} not in ({"object_detection"}, {"object_detection", "ocr"}):
        return None
    found = [one for one in entries if one.name == "object_detection" and one.error is None]
    labels = Counter(item["label"] for one in found for item in one.result.data["detected_objects"])
    if not labels:
        return None
    read = [
        entry.result.text().strip()
        for step, entry in zip(plan.steps, entries, strict=True)
        if entry.name == "ocr" and entry.error is None and (plan.describes or not step.is_secondary)
    ]
    counts = "\n".join(f"{count} × {label}" for label, count in labels.most_common())
    return "\n\n".join(filter(None, [counts, *read]))


async def _run_step(
    step: Step,
    earlier_steps: Sequence[tuple[Step, "asyncio.Task[Result[Any]]"]],
    find_task: Callable[[str], Task],
    progress: Progress,
    redact: Redact,
) -> Result[Any]:
    """Return the step's result. Raises the error of an earlier step whose result it needs. Links that could not be read
    are left out, unless there is nothing else."""
    if isinstance(step.options, InputError):
        raise step.options
    texts: list[str] = []
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
    put = SPECIALISTS[step.task].with_texts
    options = put(step.options, texts) if put is not None and texts else step.options
    request = TaskRequest(options, step.sources, progress, redact)
    return await find_task(step.task).run(request)


@dataclass(frozen=True, slots=True)
class Specialists:
    """Runs the tasks of one request, and lets its guard judge the results."""

    find_task: Callable[[str], Task]
    guard: RequestGuard | None = None
    """Guard of the request; None if it names no codes."""

    @property
    def redacts(self) -> bool:
        """True if personal data of the request is redacted."""
        return self.guard is not None and self.guard.redaction is not None

    async def run(
        self, name: str, request: TaskRequest[Any], before_judging: Callable[[Entry], Awaitable[None]]
    ) -> Entry:
        """Return the result of one task. If the guard judges it, `before_judging` is awaited first with the result.
        Raises what the task and the guard raise."""
        result = Entry(PRECONTEXT_NAMES.get(name, name), await self.find_task(name).run(self._with_redaction(request)))
        if self.guard is None:
            return result
        await before_judging(result)
        [judged] = await self._judge([result])
        return judged

    async def run_plan(self, plan: Plan, progress: Progress, *, is_all: bool) -> tuple[Entry, ...]:
        """Return an entry for each step. Raises what `execute_plan` and the guard raise."""
        redact = self.guard.redact if self.guard else unredacted
        return await self._judge(await execute_plan(plan, self.find_task, progress, redact, is_all=is_all))

    async def run_calls(
        self, calls: Sequence[tuple[str, Callable[[], TaskRequest[Any]]]], *, at_most: int
    ) -> tuple[Entry, ...]:
        """Return an entry for each call of a task by an LLM. At most `at_most` calls run at a time.

        If a task fails, or its request cannot be made, the entry contains the error. Raises what the guard raises.
        """

        async def run(call: tuple[str, Callable[[], TaskRequest[Any]]]) -> Entry:
            name, request_of = call
            try:
                return as_entry(name, await self.find_task(name).run(self._with_redaction(request_of())))
            except Exception as error:  # noqa: BLE001 - the LLM is told of the error, and continues
                return as_entry(name, error)

        return await self._judge(await side_by_side(run, calls, at_most=at_most))

    async def without_hidden(self, turn: Turn, plan: Plan, entries: Sequence[Entry]) -> Turn:
        """Return `turn` with only those pictures that an LLM may see. `entries` are the results of `plan`.

        Raises what the guard's `judge_unread_pictures` raises.
        """
        return await self.guard.judge_unread_pictures(turn, plan, entries, self.find_task) if self.guard else turn

    async def _judge(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        return await self.guard.check_results(entries) if self.guard else tuple(entries)

    def _with_redaction(self, request: TaskRequest[Any]) -> TaskRequest[Any]:
        return replace(request, redact=self.guard.redact) if self.guard else request


@dataclass(frozen=True, slots=True)
class Material:
    """Everything from which the answer is made: the request, the results of its tasks, and the required form."""

    inquiry: Inquiry
    specialists: Specialists
    llm: Llm
    shape: Shape | None
    """Required form of the answer; None if any text will do."""
    plan: Plan
    results: tuple[Entry, ...] = ()
    """Results of the steps, one per step of the plan."""
    unread: tuple[Entry, ...] = ()
    """Errors of the text's links that could not be read. Their steps are not in `plan`."""
    has_document: bool = False
    """True if the messages contain a document, or end with results of the client's tools."""
    document: Entry | None = None
    """Document that the user's message contains as text, if the answer's fields may be copied from it."""
    filling: Filling | None = None
    """The fields that are copied, and the shape of the fields left to the LLM."""

    @property
    def request(self) -> ChatRequest:
        return self.inquiry.request

    @property
    def turn(self) -> Turn:
        return self.inquiry.turn

    @property
    def form(self) -> Shape:
        """Required form of an answer that has one."""
        assert self.shape is not None
        return self.shape

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Results that are shown to the LLM and the client."""
        shown = without_empty_readings(self.plan, self.results) if self.results else ()
        return (*shown, *self.unread)

    async def pasted_document(self) -> Entry | None:
        """Return the document in the messages, if the fields of the answer may be copied from it."""
        if self.inquiry.call.skip_planning or not all(source.is_linked for source in self.turn.sources):
            return None
        return await asyncio.to_thread(pasted_document, self.request, self.turn.since)


async def gather(material: Material, *, is_all: bool) -> AsyncGenerator[Event | Material, None]:
    """Run the tasks of the plan. Yield their progress, their warnings, and at last the material with their results.
    `is_all` is that of `execute_plan`."""
    plan = material.plan
    # Of a guarded request, and of one that is to be forgotten, no word is in a log.
    is_shown = material.specialists.guard is None and not material.inquiry.call.fresh
    log.debug("planned", **plan.explained(material.turn.wish, shows_content=is_shown))
    if plan.steps:
        log.info("plan", steps=plan.summary)
        work = Work[ProgressEvent, tuple[Entry, ...]](
            lambda report: material.specialists.run_plan(plan, as_progress(report), is_all=is_all)
        )
        async with aclosing(work.reports()) as reports:
            async for report in reports:
                yield report
        for warning in dict.fromkeys(warning for entry in work.result for warning in entry.result.warnings()):
            yield AnswerWarning(warning)
        plan, results, unread = without_unread_links(plan, work.result)
        material = replace(material, plan=plan, results=results, unread=unread)
    material.inquiry.call.stages.done("gather")
    yield material
