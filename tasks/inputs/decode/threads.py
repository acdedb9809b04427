"""Decodes in threads, because the event loop must not decode."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Concatenate, Generic

from models.concurrency import mark_retrieved
from models.scheduler import FairSlots
from tasks.inputs.decode.channel import Closable, OpenedT, P, S, T
from tasks.inputs.source import Blob


class Worker:
    """Threads for one purpose, which API keys share in turn. Waiting calls are dropped if their caller is cancelled."""

    def __init__(self, name: str, *, threads: int) -> None:
        self.restarts: Counter[str] = Counter()
        """Always empty, because threads do not die."""
        self._turns = FairSlots(name, threads, most_waiting=threads)
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        future, ended = await self._begin(call, *args, **kwargs)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            future.cancel()
            raise

    async def acquire(self, call: Callable[P, S], /, *args: P.args, **kwargs: P.kwargs) -> S:
        """Run a call whose result must be closed. If the caller leaves before the call ends, the result is
        closed here."""
        future, ended = await self._begin(call, *args, **kwargs)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            future.add_done_callback(_close_result)
            raise

    async def _begin(
        self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> "tuple[Future[T], asyncio.Future[T]]":
        """Hand the call to a thread in the key's turn. The thread counts for the key until the call ends, even if its
        caller leaves: otherwise a key that hangs up would get all threads."""
        # The wait has no queue limit (`patient`). Each request has few inputs and makes one call at a time, so the
        # queue stays short.
        taken = await self._turns.take(patient=True)
        try:
            future = self._executor.submit(call, *args, **kwargs)
        except RuntimeError:  # the worker is closed
            taken.give_back()
            raise
        ended = asyncio.wrap_future(future)
        ended.add_done_callback(lambda _: taken.give_back())
        ended.add_done_callback(mark_retrieved)
        return future, ended

    async def release(self, resource: Closable) -> None:
        """Close `resource` in a thread, even if the caller is cancelled meanwhile. Calls that already have their turn
        begin before the closing; with several threads, such a call may still run at the same time."""
        try:
            closing = self._executor.submit(resource.close)
        except RuntimeError:  # the worker is closed, or finishes its last calls
            resource.close()
        else:
            await asyncio.shield(asyncio.wrap_future(closing))

    async def open(
        self, factory: Callable[Concatenate[Blob, P], S], blob: Blob, /, *args: P.args, **kwargs: P.kwargs
    ) -> "ThreadSession[S]":
        """Open `factory(blob, *args)` as a session of these threads. Raises what the factory raises."""
        return ThreadSession(self, await self.acquire(factory, blob, *args, **kwargs))

    async def close(self) -> None:
        """Finish the running calls and drop the waiting ones."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)


class ThreadSession(Generic[OpenedT]):
    """An object whose methods run in a worker's threads, several at a time if the worker has several threads."""

    def __init__(self, worker: Worker, opened: OpenedT) -> None:
        self._worker = worker
        self._opened = opened

    async def run(self, call: Callable[Concatenate[OpenedT, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._worker.run(getattr(self._opened, call.__name__), *args, **kwargs)

    async def close(self) -> None:
        await self._worker.release(self._opened)


def _close_result(future: "Future[S]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
