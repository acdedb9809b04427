"""Runs the work of one request within its time, and lets tasks report while they run."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.errors import took_too_long
from app.events import Progress
from models.concurrency import call_off, next_until
from tasks import base

EventT = TypeVar("EventT")
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


async def within(
    seconds: float, events: AsyncGenerator[EventT, None], spent_s: float = 0.0
) -> AsyncGenerator[EventT, None]:
    """Yield the events of a request that may take `seconds`, of which `spent_s` have passed, and close their generator.

    Raises what the work raises, and Unavailable if the time is over.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds - spent_s
    async with aclosing(events):
        while True:
            try:
                event = await next_until(events, until)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if loop.time() >= until:
                    raise took_too_long(seconds) from None
                raise
            except asyncio.CancelledError as error:
                if _is_cancelled():
                    raise
                # A part of the work was cancelled on its own. The caller must not mistake this for its own
                # cancellation.
                raise RuntimeError("a part of the work was cancelled") from error
            yield event


def _is_cancelled() -> bool:
    """True if somebody cancelled the running task itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Work(Generic[ReportT, T]):
    """Runs `start(report)` in its own task. The result is available once the reports have ended.

    >>> work = Work[Progress, Result[Any]](lambda report: task.run(TaskRequest(text, sources, as_progress(report))))
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
