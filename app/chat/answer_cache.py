"""Caches answers, both finished ones and those in progress, so that identical requests run once.

An answer is stored as its events, and a hit yields the events again. If an identical request is already being answered
for another client, the request receives the events of that answer from the beginning. Two requests share a key if
everything that shapes their answers is equal; media are compared by content.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pydantic_core

from app.chat.call import ChatCall
from app.chat.inputs import Turn, run_off_loop
from app.events import (
    AnswerWarning,
    Event,
    Finish,
    Precontext,
    Progress,
    ReasoningChunk,
    TextChunk,
    ToolCallChunk,
    joined,
)
from app.state.entries import Entries, Key, Written
from app.wire.request import ChatMessage, TextPart
from models.concurrency import mark_retrieved
from tasks.base import Specialist
from tasks.errors import InputError, Overloaded
from tasks.guardrails import Policy
from tasks.inputs.kinds import kind_of
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.precontext import Entry, Evidence
from tasks.result import JsonResult

WEB_AGE_S = 300.0
"""An answer drawn from the web is kept for this time at most, in seconds, because pages change."""
_COMPLETE_REASONS = frozenset({"stop", "tool_calls"})
VERSION = 6
"""Version of the key and of the values kept under it, increased when either changes."""
NOT_IN_SCOPE = frozenset(
    {
        "messages",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "user",
    }
)
"""Fields of a request that do not change its answer. Streamed and whole answers share entries."""
WEB = frozenset({"web_search", "scraper"})
"""Tasks whose results come from the web."""
_LONG_CHARS = 1024
"""A string with more characters than this, in a content part that is not text, enters the key as its digest."""
AnswerFunction = Callable[[], Awaitable[AsyncGenerator[Event, None]]]
_MediaNumbers = Mapping[tuple[int | None, int | None], int]
"""Numbers of the turn's media, by the index of the message and of the part."""
_MEDIA = frozenset({"url", "file_data", "file_id", "data", "image_url", "audio_url", "video_url", "file_url"})
"""Fields that contain or name a medium."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Key under which a request's answer is kept."""

    key: bytes
    """SHA-256 of everything that shapes the answer, including the tenant."""
    depends_on_web: bool
    """True if the request names a web page, or its tag asks for a search or a page. The answer to such a request soon
    becomes outdated."""


class CacheKeys:
    """Makes the keys of requests.

    `fingerprint` returns a digest of all properties of the server that influence its answers: its version, engines and
    settings.
    """

    def __init__(self, loader: MediaLoader, fingerprint: Callable[[], Awaitable[bytes]]) -> None:
        self._loader = loader
        self._fingerprint = fingerprint

    async def of(self, call: ChatCall, turn: Turn, policy: Policy, task: Specialist | None) -> CacheKey | None:
        """Return the key of a request, or None if one of its media cannot be read now. The task that needs the medium
        will report the reason.

        `task` is the task whose result is the answer; None if an LLM answers. Media are represented by their content,
        and also by their names if the answer may depend on them.
        """
        reads_web = (task is not None and task.name in WEB) or any(map(_is_page, turn.sources))
        sees_names = task is None or task.sees_names
        try:
            media = await asyncio.gather(*(self._identify(source, task) for source in turn.sources))
        except (InputError, Overloaded):
            return None
        fingerprint = await self._fingerprint()
        key = await run_off_loop(
            call.request, _compute_key, call, turn, policy, media, fingerprint, sees_names=sees_names
        )
        return CacheKey(key, reads_web)

    async def _identify(self, source: Source, task: Specialist | None) -> Sequence[str | None]:
        content = ["page", str(source.url)] if _is_page(source) else await self._loader.content(source)
        if task is None:
            return [*content, kind_of(source), source.filename, source.format]
        return [*content, source.url, source.filename] if task.sees_names else content


def _is_page(source: Source) -> bool:
    return source.is_linked and kind_of(source) == "page"


def _compute_key(
    call: ChatCall, turn: Turn, policy: Policy, media: Sequence[Any], fingerprint: bytes, *, sees_names: bool
) -> bytes:
    request = call.request
    named = {
        (origin.message, origin.part): number
        for number, source in enumerate(turn.sources)
        for origin in (source.origin, *source.also)
        if not origin.is_text
    }
    messages = [_message_key(index, message, named, sees_names) for index, message in enumerate(request.messages)]
    fields = request.model_dump(exclude=set(NOT_IN_SCOPE), warnings=False)
    guard = [policy.codes, sorted(policy.optional), policy.thresholds]
    shared = [VERSION, call.caller.tenant, fields, media, guard, call.skip_planning]
    return hashlib.sha256(fingerprint + pydantic_core.to_json([shared, messages])).digest()


def _message_key(index: int, message: ChatMessage, named: _MediaNumbers, sees_names: bool) -> Any:
    fields = message.model_dump(exclude={"content"}, warnings=False)
    if not isinstance(message.content, list):
        return [fields, message.content]
    return [fields, list(_part_keys(index, message.content, named, sees_names))]


