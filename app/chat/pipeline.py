"""The path of a request, from a validated body to events, in the order of its steps."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

import pydantic_core
from pydantic import ValidationError

from app.access.key_file import CHAT
from app.chat.answer_cache import AnswerCache
from app.chat.call import ChatCall, Inquiry, Work, as_progress
from app.chat.directives import Directives, read_directives, warnings_of
from app.chat.inputs import Collector, Turn, run_off_loop, texts_beside_content, texts_of, with_own_words
from app.chat.llm_answer import LlmAnswers
from app.chat.own_answer import OwnAnswers
from app.chat.plan import with_inputs_asked_about, with_wish
from app.chat.redaction import REDACTING, Redaction
from app.chat.request_guard import RequestGuard, texts_of_messages
from app.chat.run_plan import Specialists
from app.chat.shape import is_open, with_standard_schemas
from app.errors import BadRequest, PayloadTooLarge
from app.events import PIECE, AnswerWarning, Event, Finish, Progress, TextChunk
from app.wire.parse import first_problem
from app.wire.request import ChatRequest
from models.language.llm import Llm, estimate_tokens
from models.workers.pool import Workers
from tasks.base import Specialist, Task, TaskRequest
from tasks.catalog import ALIASES, SPECIALISTS, TASK_NAMES
from tasks.errors import InputError
from tasks.guardrails import GUARDS, Guardrails, Policy
from tasks.inputs.limits import TEXT_CHARS
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.precontext import Entry
from tasks.wording.options import TaskOptions

NO_LOGPROBS = (
    "There are no 'logprobs': a JSON answer has none, and a text has them only if it is from an LLM that reports them."
)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Runs requests with the parts that all requests share."""

    find_task: Callable[[str], Task]
    """Function that finds a task by its canonical name. A missing engine is reported when the task runs."""
    find_llm: Callable[[], Llm]
    """Function that returns the LLM. Raises EngineUnavailable."""
    llm_answers: LlmAnswers
    own_answers: OwnAnswers
    collector: Collector
    guardrails: Guardrails
    task_names: Sequence[str] = TASK_NAMES
    """Names accepted in a `<task>` tag."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The operator's thresholds; the keys are the guard's codes."""
    redacts: bool = False
    """True if the guard redacts personal data when REDACTING is among its codes."""
    prepare: Callable[..., Awaitable[None]] = field(kw_only=True)
    """Function that uses a thread to build the engines of the given capabilities."""
    answer_cache: AnswerCache | None = None
    """Cache of answers; None if every answer is made again."""

    async def run(self, call: ChatCall) -> AsyncGenerator[Event, None]:
        """Yield the request's events, with Finish last.

        Raises ApiError, InputError or ModelError: usually before the first event, but possibly between two events.
        """
        inquiry, warnings = await self._read(call)
        for warning in warnings:
            yield AnswerWarning(warning)
        answer_cache = None if call.fresh or inquiry.redaction else self.answer_cache
        answer = partial(self._answer, inquiry)
        if answer_cache is None:
            if self.answer_cache is not None:
                self.answer_cache.outcomes["bypass"] += 1
            events = await answer()
        else:
            events = await answer_cache.get_or_answer(inquiry, answer)
        has_text = has_logprobs = False
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TextChunk):
                    has_text = True
                    has_logprobs = has_logprobs or event.logprobs is not None
                elif isinstance(event, Finish) and inquiry.request.logprobs and has_text and not has_logprobs:
                    yield AnswerWarning(NO_LOGPROBS)
                yield await call.note(event)

    async def _read(self, call: ChatCall) -> tuple[Inquiry, list[str]]:
        """Return all that is read of a request before it is judged, and the warnings for its caller. What the request
        may use is reserved as soon as its task is known."""
        request = call.request
        warnings: list[str] = []
        if request.response_format or request.tools:
            request, warnings = await run_off_loop(request, with_standard_schemas, request)
        # The messages are searched off the event loop, because thousands of them take milliseconds.
        directives, directive_warnings, tokens = await run_off_loop(
            request, self._read_directives, request, estimates=call.admission.is_limited
        )
        # If no schema has to be satisfied, the result of the requested task is the answer.
        is_alone = request.response_format is None or is_open(request.response_format)
        task = SPECIALISTS[ALIASES.get(directives.task, directives.task)] if directives.task and is_alone else None
        if task is None and request.task_options:
            raise BadRequest(
                "Field 'task_options' needs the task that they are for: name it in a system message, as in "
                "`<task>translate</task>`, without a schema.",
                param="task_options",
            )
        # Tasks ignore a limit on tokens. If the limit counted for the budget, requests with a limit of one token could
        # start any number of large results on an empty budget.
        answer_limit = (request.max_completion_tokens or request.max_tokens) if task is None else None
        call.stages.task = CHAT if task is None else task.name
        is_cached = self.answer_cache is not None and not call.fresh
        await call.admission.reserve(call.stages.task, tokens, answer_limit, is_cached=is_cached)
        turn = await self.collector.collect(request, call.caller.tenant, fresh=call.fresh)
        thresholds = {**self.thresholds, **call.caller.guard_thresholds}
        policy = Policy(directives.guard, thresholds, directives.optional_codes)
        await self.prepare(*(GUARDS if policy.codes else ()), *(() if task is not None else ("llm",)))
        redaction = Redaction(self.guardrails.loader.workers) if self.redacts and REDACTING in policy.codes else None
        if redaction:
            self.guardrails.check_lengths(await asyncio.to_thread(texts_of_messages, request))
            request, turn = await redaction.of_request(request, turn)
        if task is None:
            turn = await with_wish(await run_off_loop(request, with_own_words, turn, request))
            if not (call.skip_planning or request.response_format):
                turn = with_inputs_asked_about(turn)
        call.stages.done("read")
        inquiry = Inquiry(replace(call, request=request), directives, turn, task, policy, redaction)
        return inquiry, [*warnings, *directive_warnings, *turn.warnings]

    async def _answer(self, inquiry: Inquiry) -> AsyncGenerator[Event, None]:
        """Return the guarded events of a new answer, by a task or by an LLM."""
        await inquiry.call.admission.require_budget()
        guard = RequestGuard(self.guardrails, inquiry) if inquiry.policy.codes else None
        specialists = Specialists(self.find_task, guard)
        answer = partial(self._unguarded, inquiry, specialists)
        return answer() if guard is None else guard.around(answer)

    def _unguarded(self, inquiry: Inquiry, specialists: Specialists) -> AsyncGenerator[Event, None]:
        """Return the events of an answer by a task, the LLM or this server itself. The LLM is looked for only now that
        the guard has judged."""
        if inquiry.task is not None:
            return _run_task(inquiry.task, inquiry, specialists, self.guardrails.loader)
        llm = self.find_llm()
        answers = self.llm_answers if llm.is_capable else self.own_answers
        return answers.answer(llm, inquiry, specialists)

    def _read_directives(self, request: ChatRequest, *, estimates: bool) -> tuple[Directives, list[str], int]:
        """Return the directives in the request's system messages, the warnings for its caller, and the tokens of all
        that an LLM would read of it.

        The number of tokens is 0 unless `estimates` is true. Raises PayloadTooLarge if the messages are longer than
        TEXT_CHARS, with the calls in them.
        """
        texts = [*texts_of(request), *chain.from_iterable(map(texts_beside_content, request.messages))]
        chars = sum(map(len, texts))
        if chars > TEXT_CHARS:
            raise PayloadTooLarge(
                f"The request's messages have {chars} characters together; the limit is {TEXT_CHARS}.",
                param="messages",
            )
        directives = read_directives(texts_of(request, "system", "developer"), self.task_names)
        tokens = estimate_tokens(*texts) if estimates else 0
        if estimates and (request.tools or request.response_format):
            tokens += estimate_tokens(request.model_dump_json(include={"tools", "response_format"}, exclude_unset=True))
        return directives, list(warnings_of(request, directives)), tokens


