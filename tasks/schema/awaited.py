"""Runs checks in threads, and ends them once nobody waits for their result.

>>> problem = await in_thread(checker.problem, answer)
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_has_left: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("has_left", default=None)


class NobodyWaits(Exception):
    """Raised in a thread whose caller has left. Nobody sees it."""


async def in_thread(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Return the result of `work`, which runs in another thread. If the call is cancelled, the work ends at its next
    comparison of an answer with a schema."""
    has_left = threading.Event()
    context = contextvars.copy_context()
    context.run(_has_left.set, has_left)
    run = partial(context.run, work, *args, **kwargs)
    try:
        return await asyncio.get_running_loop().run_in_executor(None, run)
    except asyncio.CancelledError:
        has_left.set()
        raise


def check_awaited() -> None:
    """Raise NobodyWaits if the caller of this thread's work has left."""
    has_left = _has_left.get()
    if has_left is not None and has_left.is_set():
        raise NobodyWaits
