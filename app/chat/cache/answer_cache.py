"""Caches answers, both finished ones and those in progress, so that identical requests run once.

An answer is stored as its events, and a hit yields the events again. If an identical request is already being answered
for another client, the request receives the events of that answer from the beginning.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import structlog

from app.chat.cache.event_codec import decode_events, encode_events
from app.chat.cache.keys import WEB, CacheKey, CacheKeys
from app.chat.call import ChatCall
from app.chat.inputs import Turn
from app.events import Event, Finish, Precontext
from app.state.entries import Entries, Key, Written
from models.concurrency import mark_retrieved
from tasks.base import Specialist
from tasks.guardrails import Policy

WEB_AGE_S = 300.0
"""An answer drawn from the web is kept for this time at most, in seconds, because pages change."""
_COMPLETE_REASONS = frozenset({"stop", "tool_calls"})

log = structlog.get_logger(__name__)

AnswerFunction = Callable[[], Awaitable[AsyncGenerator[Event, None]]]


class AnswerCache:
    """A cache of answers, both finished ones and those in progress."""

    def __init__(self, entries: Entries, scopes: CacheKeys, *, max_age_s: float) -> None:
        self._entries = entries
        self._scopes = scopes
        self._max_age_s = max_age_s
        self._under_way: dict[bytes, _SharedAnswer] = {}
        self.outcomes: Counter[str] = Counter()
        """Number of look-ups, by outcome."""

    @property
    def faults(self) -> int:
        """Number of look-ups and writes that failed."""
        return self._entries.faults.total()

    async def get_or_answer(
        self, call: ChatCall, turn: Turn, policy: Policy, answer: AnswerFunction, task: Specialist | None
    ) -> AsyncGenerator[Event, None]:
        """Return the events of an answer to this request: a cached answer, an answer in progress, or a new answer.

        A new answer comes from `answer()`, and is kept for later requests. `task` is the task whose result is the
        answer; None if an LLM answers.
        """
        scope = await self._scopes.of(call, turn, policy, task)
        return await answer() if scope is None else self._join_or_begin(scope, call, turn, answer)

    def _join_or_begin(
        self, scope: CacheKey, call: ChatCall, turn: Turn, answer: AnswerFunction
    ) -> AsyncGenerator[Event, None]:
        """Follow the answer in progress, or begin one.

        An answer in progress begins with the look-up in the cache. Otherwise an identical request could look into the
        cache just before an answer is stored, and find neither a cached answer nor one in progress.
        """
        under_way = self._under_way.get(scope.key)
        if under_way is not None and under_way.can_be_joined:
            self.outcomes["hit"] += 1
            self.forget_media(turn)
            return under_way.follow(is_first=False)
        run = _Lookup(self, scope, call, turn)
        answering = _SharedAnswer(run.known, answer, run.keep, partial(self._forget_shared, scope.key))
        self._under_way[scope.key] = answering
        return answering.follow(is_first=True)

    def forget_media(self, turn: Turn) -> None:
        """Forget the bytes of a request's media. The answer comes from the cache or from an identical request, so
        nobody reads the media again."""
        self._scopes.forget(turn)

    def _forget_shared(self, key: bytes, answering: "_SharedAnswer") -> None:
        if self._under_way.get(key) is answering:
            del self._under_way[key]

    async def find(self, tenant: str, digest: bytes) -> Sequence[Event] | None:
        """Return the events that are stored under `digest`; None if there are none."""
        return await self._entries.get(Key(tenant, "answer", digest), decode_events)

    def keep(self, scope: CacheKey, call: ChatCall, events: Sequence[Event]) -> Written:
        """Store the events of a new answer."""
        if not _is_worth_keeping(events):
            return None
        depends_on_web = scope.depends_on_web or not WEB.isdisjoint(_task_names(events))
        age_s = min(self._max_age_s, WEB_AGE_S) if depends_on_web else self._max_age_s
        key = Key(call.caller.tenant, "answer", scope.key)
        return self._entries.put(key, partial(encode_events, events), max_age_s=age_s)


class _Lookup:
    """The cache's work for one request, before and after the answer."""

    def __init__(self, answer_cache: AnswerCache, scope: CacheKey, call: ChatCall, turn: Turn) -> None:
        self._cache = answer_cache
        self._scope = scope
        self._call = call
        self._turn = turn

    async def known(self) -> Sequence[Event] | None:
        known = await self._cache.find(self._call.caller.tenant, self._scope.key)
        self._cache.outcomes["hit" if known else "miss"] += 1
        if known is not None:
            self._cache.forget_media(self._turn)
        self._call.stages.done("cache")
        return known

    def keep(self, events: Sequence[Event]) -> Written:
        return self._cache.keep(self._scope, self._call, events)


