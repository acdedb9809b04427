"""One request's journey, from a validated body to events. It reads from top to bottom."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

import pydantic_core

from app.chat.answer import Answerer
from app.chat.call import Call
from app.chat.collect import Turn, latest_turn, texts_of
from app.chat.directives import read_directives
from app.chat.events import Event, Finish, Text
from app.chat.schema import is_open
from app.chat.work import Work
from models.base import EngineUnavailable
from models.language.tokens import estimate_tokens
from tasks.base import ALIASES, Task, TaskRequest

NO_GUARD = "This version has no guard engine yet, and an asked-for guard is never skipped."


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What all requests share."""

    find_task: Callable[[str], Task]
    """By canonical name; raises EngineUnavailable where nothing can run it."""
    answerer: Answerer
    max_sources: int

    async def run(self, call: Call) -> AsyncGenerator[Event, None]:
        """The request's events, Finish last.

        Raises ApiError, InputError or ModelError: usually before the first event, but possibly between two.
        """
        request = call.request
        directives = read_directives(texts_of(request, "system", "developer"))
        turn = latest_turn(request, self.max_sources)
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
        work = Work(lambda report: task.run(TaskRequest(turn.text, turn.sources, report)))
        async with aclosing(work.reports()) as reports:
            async for report in reports:
                yield report
        content = pydantic_core.to_json({"name": name, "result": work.result}).decode()
        call.stages.done("task")
        yield Text(content)
        yield Finish("stop", estimate_tokens(*texts_of(call.request)), estimate_tokens(content))
