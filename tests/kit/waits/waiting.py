"""Waiting for what happens beside a test: after its client has the answer, in another thread, or in another process."""

import asyncio
import time
from collections.abc import Callable

LIMIT_S = 60.0
_PAUSE_S = 0.01


def wait_until(condition: Callable[[], object]) -> None:
    """Block until the condition holds. A request's line in the log, for example, is written when its client has the
    answer."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {LIMIT_S:g} s"
        time.sleep(_PAUSE_S)


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop go on until the condition holds."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.001)
