"""Determines when lines of batches run: in the gaps between other requests.

>>> gaps = Gaps(at_once=8)
>>> with gaps.beside("POST", "/v1/chat/completions"):  # somebody waits for an answer: one line at a time
...     async with gaps.line():
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from models.scheduler import SHARE, FairQueue

_APART = ("/v1/files", "/v1/batches")
"""Paths of requests that need none of the resources that lines of batches need."""


class Gaps:
    """Slots for lines of batches. While any request runs, one line runs at a time, so that batches never stop
    entirely. Otherwise up to `at_once` lines run: one more after each round without a refusal, half as many after a
    refusal."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._width = 1.0
        self._requests = 0
        self._lines = 0
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def width(self) -> int:
        """Number of lines that may run now."""
        return 1 if self._requests else int(self._width)

    @property
    def running(self) -> int:
        """Number of lines that run now."""
        return self._lines

    @contextmanager
    def beside(self, method: str, path: str) -> Iterator[None]:
        """Count a request while the block runs. Lines of batches give way to counted requests."""
        counted = method == "POST" and not path.startswith(_APART)
        self._requests += counted
        try:
            yield
        finally:
            self._requests -= counted
            self._serve()

    @asynccontextmanager
    async def line(self) -> AsyncIterator[None]:
        await self.take()
        try:
            yield
        finally:
            self.give_back()

    async def take(self) -> None:
        """Wait for a slot. Keys get slots in turn, and `give_back` returns a slot."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(turn, SHARE.get())
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            else:
                self._waiting.keep(lambda one: one is not turn)
            raise

    def give_back(self) -> None:
        self._lines -= 1
        self._serve()

    def went_well(self) -> None:
        self._width = min(self._at_once, self._width + 1 / self._width)
        self._serve()

    def had_no_room(self) -> None:
        self._width = max(1.0, self._width / 2)

    def _serve(self) -> None:
        while self._lines < self.width and (turn := self._waiting.pop()) is not None:
            if not turn.done():
                self._lines += 1
                turn.set_result(None)
