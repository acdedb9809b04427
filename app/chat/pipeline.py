"""One request's journey, from a validated body to events. It reads from top to bottom."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import pydantic_core

from app.chat.answer import Answerer
from app.chat.call import Call
from app.chat.collect import Collector, Turn, texts_of
from app.chat.directives import read_directives
from app.chat.events import Event, Finish, Progress, Text
from app.chat.schema import is_open
from app.chat.work import Work, as_progress
from models.base import EngineUnavailable
from models.language.tokens import estimate_tokens
from tasks.base import ALIASES, TASK_NAMES, Task, TaskRequest

NO_GUARD = "This version has no guard engine yet, and an asked-for guard is never skipped."


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What all requests share."""

    find_task: Callable[[str], Task]
    """By canonical name; raises EngineUnavailable where nothing can run it."""
    answerer: Answerer
    collector: Collector
    task_names: Sequence[str] = TASK_NAMES
    """What a `<task>` may name."""

    async def run(self, call: Call) -> AsyncGenerator[Event, None]:
        """The request's events, Finish last.

        Raises ApiError, InputError or ModelError: usually before the first event, but possibly between two.
        """
        request = call.request
        directives = read_directives(texts_of(request, "system", "developer"), self.task_names)
        turn = await self.collector.collect(request, call.caller.tenant, fresh=call.fresh)
        call.stages.done("read")
        if directives.guard:
            raise EngineUnavailable("guardrails", NO_GUARD)
        if directives.task is not None and is_open(request.response_format):
            events = self._run_task(directives.task, turn, call)
        else:
            events = self.answerer.answer(call, directives, turn)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _run_task(self, name: str, turn: Turn, call: Call) -> AsyncGenerator[Event, None]:
        """One task, no LLM: the answer is the task's result as compact JSON."""
        task = self.find_task(ALIASES.get(name, name))
        work = Work[Progress, object](
            lambda report: task.run(TaskRequest(turn.text, turn.sources, as_progress(report)))
        )
        async with aclosing(work.reports()) as reports:
            async for report in reports:
                yield report

        def as_json() -> tuple[str, int]:
            content = pydantic_core.to_json({"name": name, "result": work.result}).decode()
            return content, estimate_tokens(content)

        # The text of a large file is megabytes.
        content, tokens = await asyncio.to_thread(as_json)
        call.stages.done("task")
        yield Text(content)
        yield Finish("stop", estimate_tokens(*texts_of(call.request)), tokens)
