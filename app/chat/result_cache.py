"""Caches the results of tasks by the content of their input files. If a client asks ten questions about a document, the
document is read only once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import pydantic_core

from app.state.entries import Entries, Key
from tasks.base import Specialist, TaskRequest, unredacted
from tasks.errors import InputError, Overloaded
from tasks.inputs.loader import MediaLoader
from tasks.result import Result

RESULT_VERSION = 4
"""Version of the key and of the values kept under it, increased when either changes."""

Run = Callable[[TaskRequest[Any]], Awaitable[Result[Any]]]


class ResultCache:
    """A cache of the results of tasks. It serves the tasks that declare, in `Specialist.restore`, how a stored
    result is rebuilt."""

    def __init__(
        self,
        entries: Entries,
        loader: MediaLoader,
        fingerprint: Callable[[], Awaitable[bytes]],
        *,
        max_age_s: float,
    ) -> None:
        self._entries = entries
        self._loader = loader
        self._fingerprint = fingerprint
        self._max_age_s = max_age_s

    async def read(self, specialist: Specialist, request: TaskRequest[Any], run: Run) -> Result[Any]:
        """Return the stored result of an equal earlier request, or else that of `run(request)`, which is stored.

        Raises what `run` raises.
        """
        key = await self._key(specialist, request)
        restore = specialist.restore
        if key is None or restore is None:
            return await run(request)
        kept = await self._entries.get(key, lambda value: restore(pydantic_core.from_json(value, cache_strings="keys")))
        if kept is not None:
            return kept
        result = await run(request)
        self._entries.put(key, lambda: pydantic_core.to_json(result.kept()), max_age_s=self._max_age_s)
        return result

    async def _key(self, specialist: Specialist, request: TaskRequest[Any]) -> Key | None:
        """Return the cache key of a request, or None if its result may not be stored or an input cannot be read.

        The task itself will report the error of an input that cannot be read.
        """
        sources = request.sources
        if specialist.restore is None or not sources or any(source.fresh or not source.owner for source in sources):
            return None
        if request.redact is not unredacted:
            return None
        try:
            contents = await asyncio.gather(*map(self._loader.content, sources))
        except (InputError, Overloaded):
            return None
        tenant = sources[0].owner
        digest = hashlib.sha256(await self._fingerprint())
        digest.update(pydantic_core.to_json([RESULT_VERSION, tenant, specialist.name, contents, request.options]))
        return Key(tenant, "reading", digest.digest())
