"""Caches answers, both finished ones and those in progress, so that identical requests run once.

An answer is stored as its events, and a hit yields the events again. If an identical request is already being answered
for another client, the request receives that answer once it is whole. Two requests share a key if
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

from app.chat.call import ChatCall, Inquiry
from app.chat.inputs import run_off_loop
from app.errors import Unavailable
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
from tasks.inputs.kinds import kind_of
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source
from tasks.precontext import Entry, Evidence
from tasks.result import JsonResult

WEB_AGE_S = 300.0
"""An answer drawn from the web is kept for this time at most, in seconds, because pages change."""
_COMPLETE_REASONS = frozenset({"stop", "tool_calls"})
ANSWER_VERSION = 6
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
MAX_EVENTS_AHEAD = 256
"""While only its first client reads an answer, at most this many events of it wait to be read."""
AnswerFunction = Callable[[], Awaitable[AsyncGenerator[Event, None]]]
_MediaNumbers = Mapping[tuple[int | None, int | None], int]
"""Numbers of the turn's media, by the index of the message and of the part."""
_MEDIA = frozenset({"url", "file_data", "file_id", "data", "image_url", "audio_url", "video_url", "file_url"})
"""Fields that contain or name a medium."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Key under which a request's answer is kept."""

    digest: bytes
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

    async def of(self, inquiry: Inquiry) -> CacheKey | None:
        """Return the key of a request, or None if one of its media cannot be read now. The task that needs the medium
        will report the reason.

        Media are represented by their content, and also by their names if the answer may depend on them.
        """
        task, sources = inquiry.task, inquiry.turn.sources
        reads_web = (task is not None and task.name in WEB) or any(map(_is_page, sources))
        sees_names = task is None or task.sees_names
        try:
            media = await asyncio.gather(*(self._identify(source, task) for source in sources))
        except (InputError, Overloaded):
            return None
        fingerprint = await self._fingerprint()
        key = await run_off_loop(inquiry.request, _compute_key, inquiry, media, fingerprint, sees_names=sees_names)
        return CacheKey(key, reads_web)

    async def _identify(self, source: Source, task: Specialist | None) -> Sequence[str | None]:
        content = ["page", str(source.url)] if _is_page(source) else await self._loader.content(source)
        if task is None:
            return [*content, kind_of(source), source.filename, source.format]
        return [*content, source.url, source.filename] if task.sees_names else content


def _is_page(source: Source) -> bool:
    return source.is_linked and kind_of(source) == "page"


