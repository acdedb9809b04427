"""Time of the running event loop, which a test can advance.

async with serving(page=silent) as server:
    time = LoopTime()
    ...
    time.passes(30)

A wait until a time, such as `asyncio.timeout`, ends at that time by this clock, however busy the machine is.
"""

import asyncio


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
