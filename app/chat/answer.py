"""The full model: specialists first and side by side, then an LLM that answers over their results."""

import asyncio
import copy
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from app.chat.call import Call
from app.chat.context.pictures import Part, Shown, images_for_llm, tokens_of
from app.chat.context.prompt import conversation, fenced
from app.chat.context.trim import GAP, trim
from app.chat.directives import Directives
from app.chat.filling import Filling, fill, is_written
from app.chat.guard.guard import Guard
from app.chat.inputs import Turn, aside, document_in, said_in, texts_of
from app.chat.plan import Choices, Plan, Planner
from app.chat.plan_executor import gather, read_instead, whole_answer, worth_telling
from app.chat.planning.wants import pasted_in
from app.chat.schema.structured import COMPLAINT, NotVerbatim, SchemaNotSatisfied, Shape
from app.chat.tool_loop import Rounds, ToolLimits
from app.chat.tools import InternalTool, offered
from app.events import Event, Finish, Precontext, Progress, Text, Warned
from app.feed import Work, as_progress
from app.wire.request import ChatRequest
from models.embedding.embedder import Embedder
from models.fair_executor import FairExecutor
from models.language.llm import PASSAGES, Llm, estimate_tokens, fence_around, first_tokens, new_fence
from tasks.base import Task
from tasks.extraction.evidence import IsWritten, grounded
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import fields_in
from tasks.extraction.passages import is_text, read_of
from tasks.inputs.loader import MediaLoader
from tasks.precontext import REQUEST, Entry, Evidence
from tasks.result import JsonResult
from tasks.schema.checker import SchemaChecker
from tasks.schema.json_answer import AnswerInvalid, JsonAnswer, whole_members
from tasks.schema.paths import leaves, pointer_of, schema_at