def _part_keys(index: int, parts: Sequence[Any], named: _MediaNumbers, sees_names: bool) -> Iterator[Any]:
    for position, part in enumerate(parts):
        if isinstance(part, TextPart):
            yield part.model_dump(warnings=False)
            continue
        number = named.get((index, position))
        if number is not None and not sees_names:
            yield number
            continue
        fields = _without_media(part.model_dump(warnings=False), is_known=number is not None)
        yield [part.type, number, fields]


def _without_media(value: Any, *, is_known: bool) -> Any:
    """Return the form of a message's part that the key contains.

    If the key contains the medium's content already (`is_known`), the medium is left out. Otherwise a long medium is
    replaced by its digest.
    """
    if isinstance(value, dict):
        return {
            name: None
            if is_known and name in _MEDIA and not isinstance(one, dict)
            else _without_media(one, is_known=is_known)
            for name, one in value.items()
        }
    if isinstance(value, str) and len(value) > _LONG_CHARS:
        return hashlib.sha256(value.encode()).hexdigest()
    return value


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
        return await answer() if scope is None else self._join_or_begin(scope, call, answer)

    def _join_or_begin(self, scope: CacheKey, call: ChatCall, answer: AnswerFunction) -> AsyncGenerator[Event, None]:
        """Follow the answer in progress, or begin one.

        An answer in progress begins with the look-up in the cache. Otherwise an identical request could look into the
        cache just before an answer is stored, and find neither a cached answer nor one in progress.
        """
        under_way = self._under_way.get(scope.key)
        if under_way is not None and under_way.can_be_joined:
            self.outcomes["hit"] += 1
            return under_way.follow(is_first=False)

        async def known() -> Sequence[Event] | None:
            found = await self.find(call.caller.tenant, scope.key)
            self.outcomes["hit" if found else "miss"] += 1
            call.stages.done("cache")
            return found

        keep = partial(self.keep, scope, call.caller.tenant)
        answering = _SharedAnswer(known, answer, keep, partial(self._forget_shared, scope.key))
        self._under_way[scope.key] = answering
        return answering.follow(is_first=True)

    def _forget_shared(self, key: bytes, answering: "_SharedAnswer") -> None:
        if self._under_way.get(key) is answering:
            del self._under_way[key]

    async def find(self, tenant: str, digest: bytes) -> Sequence[Event] | None:
        """Return the events that are stored under `digest`; None if there are none."""
        return await self._entries.get(Key(tenant, "answer", digest), decode_events)

    def keep(self, scope: CacheKey, tenant: str, events: Sequence[Event]) -> Written:
        """Store the events of a new answer."""
        if not _is_worth_keeping(events):
            return None
        depends_on_web = scope.depends_on_web or not WEB.isdisjoint(_task_names(events))
        age_s = min(self._max_age_s, WEB_AGE_S) if depends_on_web else self._max_age_s
        key = Key(tenant, "answer", scope.key)
        return self._entries.put(key, partial(encode_events, events), max_age_s=age_s)


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


def encode_events(events: Sequence[Event]) -> bytes:
    """Encode a whole answer as JSON. Pieces of text in a row are joined. Progress is left out."""
    return pydantic_core.to_json([_encode(event) for event in joined(events) if not isinstance(event, Progress)])


def decode_events(record: bytes) -> Sequence[Event]:
    """Return the events, the last of which says that it is from the cache (`vcache`). Raises ValueError for a record
    that `encode_events` did not write."""
    match pydantic_core.from_json(record, cache_strings="keys"):
        case [*records] if records:
            return [_decode(one) for one in records]
    raise ValueError("no record of events")


def _encode(event: Event) -> list[Any]:
    match event:
        case Precontext(entries):
            return ["precontext", [[entry.name, entry.result.data] for entry in entries]]
        case ReasoningChunk(text):
            return ["reasoning", text]
        case TextChunk(text, logprobs, is_refusal):
            return ["text", text, logprobs, is_refusal]
        case ToolCallChunk(index, arguments, id_, name):
            return ["tool_call", index, arguments, id_, name]
        case Evidence(fields, unsupported):
            return ["evidence", fields, unsupported]
        case AnswerWarning(text):
            return ["warned", text]
        case Finish():
            return ["finish", event.reason, event.prompt_tokens, event.completion_tokens, event.reasoning_tokens]
    raise ValueError(f"{type(event).__name__} is not kept")


def _decode(record: Any) -> Event:
    match record:
        case ["precontext", [*entries]]:
            return Precontext(tuple(Entry(str(name), JsonResult(data)) for name, data in entries))
        case ["reasoning", str(text)]:
            return ReasoningChunk(text)
        case ["text", str(text), logprobs, bool(is_refusal)]:
            return TextChunk(text, logprobs, is_refusal)
        case ["tool_call", int(index), str(arguments), id_, name]:
            return ToolCallChunk(index, arguments, id_, name)
        case ["evidence", fields, unsupported]:
            return Evidence(fields, unsupported)
        case ["warned", str(text)]:
            return AnswerWarning(text)
        case ["finish", reason, int(prompt_tokens), int(answered), reasoning]:
            return Finish(reason, prompt_tokens, answered, reasoning, vcache=True)
    raise ValueError("no record of an event")
