"""Answers requests to the full model: runs tasks side by side, and then lets an LLM answer with their results."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from app.chat.call import ChatCall
from app.chat.context.pictures import LlmImage, PartPlace, images_for_llm, tokens_of
from app.chat.context.prompt import build_messages, fence_results
from app.chat.context.trim import similarities, trim
from app.chat.directives import Directives
from app.chat.feed import Work, as_progress
from app.chat.filling import fill, fill_given, fill_whole
from app.chat.inputs import (
    Turn,
    entry_of_user_texts,
    pasted_document,
    results_of_calls,
    run_off_loop,
    text_of_document,
    texts_of,
    with_own_words,
)
from app.chat.material import Material
from app.chat.own_answer import OwnAnswers, PlainAnswer
from app.chat.plan import ClientTools, Plan, Planner, reading_plan
from app.chat.plan_executor import without_unread_links
from app.chat.planning.background import BackgroundPrompt, read_background_prompt
from app.chat.planning.described_json import or_null
from app.chat.planning.prose import is_document
from app.chat.planning.questions import is_question, unanswered, values_asked_for
from app.chat.planning.wishes import Wish
from app.chat.schema.requested_fields import (
    CALL,
    RequestedFields,
    fields_of_format,
    fields_of_prompt,
    fields_of_tool,
    forced_tools,
)
from app.chat.schema.structured import NotFoundInInput, Shape
from app.chat.specialists import Specialists
from app.chat.structured_answers import StructuredAnswers
from app.chat.tool_loop import Rounds, ToolLimits
from app.chat.tools import InternalTool, offered
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, TextChunk, ToolCallChunk, text_chunks
from app.wire.request import ChatRequest, ChatTool
from models.embedding.embedder import Embedder
from models.language.llm import Llm, estimate_tokens, fence_around, first_tokens, new_fence
from tasks.base import unreported
from tasks.extraction.examples import Example
from tasks.extraction.passages import is_text, read_of
from tasks.inputs.loader import MediaLoader
from tasks.precontext import Entry, Evidence
from tasks.schema.awaited import in_thread
from tasks.schema.json_answer import JsonAnswer

ANSWER_DIVISOR = 4
"""The LLM's context divided by this, a quarter, is kept for the answer, unless the client sets a limit below the
context. Results of tasks also get at least a quarter."""
PICTURES_DIVISOR = 2
"""Pictures take at most half of the context that the definitions of tools leave."""
ASSUMED_CONTEXT_TOKENS = 8192
"""Context length assumed for an LLM that reports none, in tokens."""
TOOL_CHARS = 300
"""The first this many characters of a tool's description are compared with the user's text. They say what the tool
does; further ones describe its arguments and results, and comparing them for 128 tools takes ten seconds of a
processor."""
LEAST_FITTING, LEAST_LEAD = 0.35, 0.05
"""An offered tool is called if its cosine to the user's text is at least the former, and exceeds that of all other
tools by at least the latter. On 20 requests and 43 tools, tools that fit had 0.36 to 0.76, others at most 0.29."""
_LABEL_END = re.compile(r"[:：](?:\s|$)")
_LONGEST_LINE = 10_000
"""A line of more characters than this counts as a document."""
CAREFUL_BYTES_PER_TOKEN = 3
"""Number of bytes counted as one token when results are fitted into the context.

