"""Limits the requests that one key may have open at a time, so that connections are left for other keys.

A key may use only its share of the server's connections. A request counts before its body is read, so that requests
whose bodies arrive slowly count, too.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import RateLimited
from models.scheduler import Share

RETRY_S = 1


class OpenRequestLimit:
    """Counts the open requests of each key, and refuses requests above a limit. An object of this class belongs to one
    event loop."""

    def __init__(self, limit: int) -> None:
        """`limit` is the largest number of open requests of all keys. One key may have its share of them. A key whose
        share is 1 is not limited."""
        self._limit = limit
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, share: Share) -> Iterator[None]:
        """Count one request while the block runs. Raises RateLimited if the key of `share` has reached its limit."""
        count = self._under_way[share.key]
        is_alone = share.part == 1
        if not is_alone and count >= share.of(self._limit):
            # Unlike the refusal of an engine, this refusal is sent without delay, because other keys need the
            # connection.
            raise RateLimited(
                f"{count} requests of this key are open, the most that one key may have (OPENFAZE_KEY_SHARE). Try "
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