async def read_task_options(specialist: Specialist, turn: Turn, request: ChatRequest, workers: Workers) -> TaskOptions:
    """Return the options of the task that a turn runs: those of its fields, and those that its words ask for. Raises
    InputError."""
    given = {**turn.given.get(specialist.name, {}), **(request.task_options or {})}
    try:
        return await workers.run_sized(
            len(turn.text), parse_options, specialist.name, turn.text, given, bool(turn.sources)
        )
    except ValidationError as error:
        problem = first_problem(error)
        raise BadRequest(problem.message, param=f"task_options.{problem.path}") from None


def parse_options(task: str, words: str, given: Mapping[str, Any], has_sources: bool) -> TaskOptions:
    return SPECIALISTS[task].options_of(words, given, has_sources=has_sources)


async def _without_unread_links(sources: Sequence[Source], loader: MediaLoader) -> tuple[Source, ...]:
    """Return `sources` without the links of the text that cannot be loaded. If all can, return it without any link,
    because one is of no use to the task."""

    async def is_loaded(source: Source) -> bool:
        try:
            await loader.load(source)
        except InputError:
            return False
        return True

    loaded = tuple([source for source in sources if not source.is_linked or await is_loaded(source)])
    return loaded if len(loaded) < len(sources) else tuple(source for source in sources if not source.is_linked)