ANSWER_SHARE = 4
"""A quarter of the LLM's context is kept for the answer where the client sets no limit."""
PICTURES_SHARE = 2
"""Half of what tools leave of it is for pictures, at most."""
ASSUMED_CONTEXT_TOKENS = 8192
"""The context of an LLM that does not tell: what servers grant by default at least."""
PASSAGE_TOKENS = 120
"""What a question about a document is answered with, where the LLM would invent."""
NO_OBJECTS = "No objects were looked for: the answer is what is written in the picture. {}"
_QUESTION = re.compile(
    r"[?？]\s*$|^\W*(?:what|who|whom|whose|when|where|which|how (?:much|many|long|old|far)|is|are|was|were|does|did|do"
    r"|can|wer|wann|wo|welche[rsn]?|qui|quand|quel|quelle|où|combien|quién|cuándo|dónde|cuál|cuánto|chi|quando|dove|quale)\b",
    re.IGNORECASE,
)
LEAST_PASTED = 300
"""Characters of a text in a message that is taken for a document which its question is about."""
CAREFUL_BYTES_PER_TOKEN = 3
"""For fitting results into the context, where figures and names take more tokens than prose."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """What all requests of the full model share."""

    find_llm: Callable[[], Llm]
    """Raises EngineUnavailable."""
    embedder: Embedder | None
    find_task: Callable[[str], Task]
    has_task: Callable[[str], bool]
    planner: Planner
    loader: MediaLoader
    executor: FairExecutor
    """For work on long texts."""
    evidence_executor: FairExecutor
    most_evidence_chars: int
    """Characters of text that the fields of an answer are compared with, each field with all of it."""
    tool_limits: ToolLimits = field(default_factory=ToolLimits)
    extractor: Extractor | None = None
    """None: the LLM fills in what no specialist's result is."""
    extracts_always: bool = False
    """Whether the fields are extracted though the LLM may be relied on."""

    async def answer(self, call: Call, directives: Directives, turn: Turn, guard: Guard) -> AsyncGenerator[Event, None]:
        """The request's events, Finish last. Raises ApiError, InputError or ModelError."""
        llm = self.find_llm()
        form = call.request.response_format
        shape = await asyncio.to_thread(Shape.of, form) if form is not None else None
        extracts = self.extracts_always and shape is not None
        may_do_without = not call.request.tools and (extracts or not llm.is_capable)
        if not (may_do_without or turn.sources):
            # A flood is refused before it costs more. Where inputs are read first, there may be room by then.
            llm.check_room()
        plan = Plan()
        if not call.skip_planning:
            is_able = bool(call.request.tools) and (await llm.abilities()).tools
            plan = await self.planner.plan(turn, Choices.of(call.request, is_able=is_able))
        call.stages.done("plan")

        entries: tuple[Entry, ...] = ()
        if plan.steps:
            log.info("plan", steps=plan.summary)
            work = Work[Progress, tuple[Entry, ...]](
                lambda report: gather(
                    plan,
                    self.find_task,
                    as_progress(report),
                    guard.redact,
                    form=replace(turn.form, is_read=True),
                    is_all=not llm.is_capable,
                )
            )
            async with aclosing(work.reports()) as reports:
                async for report in reports:
                    yield report
            entries = work.result
        call.stages.done("gather")
        entries = await guard.check_results(entries)

        document: Entry | None = None
        if shape and not call.skip_planning and all(source.is_linked for source in turn.sources):
            document = await asyncio.to_thread(document_in, call.request)
        filling: Filling | None = None
        whole: JsonAnswer | str | None = None
        if may_do_without:
            read = None if shape else await asyncio.to_thread(read_instead, plan, entries)
            if read is not None:
                whole, reason = read
                yield Warned(NO_OBJECTS.format(reason))
            elif shape is None:
                whole = await self._without_words(turn, plan, entries, may_be_pasted=not call.skip_planning)
            elif document is not None or any(entry.error is None for entry in entries):
                filling = await fill(shape, plan, entries, document, self.extractor)
                whole = filling.answer if filling else None
        if whole is not None:
            if isinstance(whole, str) and not plan.results_only:
                yield Warned(PASSAGES)
            said = self._without_llm(whole, worth_telling(plan, entries), shape, call.request, filling)
            async with aclosing(said) as events:
                async for event in events:
                    yield event
            call.stages.done("answer")
            return

        rounds = await self._prepare(call, directives, turn, plan, entries, llm, shape, filling, guard)
        said = self._checked(rounds, shape, filling, document) if shape else rounds.answer()
        # One piece of precontext, before the answer: calls of specialists by the LLM may still add to it.
        waiting = tuple(rounds.entries)
        if waiting and not rounds.internal:
            yield Precontext(waiting)
            waiting = ()
        async with aclosing(said) as events:
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
        call.stages.done("answer")
        yield rounds.finish

    async def _prepare(
        self,
        call: Call,
        directives: Directives,
        turn: Turn,
        plan: Plan,
        entries: tuple[Entry, ...],
        llm: Llm,
        shape: Shape | None,
        filling: Filling | None,
        guard: Guard,
    ) -> Rounds:
        """The LLM's first prompt, and what it may do."""
        request = call.request
        shape = filling.rest if filling else shape
        abilities = await llm.abilities()
        seen = await guard.check_unread(plan, entries, self.find_task) if abilities.vision else turn
        entries = worth_telling(plan, entries)
        told = [text for text in (shape and shape.instruction, filling and filling.told) if text]
        system = [*directives.system, *told]
        forced = request.tool_choice is not None and request.tool_choice not in ("auto", "none")
        tools = []
        if abilities.tools and not call.skip_planning and not forced:
            tools = offered(turn, plan, self.has_task)
        context = abilities.context_tokens or ASSUMED_CONTEXT_TOKENS
        taken = await asyncio.to_thread(_definitions_count, request, tools)
        images: Mapping[Part, Sequence[Shown]] = {}
        if abilities.vision:
            room = max(0, context - taken) // PICTURES_SHARE
            images = await images_for_llm(seen, self.loader, room, told=not call.skip_planning)
            taken += tokens_of(images)
        shorten = partial(self._shortened, turn.text, request, context, taken)
        texts: list[str] = []
        if entries:
            said = await asyncio.to_thread(texts_of, request, "user", "assistant", "tool")
            texts = await shorten(entries, [*system, *said])
        # What its tools will bring is not known yet.
        fence = new_fence() if tools else fence_around(texts) if entries else ""
        results = fenced(enumerate(entries), texts, fence)
        return Rounds(
            llm=llm,
            request=request,
            messages=await aside(request, conversation, request, system, results, fence, images),
            find_task=self.find_task,
            check=guard.check_results,
            redact=guard.redact,
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

    async def _checked(
        self, rounds: Rounds, shape: Shape, filling: Filling | None, document: Entry | None
    ) -> AsyncGenerator[Event, None]:
        """The answer once it is known to have its shape; nothing of it is shown before. The LLM is asked once more.

        Where it ended for its length, or calls the client's tools, the client is told so by the finish reason.
        """
        said = rounds.answer()
        written: IsWritten | None = None
        for is_last in (False, True):
            async with aclosing(said) as events:
                async for event in events:
                    if not isinstance(event, Text):
                        yield event
            if not rounds.llm.is_capable and (rounds.entries or document):
                written = partial(is_written, filling)
            if rounds.finish_reason != "stop":
                text = filling.begun(rounds.text) if filling and rounds.text else rounds.text
                if text:
                    yield Text(text)
                if rounds.finish_reason == "length":
                    whole = await asyncio.to_thread(whole_members, text)
                    for warned in _not_read(whole, rounds.llm, filling, written):
                        yield warned
                    traced, _ = await self._traced(
                        whole, rounds.entries, shape, rounds.request, filling, written, in_haste=True
                    )
                    for event in traced:
                        yield event
                return
            try:
                answer = await self.executor.run(filling.parse if filling else shape.parse, rounds.text)
                break
            except AnswerInvalid as invalid:
                if is_last:
                    raise SchemaNotSatisfied(str(invalid)) from invalid
                log.info("answer_invalid", llm=rounds.llm.name)
                said = rounds.again(COMPLAINT.format(reason=invalid))
        for warned in _not_read(answer.value, rounds.llm, filling, written):
            yield warned
        for event in await self._told(answer, rounds.entries, shape, rounds.request, filling, written):
            yield event

    async def _without_words(
        self, turn: Turn, plan: Plan, entries: Sequence[Entry], *, may_be_pasted: bool
    ) -> str | None:
        """What answers a request that wants nothing but results, or a plain question about what was read, or about the
        text that it brings along: the passages that speak of it. None where an LLM has to find words."""
        whole = await asyncio.to_thread(whole_answer, plan, entries)
        if whole is not None or not all(map(is_text, entries)):
            return whole
        question, read = turn.text, entries
        if not entries and may_be_pasted:
            question, read = await asyncio.to_thread(_asked_of_pasted, turn.text)
        if not read or not _QUESTION.search(question):
            return None
        texts = await trim(read, question, PASSAGE_TOKENS, _careful_count, self.executor, self.embedder, is_answer=True)
        return "\n".join(line for text in texts for line in text.split("\n") if line != GAP) or None

    async def _without_llm(
        self,
        answer: JsonAnswer | str,
        entries: Sequence[Entry],
        shape: Shape | None,
        request: ChatRequest,
        filling: Filling | None,
    ) -> AsyncGenerator[Event, None]:
        """An answer that specialists give whole. One without a shape ends at the client's limit."""
        if entries:
            yield Precontext(tuple(entries))
        if isinstance(answer, JsonAnswer) and shape is not None:
            text, is_cut = answer.text, False
            for event in await self._told(answer, entries, shape, request, filling):
                yield event
        else:
            limit = request.max_completion_tokens or request.max_tokens
            text, is_cut = await asyncio.to_thread(first_tokens, str(answer), limit)
            yield Text(text)
        prompt, said = await asyncio.to_thread(lambda: (estimate_tokens(*texts_of(request)), estimate_tokens(text)))
        yield Finish("length" if is_cut else "stop", prompt, said)

    async def _told(
        self,
        answer: JsonAnswer,
        entries: Sequence[Entry],
        shape: Shape,
        request: ChatRequest,
        filling: Filling | None,
        written: IsWritten | None = None,
    ) -> list[Event]:
        """The answer, and where its fields come from."""
        events, evidence = await self._traced(answer.value, entries, shape, request, filling, written)
        if request.verbatim and evidence is not None:
            answer = await asyncio.to_thread(supported, answer, evidence, shape)
        return [Text(answer.text), *events]

    async def _traced(
        self,
        value: Any,
        entries: Sequence[Entry],
        shape: Shape,
        request: ChatRequest,
        filling: Filling | None,
        written: IsWritten | None = None,
        *,
        in_haste: bool = False,
    ) -> tuple[list[Event], Evidence | None]:
        """Where the fields of an answer come from, for who asks; `in_haste` without how probable they are. What an LLM
        that invents has `written` comes from nowhere."""
        if not request.shows_evidence:
            return [], None
        scored = filling.scored if filling else None
        if scored is None and self.extractor is not None and written is None and not in_haste:
            read = read_of(entries, await asyncio.to_thread(document_in, request))
            scored = await self.extractor.score(read, await asyncio.to_thread(fields_in, value, shape.schema))
        document = scored.document if scored else None
        evidence, left_out = await self.evidence_executor.run(
            grounded,
            value,
            entries,
            shape.schema,
            most_chars=self.most_evidence_chars,
            support=partial(scored.place, copied=filling is not None) if scored else None,
            request=document or await asyncio.to_thread(said_in, request),
            written=written,
        )
        if not left_out:
            return [evidence], evidence
        warning = (
            f"No evidence was looked for in the last {left_out} fields: so many fields are too many for so much text "
            "(OPENFAZE_MAX_EVIDENCE_CHARS)."
        )
        return [Warned(warning), evidence], evidence

    async def _shortened(
        self,
        question: str,
        request: ChatRequest,
        context: int,
        taken: int,
        entries: Sequence[Entry],
        beside: Sequence[str],
    ) -> list[str]:
        """The results' texts, as far as the LLM's context has room for them beside other texts, the answer, and the
        `taken` tokens of pictures and tools."""
        limit = request.max_completion_tokens or request.max_tokens
        # One that no context has room for says how long an answer may be, not how long it will be.
        answer = limit if limit and limit < context else context // ANSWER_SHARE
        taken += await asyncio.to_thread(lambda: sum(_careful_count(text) for text in beside))
        room = max(context // ANSWER_SHARE, context - answer - taken)
        return await trim(entries, question, room, _careful_count, self.executor, self.embedder)


def _not_read(value: Any, llm: Llm, filling: Filling | None, written: IsWritten | None) -> Iterator[Warned]:
    """What is said of the fields that the LLM wrote beside those that were copied, or that one wrote that invents."""
    fields = filling.written if filling else list(value) if written and isinstance(value, dict) else []
    if fields:
        rest = " The other fields are copied." if filling else ""
        yield Warned(f"Written by {llm.name}, not read: {', '.join(fields)}.{rest}")


def supported(answer: JsonAnswer, evidence: Evidence, shape: Shape) -> JsonAnswer:
    """The answer with null for every value that nothing supports. Raises NotVerbatim for one that may not be
    null."""
    named = {key: shape.schema[key] for key in ("$defs", "definitions") if shape.schema and key in shape.schema}
    against = set(evidence.unsupported)
    value = copy.deepcopy(answer.value)
    for path, _ in leaves(answer.value, ()):
        pointer = pointer_of(path)
        if pointer in evidence.fields and pointer not in against:
            continue
        schema = schema_at(shape.schema, path)
        if schema and SchemaChecker({**named, **schema}).problem(None) is not None:
            raise NotVerbatim(pointer)
        *above, last = path
        part = value
        for step in above:
            part = part[step]
        part[last] = None
    return JsonAnswer(value, json.dumps(value, ensure_ascii=False))


def _definitions_count(request: ChatRequest, internal: Sequence[InternalTool]) -> int:
    """Tokens of the tools that the LLM is shown."""
    definitions = [tool.model_dump_json(exclude_unset=True) for tool in request.tools or ()]
    definitions += [json.dumps(tool.definition()) for tool in internal]
    return sum(map(_careful_count, definitions))


def _careful_count(text: str) -> int:
    return estimate_tokens(text, bytes_per_token=CAREFUL_BYTES_PER_TOKEN)


def _asked_of_pasted(message: str) -> tuple[str, list[Entry]]:
    """What a message asks, and the text that it brings along to be asked about, if it does."""
    text = pasted_in(message)
    if text is None or len(text) < LEAST_PASTED:
        return message, []
    question = message.replace(text, "", 1).strip()
    return question, [Entry(REQUEST, JsonResult({"text": text}))] if question else []
