"""Slots, such as connections or calls of a server, for which keys wait in turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from models.base import EngineOverloaded
from models.queues.fair_queue import KEY, FairQueue

_RETRY_S = 5
_UNBOUNDED = 1_000_000


class Slots:
    """At most `count` callers at a time have a slot. Up to `most_waiting` callers of a key wait; None: any number. More
    wait if they ask to.

    >>> async with slots.slot():
    ...     await work()
    """

    def __init__(self, name: str, count: int, most_waiting: int | None = None) -> None:
        self._name = name
        self._free = count
        self.running = 0
        """Number of slots that are taken."""
        self._most_waiting = _UNBOUNDED if most_waiting is None else most_waiting
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(_UNBOUNDED)

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def check_room(self) -> None:
        """Raise EngineOverloaded if the caller could neither have a slot nor wait for one."""
        if not self._free and self._queue.waiting(KEY.get()) >= self._most_waiting:
            raise EngineOverloaded(self._name, self._most_waiting, _RETRY_S)

    @contextlib.asynccontextmanager
    async def slot(self, *, wait: bool = False) -> AsyncIterator[None]:
        """Wait for a slot, and keep it while the block runs. Raises EngineOverloaded if too many callers of the key
        wait, unless `wait` is true."""
        await self.take(wait=wait)
        try:
            yield
        finally:
            self.give_back()

    async def take(self, *, wait: bool = False) -> None:
        """Wait for a slot, which the caller must give back. Raises EngineOverloaded if too many callers of the key
        wait, unless `wait` is true."""
        if not wait:
            self.check_room()
        if self._free:
            self._free -= 1
            self.running += 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        key = KEY.get()
        self._queue.put(key, granted)
        try:
            await granted
        except asyncio.CancelledError:
            self._queue.remove(key, granted)
            if granted.done() and not granted.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        while granted := self._queue.pop():
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1
        self.running -= 1
