"""Answers to questions in other words: found by what they say, given as often as was verified.

`verification` has the method, `vetoes` finds what makes two questions different. What nobody has asked in any words
is never embedded: the engine is asked where an answer might be given, and, when nobody waits, where two were compared.
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
from app.chat.cache.vetoes import disagree, gist
from app.chat.inputs import Turn, run_off_loop
from app.events import Event, Precontext, TextChunk, ToolCallChunk
from app.state.entries import PATIENCE_S, WRITE_S, CircuitBreaker, StoreDown
from app.wire.request import ChatRequest
from models.base import ModelError
from models.embedding.embedder import Embedder, Vector
from models.language.llm import Llm, LlmCall, TextDelta

CANDIDATES = 16
"""Questions of the same gist that are read."""
EMBEDDING_S = 0.25
"""What a question's vector may cost a request. It takes 6 to 12 ms where nobody else waits for the engine."""
_MOST_LEARNING = 16
"""Comparisons that wait or run; more are left out: nothing is learned from them."""
_VERDICT_TOKENS = 2000
"""What a judge may say; one that reasons first needs most of it."""

log = structlog.get_logger(__name__)


Find = Callable[[KnownQuestion], Awaitable[Sequence[Event] | None]]
"""Gives the events of the answer to an earlier question. None where it is gone, or another is kept in its place."""


@dataclass(frozen=True, slots=True)
class QuestionLookup:
    """A question that may have been asked in other words, and the known question that it was matched with."""

    turn: Turn
    scope: str
    gist: bytes
    nearest: KnownQuestion | None
    """The known question that `choose` prefers among those that no veto excludes."""
    decision: Decision

    @property
    def text(self) -> str:
        return self.turn.text.strip()


class RephrasedQuestions:
    """Looks for answers, and learns from those that were given afresh."""

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
        """Look-ups, writes and comparisons that came to nothing, by reason: `down`, `slow`, `busy`, `llm`."""
        self._patience = CircuitBreaker(self.faults)
        self._with_engine = CircuitBreaker(self.faults)
        """A circuit breaker of its own: a slow engine says nothing of the file."""
        self._embedding = asyncio.Lock()
        """Held while the engine embeds what nobody waits for: a question that somebody waits for meets one at most."""

    async def look_up(self, request: ChatRequest, turn: Turn, scope: str) -> QuestionLookup | None:
        """Looks the request up. None where it is no plain question, or the look-up failed."""
        if not await run_off_loop(request, is_plain_question, request, self._today().date()):
            return None
        lookup = QuestionLookup(
            turn, scope, await run_off_loop(request, gist, turn.text.strip(), scope), None, "explore"
        )
        known = await self._patience.tried(self._known.find_alike(lookup.gist, CANDIDATES), PATIENCE_S)
        if known is None:
            return None
        # Reading them takes up to a millisecond each.
        alike = await asyncio.to_thread(_without_vetoed, known, lookup.text) if known else ()
        return await self._decide(lookup, alike) if alike else lookup

    async def _decide(self, lookup: QuestionLookup, alike: Sequence[KnownQuestion]) -> QuestionLookup | None:
        """Embeds the question only where an answer might be given."""
        vector = None
        if self._max_error > 0 and any(len(one.observations) >= MIN_OBSERVATIONS for one in alike):
            vector = await self._with_engine.tried(self._vector(lookup.turn), EMBEDDING_S)
            if vector is None:
                return None
        similarities = [1.0 if vector is None or one.vector is None else float(one.vector @ vector) for one in alike]
        place = choose([(one.observations, each) for one, each in zip(alike, similarities, strict=True)])
        if place is None:
            return lookup
        nearest = alike[place]
        draw = draw_of(lookup.scope, lookup.text, nearest.answer.hex(), len(nearest.observations))
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
        """Learns from the events of a fresh answer once `written` is done, that is, once the answer is kept under the
        digest `answer`: a question that is known before its answer is kept would be forgotten again."""
        if _is_plain(fresh):
            self._later(self._learn(lookup, tenant, answer, _answer_text(fresh), find, written))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Does what no request waits for, unless too much of it waits already."""
        if len(self._learning) >= _MOST_LEARNING:
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
            # Where its own answer had gone, a question is near itself: it would be compared with what was just written.
            if nearest is not None and nearest.answer != answer:
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
        """Tells whether both answers say the same, and writes it down. None where it cannot be told."""
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
        """The LLM's reply, or "" where no LLM here can be relied on."""
        llm = self._find_llm()
        if not llm.is_capable:
            return ""
        options = {"temperature": 0, "max_tokens": _VERDICT_TOKENS}
        call = LlmCall([{"role": "user", "content": prompt}], options=options)
        async with aclosing(llm.stream(call)) as events:
            return "".join([event.text async for event in events if isinstance(event, TextDelta)])

    async def forget(self, nearest: KnownQuestion) -> None:
        """Deletes a question whose answer is no longer kept."""
        await self._write(self._known.forget(nearest.id))

    def note_use(self, nearest: KnownQuestion) -> None:
        """Notes that the question's answer was given, so that others are deleted first."""
        if self._known.was_long_unused(nearest):
            self._later(self._write(self._known.use(nearest)))

    async def _write(self, writing: Coroutine[Any, Any, None]) -> None:
        await self._patience.tried(writing, WRITE_S)

    async def sweep(self) -> int:
        return await self._known.sweep()

    async def close(self) -> None:
        for task in self._learning:
            task.cancel()
        if self._learning:
            await asyncio.wait(self._learning)
        await self._known.close()


def _without_vetoed(known: Sequence[KnownQuestion], text: str) -> Sequence[KnownQuestion]:
    """The known questions that no veto excludes."""
    return [one for one in known if disagree(one.text, text) is None]


def decode_answer_of(known: KnownQuestion, record: bytes) -> Sequence[Event] | None:
    """The events that are kept as `record`, where they are the answer that was observed. Raises ValueError for
    what is no record."""
    events = decode_events(record)
    return events if digest_of(_answer_text(events)) == known.answer_digest else None


def _is_plain(events: Sequence[Event]) -> bool:
    """Tells whether the answer has nothing but the LLM's text."""
    return not any(isinstance(event, Precontext | ToolCallChunk) for event in events)


def _answer_text(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextChunk))
