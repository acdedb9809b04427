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
from app.chat.context.trim import GAP, similarities, trim
from app.chat.direct_answers import answer_with_values
from app.chat.directives import Directives
from app.chat.filling import fill, fill_whole
from app.chat.inputs import Turn, entry_of_user_texts, pasted_document, run_off_loop, texts_of
from app.chat.material import Material
from app.chat.plan import ClientTools, Plan, Planner, reading_plan
from app.chat.plan_executor import (
    answer_from_results,
    objects_found,
    text_read_instead,
    translation_error,
    without_unread_links,
)
from app.chat.planning.prose import WORDS, is_document
from app.chat.planning.questions import (
    asks_for_fact,
    asks_for_prose,
    is_order,
    is_question,
    unanswered,
    values_asked_for,
)
from app.chat.schema.requested_fields import CALL, RequestedFields, fields_of_format, fields_of_tool, forced_tools
from app.chat.schema.structured import Shape
from app.chat.specialists import Specialists
from app.chat.structured_answers import StructuredAnswers
from app.chat.tool_loop import Rounds, ToolLimits
from app.chat.tools import InternalTool, offered
from app.events import AnswerWarning, Event, Finish, Precontext, Progress, TextChunk, ToolCallChunk, text_chunks
from app.feed import Work, as_progress
from app.wire.request import ChatRequest, ChatTool
from models.embedding.embedder import Embedder
from models.fair_executor import FairExecutor
from models.language.llm import COPIED, PASSAGES, Llm, estimate_tokens, fence_around, first_tokens, new_fence
from tasks.base import unreported
from tasks.extraction.examples import Example
from tasks.extraction.passages import is_text, read_of
from tasks.inputs.loader import MediaLoader
from tasks.precontext import REQUEST, Entry, Evidence
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread
from tasks.schema.json_answer import JsonAnswer

