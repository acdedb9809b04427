"""An alarm for a stream that does not begin in time, or that falls silent."""

import asyncio
import math
from collections.abc import Callable


class SilenceAlarm:
    """Calls a function if a stream does not begin in time, or is silent for too long after `listen`. Call `stop` when
    the stream has ended.

    A time-out for each piece of a stream would cost as much as reading the piece. Here, a piece only records the time,
    and one timer checks that time now and then.
    """

    def __init__(self, first_by: float, silence_s: float, ring: Callable[[], object]) -> None:
        """Create an alarm. `first_by` is the latest time for the first sound, by the loop's clock."""
        self._loop = asyncio.get_running_loop()
        self._silence_s = silence_s
        self._ring = ring
        self._listening_until = first_by
        self._timer = self._loop.call_at(first_by, self._check)
        self.begun = False
        """True once a sound was heard."""
        self.rang = False

    def heard(self) -> None:
        """Record a sound. Until `listen` is called, any silence is caused by the reader and not by the server."""
        self._listening_until = math.inf
        if not self.begun:
            self.begun = True
            self._timer.cancel()
            self._timer = self._loop.call_later(self._silence_s, self._check)

    def listen(self) -> None:
        self._listening_until = self._loop.time() + self._silence_s

    def stop(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        left = self._listening_until - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(min(left, self._silence_s), self._check)
        else:
            self.rang = True
            self._ring()
