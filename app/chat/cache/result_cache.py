"""Caches the results of tasks by the content of their input files. If a client asks ten questions about a document, the
document is read only once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pydantic_core

from app.state.entries import Entries, Key, Written
from models.concurrency import WhileAwaited
from tasks.base import Progress, ReadingCachePolicy, Specialist, TaskRequest, unredacted
from tasks.errors import InputError, Overloaded
from tasks.inputs.loader import MediaLoader
from tasks.result import Result

VERSION = 3
"""Version of the key and of the values kept under it, increased when either changes."""

Run = Callable[[TaskRequest], Awaitable[Result[Any]]]


class ResultCache:
    """A cache of the results of finished and running tasks. It serves the tasks that declare, in `Specialist.reading`,
    which parts of a request they depend on."""

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
        self._running: dict[Key, _SharedRun] = {}

    async def read(self, specialist: Specialist, request: TaskRequest, run: Run) -> Result[Any]:
        """Return the result of `run(request)`: a stored result, the result of a run in progress for the same tenant, or
        a new one.

        Raises what `run` raises.
        """
        key = await self._key(specialist, request)
        reading = specialist.reading
        if key is None or reading is None:
            return await run(request)
        under_way = self._running.get(key)
        is_new_run = under_way is None or not under_way.run.can_be_joined
        if under_way is None or is_new_run:
            under_way = self._running[key] = _SharedRun(
                lambda shared: self._look_up_or_run(key, reading, request, run, shared)
            )
            under_way.run.call_when_done(partial(self._forget_run, key, under_way))
        try:
            return await under_way.follow(request.progress)
        except InputError:
            if is_new_run:
                raise
        # The error names the inputs of the request that ran the task. Another request runs the task again, so that the
        # error names its own inputs.
        return await run(request)

    async def _look_up_or_run(
        self, key: Key, reading: ReadingCachePolicy, request: TaskRequest, run: Run, under_way: "_SharedRun"
    ) -> Result[Any]:
        """Look up the result, or run the task.

        The look-up is part of the shared run. Otherwise a later request could look just before the result is written,
        and find neither a stored result nor a run in progress.
        """
        kept = await self._entries.get(
            key, lambda value: reading.restore(pydantic_core.from_json(value, cache_strings="keys"))
        )
        if kept is not None:
            return kept
        result = await run(replace(request, progress=under_way.tell))
        under_way.written = self._entries.put(key, partial(_as_json, result), max_age_s=self._max_age_s)
        return result

    def _forget_run(self, key: Key, under_way: "_SharedRun") -> None:
        if under_way.written is not None and not under_way.written.done():
            # Other requests can join until the store has written the result.
            under_way.written.add_done_callback(lambda _: self._forget_run(key, under_way))
        elif self._running.get(key) is under_way:
            del self._running[key]

    async def _key(self, specialist: Specialist, request: TaskRequest) -> Key | None:
        """Return the cache key of a request, or None if its result may not be stored or an input cannot be read.

        The task itself will report the error of an input that cannot be read.
        """
        sources = request.sources
        reading = specialist.reading
        if reading is None or not sources or any(source.fresh or not source.owner for source in sources):
            return None
        if request.redact is not unredacted:
            return None
        try:
            contents = await asyncio.gather(*map(self._loader.content, sources))
        except (InputError, Overloaded):
            return None
        dependencies = await asyncio.to_thread(reading.depends_on, request, self._loader.limits)
        tenant = sources[0].owner
        digest = hashlib.sha256(await self._fingerprint())
        digest.update(pydantic_core.to_json([VERSION, tenant, specialist.name, contents, dependencies]))
        return Key(tenant, "reading", digest.digest())


class _SharedRun:
    """A run of a task, shared by all requests that wait for its result. It is cancelled when the last of them
    leaves."""

    def __init__(self, work: "Callable[[_SharedRun], Awaitable[Result[Any]]]") -> None:
        self._listeners: list[Progress] = []

        async def result() -> Result[Any]:
            return await work(self)

        self.run = WhileAwaited(result())
        self.written: Written = None

    async def follow(self, progress: Progress) -> Result[Any]:
        self._listeners.append(progress)
        try:
            return await self.run.join()
        finally:
            self._listeners.remove(progress)

    def tell(self, stage: str, done: int, total: int) -> None:
        for listener in list(self._listeners):
            listener(stage, done, total)


def _as_json(result: Result[Any]) -> bytes:
    return pydantic_core.to_json(result.kept())
