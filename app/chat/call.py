"""A chat request on its way through the pipeline: its caller, its measurements and charges, its time, and all that was
read of it before it is answered."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from app.access.admission import Admission
from app.access.keys import Caller
from app.chat.directives import Directives
from app.chat.inputs import Turn
from app.chat.redaction import Redaction
from app.events import Event, Finish, Progress, ReasoningChunk, TextChunk, ToolCallChunk
from app.monitoring.metrics import Stages
from app.wire.request import ChatRequest
from models.concurrency import call_off
from tasks import base
from tasks.base import Specialist
from tasks.guardrails import Policy

ReportT = TypeVar("ReportT")
T = TypeVar("T")

_END_SHARE = 0.05
_LONGEST_END_S = 10.0
"""Judging, tracing and sending a truncated answer has _END_SHARE of a request's time, but at most _LONGEST_END_S
seconds."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Time limit of one request."""

    seconds: float = math.inf
    answer_by: float = math.inf
    """Time at which an answer in progress is cut, on the event loop's clock."""

    @classmethod
    def of(cls, seconds: float, spent_s: float = 0.0) -> "TimeLimit":
        """Return the limit of a request that arrived `spent_s` seconds ago."""
        end_s = min(seconds * _END_SHARE, _LONGEST_END_S)
        return cls(seconds, asyncio.get_running_loop().time() + seconds - spent_s - end_s)


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A chat request with its caller and its measurements."""

    request: ChatRequest
    caller: Caller
    skip_planning: bool = False
    """True if the request goes straight to the LLM (`x-interfaze-bypass-moa`)."""
    fresh: bool = False
    """True if no cache is read or written (`x-interfaze-bypass-cache`, `x-interfaze-zdr`)."""
    stages: Stages = field(default_factory=Stages)
    limit: TimeLimit = field(default_factory=TimeLimit)
    admission: Admission = field(default_factory=Admission)
    """Admission of the request by the caller's key, with nothing reserved yet."""

    async def note(self, event: Event) -> Event:
        """Count `event` for metrics, charge the key at the end of the answer, and return `event`.

        The key is charged before the end of the answer is sent, so that a client that immediately sends another request
        finds its slot free. The LLM's text is counted by the code that receives it, because not all of it becomes an
        event.
        """
        match event:
            case TextChunk() | ReasoningChunk() | ToolCallChunk():
                self.stages.answers()
            case Finish():
                self.stages.answers()
                self.stages.input_tokens += event.prompt_tokens
                self.stages.output_tokens += event.completion_tokens
                self.stages.reasoning_tokens += event.reasoning_tokens or 0
                await self.admission.settle(event.prompt_tokens, event.completion_tokens, is_free=event.vcache)
        return event


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A chat request with all that was read of it. One object carries it from the guard and the cache to the
    answer."""

    call: ChatCall
    directives: Directives
    turn: Turn
    task: Specialist | None
    """Task whose result is the answer; None if an LLM answers, or this server itself."""
    policy: Policy
    redaction: Redaction | None = None
    """Redaction of personal data; None if nothing is redacted. The request and the turn are redacted already."""

    @property
    def request(self) -> ChatRequest:
        return self.call.request


class Work(Generic[ReportT, T]):
    """Runs `start(report)` in its own task. The result is available once the reports have ended.

    >>> work = Work[Progress, Result[Any]](lambda report: task.run(TaskRequest(options, sources, as_progress(report))))
    >>> async with aclosing(work.reports()) as reports: ...
    >>> work.result
    """

    def __init__(self, start: Callable[[Callable[[ReportT], None]], Coroutine[Any, Any, T]]) -> None:
        self._start = start
        self._outcome: list[T] = []

    async def reports(self) -> AsyncGenerator[ReportT, None]:
        """Yield the reports of the work until it ends. Raises what the work raises.

        Closing the generator cancels the work.
        """
        queue: asyncio.Queue[ReportT | None] = asyncio.Queue()
        task = asyncio.create_task(self._start(queue.put_nowait))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (report := await queue.get()) is not None:
                yield report
            self._outcome.append(await task)
        finally:
            await call_off(task)

    @property
    def result(self) -> T:
        return self._outcome[0]

    def take(self) -> T:
        """Return the result, and keep no reference to it."""
        return self._outcome.pop()


def as_progress(report: Callable[[Progress], None]) -> base.Progress:
    """Return a task's `progress` function that reports events."""
    return lambda stage, done, total: report(Progress(stage, done, total))
