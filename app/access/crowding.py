"""Bounds the requests of one key that are under way, so that connections are left for other keys.

A connection is a bounded resource like the queues of engines: one key may have its share of them. The bound holds
before a body is read, so that half-sent requests count, too.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import RateLimited
from models.scheduler import Share

RETRY_S = 1


class Crowding:
    """Counts the requests under way by key. Belongs to one event loop."""

    def __init__(self, most: int) -> None:
        """`most` is the largest number of requests that are under way, of which one key may have its share."""
        self._most = most
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, share: Share) -> Iterator[None]:
        """Count a request of `share` while the block runs. Raises RateLimited."""
        count = self._under_way[share.key]
        if share.part < 1 and count >= share.of(self._most):
            # Other than an engine's refusals, this one is not delayed: its connection is what others need.
            raise RateLimited(
                f"{count} requests of this key are under way, as many as one key may have (OPENFAZE_KEY_SHARE). Try "
                "again later.",
                retry_after=RETRY_S,
            )
        self._under_way[share.key] += 1
        try:
            yield
        finally:
            self._under_way[share.key] -= 1
            if not self._under_way[share.key]:
                del self._under_way[share.key]
