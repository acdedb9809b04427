"""Work that reports how far it is."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from app.chat.events import Progress
from tasks import base

ReportT = TypeVar("ReportT")
T = TypeVar("T")


class Work(Generic[ReportT, T]):
    """Runs `start(report)` in a task of its own; its reports are iterated, its result is there when they end.

    >>> work = Work[Progress, Result](lambda report: task.run(TaskRequest(text, sources, as_progress(report))))
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