def _compute_key(inquiry: Inquiry, media: Sequence[Any], fingerprint: bytes, *, sees_names: bool) -> bytes:
    call, request, policy = inquiry.call, inquiry.request, inquiry.policy
    named = {
        (origin.message, origin.part): number
        for number, source in enumerate(inquiry.turn.sources)
        for origin in (source.origin, *source.also)
        if not origin.is_text
    }
    messages = [_message_key(index, message, named, sees_names) for index, message in enumerate(request.messages)]
    fields = request.model_dump(exclude=set(NOT_IN_SCOPE), warnings=False)
    guard = [policy.codes, sorted(policy.optional), policy.thresholds]
    shared = [ANSWER_VERSION, call.caller.tenant, fields, media, guard, call.skip_planning]
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

    def __init__(self, entries: Entries, keys: CacheKeys, *, max_age_s: float) -> None:
        self._entries = entries
        self._keys = keys
        self._max_age_s = max_age_s
        self._under_way: dict[bytes, _SharedAnswer] = {}
        self.outcomes: Counter[str] = Counter()
        """Number of look-ups, by outcome."""

    @property
    def faults(self) -> int:
        """Number of look-ups and writes that failed."""
        return self._entries.faults.total()

    async def get_or_answer(self, inquiry: Inquiry, answer: AnswerFunction) -> AsyncGenerator[Event, None]:
        """Return the events of an answer to this request: a cached answer, an answer in progress, or a new answer.

        A new answer comes from `answer()`, and is kept for later requests.
        """
        key = await self._keys.of(inquiry)
        return await answer() if key is None else self._join_or_begin(key, inquiry.call, answer)

    def _join_or_begin(self, key: CacheKey, call: ChatCall, answer: AnswerFunction) -> AsyncGenerator[Event, None]:
        """Join the answer in progress, or begin one.

        An answer in progress begins with the look-up in the cache. Otherwise an identical request could look into the
        cache just before an answer is stored, and find neither a cached answer nor one in progress.
        """
        under_way = self._under_way.get(key.digest)
        if under_way is not None and under_way.can_be_joined:
            return self._join(under_way, answer)

        async def known() -> Sequence[Event] | None:
            found = await self.find(call.caller.tenant, key.digest)
            self.outcomes["hit" if found else "miss"] += 1
            call.stages.done("cache")
            return found

        keep = partial(self.keep, key, call.caller.tenant)
        answering = _SharedAnswer(known, answer, keep, partial(self._forget, key.digest))
        self._under_way[key.digest] = answering
        return answering.read()

    async def _join(self, under_way: "_SharedAnswer", answer: AnswerFunction) -> AsyncGenerator[Event, None]:
        """Yield the answer in progress once it is whole. If it is cut, yield an answer of this request's own, which
        nobody joins: it may be cut, too."""
        shared = await under_way.whole()
        self.outcomes["miss" if shared is None else "hit"] += 1
        if shared is None:
            async with aclosing(await answer()) as events:
                async for event in events:
                    yield event
        else:
            for event in shared:
                # An answer in progress ends for all that joined it at once. Other requests run in between.
                await asyncio.sleep(0)
                yield event

    def _forget(self, digest: bytes, answering: "_SharedAnswer") -> None:
        if self._under_way.get(digest) is answering:
            del self._under_way[digest]

    async def find(self, tenant: str, digest: bytes) -> Sequence[Event] | None:
        """Return the events that are stored under `digest`; None if there are none."""
        return await self._entries.get(Key(tenant, "answer", digest), decode_events)

    def keep(self, key: CacheKey, tenant: str, events: Sequence[Event]) -> Written:
        """Store the events of a new answer."""
        if not _is_worth_keeping(events):
            return None
        depends_on_web = key.depends_on_web or not WEB.isdisjoint(_task_names(events))
        age_s = min(self._max_age_s, WEB_AGE_S) if depends_on_web else self._max_age_s
        place = Key(tenant, "answer", key.digest)
        return self._entries.put(place, partial(encode_events, events), max_age_s=age_s)


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
    """An answer in progress, in an asyncio task. Its first client reads it as it comes; others join it, and get it once
    it is whole. The last one to leave cancels the task.

    A cut answer is only the first client's: it may be cut by the time that this client's request has taken, and nobody
    else needs a part of an answer.

    The first client is charged for the answer. If this client leaves early, it is charged for what was written until
    then, and another client is charged for the whole answer. Otherwise nobody would be charged for what is written
    later.
    """

    def __init__(
        self,
        known: Callable[[], Awaitable[Sequence[Event] | None]],
        answer: AnswerFunction,
        keep: Callable[[Sequence[Event]], Written],
        forget: Callable[["_SharedAnswer"], None],
    ) -> None:
        self._events: list[Event] = []
        self._failure: BaseException | None = None
        self._is_over = False
        self._has_reader = self._has_payer = True
        self._read = 0
        """Number of events that the first client has read."""
        self._joined = 0
        """Number of clients that wait for the whole answer."""
        self._changed = asyncio.Event()
        self._known = known
        self._keep = keep
        self._forget = forget
        self._task = asyncio.create_task(self._run(answer))
        self._task.add_done_callback(mark_retrieved)

    @property
    def can_be_joined(self) -> bool:
        """True unless the answer is being cancelled, has failed, or was cut."""
        if self._is_over:
            return self._failure is None and not self._is_cut
        return not (self._task.cancelling() or self._task.done())

    @property
    def _is_cut(self) -> bool:
        """True if the answer has ended before it was whole, or its time was over."""
        if self._failure is not None:
            is_late = isinstance(self._failure, Unavailable) and self._failure.code == "timeout"
            return is_late or not isinstance(self._failure, Exception)
        last = self._events[-1] if self._events else None
        return isinstance(last, Finish) and last.reason == "length"

    async def read(self) -> AsyncGenerator[Event, None]:
        """Yield all events of the answer to its first client as they come. Raises the error that ended the answer."""
        try:
            while True:
                while self._read < len(self._events):
                    await asyncio.sleep(0)
                    self._read += 1
                    self._wake()
                    yield self._events[self._read - 1]
                if self._is_over:
                    break
                await self._changed.wait()
            if self._failure is not None:
                raise self._failure
        finally:
            self._has_reader = False
            self._has_payer = self._is_over
            await self._leave()

    async def whole(self) -> Sequence[Event] | None:
        """Return all events of the answer once it has ended; None if it was cut. Raises the error that ended it."""
        self._joined += 1
        self._wake()
        try:
            while not self._is_over:
                await self._changed.wait()
        finally:
            self._joined -= 1
            await self._leave()
        if self._is_cut:
            return None
        if self._failure is not None:
            raise self._failure
        pays, self._has_payer = not self._has_payer, True
        return [replace(one, vcache=one.vcache or not pays) if isinstance(one, Finish) else one for one in self._events]

    async def _leave(self) -> None:
        self._wake()
        if not (self._has_reader or self._joined or self._is_over):
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
                    await self._publish(event)
            written = self._keep(self._events)
        except Exception as error:  # noqa: BLE001 - raised to all who wait
            self._failure = error
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._is_over = True
            self._wake()
            if written is None:
                self._forget(self)
            else:
                # Identical requests can join the answer until the store has written it. Until then, they would not find
                # the answer in the store.
                written.add_done_callback(lambda _: self._forget(self))

    async def _publish(self, event: Event) -> None:
        """Add an event. If only the first client reads the answer, wait until it has read enough."""
        self._events.append(event)
        self._wake()
        while not self._joined and self._has_reader and len(self._events) - self._read >= MAX_EVENTS_AHEAD:
            await self._changed.wait()

    def _wake(self) -> None:
        """Wake the task and all clients that wait for a change."""
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
        case Evidence(fields, unsupported, explanation):
            return ["evidence", fields, unsupported, explanation]
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
        case ["evidence", fields, unsupported, explanation]:
            return Evidence(fields, unsupported, explanation)
        case ["warned", str(text)]:
            return AnswerWarning(text)
        case ["finish", reason, int(prompt_tokens), int(answered), reasoning]:
            return Finish(reason, prompt_tokens, answered, reasoning, vcache=True)
    raise ValueError("no record of an event")