async def _run_task(
    task: Specialist, inquiry: Inquiry, specialists: Specialists, loader: MediaLoader
) -> AsyncGenerator[Event, None]:
    """Yield the events of an answer that is the result of one task, as compact JSON.

    While a slow client reads, this JSON stays in memory. The result and the bytes of the inputs do not.
    """
    call, turn = inquiry.call, inquiry.turn

    def as_json(take: Callable[[], Entry]) -> tuple[deque[str], int, int]:
        """Return the JSON in chunks, and the tokens of the request and of the JSON. `take` returns the result and gives
        it up, so that its memory is free once the JSON is made."""
        result = pydantic_core.to_json(take().result.data).decode()
        text = f'{{"name":{json.dumps(inquiry.directives.task)},"result":{result}}}'
        parts = deque(text[start : start + PIECE] for start in range(0, len(text), PIECE))
        return parts, estimate_tokens(*texts_of(inquiry.request)), sum(map(estimate_tokens, parts))

    judged: tuple[Entry, tuple[deque[str], int, int]] | None = None

    async def count(entry: Entry) -> None:
        """Count a result that the guard may withhold."""
        nonlocal judged
        judged = entry, await asyncio.to_thread(as_json, lambda: entry)
        call.admission.count_call(*judged[1][1:])

    unread: list[str] = []

    async def run(report: Callable[[Progress], None]) -> Entry:
        options = await read_task_options(task, turn, inquiry.request, loader.workers)
        request = TaskRequest(options, turn.sources, as_progress(report))
        try:
            return await specialists.run(task.name, request, count)
        except InputError as error:
            # The scraper has no other input than links, and leaves out those that it cannot read.
            rest = turn.sources if task.name == "scraper" else await _without_unread_links(turn.sources, loader)
            if len(rest) == len(turn.sources) or error.param in {one.param for one in rest if not one.is_linked}:
                raise
            try:
                entry = await specialists.run(task.name, replace(request, sources=rest), count)
            except InputError:
                raise error from None  # The task has no other input.
            unread.append(f"A link in the text was not read: {error.message}")
            return entry

    work = Work[Progress, Entry](run)
    async with aclosing(work.reports()) as reports:
        async for report in reports:
            yield report
    for warning in unread:
        yield AnswerWarning(warning)
    for warning in work.result.result.warnings():
        yield AnswerWarning(warning)
    # The JSON of a large file may have megabytes, which stay in memory until the client has read them.
    if judged is not None and judged[0] is work.result:
        content, prompt_tokens, tokens = judged[1]
        work.take()
    else:
        # No guard has judged the result, or it was redacted then.
        content, prompt_tokens, tokens = await asyncio.to_thread(as_json, work.take)
    if judged is None:
        call.admission.count_call(prompt_tokens, tokens)
    judged = None
    for source in turn.sources:
        loader.forget(source)
    call.stages.done("task")
    while content:
        yield TextChunk(content.popleft())
    yield Finish("stop", prompt_tokens, tokens)
