"""Answers requests without a capable LLM, from what was read, heard and found. Nothing is written that is not there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.chat.context.quotes import passages_for, summary_of
from app.chat.direct_answers import answer_with_values
from app.chat.inputs import text_of_document
from app.chat.material import Material
from app.chat.plan_executor import answer_from_results, objects_found
from app.chat.planning.questions import is_question, sentences_for, unanswered, values_asked_for
from app.chat.planning.wishes import Wish
from app.chat.structured_answers import StructuredAnswers
from models.embedding.embedder import Embedder
from models.language.llm import HOW_TO_REPLACE
from tasks.extraction.passages import is_text
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult

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


@dataclass(frozen=True, slots=True)
class PlainAnswer:
    """An answer that was made without an LLM."""

    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Makes plain answers without an LLM."""

    structured: StructuredAnswers
    embedder: Embedder | None
    can_search: bool
    """True if the web can be searched."""

    async def answer(self, material: Material, pasted: Entry | None) -> PlainAnswer | None:
        """Return the answer, or None if an LLM has to write it: a text that is asked for, or a greeting.

        The answer is one of these: the results, if the request asks for nothing else; a summary in the text's own
        sentences; the values that a question or an order names; the objects that were found; passages of what was read
        or found; or a sentence that nothing here can answer. `pasted` is the document in the messages, if any.
        """
        plan, results, wish = material.plan, material.results, material.plan.wish
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
        if wish.kind in ("prose", "greeting"):
            return None
        # The pasted text answers the question only if no task had a result, for example because a search of the web
        # failed. A short text need not be what the question is about.
        document = pasted if not found else None
        if document is not None:
            text = text_of_document(document)
            read = [Entry(REQUEST, JsonResult({"text": text}))]
            if material.has_document or wish.kind == "summary":
                found = read
            elif text.strip() == material.turn.text.strip():
                read = []
        if wish.kind == "reading" and read:
            return PlainAnswer("\n\n".join(entry.result.text() for entry in read).strip())
        if wish.kind == "summary" and read and (summary := await self._summarize(read, wish)):
            return summary
        wanted = await asyncio.to_thread(values_asked_for, wish.question) if read or found else None
        if wanted is not None:
            only_likely = len(found) != len(read) or material.request.messages[-1].role == "tool"
            values = await answer_with_values(
                wanted, material, document, self.structured, only_likely=only_likely, is_bare=wish.is_bare
            )
            if values is not None:
                return PlainAnswer(values, (COPIED,))
        if objects:
            return PlainAnswer(objects, (COPIED,))
        if found:
            return await self._quote(found, read, wish)
        can_search = self.can_search and not any(entry.error for entry in results)
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
