"""Time of the running event loop, which a test can advance.

async with serving(page=silent) as server:
    time = LoopTime()
    ...
    time.passes(30)

A wait until a time, such as `asyncio.timeout`, ends at that time by this clock, however busy the machine is.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from app.monitoring.metrics import Stages


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
        """Advance the time in steps of a tenth of a second, so that waits which begin meanwhile get their time, too."""
        for _ in range(round(seconds * 10)):
            self.passes(0.1)
            await asyncio.sleep(0)


@contextlib.contextmanager
def standing_still() -> Iterator[LoopTime]:
    """Provide a clock that only the test advances, however slow the machine is, until the block ends."""
    loop = asyncio.get_running_loop()
    real, now = loop.time, loop.time()
    time = LoopTime()
    time._real = lambda: now
    with pytest.MonkeyPatch.context() as patch:
        # The time spent on a request before its answer begins is measured by another clock.
        patch.setattr(Stages, "seconds", 0.0)
        try:
            yield time
        finally:
            loop.time = real  # type: ignore[method-assign]
