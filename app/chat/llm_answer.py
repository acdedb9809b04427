"""Answers requests with an LLM: tasks run side by side, then the LLM answers with their results, and calls tasks as its
tools if it needs more."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

from app.chat.call import Inquiry
from app.chat.filling import Filling, fill
from app.chat.inputs import run_off_loop, texts_of
from app.chat.pictures import LlmImage, PartPlace, images_for_llm, tokens_of_pictures
from app.chat.plan import Plan, Planner, Situation, chooses_client_tools, in_situation
from app.chat.prompt import InternalTool, build_messages, contributing_tools, count_tokens_carefully, fence_results
from app.chat.run_plan import Material, Specialists, gather
from app.chat.shape import Shape
from app.chat.structured_answers import StructuredAnswers, read_examples
from app.chat.tool_loop import Rounds
from app.chat.trim import trim
from app.events import AnswerWarning, Event
from app.wire.request import ChatRequest
from models.embedding.embedder import Embedder
from models.language.llm import Llm, fence_around, new_fence
from tasks.inputs.loader import MediaLoader
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread

ANSWER_DIVISOR = 4
"""The LLM's context divided by this, a quarter, is kept for the answer, unless the client sets a limit below the
context. Results of tasks also get at least a quarter."""
PICTURES_DIVISOR = 2
"""Pictures take at most half of the context that the definitions of tools leave."""
ASSUMED_CONTEXT_TOKENS = 8192
"""Context length assumed for an LLM that reports none, in tokens."""


@dataclass(frozen=True, slots=True)
class LlmAnswers:
    """Answers requests to the full model with an LLM."""

    planner: Planner
    structured: StructuredAnswers
    loader: MediaLoader
    embedder: Embedder | None
    has_task: Callable[[str], bool]
    extracts_always: bool = False
    """True if the fields of a schema are extracted, and the LLM writes only those that could not be copied."""

    async def answer(self, llm: Llm, inquiry: Inquiry, specialists: Specialists) -> AsyncGenerator[Event, None]:
        """Yield the request's events, with Finish last. Raises ApiError, InputError or ModelError."""
        call, request, turn = inquiry.call, inquiry.request, inquiry.turn
        shape = await in_thread(Shape.of, request.response_format) if request.response_format is not None else None
        extracts = self.extracts_always and shape is not None and not request.tools
        if not (extracts or turn.sources):
            # If the LLM's queue is full, the request is refused before it costs more. A request with inputs is not
            # refused yet, because the queue may have room again when its inputs have been read.
            llm.check_room()
        plan = Plan()
        if not call.skip_planning:
            # An LLM that extraction may make needless is not asked what it can do.
            can_call_tools = not extracts and (await llm.abilities()).tools
            situation = Situation(
                has_schema=shape is not None,
                has_document=turn.has_handed_text and not turn.leaves_document,
                calls_tools=can_call_tools,
                has_client_tools=chooses_client_tools(request, can_call_tools=can_call_tools),
            )
            turn = in_situation(turn, situation)
            inquiry = replace(inquiry, turn=turn)
            plan = await self.planner.plan(turn, situation)
        call.stages.done("plan")
        material = Material(inquiry, specialists, llm, shape, plan)
        async with aclosing(gather(material, is_all=False)) as events:
            async for found in events:
                if isinstance(found, Material):
                    material = found
                else:
                    yield found
        filling: Filling | None = None
        if shape is not None and extracts:
            material, filling = await self._fill(material)
            for warning in filling.copied.warnings if filling else ():
                yield AnswerWarning(warning)
        ready = filling.answer if filling else None
        answer = await self.write(material) if ready is None else self.structured.copied(ready, material)
        async with aclosing(answer) as events:
            async for event in events:
                yield event

    async def _fill(self, material: Material) -> tuple[Material, Filling | None]:
        """Return the material with the fields that are copied from its results, or else from the document in it."""
        examples = await read_examples(material)
        document = await material.pasted_document()
        filling: Filling | None = None
        if document is not None or any(entry.error is None for entry in material.results):
            filling = await fill(
                material.form,
                material.plan,
                material.results,
                document,
                self.structured.extractor,
                examples,
                is_explained=material.request.explain is not None,
            )
        return replace(material, document=document, filling=filling), filling

    async def write(self, material: Material) -> AsyncGenerator[Event, None]:
        """Return the events of an answer that the LLM writes from the material, with Finish last."""
        rounds = await self._prepare(material)
        return rounds.answer() if material.shape is None else self.structured.by_llm(rounds, material)

    async def _prepare(self, material: Material) -> Rounds:
        """Return the rounds of the LLM: its first prompt, its tools and their limits."""
        inquiry, llm, filling = material.inquiry, material.llm, material.filling
        request, turn, skips_planning = inquiry.request, inquiry.turn, inquiry.call.skip_planning
        shape = filling.rest if filling else material.shape
        abilities = await llm.abilities()
        entries = material.entries
        instructions = [text for text in (shape and shape.instruction, filling and filling.instruction) if text]
        system = [*inquiry.directives.system, *instructions]
        forced = request.tool_choice is not None and request.tool_choice not in ("auto", "none")
        tools = []
        if abilities.tools and not skips_planning and not forced:
            tools = contributing_tools(turn, material.plan, self.has_task)
        context = abilities.context_tokens or ASSUMED_CONTEXT_TOKENS
        if request.tools or request.response_format:
            taken = await asyncio.to_thread(_count_definition_tokens, request, tools)
        else:
            taken = _count_definition_tokens(request, tools)
        images: Mapping[PartPlace, Sequence[LlmImage]] = {}
        if abilities.vision and turn.sources:
            shown = await material.specialists.without_hidden(turn, material.plan, material.results)
            room = max(0, context - taken) // PICTURES_DIVISOR
            images = await images_for_llm(
                shown,
                self.loader,
                room,
                omits_unreadable=not skips_planning,
                omits_metadata=material.specialists.redacts,
            )
            taken += tokens_of_pictures(images)
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
            inquiry=inquiry,
            messages=await run_off_loop(request, build_messages, request, system, results, fence, images),
            specialists=material.specialists,
            shorten=shorten,
            response_format=shape.as_response_format if shape and abilities.json_schema else None,
            internal={tool.name: tool for tool in tools},
            entries=list(entries),
            fence=fence,
            holds_text=material.shape is not None,
        )

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
        taken += await asyncio.to_thread(lambda: sum(count_tokens_carefully(text) for text in other_texts))
        room = max(context // ANSWER_DIVISOR, context - answer - taken)
        return await trim(entries, question, room, count_tokens_carefully, self.embedder)


def _count_definition_tokens(request: ChatRequest, internal: Sequence[InternalTool]) -> int:
    """Estimate the number of tokens of the definitions of tools shown to the LLM."""
    definitions = [tool.model_dump_json(exclude_unset=True) for tool in request.tools or ()]
    return sum(map(count_tokens_carefully, definitions)) + sum(tool.tokens for tool in internal)
