"""The keys of the cache: two requests share a key if all that shapes their answers is the same, media by content."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydantic_core

from app.chat.call import ChatCall
from app.chat.inputs import Turn, run_off_loop
from app.chat.planning.kinds import kind_of
from app.wire.request import ChatMessage, TextPart
from tasks.base import Specialist
from tasks.errors import InputError, Overloaded
from tasks.guardrails import Policy
from tasks.inputs.loader import MediaLoader
from tasks.inputs.source import Source

VERSION = 3
"""Changes with the key, and with what is kept under it."""
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
"""Fields that shape no answer: streamed and whole answers share entries."""
WEB = frozenset({"web_search", "scraper"})
"""Tasks whose results are what the web says."""
_LONG = 1024
"""Characters from which on a medium in an earlier message counts by its digest."""
_Named = Mapping[tuple[int | None, int | None], int]
"""The numbers of the turn's media, by message and part."""
_MEDIA = frozenset({"url", "file_data", "file_id", "data", "image_url", "audio_url", "video_url", "file_url"})
"""Fields that hold a medium or name it."""


@dataclass(frozen=True, slots=True)
class CacheKey:
    """The key under which a request's answer is kept."""

    key: bytes
    """SHA-256 of all that shapes the answer, the tenant included."""
    is_of_the_web: bool
    """The answer is about search results or web pages, which may say something else soon."""
    around: str
    """The digest of everything but the last message, within which questions may be asked in other words."""


class CacheKeys:
    """Makes the keys of requests. `shaped_by` gives a digest of what of this server shapes answers: its version, the
    engines that serve, its settings."""

    def __init__(self, loader: MediaLoader, shaped_by: Callable[[], Awaitable[bytes]]) -> None:
        self._loader = loader
        self._shaped_by = shaped_by

    async def of(self, call: ChatCall, turn: Turn, policy: Policy, task: Specialist | None) -> CacheKey | None:
        """`task`: the one whose result is the answer; None where an LLM answers. Reads the turn's media, which count by
        what they hold, and by what they are called where the answer may depend on it. None where one of them cannot be
        read: whoever needs it tells why."""
        of_the_web = (task is not None and task.name in WEB) or any(map(_is_page, turn.sources))
        sees_names = task is None or task.sees_names
        try:
            media = await asyncio.gather(*(self._shown(source, task) for source in turn.sources))
        except (InputError, Overloaded):
            return None
        shaped_by = await self._shaped_by()
        key, around = await run_off_loop(
            call.request, _keys, call, turn, policy, media, shaped_by, sees_names=sees_names
        )
        return CacheKey(key, of_the_web, around.hex())

    async def _shown(self, source: Source, task: Specialist | None) -> Sequence[str | None]:
        content = ["page", str(source.url)] if _is_page(source) else await self._loader.content(source)
        if task is None:
            return [*content, kind_of(source), source.filename, source.format]
        return [*content, source.url, source.filename] if task.sees_names else content


def _is_page(source: Source) -> bool:
    return source.is_linked and kind_of(source) == "page"


def _keys(
    call: ChatCall, turn: Turn, policy: Policy, media: Sequence[Any], shaped_by: bytes, *, sees_names: bool
) -> tuple[bytes, bytes]:
    """The keys of the request, and of all but its last message."""
    request = call.request
    named = {
        (origin.message, origin.part): number
        for number, source in enumerate(turn.sources)
        for origin in (source.origin, *source.also)
        if not origin.is_text
    }
    said = [_message(index, message, named, sees_names) for index, message in enumerate(request.messages)]
    fields = request.model_dump(exclude=set(NOT_IN_SCOPE), warnings=False)
    beside = [VERSION, call.caller.tenant, fields, media, policy.codes, policy.thresholds, call.skip_planning]
    around = hashlib.sha256(shaped_by)
    around.update(pydantic_core.to_json([beside, said[:-1]]))
    key = around.copy()
    key.update(pydantic_core.to_json(said[-1]))
    return key.digest(), around.digest()


def _message(index: int, message: ChatMessage, named: _Named, sees_names: bool) -> Any:
    said = message.model_dump(exclude={"content"}, warnings=False)
    if not isinstance(message.content, list):
        return [said, message.content]
    return [said, list(_parts(index, message.content, named, sees_names))]


def _parts(index: int, parts: Sequence[Any], named: _Named, sees_names: bool) -> Iterator[Any]:
    for position, part in enumerate(parts):
        if isinstance(part, TextPart):
            yield part.model_dump(warnings=False)
            continue
        number = named.get((index, position))
        if number is not None and not sees_names:
            yield number
            continue
        told = _without_media(part.model_dump(warnings=False), is_known=number is not None)
        yield [part.type, number, told]


def _without_media(value: Any, *, is_known: bool) -> Any:
    """A part of a message as the key has it: without its medium where the key has its content (`is_known`), else with
    a digest of a long one."""
    if isinstance(value, dict):
        return {
            name: None
            if is_known and name in _MEDIA and not isinstance(one, dict)
            else _without_media(one, is_known=is_known)
            for name, one in value.items()
        }
    if isinstance(value, memoryview) or (isinstance(value, str) and len(value) > _LONG):
        return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()
    return value
