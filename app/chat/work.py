"""Work that reports how far it is."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from app.access.keys import Caller
from app.chat.event_driver import Progress, TimeLimit
from app.telemetry import Stages
from app.wire.request import ChatRequest
from tasks import base


@dataclass(frozen=True, slots=True)
class Call:
    request: ChatRequest
    caller: Caller
    skip_planning: bool = False
    """`x-interfaze-bypass-moa`: straight to the LLM."""
    fresh: bool = False
    """`x-interfaze-bypass-cache`, `x-interfaze-zdr`: use nothing of earlier requests, leave nothing for later ones."""
    stages: Stages = field(default_factory=Stages)
    limit: TimeLimit = field(default_factory=TimeLimit)


ReportT = TypeVar("ReportT")
T = TypeVar("T")


class Work(Generic[ReportT, T]):
    """Runs `start(report)` in a task of its own; its reports are iterated, its result is there when they end.

    >>> work = Work[Progress, Result[Any]](lambda report: task.run(TaskRequest(text, sources, as_progress(report))))
    >>> async with aclosing(work.reports()) as reports: ...
    >>> work.result
    """

    def __init__(self, start: Callable[[Callable[[ReportT], None]], Coroutine[Any, Any, T]]) -> None:
        self._start = start
        self._outcome: list[T] = []

    async def reports(self) -> AsyncGenerator[ReportT, None]:
        """Ends when the work does, and raises what the work raises. Closing it cancels the work."""
        queue: asyncio.Queue[ReportT | None] = asyncio.Queue()
        task = asyncio.create_task(self._start(queue.put_nowait))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (report := await queue.get()) is not None:
                yield report
            self._outcome.append(await task)
        finally:
            task.cancel()
            await asyncio.wait([task])

    @property
    def result(self) -> T:
        return self._outcome[0]


def as_progress(report: Callable[[Progress], None]) -> base.Progress:
    """What a task tells of its progress, as an event."""
    return lambda stage, done, total: report(Progress(stage, done, total))
