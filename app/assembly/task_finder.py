"""Finds tasks by name, builds the engines of a task before it runs, and caches its results."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.chat.cache.result_cache import ResultCache
from app.monitoring.tracing import Traces
from models.catalog import CATALOG
from models.runtime import Runtime
from tasks.base import Parts, Task, TaskRequest
from tasks.catalog import SPECIALISTS
from tasks.result import Result

TaskT = TypeVar("TaskT")


class TaskFinder:
    """Tasks of this server."""

    def __init__(
        self,
        parts_with: Callable[[Callable[[str], Task]], Parts],
        runtime: Runtime,
        traces: Traces,
        results: ResultCache | None,
    ) -> None:
        """Build the tasks.

        `parts_with` returns the parts that tasks are built from. Its argument is a function that finds a task by name.
        If `results` is None, no results are cached.
        """
        self._runtime = runtime
        self._traces = traces
        self._results = results
        self._parts = parts_with(self.find)
        self._tasks: dict[str, Task] = {name: one.build(self._parts) for name, one in SPECIALISTS.items()}

    def find(self, name: str) -> Task:
        """Return the task `name`. If its engine is missing, the task raises EngineUnavailable when it runs."""
        return _PreparedTask(name, self)

    def has(self, name: str) -> bool:
        """True if the server may choose the task `name` by itself, or offer it to an LLM."""
        if name in CATALOG and not self._runtime.can_serve(name):
            return False
        return SPECIALISTS[name].is_at_hand(self._parts)

    def of_kind(self, kind: type[TaskT]) -> TaskT:
        """Return the task of a class. The caller must have prepared its engines."""
        return next(task for task in self._tasks.values() if isinstance(task, kind))

    async def prepare(self, name: str) -> None:
        """Build the engines of a task in a thread."""
        await self._runtime.prepare(*(one.name for one in SPECIALISTS[name].uses))

    async def run(self, name: str, request: TaskRequest) -> Result[Any]:
        """Return the result of a task, or the cached result of an equal earlier request."""
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