ANSWER_DIVISOR = 4
"""The LLM's context divided by this, a quarter, is kept for the answer, unless the client sets a limit below the
context. Results of tasks also get at least a quarter."""
PICTURES_DIVISOR = 2
"""Pictures take at most half of the context that the definitions of tools leave."""
ASSUMED_CONTEXT_TOKENS = 8192
"""Context length assumed for an LLM that reports none, in tokens."""
PASSAGE_TOKENS = 120
"""If no capable LLM is available, passages with at most this many tokens together are the answer."""
TOOL_CHARS = 300
"""The first this many characters of a tool's description are compared with the user's text. They say what the tool
does; further ones describe its arguments and results, and comparing them for 128 tools takes ten seconds of a
processor."""
NO_OBJECTS = "No objects were looked for: the answer is what is written in the picture. {}"
_LABEL_END = re.compile(r"[:：](?:\s|$)")
_LONGEST_LINE = 10_000
"""A line of more characters than this counts as a document."""
LONGEST_BARE_NAME = 4
"""A message with at most this many words may be nothing but the name of a value."""
LONGEST_SYSTEM = 30
"""System messages with at most this many characters, apart from directives, say nothing that a question could be
about."""
CAREFUL_BYTES_PER_TOKEN = 3
"""Number of bytes counted as one token when results are fitted into the context.

The estimate is careful because numbers and names take more tokens than prose.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _PlainAnswer:
    """An answer that was made without an LLM."""

    text: str
    warning: str | None


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers requests to the full model."""

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
        """Yield the request's events, with Finish last. Raises ApiError, InputError or ModelError."""
        llm = self.find_llm()
        requested = await self._read_requested_fields(call.request, turn, llm)
        shape = requested.shape if requested else None
        extracts = self.extracts_always and shape is not None and not call.request.tools
        if llm.is_capable and not (extracts or turn.sources):
            # If the LLM's queue is full, the request is refused before it costs more. A request with inputs is not
            # refused yet, because the queue may have room again when its inputs have been read.
            llm.check_room()
        is_alone = not llm.is_capable and requested is None
        pasted: Entry | None = None
        asks_fact = False
        if is_alone:
            asks_fact = not turn.sources and _says_nothing_else(call.request, directives) and asks_for_fact(turn.text)
            pasted = await asyncio.to_thread(pasted_document, call.request)
        plan = Plan()
        if not call.skip_planning:
            can_call_tools = bool(call.request.tools) and llm.is_capable and (await llm.abilities()).tools
            choices = ClientTools.of(call.request, can_call_tools=can_call_tools)
            searches = asks_fact and pasted is None
            plan = await self.planner.plan(turn, choices, has_schema=requested is not None, searches_facts=searches)
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
        plan, results, unread = without_unread_links(plan, results)
        call.stages.done("gather")

        if not llm.is_capable and (failure := translation_error(plan, results)) is not None:
            yield AnswerWarning(failure)
        material = Material(
            call=call,
            directives=directives,
            turn=turn,
            specialists=specialists,
            llm=llm,
            shape=shape,
            plan=plan,
            results=results,
            unread=unread,
        )
        if shape and not call.skip_planning and all(source.is_linked for source in turn.sources):
            material = replace(material, document=await asyncio.to_thread(pasted_document, call.request, turn.since))
        ready: JsonAnswer | _PlainAnswer | None = None
        examples: list[Example] = []
        if shape is not None and (extracts or not llm.is_capable):
            examples = await self._read_examples(material, shape)
        if material.document is not None and (extracts or not llm.is_capable):
            for warning in material.document.result.warnings():
                yield AnswerWarning(warning)
        if requested is not None and not llm.is_capable:
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
        elif is_alone:
            read = await asyncio.to_thread(text_read_instead, plan, results)
            if read is not None:
                text, reason = read
                ready = _PlainAnswer(text, None if plan.results_only else PASSAGES)
                yield AnswerWarning(NO_OBJECTS.format(reason))
            else:
                ready = await self._answer_from_results(material, None if call.skip_planning else pasted)
                if ready is None and asks_fact and all(entry.name == "web_search" or entry.error for entry in results):
                    can_search = self.has_task("web_search") and not any(entry.error for entry in results)
                    ready = _PlainAnswer(unanswered(turn.text, can_search=can_search), None)
                elif ready is None and unread and not results:
                    # An LLM that invents would describe a page that nobody has read.
                    reasons = dict.fromkeys(warning for entry in unread for warning in entry.result.warnings())
                    fact = [unanswered(turn.text, can_search=True)] if asks_for_fact(turn.text) else []
                    ready = _PlainAnswer("\n\n".join([*reasons, *fact]), None)
        if ready is None and not llm.is_capable:
            llm.check_room()
        function = requested.function if requested else None
        events = self._answer_by_llm(material) if ready is None else self._yield_plain_answer(ready, material, function)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _read_requested_fields(self, request: ChatRequest, turn: Turn, llm: Llm) -> RequestedFields | None:
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
        return await in_thread(fields_of_format, request, form) if form is not None else None

    async def _choose_tool(self, turn: Turn, tools: Sequence[ChatTool]) -> ChatTool:
        """Return the tool whose name and description, up to TOOL_CHARS, are nearest in meaning to the user's text, or
        the first if no embedder is available."""
        if len(tools) == 1 or self.embedder is None:
            return tools[0]
        texts = [f"{tool.function.name}: {(tool.function.description or '')[:TOOL_CHARS]}" for tool in tools]
        similar = await similarities(turn.text, texts, self.embedder)
        return tools[max(range(len(similar)), key=similar.__getitem__)] if similar else tools[0]

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
        has_read = any(map(is_text, material.results))
        are_own_words = document is None and is_order and not has_read
        if are_own_words:
            document = await asyncio.to_thread(entry_of_user_texts, material.request, material.turn.since)
        elif document is not None and not has_read:
            are_own_words = await in_thread(_is_one_line, document, material.turn.text)
        filling = await fill_whole(
            requested.shape,
            material.plan,
            material.results,
            document,
            self.structured.extractor,
            requested.root,
            examples,
            are_own_words=are_own_words,
        )
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
        taken = await asyncio.to_thread(_count_definition_tokens, request, tools)
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

    async def _answer_from_results(self, material: Material, pasted: Entry | None) -> _PlainAnswer | None:
        """Return an answer taken from results alone, or None if an LLM has to write the answer.

        The answer is one of these: the results, if the request asks for nothing else; the values that a question or an
        order names, if the text with these values was read or is in the message; the objects that were found; or
        passages of the texts that were read or found on the web. `pasted` is the document pasted into the user's
        messages, if any.
        """
        plan, results = material.plan, material.results
        ready = await asyncio.to_thread(answer_from_results, plan, results)
        if ready is not None:
            return _PlainAnswer(ready, None if plan.results_only else PASSAGES)
        read = [entry for entry in results if is_text(entry)]
        # Empty results do not count. For example, a question about "the weight" may have caused a search for objects in
        # a picture of a text. If no objects were found, the answer is in the text.
        has_others = any(not is_text(entry) and not entry.result.is_empty for entry in results)
        question, passages_may_answer = material.turn.text, not has_others
        objects = objects_found(plan, results)
        if any(step.text_may_answer for step in plan.steps):
            shown = objects or "\n\n".join(entry.result.text() for entry in read).strip()
            return _PlainAnswer(shown, COPIED) if shown else None
        # The pasted text answers the question only if no task had a result, for example because a search of the web
        # failed.
        document = pasted if all(entry.error is not None for entry in results) else None
        if document is not None:
            text = _pasted_text(document)
            question, passages_may_answer = question.replace(text, " ", 1).strip(), is_document(text.strip())
            read = [Entry(REQUEST, JsonResult({"text": text}))]
        found = [
            entry
            for entry in results
            if entry.name == "web_search" and entry.error is None and not entry.result.is_empty
        ]
        if found and not read:
            return None if asks_for_prose(question) else await self._quote(found, question)
        if not read and not objects:
            return None
        asks = is_question(question)
        wanted = await asyncio.to_thread(values_asked_for, question)
        is_name = wanted is not None and wanted.are_known and len(question.split()) <= LONGEST_BARE_NAME
        if wanted is not None and (asks or is_name or is_order(question)):
            values = await answer_with_values(
                wanted, material, document, self.structured, only_likely=not passages_may_answer
            )
            if values is not None:
                return _PlainAnswer(values, COPIED)
        is_asked = asks or is_order(question)
        if objects and (is_asked or WORDS.speaks_of(question, "detect")):
            return _PlainAnswer(objects, COPIED)
        if not passages_may_answer or not is_asked:
            return None
        return await self._quote(read, question)

    async def _quote(self, entries: Sequence[Entry], question: str) -> _PlainAnswer | None:
        """Return the passages of the results that answer the question, each below its heading; None if there are none.
        The heading of a search result names its page."""
        texts = await trim(
            entries, question, PASSAGE_TOKENS, _count_tokens_carefully, self.executor, self.embedder, is_answer=True
        )
        passages = "\n".join(line for text in texts for line in text.split("\n") if line != GAP)
        return _PlainAnswer(passages, PASSAGES) if passages else None

    async def _yield_plain_answer(
        self, answer: JsonAnswer | _PlainAnswer, material: Material, function: str | None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer that was made without an LLM. With `function`, the answer is a call of this
        function, and the answer's JSON becomes the arguments of the call.

        An answer without a schema ends at the client's limit.
        """
        request, entries = material.request, material.entries
        text, is_cut = answer.text, False
        if isinstance(answer, _PlainAnswer):
            limit = request.max_completion_tokens or request.max_tokens
            text, is_cut = await asyncio.to_thread(first_tokens, text, limit)
        tokens = await asyncio.to_thread(lambda: (estimate_tokens(*texts_of(request)), estimate_tokens(text)))
        material.call.admission.count_call(*tokens)
        if isinstance(answer, _PlainAnswer) and answer.warning:
            yield AnswerWarning(answer.warning)
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
        return await trim(entries, question, room, _count_tokens_carefully, self.executor, self.embedder)


def _says_nothing_else(request: ChatRequest, directives: Directives) -> bool:
    """True if a question in the user's message can only be about this message: there is no earlier message, and the
    system messages are hardly longer than "You are a helpful assistant."."""
    conversation = [message for message in request.messages if message.role not in ("system", "developer")]
    return len(conversation) <= 1 and sum(map(len, directives.system)) <= LONGEST_SYSTEM


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
    text = _pasted_text(document).strip()
    is_line = text == message.strip() and "\n" not in text and len(text) <= _LONGEST_LINE
    return is_line and _LABEL_END.search(text) is None


def _pasted_text(document: Entry) -> str:
    """Return the content of the only message in `document`, which is the entry of a pasted document."""
    [message] = document.result.data["messages"].values()
    return str(message["content"])
