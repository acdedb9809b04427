"""Material for the answer to one request, and the tasks that gather it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from app.chat.call import ChatCall
from app.chat.directives import Directives
from app.chat.feed import Work, as_progress
from app.chat.filling import Filling
from app.chat.inputs import Turn, pasted_document
from app.chat.plan import Plan
from app.chat.run_plan import Specialists, without_empty_asides, without_unread_links
from app.chat.schema.shape import Shape
from app.events import AnswerWarning, Event, Progress
from app.wire.request import ChatRequest
from models.language.llm import Llm
from tasks.precontext import Entry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Material:
    """Everything from which the answer is made: the request, the results of its tasks, and the required form."""

    call: ChatCall
    directives: Directives
    turn: Turn
    specialists: Specialists
    llm: Llm
    shape: Shape | None
    """Required form of the answer; None if any text will do."""
    plan: Plan
    results: tuple[Entry, ...] = ()
    """Results of the steps, one per step of the plan."""
    unread: tuple[Entry, ...] = ()
    """Errors of the text's links that could not be read. Their steps are not in `plan`."""
    has_document: bool = False
    """True if the messages contain a document, or end with results of the client's tools."""
    document: Entry | None = None
    """Document that the user's message contains as text, if the answer's fields may be copied from it."""
    filling: Filling | None = None
    """The fields that are copied, and the shape of the fields left to the LLM."""

    @property
    def request(self) -> ChatRequest:
        return self.call.request

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Results that are shown to the LLM and the client."""
        shown = without_empty_asides(self.plan, self.results) if self.results else ()
        return (*shown, *self.unread)

    async def pasted_document(self) -> Entry | None:
        """Return the document in the messages, if the fields of the answer may be copied from it."""
        if self.call.skip_planning or not all(source.is_linked for source in self.turn.sources):
            return None
        return await asyncio.to_thread(pasted_document, self.request, self.turn.since)


async def gather(material: Material, *, is_all: bool) -> AsyncGenerator[Event | Material, None]:
    """Run the tasks of the plan. Yield their progress, their warnings, and at last the material with their results.
    `is_all` is that of `execute_plan`."""
    plan, turn = material.plan, material.turn
    if plan.steps:
        log.info("plan", steps=plan.summary)
        form = replace(turn.form, is_read=True)
        work = Work[Progress, tuple[Entry, ...]](
            lambda report: material.specialists.run_plan(plan, as_progress(report), form, is_all=is_all)
        )
        async with aclosing(work.reports()) as reports:
            async for report in reports:
                yield report
        for warning in dict.fromkeys(warning for entry in work.result for warning in entry.result.warnings()):
            yield AnswerWarning(warning)
        plan, results, unread = without_unread_links(plan, work.result)
        material = replace(material, plan=plan, results=results, unread=unread)
    material.call.stages.done("gather")
    yield material
