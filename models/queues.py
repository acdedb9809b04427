"""Queues in which keys take turns: a key that has queued many items delays an item of another key by one item."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from typing import Generic, TypeVar

from models.base import BUSY_RETRY_S, EngineOverloaded

ItemT = TypeVar("ItemT")

_UNBOUNDED = 1_000_000

KEY: ContextVar[str] = ContextVar("KEY", default="")
"""Key of the request that runs, by which queues of engines and workers let requests take turns. Without keys, it is the
caller's address."""


class QueueFull(Exception):
    """Raised for an item that has no place in a queue."""

    def __init__(self, waiting: int, *, is_own: bool) -> None:
        """`waiting` is the number of waiting items that were counted: those of the item's own key if `is_own`,
        otherwise those of all keys."""
        super().__init__(f"{waiting} items are waiting")
        self.waiting = waiting
        self.is_own = is_own


class FairQueue(Generic[ItemT]):
    """Queue with a deque for each key. Each key with waiting items gives one item in turn, its oldest.

    An object of this class is not safe for threads.

    >>> queue = FairQueue[str](limit=1000, limit_of_key=256)
    >>> queue.put("a", "a1"); queue.put("a", "a2"); queue.put("b", "b1")
    >>> queue.pop(), queue.pop(), queue.pop()
    ('a1', 'b1', 'a2')
    """

    def __init__(self, limit: int, limit_of_key: int | None = None) -> None:
        """At most `limit` items wait in all, and at most `limit_of_key` of each key."""
        self._limit = limit
        self._limit_of_key = limit if limit_of_key is None else limit_of_key
        self._waiting: OrderedDict[str, deque[ItemT]] = OrderedDict()
        """Waiting items by key. The first key has the next turn, and no key is without items."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[ItemT]:
        return (item for items in self._waiting.values() for item in items)

    def waiting(self, key: str) -> int:
        """Return the number of waiting items of `key`."""
        return len(self._waiting.get(key, ()))

    def put(self, key: str, item: ItemT) -> None:
        """Add an item. Raises QueueFull."""
        if self.waiting(key) >= self._limit_of_key:
            raise QueueFull(self.waiting(key), is_own=True)
        if self._count >= self._limit:
            raise QueueFull(self._count, is_own=False)
        self._waiting.setdefault(key, deque()).append(item)
        self._count += 1

    def pop(self, may: Callable[[ItemT], bool] | None = None) -> ItemT | None:
        """Remove and return the oldest item of the key whose turn it is; None if no item waits.

        Keys whose oldest item `may` not leave the queue are passed over, and keep their turn.
        """
        key = next((key for key, items in self._waiting.items() if may is None or may(items[0])), None)
        if key is None:
            return None
        items = self._waiting[key]
        item = items.popleft()
        self._count -= 1
        self._waiting.move_to_end(key)
        if not items:
            del self._waiting[key]
        return item

    def remove(self, key: str, item: ItemT) -> None:
        """Remove a waiting item whose caller has left; do nothing if it does not wait any more."""
        items = self._waiting.get(key)
        if items is None or item not in items:
            return
        items.remove(item)
        self._count -= 1
        if not items:
            del self._waiting[key]


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
            raise EngineOverloaded(self._name, self._most_waiting, BUSY_RETRY_S)

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
