"""Work that reports how far it is."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from app.chat.events import Progress
from tasks.base import Progress as Report

T = TypeVar("T")


class Work(Generic[T]):
    """Runs `start(report)` in a task of its own; its reports are iterated, its result is there when they end.

    >>> work = Work(lambda report: task.run(TaskRequest(text, sources, report)))
    >>> async with aclosing(work.reports()) as reports: ...
    >>> work.result
    """

    def __init__(self, start: Callable[[Report], Coroutine[Any, Any, T]]) -> None:
        self._start = start
        self._outcome: list[T] = []

    async def reports(self) -> AsyncGenerator[Progress, None]:
        """Ends when the work does, and raises what the work raises. Closing it cancels the work."""
        queue: asyncio.Queue[Progress | None] = asyncio.Queue()
        task = asyncio.create_task(self._start(lambda *report: queue.put_nowait(Progress(*report))))
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
