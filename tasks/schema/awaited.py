"""Runs long work in threads. A thread may await what engines do, and ends once nobody waits for its result.

>>> problem = await in_thread(checker.problem, answer)
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

from models.fair_executor import FairExecutor

P = ParamSpec("P")
T = TypeVar("T")

_has_left: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("has_left", default=None)
_loop: contextvars.ContextVar[asyncio.AbstractEventLoop] = contextvars.ContextVar("loop")


class NobodyWaits(Exception):
    """Raised in a thread whose caller has left. Nobody sees it."""


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of `work`, which runs in another thread. If the call is cancelled, the work ends at its next
    `result_of` or `check_awaited`."""
    return await _awaited(asyncio.to_thread, partial(work, *args, **kwargs))


async def in_turn(threads: FairExecutor | None, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `in_thread` returns, but run long work in `threads`, for which keys take turns; if None, in any
    thread. Raises EngineOverloaded if too much work waits."""
    return await _awaited(threads.run if threads else asyncio.to_thread, partial(work, *args, **kwargs))


async def _awaited(run: Callable[[Callable[[], T]], Awaitable[T]], work: Callable[[], T]) -> T:
    has_left, context = threading.Event(), contextvars.copy_context()
    context.run(_has_left.set, has_left)
    context.run(_loop.set, asyncio.get_running_loop())
    try:
        return await run(partial(context.run, work))
    except asyncio.CancelledError:
        has_left.set()
        raise


def check_awaited() -> None:
    """Raise NobodyWaits if the caller of this thread's work has left."""
    has_left = _has_left.get()
    if has_left is not None and has_left.is_set():
        raise NobodyWaits


def result_of(work: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns in the event loop that waits for this thread."""
    check_awaited()
    return asyncio.run_coroutine_threadsafe(work(*args, **kwargs), _loop.get()).result()
