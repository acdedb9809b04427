"""Limits the lines that requests without a key may write into the log, because strangers send as many as they like."""

import asyncio
from collections import Counter

import structlog

MAX_PER_MINUTE = 60
"""Largest number of requests without a key of a minute that have a line each. The others are counted."""
MINUTE_S = 60.0

log = structlog.get_logger(__name__)


class KeylessLog:
    """Counts the requests without a key of the running minute. Belongs to one event loop."""

    def __init__(self) -> None:
        self._logged = 0
        self._counted: Counter[str] = Counter()
        self._end: asyncio.TimerHandle | None = None

    def has_line(self, status: int | None) -> bool:
        """True if a request that ended with `status` is to have a line of its own; otherwise it is counted."""
        if self._end is None:
            self._end = asyncio.get_running_loop().call_later(MINUTE_S, self.report)
        if self._logged < MAX_PER_MINUTE:
            self._logged += 1
            return True
        self._counted[str(status)] += 1
        return False

    def report(self) -> None:
        """Log how many requests had no line, by status, and begin another minute."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self._counted:
            log.info("requests_without_key", count=self._counted.total(), statuses=dict(self._counted))
        self._logged = 0
        self._counted.clear()
