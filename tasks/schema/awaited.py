"""Runs long work in threads. A thread may await what engines do, and ends once nobody waits for its result.

>>> problem = await in_thread(checker.problem, answer)
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from functools import partial
from typing import Any, ParamSpec, TypeVar

from models.queues import Slots

P = ParamSpec("P")
T = TypeVar("T")

_has_left: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("has_left", default=None)
_loop: contextvars.ContextVar[asyncio.AbstractEventLoop] = contextvars.ContextVar("loop")


class NobodyWaits(Exception):
    """Raised in a thread whose caller has left. Nobody sees it."""


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of `work`, which runs in another thread. If the call is cancelled, the work ends at its next
    `result_of` or `check_awaited`."""
    has_left, context = threading.Event(), contextvars.copy_context()
    context.run(_has_left.set, has_left)
    context.run(_loop.set, asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(context.run, partial(work, *args, **kwargs))
    except asyncio.CancelledError:
        has_left.set()
        raise


async def in_turn(threads: Slots | None, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `in_thread` returns. There are only so many `threads` for long work, for which keys take turns.
    Raises EngineOverloaded if too much work waits."""
    async with threads.slot() if threads is not None else nullcontext():
        return await in_thread(work, *args, **kwargs)


def check_awaited() -> None:
    """Raise NobodyWaits if the caller of this thread's work has left."""
    has_left = _has_left.get()
    if has_left is not None and has_left.is_set():
        raise NobodyWaits


def result_of(work: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what `work` returns in the event loop that waits for this thread."""
    check_awaited()
    return asyncio.run_coroutine_threadsafe(work(*args, **kwargs), _loop.get()).result()
