"""Answers of the full model, made in this process from the results of tasks that a test gives."""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.chat.call import Inquiry
from app.chat.directives import read_directives
from app.chat.inputs import texts_of
from app.chat.llm_answer import LlmAnswers
from app.chat.own_answer import OwnAnswers
from app.chat.plan import Planner, with_wish
from app.chat.run_plan import Material, Specialists
from app.chat.structured_answers import StructuredAnswers
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, TextChunk, ToolCallChunk
from app.wire.request import ChatRequest
from models.base import EngineUnavailable
from models.language.llm import Llm
from tasks.base import Task, TaskRequest
from tasks.catalog import PRECONTEXT_NAMES
from tasks.inputs.loader import MediaLoader
from tasks.precontext import Entry, Evidence
from tasks.result import Result
from tests.kit.chats.entries import result_of
from tests.kit.chats.inquiries import inquiry_of
from tests.kit.papers.filling import extractor


@dataclass
class GivenTasks:
    """Tasks that return given results, raise given errors, or do what a given function does with the request, by their
    canonical names."""

    results: Mapping[str, Any]
    requests: list[TaskRequest[Any]] = field(default_factory=list)
    """What was asked of the tasks, in order."""

    def find(self, name: str) -> Task:
        if name not in self.results:
            raise EngineUnavailable(name, "There is none.")
        return _GivenTask(name, self.results[name], self.requests)

    def __contains__(self, name: object) -> bool:
        return name in self.results


@dataclass
class _GivenTask:
    name: str
    result: Any
    requests: list[TaskRequest[Any]]

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
        self.requests.append(request)
        if isinstance(self.result, Exception):
            raise self.result
        data = self.result(request) if callable(self.result) else self.result
        return result_of(PRECONTEXT_NAMES.get(self.name, self.name), data)


@dataclass
class Answered:
    """The events of an answer, by their kinds."""

    events: list[Event]

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.events if isinstance(one, TextChunk))

    @property
    def value(self) -> Any:
        return json.loads(self.text)

    @property
    def warnings(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, AnswerWarning)]

    @property
    def entries(self) -> list[Entry]:
        return [entry for one in self.events if isinstance(one, Precontext) for entry in one.entries]

    @property
    def evidence(self) -> Evidence | None:
        return next((one for one in self.events if isinstance(one, Evidence)), None)

    @property
    def calls(self) -> dict[str, str]:
        """The arguments of the calls of the client's tools, by the tools' names."""
        names = {one.index: one.name for one in self.events if isinstance(one, ToolCallChunk) and one.name}
        found = dict.fromkeys(names.values(), "")
        for one in self.events:
            if isinstance(one, ToolCallChunk):
                found[names[one.index]] += one.arguments
        return {str(name): arguments for name, arguments in found.items()}

    @property
    def progress(self) -> list[Progress]:
        return [one for one in self.events if isinstance(one, Progress)]

    @property
    def finish(self) -> Finish:
        last = self.events[-1]
        assert isinstance(last, Finish)
        assert not any(isinstance(one, Finish) for one in self.events[:-1])
        return last


async def answered(events: AsyncGenerator[Event, None]) -> Answered:
    return Answered([event async for event in events])


def chat_of(*messages: str | Mapping[str, Any], **fields: Any) -> ChatRequest:
    """Return a request with these messages; a string is a user's."""
    said = [{"role": "user", "content": one} if isinstance(one, str) else one for one in messages]
    return ChatRequest.model_validate({"model": "auto", "messages": said, **fields})


async def inquiry_with_wish(request: ChatRequest, *, skip_planning: bool = False) -> Inquiry:
    inquiry = inquiry_of(request)
    return replace(
        inquiry,
        directives=read_directives(texts_of(request, "system", "developer")),
        call=replace(inquiry.call, skip_planning=skip_planning),
        turn=await with_wish(inquiry.turn),
    )


def llm_answers(loader: MediaLoader, tasks: GivenTasks, *, extracts_always: bool = False) -> LlmAnswers:
    structured = StructuredAnswers(extractor())
    planner = Planner(tasks.__contains__)
    return LlmAnswers(planner, structured, loader, None, tasks.__contains__, extracts_always)


def own_answers(loader: MediaLoader, tasks: GivenTasks) -> OwnAnswers:
    async def write(material: Material) -> AsyncGenerator[Event, None]:
        return await llm_answers(loader, tasks).write(material)

    return OwnAnswers(Planner(tasks.__contains__), StructuredAnswers(extractor()), None, tasks.__contains__, write)


async def answer(
    answers: LlmAnswers | OwnAnswers, llm: Llm, request: ChatRequest, tasks: GivenTasks, *, skip_planning: bool = False
) -> Answered:
    """Return the answer to a request, of which tasks do what the test says."""
    inquiry = await inquiry_with_wish(request, skip_planning=skip_planning)
    return await answered(answers.answer(llm, inquiry, Specialists(tasks.find)))
