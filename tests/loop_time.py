"""The running event loop's time, which passes faster when a test says so.

async with serving(page=silent) as server:
    time = LoopTime()
    ...
    time.passes(30)

What waits for a time, such as `asyncio.timeout`, ends when that time has come by this clock, however busy the machine.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from app.telemetry import Stages


class LoopTime:
    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._real = loop.time
        self._ahead = 0.0
        loop.time = self  # type: ignore[method-assign, assignment]

    def __call__(self) -> float:
        return self._real() + self._ahead

    def passes(self, seconds: float) -> None:
        self._ahead += seconds

    async def passes_by(self, seconds: float) -> None:
        """The same, a tenth of a second at a time: what begins to wait meanwhile has its time, too."""
        for _ in range(round(seconds * 10)):
            self.passes(0.1)
            await asyncio.sleep(0)


@contextlib.contextmanager
def standing_still() -> Iterator[LoopTime]:
    """Time of which none passes but what the test says, however long a busy machine takes, until the block ends."""
    loop = asyncio.get_running_loop()
    real, now = loop.time, loop.time()
    time = LoopTime()
    time._real = lambda: now
    with pytest.MonkeyPatch.context() as patch:
        # What a request has taken before its answer is begun counts by another clock.
        patch.setattr(Stages, "seconds", 0.0)
        try:
            yield time
        finally:
            loop.time = real  # type: ignore[method-assign]
