"""Finds tasks by name. A task that was found has its engines put together before it runs, and its results kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.chat.cache.result_cache import ResultCache
from app.tracing import Traces
from models.catalog import CATALOG
from models.runtime import Runtime
from tasks.base import Parts, Task, TaskRequest
from tasks.catalog import SPECIALISTS
from tasks.result import Result

TaskT = TypeVar("TaskT")


class TaskFinder:
    """The tasks of this server."""

    def __init__(
        self,
        parts_with: Callable[[Callable[[str], Task]], Parts],
        runtime: Runtime,
        traces: Traces,
        results: ResultCache | None,
    ) -> None:
        """`parts_with` puts together what tasks are built from, with the function by which one finds another; where
        `results` is None, no results are kept."""
        self._runtime = runtime
        self._traces = traces
        self._results = results
        self._parts = parts_with(self.find)
        self._tasks: dict[str, Task] = {name: one.build(self._parts) for name, one in SPECIALISTS.items()}

    def find(self, name: str) -> Task:
        """The task `name`, whatever it may lack: it raises EngineUnavailable when it runs."""
        return _PreparedTask(name, self)

    def has(self, name: str) -> bool:
        """Tells whether the task `name` may be guessed at, or offered to an LLM: nobody asked for it in so many words,
        so it must not cost a download."""
        if name in CATALOG and not self._runtime.is_at_hand(name):
            return False
        return SPECIALISTS[name].is_at_hand(self._parts)

    def of_kind(self, kind: type[TaskT]) -> TaskT:
        """The task itself, whose engines the caller has prepared."""
        return next(task for task in self._tasks.values() if isinstance(task, kind))

    async def prepare(self, name: str) -> None:
        """Puts together, off the event loop, the engines of a task."""
        await self._runtime.prepare(*(one.name for one in SPECIALISTS[name].uses))

    async def run(self, name: str, request: TaskRequest) -> Result[Any]:
        """The result of a task, a kept one where it was asked for the same before."""
        specialist = SPECIALISTS[name]

        async def run(request: TaskRequest) -> Result[Any]:
            with self._traces.task(name):
                await self.prepare(name)
                return await self._tasks[name].run(request)

        if self._results is None or specialist.reading is None:
            return await run(request)
        return await self._results.read(specialist, request, run)


@dataclass(frozen=True, slots=True)
class _PreparedTask:
    name: str
    finder: TaskFinder

    async def run(self, request: TaskRequest) -> Result[Any]:
        return await self.finder.run(self.name, request)
