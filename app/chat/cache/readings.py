"""What specialists read of a file, kept by what the file holds: ten questions about a document read it once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pydantic_core

from app.state.entries import Entries, Key
from tasks.base import Specialist, TaskRequest, as_it_is
from tasks.errors import InputError, Overloaded
from tasks.inputs.loader import MediaLoader
from tasks.result import Result

VERSION = 1
"""Changes with the key, and with what is kept under it."""


class Readings:
    """The cache of results of tasks that say what of a request they go by (`Specialist.reading`)."""

    def __init__(
        self,
        entries: Entries,
        loader: MediaLoader,
        shaped_by: Callable[[], Awaitable[bytes]],
        *,
        max_age_s: float,
    ) -> None:
        self._entries = entries
        self._loader = loader
        self._shaped_by = shaped_by
        self._max_age_s = max_age_s

    async def read(
        self, specialist: Specialist, request: TaskRequest, run: Callable[[], Awaitable[Result[Any]]]
    ) -> Result[Any]:
        """What `run` answers, now or to an earlier request of the same tenant. Raises as `run`."""
        key = await self._key(specialist, request)
        reading = specialist.reading
        if key is None or reading is None:
            return await run()
        kept = await self._entries.get(
            key, lambda value: reading.restore(pydantic_core.from_json(value, cache_strings="keys"))
        )
        if kept is not None:
            return kept
        result = await run()
        self._entries.put(key, partial(_as_json, result), max_age_s=self._max_age_s)
        return result

    async def _key(self, specialist: Specialist, request: TaskRequest) -> Key | None:
        """None where nothing is to be kept, or an input cannot be read: the task will say why."""
        sources = request.sources
        reading = specialist.reading
        if reading is None or not sources or any(one.fresh or not one.owner for one in sources):
            return None
        if request.redact is not as_it_is:
            return None
        try:
            contents = await asyncio.gather(*map(self._loader.digest, sources))
        except (InputError, Overloaded):
            return None
        asked = await asyncio.to_thread(reading.asked, request, self._loader.limits)
        tenant = sources[0].owner
        # A text is read by its declared type and its name, where its bytes do not show one.
        named = [[one.hex(), source.format, source.filename] for one, source in zip(contents, sources, strict=True)]
        digest = hashlib.sha256(await self._shaped_by())
        digest.update(pydantic_core.to_json([VERSION, tenant, specialist.name, named, asked]))
        return Key(tenant, "reading", digest.digest())


def _as_json(result: Result[Any]) -> bytes:
    return pydantic_core.to_json(result.kept())
