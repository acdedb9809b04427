"""The door: lets a bounded number of requests run, and lets others wait, keys in turn.

A key may run `concurrent` requests at a time, and as many more wait. Further requests are refused with 429. The server
as a whole runs MAX_RUNNING requests and lets as many wait. The bodies of all requests that run may have a bounded
number of bytes. What the server as a whole has no room for is refused with 503.

>>> door = Door(concurrent=256, body_bytes=1 << 30)
>>> place = await door.enter("key", None, receive)
>>> try:
...     place.hold(len(piece))
... finally:
...     place.leave()
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from app.errors import KeyLimitReached, Unavailable, took_too_long
from app.http.request import ClientGone, ReadAhead, until_disconnect
from models.base import RETRY_S
from models.queues import FairQueue, QueueFull
from tasks.inputs.limits import megabytes

MAX_RUNNING = 1000
"""At most this many requests run at a time, and as many wait."""


class Place:
    """The place of a request that runs, with the bytes of its body."""

    __slots__ = ("_door", "_key", "_size")

    def __init__(self, door: "Door", key: str) -> None:
        self._door = door
        self._key = key
        self._size = 0

    def hold(self, size: int) -> None:
        """Count `size` further bytes of the body until the request ends. Raises Unavailable."""
        self._door.take_bytes(size)
        self._size += size

    def leave(self) -> None:
        self._door.take_bytes(-self._size)
        self._door.end(self._key)


@dataclass(slots=True, eq=False)
class _Waiter:
    key: str
    limit: int
    """Number of requests that the key may run at a time."""
    turn: "asyncio.Future[None] | None" = None
    """Done once the request counts as running."""


class Door:
    """Admits the requests of one event loop."""

    def __init__(self, concurrent: int, body_bytes: int, wait_s: float = 300.0, max_running: int = MAX_RUNNING) -> None:
        """`concurrent` is the number of requests that a key without a limit of its own may run at a time. A request
        waits at most `wait_s` seconds."""
        self._concurrent = concurrent
        self._body_bytes = body_bytes
        self._wait_s = wait_s
        self._max_running = max_running
        self._held_bytes = 0
        self._count = 0
        self._running: Counter[str] = Counter()
        """Number of running requests of each key."""
        self._waiting: FairQueue[_Waiter] = FairQueue(max_running)

    @property
    def running(self) -> int:
        """Number of requests that run now."""
        return self._count

    @property
    def waiting(self) -> int:
        """Number of requests that wait now."""
        return len(self._waiting)

    async def enter(self, key: str, concurrent: int | None, receive: ReadAhead) -> Place:
        """Wait until a request of `key` may run, and return its place, which it has to leave.

        `concurrent` is the key's own limit; None for the server's. Raises KeyLimitReached and Unavailable if the
        request may not even wait or has waited too long, and ClientGone if its caller leaves while it waits.
        """
        one = _Waiter(key, concurrent or self._concurrent)
        if self._may_run(one) and not self._waiting.waiting(key):
            self._begin(one)
        else:
            try:
                await until_disconnect(receive.ahead, self._wait(one))
            except ClientGone:
                self._withdraw(one)
                raise
        return Place(self, key)

    def take_bytes(self, size: int) -> None:
        """Count `size` bytes of a body, or give them back if `size` is negative. Raises Unavailable."""
        if size > 0 and self._held_bytes + size > self._body_bytes:
            limit = megabytes(self._body_bytes)
            raise _overloaded(f"The bodies of all requests that run may have {limit}, and have no room for this one.")
        self._held_bytes += size

    def _may_run(self, one: _Waiter) -> bool:
        return self._count < self._max_running and self._running[one.key] < one.limit

    def _begin(self, one: _Waiter) -> None:
        self._count += 1
        self._running[one.key] += 1

    def end(self, key: str) -> None:
        """Count a running request of `key` no longer, and let waiting requests run."""
        self._count -= 1
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        while (one := self._waiting.pop(self._may_run)) is not None:
            if one.turn and not one.turn.done():  # its caller may have left just now
                self._begin(one)
                one.turn.set_result(None)

    async def _wait(self, one: _Waiter) -> None:
        if self._waiting.waiting(one.key) >= one.limit:
            raise KeyLimitReached(
                f"{self._running[one.key]} requests of this key run and {one.limit} wait; a key may have {one.limit} "
                f"of each (concurrent). Try again in {RETRY_S} s.",
                retry_after=RETRY_S,
                rejected="concurrency",
            )
        one.turn = turn = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put(one.key, one)
        except QueueFull as full:
            raise _overloaded(f"{self._count} requests run and {full.waiting} wait, which are the limits.") from None
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except TimeoutError:
            self._withdraw(one)
            raise took_too_long(self._wait_s) from None
        except asyncio.CancelledError:
            self._withdraw(one)
            raise

    def _withdraw(self, one: _Waiter) -> None:
        """Give up the place of a request that waits, or has got its turn just now."""
        turn, one.turn = one.turn, None
        if turn is not None and turn.done() and not turn.cancelled():
            self.end(one.key)
        else:
            self._waiting.remove(one.key, one)


def _overloaded(message: str) -> Unavailable:
    return Unavailable(f"{message} Try again in {RETRY_S} s.", code="overloaded", retry_after=RETRY_S, rejected="queue")
