"""The threads that decode. The event loop never does, and PDFium allows one thread only."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Worker:
    """A few threads of one purpose. Queued calls are dropped when their caller is cancelled."""

    def __init__(self, name: str, *, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._executor.submit(call, *args, **kwargs))

    async def acquire(self, call: Callable[P, C], /, *args: P.args, **kwargs: P.kwargs) -> C:
        """As `run`, for a result that must be closed: it is, when the caller left before it was there."""
        future = self._executor.submit(call, *args, **kwargs)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_close_result)
            raise

    async def release(self, resource: Closable) -> None:
        """Close `resource` after the calls queued so far, even when the caller is cancelled meanwhile."""
        try:
            closing = self._executor.submit(resource.close)
        except RuntimeError:  # the worker is closed: no call is under way that closing here could disturb
            resource.close()
        else:
            await asyncio.shield(asyncio.wrap_future(closing))

    async def close(self) -> None:
        """Finish what runs, drop what waits."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)


def _close_result(future: "Future[C]") -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().close()
