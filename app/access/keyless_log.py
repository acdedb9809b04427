"""Limits the log lines about requests without a key, because anybody can send any number of such requests."""

import asyncio
from collections import Counter

import structlog

MAX_PER_MINUTE = 60
"""At most this many requests without a key get a line in the log per minute. Further requests are only counted."""
MINUTE_S = 60.0

log = structlog.get_logger(__name__)


class KeylessLog:
    """Decides which requests without a key get a log line, minute by minute. An object of this class belongs to one
    event loop."""

    def __init__(self) -> None:
        self._logged = 0
        self._counted: Counter[str] = Counter()
        self._end: asyncio.TimerHandle | None = None

    def has_line(self, status: int | None) -> bool:
        """Return True if a request that ended with `status` gets its own log line; otherwise count it."""
        if self._end is None:
            self._end = asyncio.get_running_loop().call_later(MINUTE_S, self.report)
        if self._logged < MAX_PER_MINUTE:
            self._logged += 1
            return True
        self._counted[str(status)] += 1
        return False

    def report(self) -> None:
        """Log the number of requests without a line, by status, and begin the next minute."""
        if self._end is not None:
            self._end.cancel()
            self._end = None
        if self._counted:
            log.info("requests_without_key", count=self._counted.total(), statuses=dict(self._counted))
        self._logged = 0
        self._counted.clear()
