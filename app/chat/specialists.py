"""Runs tasks for one request. The request's guard judges their results before any use."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from app.chat.guard.request_guard import RequestGuard
from app.chat.inputs import Turn
from app.chat.plan import Plan
from app.chat.plan_executor import as_entry, execute_plan
from models.concurrency import side_by_side
from tasks.base import Progress, Task, TaskRequest, unredacted
from tasks.precontext import Entry
from tasks.wording.page_range import Form


@dataclass(frozen=True, slots=True)
class Specialists:
    """Runs the tasks of one request, and lets its guard judge the results."""

    find_task: Callable[[str], Task]
    guard: RequestGuard | None = None
    """Guard of the request; None if no result is judged."""

    @property
    def redacts(self) -> bool:
        """True if personal data of the request is redacted."""
        return self.guard is not None and self.guard.redaction is not None

    async def run(self, name: str, request: TaskRequest, before_judging: Callable[[Entry], Awaitable[None]]) -> Entry:
        """Return the result of one task. If the guard judges it, `before_judging` is awaited first with the result.
        Raises what the task and the guard raise."""
        task = self.find_task(name)
        result = as_entry(task.name, await task.run(self._with_redaction(request)))
        if self.guard is None or not self.guard.is_on:
            return result
        await before_judging(result)
        [judged] = await self._judge([result])
        return judged

    async def run_plan(self, plan: Plan, progress: Progress, form: Form, *, is_all: bool) -> tuple[Entry, ...]:
        """Return an entry for each step. Raises what `execute_plan` and the guard raise."""
        redact = self.guard.redact if self.guard else unredacted
        return await self._judge(await execute_plan(plan, self.find_task, progress, redact, form=form, is_all=is_all))

    async def run_calls(
        self, calls: Sequence[tuple[str, Callable[[], TaskRequest]]], *, at_most: int
    ) -> tuple[Entry, ...]:
        """Return an entry for each call of a task by an LLM. At most `at_most` calls run at a time.

        If a task fails, or its request cannot be made, the entry contains the error. Raises what the guard raises.
        """

        async def run(call: tuple[str, Callable[[], TaskRequest]]) -> Entry:
            name, request_of = call
            try:
                return as_entry(name, await self.find_task(name).run(self._with_redaction(request_of())))
            except Exception as error:  # noqa: BLE001 - the LLM is told of the error, and continues
                return as_entry(name, error)

        return await self._judge(await side_by_side(run, calls, at_most=at_most))

    async def without_hidden(self, turn: Turn, plan: Plan, entries: Sequence[Entry]) -> Turn:
        """Return `turn` with only those pictures that an LLM may see. `entries` are the results of `plan`.

        Raises what the guard's `check_unread` raises.
        """
        return await self.guard.check_unread(plan, entries, self.find_task) if self.guard else turn

    async def _judge(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        return await self.guard.check_results(entries) if self.guard else tuple(entries)

    def _with_redaction(self, request: TaskRequest) -> TaskRequest:
        return replace(request, redact=self.guard.redact) if self.guard else request
