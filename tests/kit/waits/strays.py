"""Looks for failures of tasks that nobody awaits, which a server logs as `stray_exception`."""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def no_stray_failures() -> Iterator[None]:
    """Fail if a task of the running loop ends within the block with a failure that nobody retrieves."""
    loop = asyncio.get_running_loop()
    strays: list[dict[str, Any]] = []
    earlier = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: strays.append(context))
    try:
        yield
        gc.collect()  # The loop hears of a failure when its task is freed.
    finally:
        loop.set_exception_handler(earlier)
    assert not strays
