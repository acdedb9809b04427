"""Notes whether keys compete."""

import math
import time
from collections.abc import Callable

CONTESTED_S = 60.0
"""Two keys are rivals if one sends a request within this many seconds after the other."""


class Rivalry:
    """Records whether several keys compete for a resource. Two keys that ask for it within CONTESTED_S of each other
    are rivals for another CONTESTED_S."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: tuple[str, float] | None = None
        """Last key that asked, and the time of its request."""
        self._until = -math.inf

    @property
    def is_on(self) -> bool:
        return self._clock() < self._until

    def record_request(self, key: str) -> None:
        now = self._clock()
        if self._last is not None and self._last[0] != key and now - self._last[1] < CONTESTED_S:
            self._until = now + CONTESTED_S
        self._last = key, now
