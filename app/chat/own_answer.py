"""Answers requests without a capable LLM, from what was read, heard and found. Nothing is written that is not there.

A question is a schema: "What is the total?" asks for a field `total`. The field is filled like a field of any schema
(`filling.py`), and the answer quotes what is printed.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from app.chat.call import Inquiry
from app.chat.filling import fill_given, fill_whole
from app.chat.inputs import (
    Turn,
    entry_of_user_texts,
    pasted_document,
    results_of_calls,
    text_of_document,
    texts_of,
)
from app.chat.pasted import is_document
from app.chat.plan import Plan, Planner, Situation, chooses_client_tools, in_situation
from app.chat.planning.background import BackgroundPrompt, read_background_prompt
from app.chat.planning.described_json import or_null
from app.chat.planning.questions import is_question, values_asked_for
from app.chat.quotes import passages_for, summary_of
from app.chat.requested_fields import (
    RequestedFields,
    fields_of_format,
    fields_of_prompt,
    fields_of_tool,
    forced_tools,
)
from app.chat.run_plan import Material, Specialists, answer_from_results, gather, objects_found
from app.chat.sentences import sentences_for, unanswered
from app.chat.shape import NotFoundInInput
from app.chat.structured_answers import StructuredAnswers, read_examples
from app.chat.trim import similarities
from app.chat.value_answers import answer_with_values, listed_by_form
from app.chat.wish import WRITTEN, Wish
from app.events import AnswerWarning, Event, Finish, Precontext, text_chunks
from app.wire.request import ChatTool
from models.embedding.embedder import Embedder
from models.language.llm import HOW_TO_REPLACE, Llm, estimate_tokens, first_tokens
from tasks.detection.search import DetectionOptions
from tasks.extraction.examples import Example
from tasks.extraction.passages import is_text
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread

PASSAGES = (
    "These are passages of what was read: the tiny language model here, which would invent an answer, was not asked. "
    f"{HOW_TO_REPLACE}"
)
COPIED = (
    "This is copied from what was read: the tiny language model here, which would invent an answer, was not asked. "
    f"{HOW_TO_REPLACE}"
)
EXTRACTED = (
    "This summary consists of sentences of the input, word for word: the tiny language model here, which would invent "
    f"some, was not asked. {HOW_TO_REPLACE}"
)
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


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """An answer that was made without an LLM."""

    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Answers requests to the full model without a capable LLM."""

    planner: Planner
    structured: StructuredAnswers
    embedder: Embedder | None
    has_task: Callable[[str], bool]
    write: Callable[[Material], Awaitable[AsyncGenerator[Event, None]]]
    """Lets the incapable LLM write free text."""

    async def answer(self, llm: Llm, inquiry: Inquiry, specialists: Specialists) -> AsyncGenerator[Event, None]:
        """Yield the request's events, with Finish last. Raises ApiError, InputError or ModelError."""
        call, request, turn = inquiry.call, inquiry.request, inquiry.turn
        background = await asyncio.to_thread(
            lambda: read_background_prompt(texts_of(request, "system", "developer"), texts_of(request, "user"))
        )
        pasted = await asyncio.to_thread(results_of_calls, request)
        if pasted is None and not turn.leaves_document:
            pasted = await asyncio.to_thread(pasted_document, request)
        has_results = request.messages[-1].role == "tool"
        has_document = pasted is not None and (
            has_results or turn.has_handed_text or is_document(text_of_document(pasted).strip())
        )
        requested = await self._read_requested_fields(inquiry, background)
        if call.skip_planning or background or (requested is None and has_results):
            wish, plan = turn.wish.beside(("document",) if has_document else ()), Plan()
            inquiry = replace(inquiry, turn=replace(turn, wish=wish))
        else:
            situation = Situation(
                has_schema=requested is not None,
                has_document=has_document,
                searches_facts=requested is None and texts_of(request, "user")[1:] == [],
                has_client_tools=chooses_client_tools(request, can_call_tools=False),
            )
            turn = in_situation(turn, situation)
            inquiry = replace(inquiry, turn=turn)
            plan = await self.planner.plan(turn, situation)
        shape = requested.shape if requested else None
        material = Material(inquiry, specialists, llm, shape, plan, has_document=has_document)
        if requested is None and not (background or has_document):
            requested, material = await self._call_fitting_tool(material) or (None, material)
        call.stages.done("plan")
        async with aclosing(gather(material, is_all=True)) as events:
            async for found in events:
                if isinstance(found, Material):
                    material = found
                else:
                    yield found
        if material.plan.unfindable is not None:
            wanted = await asyncio.to_thread(values_asked_for, turn.text)
            if wanted is None or not wanted.are_known:
                yield AnswerWarning(str(material.plan.unfindable))
        if requested is not None:
            answer = self._answer_with_fields(material, requested, background)
        elif background is not None:
            text = background.text or unanswered(background.user_texts[-1], can_search=True)
            answer = _plain_events(PlainAnswer(text), material)
        elif plain := await self._plain_answer(material, None if call.skip_planning else pasted):
            answer = _plain_events(plain, material)
        else:
            llm.check_room()
            answer = await self.write(material)
        async with aclosing(answer) as answer_events:
            async for event in answer_events:
                yield event

    async def _read_requested_fields(
        self, inquiry: Inquiry, background: BackgroundPrompt | None
    ) -> RequestedFields | None:
        """Return the fields that the answer must have, or None if the answer is plain text. Raises InputError."""
        request = inquiry.request
        form = request.response_format
        if tools := forced_tools(request):
            tool = await self._choose_tool(inquiry.turn, tools)
            return await in_thread(fields_of_tool, request, tool)
        if form is not None and not (background and form.type == "json_object"):
            return await in_thread(fields_of_format, request, form)
        return await in_thread(fields_of_prompt, request, background, names_values="value" in inquiry.turn.wish.labels)

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
        request, turn, wish = material.request, material.turn, material.turn.wish
        is_free = request.tool_choice in (None, "auto") and not material.inquiry.call.skip_planning
        if not (is_free and request.tools) or turn.sources or not wish.is_only("fact", "search", "other", "bare"):
            return None
        ranked = await self._rank_tools(turn, request.tools)
        margin = ranked[0][0] - (ranked[1][0] if len(ranked) > 1 else 0.0) if ranked else 0.0
        if not ranked or ranked[0][0] < LEAST_FITTING or margin < LEAST_LEAD:
            return None
        requested = await in_thread(fields_of_tool, request, ranked[0][1])
        material = replace(material, shape=requested.shape, plan=Plan())
        try:
            material = await self._fill_all(material, requested)
        except NotFoundInInput:
            return None
        assert material.filling is not None
        required = (requested.shape.schema or {}).get("required", [])
        return (requested, material) if all((name,) in material.filling.values for name in required) else None

    async def _answer_with_fields(
        self, material: Material, requested: RequestedFields, background: BackgroundPrompt | None
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of an answer whose fields are copied."""
        if background is not None:
            values = background.values(requested.shape.schema or {})
            material = replace(material, filling=await fill_given(requested.shape, values))
        elif material.filling is None:
            material = replace(material, document=await material.pasted_document())
            examples = await read_examples(material)
            material = await self._fill_all(material, requested, examples)
        assert material.filling is not None
        assert material.filling.answer is not None
        for warning in (*([requested.warning] if requested.warning else ()), *material.filling.warnings):
            yield AnswerWarning(warning)
        async with aclosing(self.structured.copied(material.filling.answer, material, requested.function)) as events:
            async for event in events:
                yield event

    async def _fill_all(
        self, material: Material, requested: RequestedFields, examples: Sequence[Example] = ()
    ) -> Material:
        """Return the material with all requested fields filled in. Raises NotFoundInInput."""
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
            is_explained=material.request.explain is not None,
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

    async def _plain_answer(self, material: Material, pasted: Entry | None) -> PlainAnswer | None:
        """Return the answer, or None if an LLM has to write it: a text that is asked for, or a greeting.

        The answer is one of these: the results, if the request asks for nothing else; a summary in the text's own
        sentences; the values that a question or an order names; the objects that were found; passages of what was read
        or found; or a sentence that nothing here can answer. `pasted` is the document in the messages, if any.
        """
        plan, results, wish = material.plan, material.results, material.turn.wish
        ready = await asyncio.to_thread(answer_from_results, plan, results)
        if ready is not None:
            return PlainAnswer(ready, () if plan.results_only else (PASSAGES,))
        # Empty results do not count. For example, a question about "the weight" may have caused a search for objects in
        # a picture of a text. If no objects were found, the answer is in the text.
        found = [entry for entry in results if entry.error is None and not entry.result.is_empty]
        read = [entry for entry in found if is_text(entry)]
        objects = objects_found(plan, results)
        if plan.describes:
            shown = objects or "\n\n".join(entry.result.text() for entry in read).strip()
            if shown:
                return PlainAnswer(shown, (COPIED,))
        if wish.is_only("greeting", "thanks", "server"):
            sentences = sentences_for(wish.question)
            return PlainAnswer(sentences.welcome if wish.is_only("thanks") else sentences.about)
        if not WRITTEN.isdisjoint(wish.labels) and "summary" not in wish.labels:
            return None
        # The pasted text answers the question only if no task had a result, for example because a search of the web
        # failed. A short text need not be what the question is about.
        document = pasted if not found else None
        if document is not None:
            text = text_of_document(document)
            read = [Entry(REQUEST, JsonResult({"text": text}))]
            if material.has_document or "summary" in wish.labels:
                found = read
            elif text.strip() == material.turn.text.strip():
                read = []
        if wish.is_only("read_out", "on_screen", "timed") and read:
            return PlainAnswer("\n\n".join(entry.result.text() for entry in read).strip())
        if "summary" in wish.labels and read and (summary := await self._summarize(read, wish)):
            return summary
        wanted = await asyncio.to_thread(values_asked_for, wish.question) if read or found else None
        if wanted is not None:
            if listed := await in_thread(listed_by_form, wanted, read):
                return PlainAnswer(listed, (COPIED,))
            only_likely = len(found) != len(read) or material.request.messages[-1].role == "tool"
            values = await answer_with_values(
                wanted, material, document, read, self.structured, only_likely=only_likely
            )
            if values is not None:
                return PlainAnswer(values, (COPIED,))
        if objects:
            return PlainAnswer(objects, (COPIED,))
        # What is printed in a picture may answer a question that only implies objects: "Where is the exit?"
        is_of_objects = wish.is_only("detect") or (not read and wish.is_only("detect", "objects", "bare"))
        if is_of_objects and (wanted_objects := _objects_searched_for(plan)):
            return PlainAnswer(sentences_for(wish.question).missing.format(name=", ".join(wanted_objects)), (COPIED,))
        if found:
            return await self._quote(found, read, wish)
        can_search = self.has_task("web_search") and not any(entry.error for entry in results)
        # Whoever mentions a page that nobody has read is told why it was not read.
        reasons = dict.fromkeys(warning for entry in material.unread for warning in entry.result.warnings())
        return PlainAnswer("\n\n".join([*reasons, unanswered(wish.question, can_search=can_search)]))

    async def _summarize(self, read: Sequence[Entry], wish: Wish) -> PlainAnswer | None:
        sentences = await summary_of(read, wish.most_sentences)
        items = [f"- {sentence}" for sentence in sentences] if len(sentences) > 1 else sentences
        return PlainAnswer("\n".join(items), (EXTRACTED,)) if items else None

    async def _quote(self, found: Sequence[Entry], read: Sequence[Entry], wish: Wish) -> PlainAnswer:
        """Return the passages of the results that are nearest to the question. If there are none, return a sentence
        that says so if the message asks, and the most important sentences of the text if it orders."""
        passages = await passages_for(wish.question, found, self.embedder)
        sentences = sentences_for(wish.question)
        if passages:
            return PlainAnswer("\n".join([sentences.passages, *passages]), (PASSAGES,))
        if read and not is_question(wish.question) and (summary := await self._summarize(read, wish)):
            return summary
        return PlainAnswer(sentences.missing.format(name=wish.question.strip(" ?!.")), (COPIED,))


async def _plain_events(answer: PlainAnswer, material: Material) -> AsyncGenerator[Event, None]:
    """Yield the events of an answer in plain text, which ends at the client's limit."""
    request, entries = material.request, material.entries
    limit = request.max_completion_tokens or request.max_tokens
    text, is_cut = await asyncio.to_thread(first_tokens, answer.text, limit)
    tokens = await asyncio.to_thread(lambda: (estimate_tokens(*texts_of(request)), estimate_tokens(text)))
    material.inquiry.call.admission.count_call(*tokens)
    for warning in answer.warnings:
        yield AnswerWarning(warning)
    if entries:
        yield Precontext(entries)
    for chunk in text_chunks(text):
        yield chunk
    yield Finish("length" if is_cut else "stop", *tokens)
    material.inquiry.call.stages.done("answer")


def _is_one_line(document: Entry, message: str) -> bool:
    """True if a pasted document is all of `message`, and one line without a label. Such a line is the user's own words,
    not a document."""
    text = text_of_document(document).strip()
    is_line = text == message.strip() and "\n" not in text and len(text) <= _LONGEST_LINE
    return is_line and _LABEL_END.search(text) is None


def _objects_searched_for(plan: Plan) -> list[str]:
    return [one for step in plan.steps if isinstance(step.options, DetectionOptions) for one in step.options.labels]
