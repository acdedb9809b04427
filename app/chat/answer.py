"""The full model: tasks run first and side by side, then an LLM answers over their results."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from app.chat.call import ChatCall
from app.chat.context.pictures import LlmImage, PartPlace, images_for_llm, tokens_of
from app.chat.context.prompt import conversation, fenced
from app.chat.context.trim import GAP, trim
from app.chat.directives import Directives
from app.chat.filling import fill
from app.chat.inputs import Turn, pasted_document, run_off_loop, texts_of
from app.chat.material import Material
from app.chat.plan import Choices, Plan, Planner
from app.chat.plan_executor import answer_from_results, text_read_instead
from app.chat.planning.prose import pasted_in
from app.chat.schema.structured import Shape
from app.chat.specialists import Specialists
from app.chat.structured_answers import StructuredAnswers
from app.chat.tool_loop import Rounds, ToolLimits
from app.chat.tools import InternalTool, offered
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, TextChunk
from app.feed import Work, as_progress
from app.wire.request import ChatRequest
from models.embedding.embedder import Embedder
from models.fair_executor import FairExecutor
from models.language.llm import PASSAGES, Llm, estimate_tokens, fence_around, first_tokens, new_fence
from tasks.extraction.passages import is_text
from tasks.inputs.loader import MediaLoader
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.json_answer import JsonAnswer

ANSWER_SHARE = 4
"""Divisor of the LLM's context: a quarter of it is kept for the answer if the client sets no limit."""
PICTURES_SHARE = 2
"""Divisor of the context left by tools: pictures get half of it at most."""
ASSUMED_CONTEXT_TOKENS = 8192
"""Size assumed for the context of an LLM that reports none, in tokens: the smallest default of servers."""
PASSAGE_TOKENS = 120
"""Length of the passages that answer a question about a document if the LLM would invent, in tokens."""
NO_OBJECTS = "No objects were looked for: the answer is what is written in the picture. {}"
_QUESTION = re.compile(
    r"[?？]\s*$|^\W*(?:what|who|whom|whose|when|where|which|how (?:much|many|long|old|far)|is|are|was|were|does|did|do"
    r"|can|wer|wann|wo|welche[rsn]?|qui|quand|quel|quelle|où|combien|quién|cuándo|dónde|cuál|cuánto|chi|quando|dove|quale)\b",
    re.IGNORECASE,
)
LEAST_PASTED = 300
"""Least number of characters at which a text in a message is taken for the document of its question."""
CAREFUL_BYTES_PER_TOKEN = 3
"""Number of bytes counted as one token when results are fitted into the context.

The estimate is careful because figures and names take more tokens than prose.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers requests by the full model."""

    find_llm: Callable[[], Llm]
    """Function that returns the LLM. Raises EngineUnavailable."""
    embedder: Embedder | None
    has_task: Callable[[str], bool]
    planner: Planner
    loader: MediaLoader
    executor: FairExecutor
    """Threads for work on long texts."""
    structured: StructuredAnswers
    tool_limits: ToolLimits = field(default_factory=ToolLimits)
    extracts_always: bool = False
    """True if fields are extracted even with a reliable LLM."""

    async def answer(
        self, call: ChatCall, directives: Directives, turn: Turn, specialists: Specialists
    ) -> AsyncGenerator[Event, None]:
        """Return the request's events, with Finish last. Raises ApiError, InputError or ModelError."""
        llm = self.find_llm()
        form = call.request.response_format
        shape = await asyncio.to_thread(Shape.of, form) if form is not None else None
        extracts = self.extracts_always and shape is not None
        may_do_without = not call.request.tools and (extracts or not llm.is_capable)
        if not (may_do_without or turn.sources):
            # A flood of requests is refused before it costs more. If inputs are read first, there may be room by then.
            llm.check_room()
        plan = Plan()
        if not call.skip_planning:
            is_able = bool(call.request.tools) and (await llm.abilities()).tools
            plan = await self.planner.plan(turn, Choices.of(call.request, is_able=is_able))
        call.stages.done("plan")

        results: tuple[Entry, ...] = ()
        if plan.steps:
            log.info("plan", steps=plan.summary)
            form_read = replace(turn.form, is_read=True)
            work = Work[Progress, tuple[Entry, ...]](
                lambda report: specialists.run_plan(plan, as_progress(report), form_read, is_all=not llm.is_capable)
            )
            async with aclosing(work.reports()) as reports:
                async for report in reports:
                    yield report
            results = work.result
        call.stages.done("gather")

        material = Material(call, directives, turn, specialists, llm, shape, plan, results)
        if shape and not call.skip_planning and all(source.is_linked for source in turn.sources):
            material = replace(material, document=await asyncio.to_thread(pasted_document, call.request))
        whole: JsonAnswer | str | None = None
        if may_do_without:
            read = None if shape else await asyncio.to_thread(text_read_instead, plan, results)
            if read is not None:
                whole, reason = read
                yield AnswerWarning(NO_OBJECTS.format(reason))
            elif shape is None:
                whole = await self._without_words(material)
            elif material.document is not None or any(entry.error is None for entry in results):
                filling = await fill(shape, plan, results, material.document, self.structured.extractor)
                material = replace(material, filling=filling)
                whole = filling.answer if filling else None
        events = self._by_llm(material) if whole is None else self._without_llm(whole, material)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _by_llm(self, material: Material) -> AsyncGenerator[Event, None]:
        rounds = await self._prepare(material)
        shape = material.shape
        events = rounds.answer() if shape is None else self.structured.by_llm(rounds, material, shape)
        # Calls of specialists by the LLM may still add to the precontext, so that it is sent as one piece before the
        # answer.
        waiting = tuple(rounds.entries)
        if waiting and not rounds.internal:
            yield Precontext(waiting)
            waiting = ()
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Precontext):
                    waiting += event.entries
                    continue
                if waiting:
                    yield Precontext(waiting)
                    waiting = ()
                yield event
        if waiting:
            yield Precontext(waiting)
        material.call.stages.done("answer")
        yield rounds.finish

    async def _prepare(self, material: Material) -> Rounds:
        """Return the rounds of the LLM: its first prompt, its tools and their limits."""
        request, turn, filling = material.request, material.turn, material.filling
        call, llm = material.call, material.llm
        shape = filling.rest if filling else material.shape
        abilities = await llm.abilities()
        shown = turn
        if abilities.vision:
            shown = await material.specialists.without_hidden(turn, material.plan, material.results)
        entries = material.entries
        instructions = [text for text in (shape and shape.instruction, filling and filling.instruction) if text]
        system = [*material.directives.system, *instructions]
        forced = request.tool_choice is not None and request.tool_choice not in ("auto", "none")
        tools = []
        if abilities.tools and not call.skip_planning and not forced:
            tools = offered(turn, material.plan, self.has_task)
        context = abilities.context_tokens or ASSUMED_CONTEXT_TOKENS
        taken = await asyncio.to_thread(_definitions_count, request, tools)
        images: Mapping[PartPlace, Sequence[LlmImage]] = {}
        if abilities.vision:
            room = max(0, context - taken) // PICTURES_SHARE
            images = await images_for_llm(shown, self.loader, room, told=not call.skip_planning)
            taken += tokens_of(images)
        shorten = partial(self._shortened, turn.text, request, context, taken)
        texts: list[str] = []
        if entries:
            messages = await asyncio.to_thread(texts_of, request, "user", "assistant", "tool")
            texts = await shorten(entries, [*system, *messages])
        # A fence must be random if tools may still add results, whose texts are not known yet.
        fence = new_fence() if tools else fence_around(texts) if entries else ""
        results = fenced(enumerate(entries), texts, fence)
        return Rounds(
            llm=llm,
            request=request,
            messages=await run_off_loop(request, conversation, request, system, results, fence, images),
            specialists=material.specialists,
            limits=self.tool_limits,
            shorten=shorten,
            response_format=shape.upstream if shape and abilities.json_schema else None,
            internal={tool.name: tool for tool in tools},
            turn=turn,
            entries=list(entries),
            fence=fence,
            limit=call.limit,
            holds_text=shape is not None,
        )

    async def _without_words(self, material: Material) -> str | None:
        """Return an answer taken from results alone, or None if an LLM has to write the answer.

        The answer is the results, if the request asks for nothing else, or the passages that answer a plain question
        about a text that was read or is in the message.
        """
        plan, results = material.plan, material.results
        whole = await asyncio.to_thread(answer_from_results, plan, results)
        if whole is not None or not all(map(is_text, results)):
            return whole
        question, read = material.turn.text, list(results)
        if not results and not material.call.skip_planning:
            question, read = await asyncio.to_thread(_question_about_pasted, question)
        if not read or not _QUESTION.search(question):
            return None
        texts = await trim(read, question, PASSAGE_TOKENS, _careful_count, self.executor, self.embedder, is_answer=True)
        return "\n".join(line for text in texts for line in text.split("\n") if line != GAP) or None

    async def _without_llm(self, answer: JsonAnswer | str, material: Material) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer taken from results. An answer without a schema ends at the client's limit."""
        request, entries = material.request, material.entries
        if isinstance(answer, str) and not material.plan.results_only:
            yield AnswerWarning(PASSAGES)
        if entries:
            yield Precontext(entries)
        if isinstance(answer, JsonAnswer) and material.shape is not None:
            text, is_cut = answer.text, False
            for event in await self.structured.with_evidence(answer, entries, material, material.shape):
                yield event
        else:
            limit = request.max_completion_tokens or request.max_tokens
            text, is_cut = await asyncio.to_thread(first_tokens, str(answer), limit)
            yield TextChunk(text)
        tokens = await asyncio.to_thread(lambda: (estimate_tokens(*texts_of(request)), estimate_tokens(text)))
        yield Finish("length" if is_cut else "stop", *tokens)
        material.call.stages.done("answer")

    async def _shortened(
        self,
        question: str,
        request: ChatRequest,
        context: int,
        taken: int,
        entries: Sequence[Entry],
        beside: Sequence[str],
    ) -> list[str]:
        """Return the results' texts, shortened to fit the LLM's context.

        The context must also have room for other texts, the answer, and the `taken` tokens of pictures and tools.
        """
        limit = request.max_completion_tokens or request.max_tokens
        # A limit larger than the context is a permission, not an estimate of the answer's length.
        answer = limit if limit and limit < context else context // ANSWER_SHARE
        taken += await asyncio.to_thread(lambda: sum(_careful_count(text) for text in beside))
        room = max(context // ANSWER_SHARE, context - answer - taken)
        return await trim(entries, question, room, _careful_count, self.executor, self.embedder)


def _definitions_count(request: ChatRequest, internal: Sequence[InternalTool]) -> int:
    """Return the number of tokens of the definitions of tools shown to the LLM."""
    definitions = [tool.model_dump_json(exclude_unset=True) for tool in request.tools or ()]
    definitions += [json.dumps(tool.definition()) for tool in internal]
    return sum(map(_careful_count, definitions))


def _careful_count(text: str) -> int:
    return estimate_tokens(text, bytes_per_token=CAREFUL_BYTES_PER_TOKEN)


def _question_about_pasted(message: str) -> tuple[str, list[Entry]]:
    """Return the question in a message, and the document pasted beside the question, if any."""
    text = pasted_in(message)
    if text is None or len(text) < LEAST_PASTED:
        return message, []
    question = message.replace(text, "", 1).strip()
    return question, [Entry(REQUEST, JsonResult({"text": text}))] if question else []
