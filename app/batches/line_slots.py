"""Lets lines of batches run while other requests leave room.

>>> slots = LineSlots(at_once=8)
>>> with slots.yield_to("POST", "/v1/chat/completions"):  # a client waits for an answer: one line of each key at a time
...     slot = await slots.take()
...     slot.give_back()
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from models.scheduler import SHARE, FairQueue, Share

_EXEMPT_PATHS = ("/v1/files", "/v1/batches")
"""Paths of requests to which lines need not yield, because they use none of the same resources."""


class LineSlots:
    """Slots for lines of batches. While a request runs, one line runs at a time, so that batches never stop entirely.
    Otherwise, up to `at_once` lines run. The number of lines that may run begins at one, grows by one after each round
    without a refusal, and is halved when the server refuses a line.

    A key without a running line always gets a slot, so that it never waits for the lines of other keys."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._width = 1.0
        self._requests = 0
        self._lines: Counter[str] = Counter()
        """Number of lines of each key that run now."""
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def width(self) -> int:
        """Number of lines that may run now. Beyond it, only a key without a running line gets a slot."""
        return 1 if self._requests else int(self._width)

    @property
    def running(self) -> int:
        """Number of lines that run now."""
        return self._lines.total()

    @contextmanager
    def yield_to(self, method: str, path: str) -> Iterator[None]:
        """Count a request while the block runs, so that lines of batches yield to it."""
        counted = method == "POST" and not path.startswith(_EXEMPT_PATHS)
        self._requests += counted
        try:
            yield
        finally:
            self._requests -= counted
            self._serve()

    async def take(self) -> "LineSlot":
        """Wait for a slot for the key of the current task (SHARE), and return it. Keys get slots in turn."""
        share = SHARE.get()
        slot = LineSlot(self, share)
        await slot.take()
        return slot

    async def wait(self, share: Share) -> None:
        """Wait until a line of `share` may run, which then counts as running."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.push(turn, share)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(share)
            else:
                self._waiting.keep(lambda one: one is not turn)
            raise

    def release(self, share: Share) -> None:
        """End the turn of a line of `share`."""
        self._lines[share.key] -= 1
        if not self._lines[share.key]:
            del self._lines[share.key]
        self._serve()

    def note_success(self) -> None:
        self._width = min(self.at_once, self._width + 1 / self._width)
        self._serve()

    def note_refusal(self) -> None:
        """Let fewer lines run, because the server has no room for this many."""
        self._width = max(1.0, self._width / 2)

    def _serve(self) -> None:
        key = ""

        def may(share: Share) -> bool:
            nonlocal key
            key = share.key
            return self.running < self.width or key not in self._lines

        while (turn := self._waiting.pop(may)) is not None:
            if not turn.done():
                self._lines[key] += 1
                turn.set_result(None)


class LineSlot:
    """The slot of a line. While the line has to wait for something else, it gives the slot back."""

    def __init__(self, slots: LineSlots, share: Share) -> None:
        self._slots = slots
        self._share = share
        self.is_held = False

    async def take(self) -> None:
        """Wait for the slot, unless it is held."""
        if not self.is_held:
            await self._slots.wait(self._share)
            self.is_held = True

    def give_back(self) -> None:
        """Give the slot back if it is held."""
        if self.is_held:
            self.is_held = False
            self._slots.release(self._share)


class KeyPauses:
    """Pauses of keys whose limits have refused a line. During its pause, no line of a key is tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}

    def begin(self, tenant: str, seconds: float) -> None:
        """Let no line of `tenant` be tried for `seconds`."""
        self._ends[tenant] = max(self._ends.get(tenant, 0.0), self._clock() + seconds)

    def remaining_s(self, tenant: str) -> float:
        """Return the seconds until a line of `tenant` may be tried, or 0 if it may be tried now."""
        remaining_s = self._ends.get(tenant, 0.0) - self._clock()
        if remaining_s <= 0:
            self._ends.pop(tenant, None)
        return max(0.0, remaining_s)