def _is_worth_keeping(events: Sequence[Event]) -> bool:
    """True if the answer is whole, no task failed, and nothing was withheld."""
    last = events[-1] if events else None
    if not isinstance(last, Finish) or last.reason not in _COMPLETE_REASONS or not last.may_be_kept:
        return False
    return all(entry.error is None for event in events if isinstance(event, Precontext) for entry in event.entries)


def _task_names(events: Iterable[Event]) -> set[str]:
    """Return the names of the tasks in the answer's precontext."""
    return {entry.name for event in events if isinstance(event, Precontext) for entry in event.entries}


class _SharedAnswer:
    """An answer in progress, in an asyncio task shared by all its followers. The last follower to leave cancels the
    task.

    The first follower is charged for the answer. If this follower leaves early, it is charged for what was written
    until then, and another follower is charged for the whole answer. Otherwise nobody would be charged for what is
    written later.
    """

    def __init__(
        self,
        known: Callable[[], Awaitable[Sequence[Event] | None]],
        answer: AnswerFunction,
        keep: Callable[[Sequence[Event]], Written],
        ended: Callable[["_SharedAnswer"], None],
    ) -> None:
        self._events: list[Event] = []
        self._failure: BaseException | None = None
        self._is_over = False
        self._followers = 0
        self._has_payer = True
        self._changed = asyncio.Event()
        self._known = known
        self._keep = keep
        self._forget_shared = ended
        self._task = asyncio.create_task(self._run(answer))
        self._task.add_done_callback(mark_retrieved)

    @property
    def can_be_joined(self) -> bool:
        """True unless the answer is being cancelled, or has failed."""
        return self._failure is None and not self._task.cancelling() and (self._is_over or not self._task.done())

    async def follow(self, *, is_first: bool) -> AsyncGenerator[Event, None]:
        """Yield all events of the answer, beginning with the first. Raises the error that ended the answer."""
        self._followers += 1
        try:
            place = 0
            while True:
                while place < len(self._events):
                    # Each event of an answer wakes all its followers at once. Other requests run in between.
                    await asyncio.sleep(0)
                    event = self._events[place]
                    place += 1
                    if isinstance(event, Finish):
                        event = replace(event, vcache=event.vcache or (self._has_payer and not is_first))
                        is_first, self._has_payer = False, True
                    yield event
                if self._is_over:
                    break
                await self._changed.wait()
            if self._failure is not None:
                raise self._failure
        finally:
            self._followers -= 1
            if is_first and not self._is_over:
                self._has_payer = False
            if not self._followers and not self._is_over:
                self._task.cancel()
                await asyncio.wait([self._task])

    async def _run(self, answer: AnswerFunction) -> None:
        written: Written = None
        try:
            if known := await self._known():
                self._events.extend(known)
                return
            async with aclosing(await answer()) as events:
                async for event in events:
                    self._publish(event)
            written = self._keep(self._events)
        except Exception as error:  # noqa: BLE001 - raised to all who listen
            self._failure = error
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._is_over = True
            self._changed.set()
            if written is None:
                self._forget_shared(self)
            else:
                # Identical requests can join the answer until the store has written it. Until then, they would not find
                # the answer in the store.
                written.add_done_callback(lambda _: self._forget_shared(self))

    def _publish(self, event: Event) -> None:
        self._events.append(event)
        self._changed.set()
        self._changed = asyncio.Event()
