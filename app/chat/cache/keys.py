"""Makes the keys of the cache. Two requests share a key if everything that shapes their answers is equal; media are
compared by content."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core

from app.chat.call import ChatCall
from app.chat.inputs import Turn, kind_of, run_off_loop
from app.wire.request import ChatMessage, TextPart
from tasks.base import Specialist
from tasks.errors import InputError, Overloaded
from tasks.guardrails import Policy
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source

VERSION = 5
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

    def forget(self, turn: Turn) -> None:
        """Forget the bytes of a request's media, which its key was made of."""
        for source in turn.sources:
            self._loader.forget(source)

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
    if isinstance(value, memoryview) or (isinstance(value, str) and len(value) > _LONG_CHARS):
        return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()
    return value