The estimate is careful because numbers and names take more tokens than prose.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers requests to the full model."""

    find_llm: Callable[[], Llm]
    """Function that returns the LLM. Raises EngineUnavailable."""
    embedder: Embedder | None
    has_task: Callable[[str], bool]
    planner: Planner
    loader: MediaLoader
    """Threads for work on long texts."""
    structured: StructuredAnswers
    tool_limits: ToolLimits = field(default_factory=ToolLimits)
    extracts_always: bool = False
    """True if fields are extracted even with a reliable LLM."""

    async def answer(
        self, call: ChatCall, directives: Directives, turn: Turn, specialists: Specialists
    ) -> AsyncGenerator[Event, None]:
        """Yield the request's events, with Finish last. Raises ApiError, InputError or ModelError."""
        llm = self.find_llm()
        request = call.request
        turn = await run_off_loop(request, with_own_words, turn, request)
        background: BackgroundPrompt | None = None
        pasted: Entry | None = None
        if not llm.is_capable:
            background = await asyncio.to_thread(_background_prompt, request)
            pasted = await asyncio.to_thread(lambda: results_of_calls(request) or pasted_document(request))
        requested = await self._read_requested_fields(request, turn, llm, background)
        shape = requested.shape if requested else None
        extracts = self.extracts_always and shape is not None and not request.tools
        if llm.is_capable and not (extracts or turn.sources):
            # If the LLM's queue is full, the request is refused before it costs more. A request with inputs is not
            # refused yet, because the queue may have room again when its inputs have been read.
            llm.check_room()
        is_alone = not llm.is_capable and requested is None
        has_results = request.messages[-1].role == "tool"
        has_document = pasted is not None and (has_results or is_document(text_of_document(pasted).strip()))
        if call.skip_planning or background or (is_alone and has_results):
            plan = Plan(wish=await asyncio.to_thread(Wish.of, turn.text, of_input=has_document))
        else:
            can_call_tools = bool(request.tools) and llm.is_capable and (await llm.abilities()).tools
            plan = await self.planner.plan(
                turn,
                ClientTools.of(request, can_call_tools=can_call_tools),
                has_schema=requested is not None,
                has_document=has_document,
                searches_facts=is_alone and texts_of(request, "user")[1:] == [],
            )
        material = Material(
            call=call,
            directives=directives,
            turn=turn,
            specialists=specialists,
            llm=llm,
            shape=shape,
            plan=plan,
            has_document=has_document,
        )
        if is_alone and not (background or has_document) and (called := await self._call_fitting_tool(material)):
            requested, material = called
            plan, shape, is_alone = material.plan, material.shape, False
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
        for warning in dict.fromkeys(warning for entry in results for warning in entry.result.warnings()):
            yield AnswerWarning(warning)
        if plan.unfindable is not None and not llm.is_capable:
            wanted = await asyncio.to_thread(values_asked_for, turn.text)
            if wanted is None or not wanted.are_known:
                yield AnswerWarning(str(plan.unfindable))
        plan, results, unread = without_unread_links(plan, results)
        call.stages.done("gather")

        material = replace(material, plan=plan, results=results, unread=unread)
        if shape and not call.skip_planning and all(source.is_linked for source in turn.sources):
            material = replace(material, document=await asyncio.to_thread(pasted_document, request, turn.since))
        ready: JsonAnswer | PlainAnswer | None = None
        examples: list[Example] = []
        if shape is not None and (extracts or not llm.is_capable):
            examples = await self._read_examples(material, shape)
        if material.document is not None and (extracts or not llm.is_capable):
            for warning in material.document.result.warnings():
                yield AnswerWarning(warning)
        if requested is not None and not llm.is_capable:
            if background is not None:
                values = background.values(requested.shape.schema or {})
                material = replace(material, filling=await fill_given(requested.shape, values))
            elif material.filling is None:
                material = await self._fill_all(material, requested, examples)
            assert material.filling is not None
            ready = material.filling.answer
            for warning in (*([requested.warning] if requested.warning else ()), *material.filling.warnings):
                yield AnswerWarning(warning)
        elif extracts and shape is not None:
            if material.document is not None or any(entry.error is None for entry in results):
                filling = await fill(shape, plan, results, material.document, self.structured.extractor, examples)
                material = replace(material, filling=filling)
                ready = filling.answer if filling else None
                for warning in filling.copied.warnings if filling else ():
                    yield AnswerWarning(warning)
        elif background is not None:
            text = background.text or unanswered(background.user_texts[-1], can_search=True)
            ready = PlainAnswer(text)
        elif is_alone:
            ready = await self.own_answers.answer(material, None if call.skip_planning else pasted)
        if ready is None and not llm.is_capable:
            llm.check_room()
        function = requested.function if requested else None
        events = self._answer_by_llm(material) if ready is None else self._yield_plain_answer(ready, material, function)
        async with aclosing(events):
            async for event in events:
                yield event

    @property
    def own_answers(self) -> OwnAnswers:
        return OwnAnswers(self.structured, self.embedder, self.has_task("web_search"))

    async def _read_requested_fields(
        self, request: ChatRequest, turn: Turn, llm: Llm, background: BackgroundPrompt | None
    ) -> RequestedFields | None:
        """Return the fields that the answer must have, or None if the answer is plain text.

        With a capable LLM, only `response_format` counts, because such an LLM calls the client's functions by itself.
        Raises InputError.
        """
        form = request.response_format
        if llm.is_capable:
            shape = await in_thread(Shape.of, form) if form is not None else None
            return RequestedFields(shape) if shape else None
        if tools := forced_tools(request):
            tool = await self._choose_tool(turn, tools)
            return await in_thread(fields_of_tool, request, tool)
        if form is not None and not (background and form.type == "json_object"):
            return await in_thread(fields_of_format, request, form)
        return await in_thread(fields_of_prompt, request, background)

    async def _choose_tool(self, turn: Turn, tools: Sequence[ChatTool]) -> ChatTool:
        """Return the tool whose name and description, up to TOOL_CHARS, are nearest in meaning to the user's text, or
        the first if no embedder is available."""
        ranked = await self._rank_tools(turn, tools) if len(tools) > 1 else []
        return ranked[0][1] if ranked else tools[0]

    async def _rank_tools(self, turn: Turn, tools: Sequence[ChatTool]) -> list[tuple[float, ChatTool]]:
        """Return the tools with their similarity to the user's text, the most similar first; empty without an
        embedder."""
        if self.embedder is None:
            return []
        texts = [f"{tool.function.name}: {(tool.function.description or '')[:TOOL_CHARS]}" for tool in tools]
        similar = await similarities(turn.text, texts, self.embedder)
        return sorted(zip(similar, tools, strict=False), key=lambda pair: -pair[0])

    async def _call_fitting_tool(self, material: Material) -> tuple[RequestedFields, Material] | None:
        """Return the call of an offered tool that plainly fits a wish for facts without an input, with its arguments in
        the material; None if there is none, or if the user's words lack an argument."""
        request, turn, wish = material.request, material.turn, material.plan.wish
        is_free = request.tool_choice in (None, "auto") and not material.call.skip_planning
        if not (is_free and request.tools) or turn.sources or wish.kind not in ("fact", "other"):
            return None
        ranked = await self._rank_tools(turn, request.tools)
        margin = ranked[0][0] - (ranked[1][0] if len(ranked) > 1 else 0.0) if ranked else 0.0
        if not ranked or ranked[0][0] < LEAST_FITTING or margin < LEAST_LEAD:
            return None
        requested = await in_thread(fields_of_tool, request, ranked[0][1])
        material = replace(material, shape=requested.shape, plan=Plan(wish=wish))
        try:
            material = await self._fill_all(material, requested, [])
        except NotFoundInInput:
            return None
        assert material.filling is not None
        required = (requested.shape.schema or {}).get("required", [])
        return (requested, material) if all((name,) in material.filling.values for name in required) else None

    async def _read_examples(self, material: Material, shape: Shape) -> list[Example]:
        """Return the conversation's examples whose answers satisfy the schema, with the texts read from their inputs.

        Raises InputError or ModelError if an input cannot be read.
        """
        found = []
        for one in material.turn.examples:
            if shape.checker is None or await in_thread(shape.checker.problem, one.answer) is None:
                plan = reading_plan(one.sources)
                entries = await material.specialists.run_plan(plan, unreported, material.turn.form, is_all=True)
                found.append(Example(read_of(entries, one.document), one.answer))
        return found

    async def _fill_all(self, material: Material, requested: RequestedFields, examples: Sequence[Example]) -> Material:
        """Return the material with all requested fields filled in without an LLM. Raises NotFoundInInput."""
        document = material.document
        # The arguments of a call may be in the user's own sentence: "Book a table for four at seven." But the words of
        # a question for a fact do not contain its answer: "What is the capital of Peru?" names no capital.
        is_order = requested.function is not None or not is_question(material.turn.text)
        are_own_words = document is None and is_order and not any(map(is_text, material.results))
        if are_own_words:
            document = await asyncio.to_thread(
                entry_of_user_texts, material.request, material.turn.since, without_orders=True
            )
        elif document is not None and (requested.function or all(entry.error for entry in material.results)):
            are_own_words = await in_thread(_is_one_line, document, material.turn.text)
        fill_fields = partial(
            fill_whole,
            plan=material.plan,
            entries=material.results,
            document=document,
            extractor=self.structured.extractor,
            root=requested.root,
            examples=examples,
            are_own_words=are_own_words,
        )
        try:
            filling = await fill_fields(requested.shape)
        except NotFoundInInput:
            if not requested.is_described:
                raise
            material = replace(material, shape=requested.shape.with_schema(or_null(requested.shape.schema or {})))
            assert material.shape is not None
            filling = await fill_fields(material.shape)
        return replace(material, document=document, filling=filling)

    async def _answer_by_llm(self, material: Material) -> AsyncGenerator[Event, None]:
        rounds = await self._prepare(material)
        shape = material.shape
        events = rounds.answer() if shape is None else self.structured.by_llm(rounds, material, shape)
        # The precontext is sent as one piece before the answer. It waits if the LLM may still call specialists, because
        # their results are added to it.
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
        if request.tools or request.response_format:
            taken = await asyncio.to_thread(_count_definition_tokens, request, tools)
        else:
            taken = _count_definition_tokens(request, tools)
        images: Mapping[PartPlace, Sequence[LlmImage]] = {}
        if abilities.vision:
            room = max(0, context - taken) // PICTURES_DIVISOR
            images = await images_for_llm(
                shown,
                self.loader,
                room,
                omits_unreadable=not call.skip_planning,
                omits_metadata=material.specialists.redacts,
            )
            taken += tokens_of(images)
        shorten = partial(self._shorten_results, turn.text, request, context, taken)
        texts: list[str] = []
        if entries:
            messages = await asyncio.to_thread(texts_of, request, "user", "assistant", "tool")
            texts = await shorten(entries, [*system, *messages])
        # Tools may add results whose texts are not known yet, so the fence must be random.
        fence = new_fence() if tools else fence_around(texts) if entries else ""
        results = fence_results(enumerate(entries), texts, fence)
        return Rounds(
            llm=llm,
            request=request,
            messages=await run_off_loop(request, build_messages, request, system, results, fence, images),
            specialists=material.specialists,
            limits=self.tool_limits,
            shorten=shorten,
            response_format=shape.as_response_format if shape and abilities.json_schema else None,
            internal={tool.name: tool for tool in tools},
            turn=turn,
            entries=list(entries),
            fence=fence,
            limit=call.limit,
            admission=call.admission,
            holds_text=shape is not None,
        )

    async def _yield_plain_answer(
        self, answer: JsonAnswer | PlainAnswer, material: Material, function: str | None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer that was made without an LLM. With `function`, the answer is a call of this
        function, and the answer's JSON becomes the arguments of the call.

        An answer without a schema ends at the client's limit.
        """
        request, entries = material.request, material.entries
        text, is_cut = answer.text, False
        if isinstance(answer, PlainAnswer):
            limit = request.max_completion_tokens or request.max_tokens
            text, is_cut = await asyncio.to_thread(first_tokens, text, limit)
        tokens = await asyncio.to_thread(lambda: (estimate_tokens(*texts_of(request)), estimate_tokens(text)))
        material.call.admission.count_call(*tokens)
        for warning in answer.warnings if isinstance(answer, PlainAnswer) else ():
            yield AnswerWarning(warning)
        if entries:
            yield Precontext(entries)
        if isinstance(answer, JsonAnswer):
            assert material.shape is not None
            for event in await self.structured.with_evidence(answer, entries, material, material.shape):
                if function is not None:
                    yield _as_call(event, function)
                elif isinstance(event, TextChunk):
                    for chunk in text_chunks(event.text):
                        yield chunk
                else:
                    yield event
        else:
            for chunk in text_chunks(text):
                yield chunk
        yield Finish("tool_calls" if function else "length" if is_cut else "stop", *tokens)
        material.call.stages.done("answer")

    async def _shorten_results(
        self,
        question: str,
        request: ChatRequest,
        context: int,
        taken: int,
        entries: Sequence[Entry],
        other_texts: Sequence[str],
    ) -> list[str]:
        """Return the texts of the results, shortened to fit the LLM's context.

        Room is left for the other texts, for the answer, and for the `taken` tokens of pictures and tools. The results
        get at least a quarter of the context, even if these leave less.
        """
        limit = request.max_completion_tokens or request.max_tokens
        # A client's limit that exceeds the context is only a permission. It says nothing about the length of the
        # answer.
        answer = limit if limit and limit < context else context // ANSWER_DIVISOR
        taken += await asyncio.to_thread(lambda: sum(_count_tokens_carefully(text) for text in other_texts))
        room = max(context // ANSWER_DIVISOR, context - answer - taken)
        return await trim(entries, question, room, _count_tokens_carefully, self.embedder)


def _background_prompt(request: ChatRequest) -> BackgroundPrompt | None:
    return read_background_prompt(texts_of(request, "system", "developer"), texts_of(request, "user"))


def _as_call(event: Event, function: str) -> Event:
    """Turn a chunk of text into a chunk of the arguments of a call of `function`, and evidence for the text into
    evidence for the arguments."""
    match event:
        case TextChunk(text):
            return ToolCallChunk(0, text, f"call_{secrets.token_hex(12)}", function)
        case Evidence(fields, unsupported):
            return Evidence(
                {CALL + pointer: found for pointer, found in fields.items()}, [CALL + one for one in unsupported]
            )
    return event


def _count_definition_tokens(request: ChatRequest, internal: Sequence[InternalTool]) -> int:
    """Estimate the number of tokens of the definitions of tools shown to the LLM."""
    definitions = [tool.model_dump_json(exclude_unset=True) for tool in request.tools or ()]
    definitions += [json.dumps(tool.definition()) for tool in internal]
    return sum(map(_count_tokens_carefully, definitions))


def _count_tokens_carefully(text: str) -> int:
    return estimate_tokens(text, bytes_per_token=CAREFUL_BYTES_PER_TOKEN)


def _is_one_line(document: Entry, message: str) -> bool:
    """True if a pasted document is all of `message`, and one line without a label. Such a line is the user's own words,
    not a document."""
    text = text_of_document(document).strip()
    is_line = text == message.strip() and "\n" not in text and len(text) <= _LONGEST_LINE
    return is_line and _LABEL_END.search(text) is None
