"""Answers questions that were asked before in other words. A known question is found by its content, and its cached
answer is returned as often as verification permits.

`verification` contains the method, and `vetoes` finds differences between two questions. A question unlike all known
ones is never embedded: the engine is called only if a cached answer might be returned, or in the background, to compare
two answers.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from app.chat.cache.event_codec import decode_events
from app.chat.cache.known_questions import KnownQuestion, KnownQuestions
from app.chat.cache.plain_questions import is_plain_question
from app.chat.cache.same_answer import digest_of, same_answer
from app.chat.cache.verification import MIN_OBSERVATIONS, MIN_SIMILARITY, Decision, Observation, choose, decide, draw_of
from app.chat.cache.vetoes import find_veto, gist
from app.chat.inputs import Turn, run_off_loop
from app.events import Event, Precontext, TextChunk, ToolCallChunk
from app.state.entries import LOOKUP_TIMEOUT_S, WRITE_TIMEOUT_S, CircuitBreaker, StoreDown
from app.wire.request import ChatRequest
from models.base import ModelError
from models.embedding.embedder import Embedder, Vector
from models.language.llm import Llm, LlmCall, TextDelta

CANDIDATES = 16
"""A look-up reads at most this many known questions with the same `gist`, a digest of the details in which two
questions must agree (`vetoes`)."""
EMBEDDING_S = 0.25
"""A request waits at most this time, in seconds, for its question's vector. An idle engine needs 6 to 12 ms."""
_MAX_LEARNING = 16
"""At most this many comparisons of answers and records of a use wait or run in the background. Further ones are
skipped."""
_VERDICT_TOKENS = 2000
"""A judge's reply has at most this many tokens. If the judge reasons first, the reasoning takes most of them."""

log = structlog.get_logger(__name__)


Find = Callable[[KnownQuestion], Awaitable[Sequence[Event] | None]]
"""Function that returns the events of the answer to an earlier question, or None if it is gone or replaced."""


@dataclass(frozen=True, slots=True)
class QuestionLookup:
    """A question that may have been asked before in other words, and the known question that matches it best."""

    turn: Turn
    scope: str
    gist: bytes
    nearest: KnownQuestion | None
    """The known question that `choose` prefers among those without a veto."""
    decision: Decision

    @property
    def text(self) -> str:
        return self.turn.text.strip()


