"""Pauses of keys whose limits have refused a line of a batch."""

import time
from collections.abc import Callable


class KeyPauses:
    """Pauses by tenant. During its pause, no line of a key is tried."""

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