class RephrasedQuestions:
    """Finds answers to questions asked in other words, and learns from new answers."""

    def __init__(
        self,
        known: KnownQuestions,
        embedder: Embedder,
        find_llm: Callable[[], Llm],
        *,
        max_error: float,
        max_age_s: float,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._known = known
        self._embedder = embedder
        self._find_llm = find_llm
        self._max_error = max_error
        self._max_age_s = max_age_s
        self._today = today
        self._learning: set[asyncio.Task[None]] = set()
        self.faults: Counter[str] = Counter()
        """Number of failed look-ups, writes and comparisons, by reason: `down`, `slow`, `busy`, `llm`."""
        self._store_breaker = CircuitBreaker(self.faults)
        self._engine_breaker = CircuitBreaker(self.faults)
        """Circuit breaker for the engine. It is separate because a slow engine does not mean a slow store."""
        self._embedding = asyncio.Lock()
        """Lock that is held while the engine embeds texts for a comparison. A request thus waits for at most one such
        call."""

    async def look_up(self, request: ChatRequest, turn: Turn, scope: str) -> QuestionLookup | None:
        """Look up the question of a request. Return None if the request is not a plain question, or if the look-up
        failed."""
        if not await run_off_loop(request, is_plain_question, request, self._today().date()):
            return None
        lookup = QuestionLookup(
            turn, scope, await run_off_loop(request, gist, turn.text.strip(), scope), None, "explore"
        )
        same_gist = await self._store_breaker.call(self._known.find_by_gist(lookup.gist, CANDIDATES), LOOKUP_TIMEOUT_S)
        if same_gist is None:
            return None
        # A thread compares the questions, because each comparison takes up to a millisecond.
        similar = await asyncio.to_thread(_without_vetoed, same_gist, lookup.text) if same_gist else ()
        return await self._decide(lookup, similar) if similar else lookup

    async def _decide(self, lookup: QuestionLookup, similar: Sequence[KnownQuestion]) -> QuestionLookup | None:
        """Decide about the nearest known question. The engine embeds the question only if a cached answer might be
        returned. Return None if this call of the engine fails."""
        vector = None
        if self._max_error > 0 and any(len(one.observations) >= MIN_OBSERVATIONS for one in similar):
            vector = await self._engine_breaker.call(self._vector(lookup.turn), EMBEDDING_S)
            if vector is None:
                return None
        similarities = [1.0 if vector is None or one.vector is None else float(one.vector @ vector) for one in similar]
        place = choose([(one.observations, each) for one, each in zip(similar, similarities, strict=True)])
        if place is None:
            return lookup
        nearest = similar[place]
        draw = draw_of(lookup.scope, lookup.text, nearest.answer_key.hex(), len(nearest.observations))
        return replace(
            lookup, nearest=nearest, decision=decide(nearest.observations, similarities[place], self._max_error, draw)
        )

    async def _vector(self, turn: Turn) -> Vector:
        try:
            return await turn.vector(self._embedder)
        except ModelError as error:
            raise StoreDown(f"no vector: {type(error).__name__}") from error

    def learn(
        self,
        lookup: QuestionLookup,
        tenant: str,
        answer: bytes,
        fresh: Sequence[Event],
        find: Find,
        written: asyncio.Task[None],
    ) -> None:
        """Learn from the events of a new answer once `written` is done, that is, once the answer is stored under
        `answer`.

        The question is added only then, because a look-up deletes questions without an answer.
        """
        if _is_plain(fresh):
            self._run_in_background(self._learn(lookup, tenant, answer, _answer_text(fresh), find, written))

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background, unless too much work waits there already."""
        if len(self._learning) >= _MAX_LEARNING:
            work.close()
            self.faults["busy"] += 1
            return
        task = asyncio.create_task(work)
        self._learning.add(task)
        task.add_done_callback(self._learning.discard)

    async def _learn(
        self,
        lookup: QuestionLookup,
        tenant: str,
        answer: bytes,
        answer_text: str,
        find: Find,
        written: asyncio.Task[None],
    ) -> None:
        await asyncio.wait([written])
        nearest = lookup.nearest
        try:
            # The nearest question may be this very question, whose old answer was lost. The new answer would then be
            # compared with itself.
            if nearest is not None and nearest.answer_key != answer:
                correct = await self._compare(lookup, nearest, answer_text, find)
                if correct is not False:
                    return
            question = (lookup.gist, tenant, lookup.text)
            await self._write(self._known.add(*question, answer, digest_of(answer_text), max_age_s=self._max_age_s))
        except ModelError as error:
            self.faults["llm"] += 1
            log.info("cache_not_learned", reason=type(error).__name__)
        except Exception:
            log.exception("cache_learning_failed")

    async def _compare(
        self,
        lookup: QuestionLookup,
        nearest: KnownQuestion,
        answer_text: str,
        find: Find,
    ) -> bool | None:
        """Compare the earlier answer with the new one, and record whether they agree. Return None if that cannot be
        determined.

        If the earlier answer is gone, or the questions are too dissimilar, nothing is recorded and the result is False.
        """
        earlier = await find(nearest)
        if earlier is None:
            await self.forget(nearest)
            return False
        async with self._embedding:
            vector = await lookup.turn.vector(self._embedder)
            if nearest.vector is None:
                nearest = replace(nearest, vector=(await self._embedder.embed([nearest.text]))[0])
        assert nearest.vector is not None
        similarity = float(nearest.vector @ vector)
        if similarity < MIN_SIMILARITY:
            return False
        correct = await same_answer(lookup.text, _answer_text(earlier), answer_text, self._judge)
        if correct is not None:
            await self._write(self._known.observe(nearest, Observation(similarity, correct)))
        return correct

    async def _judge(self, prompt: str) -> str:
        """Return the LLM's reply, or "" if no available LLM is reliable enough."""
        llm = self._find_llm()
        if not llm.is_capable:
            return ""
        options = {"temperature": 0, "max_tokens": _VERDICT_TOKENS}
        call = LlmCall([{"role": "user", "content": prompt}], options=options)
        async with aclosing(llm.stream(call)) as events:
            return "".join([event.text async for event in events if isinstance(event, TextDelta)])

    async def forget(self, nearest: KnownQuestion) -> None:
        """Delete a question whose answer is no longer stored."""
        await self._write(self._known.forget(nearest.id))

    def note_use(self, nearest: KnownQuestion) -> None:
        """Record that the question's answer was returned, so that other questions are deleted before this one."""
        if self._known.needs_use_update(nearest):
            self._run_in_background(self._write(self._known.use(nearest)))

    async def _write(self, writing: Coroutine[Any, Any, None]) -> None:
        await self._store_breaker.call(writing, WRITE_TIMEOUT_S)

    async def sweep(self) -> int:
        return await self._known.sweep()

    async def close(self) -> None:
        for task in self._learning:
            task.cancel()
        if self._learning:
            await asyncio.wait(self._learning)
        await self._known.close()


def _without_vetoed(questions: Sequence[KnownQuestion], text: str) -> Sequence[KnownQuestion]:
    """Return the known questions that no veto excludes."""
    return [one for one in questions if find_veto(one.text, text) is None]


def decode_answer_of(question: KnownQuestion, record: bytes) -> Sequence[Event] | None:
    """Return the events in `record`, or None if they are not the answer that the question's observations are about.

    Raises ValueError if `record` is not a record of events.
    """
    events = decode_events(record)
    return events if digest_of(_answer_text(events)) == question.answer_digest else None


def _is_plain(events: Sequence[Event]) -> bool:
    """True if the answer contains neither results of tasks nor calls of tools."""
    return not any(isinstance(event, Precontext | ToolCallChunk) for event in events)


def _answer_text(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextChunk))
