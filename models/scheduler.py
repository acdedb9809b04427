"""Divides every bounded resource fairly between the keys that use it.

Waiting items are served by stride scheduling (Waldspurger and Weihl, 1995): each key has a virtual time that advances
by 1 / weight when it is served, and the key with the least time goes next. With equal weights, this is the key that was
served least recently. A key that had no waiting items starts at the time of the waiting keys, so that it cannot save up
turns. If a key has many waiting items, each of them counts as up to three, so that a client with few requests is served
soon, and a client with a flood of requests gets the remaining capacity. Work of batches is served after all work for
which a client waits. But once _MAX_PASSED_OVER items in a row have gone ahead of waiting work of batches, an item of a
batch is served.

A key may take only a part of each resource: a part of its slots, and a part of the places in its queue. A key that
holds its part of the slots has to wait. Items beyond its part of the queue are refused, with an error that names the
number of its waiting items. If the queue is full, a key with fewer items than others is not refused: the newest item of
another key is removed instead.
"""

import asyncio
import contextvars
import heapq
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from models.base import EngineOverloaded, ShareUsedUp

ItemT = TypeVar("ItemT")

_ITEMS_AT_FULL_RATE = 8
"""A key with at most this many waiting items is served as often as any other key."""
_MAX_TIME_STEP = 3.0
"""`time_step` returns at most this."""
_MAX_PASSED_OVER = 16
"""At most this many items in a row are served ahead of a waiting item of a batch."""
_Lane = tuple[bool, str]
"""The class of an item: a flag that is True for work of a batch, and the name of the key."""
_HeapEntry = tuple[float, int, _Lane]


@dataclass(frozen=True, slots=True)
class Share:
    """The right of one key to every bounded resource."""

    key: str = ""
    """Name of the key; empty for the server's own work, and on a server without keys."""
    part: float = 1.0
    """Share, from 0 to 1, of the slots and of the queue's places that the key may take. It may always take at least one
    of each."""
    weight: float = 1.0
    """Frequency with which the key is served, relative to other waiting keys."""
    is_later: bool = False
    """True for the work of a batch, which is served after all other work."""

    def of(self, bound: int) -> int:
        return max(1, int(bound * self.part))


SHARE: contextvars.ContextVar[Share] = contextvars.ContextVar("share", default=Share())  # noqa: B039 - it is frozen
"""Share of the key for which the running task works."""


def time_step(waiting: int) -> float:
    """Return the time by which a key of weight 1 advances when one of its items is served and `waiting` items
    remain."""
    return min(_MAX_TIME_STEP, max(1.0, waiting / _ITEMS_AT_FULL_RATE))


class ShareQueue(Generic[ItemT]):
    """A queue that serves keys in turn, the items of each key in order of arrival, and work of batches after everything
    else.

    >>> a, b = Share("a"), Share("b")
    >>> queue = ShareQueue[str]()
    >>> queue.push("a1", a); queue.push("a2", a); queue.push("b1", b)
    >>> queue.pop(), queue.pop(), queue.pop()
    ('a1', 'b1', 'a2')
    """

    def __init__(self) -> None:
        self._waiting: dict[_Lane, deque[ItemT]] = {}
        self._shares: dict[_Lane, Share] = {}
        """Shares of the lanes with waiting items."""
        self._now_order: list[_HeapEntry] = []
        """Heap of the lanes that are not of batches, ordered by their key's virtual time, and then by arrival."""
        self._later_order: list[_HeapEntry] = []
        """Heap of the lanes of batches, in the same order."""
        self._passed_over = 0
        """Number of items served in a row while an item of a batch waited."""
        self._times: dict[str, float] = {}
        """Virtual times of the keys that are ahead of `_now`. It may also contain a few keys that no longer are. All
        other keys are at `_now`."""
        self._now = 0.0
        self._size = 0
        self._arrivals = count()
        self._expected: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[ItemT]:
        """Waiting items, key by key."""
        return (item for items in self._waiting.values() for item in items)

    def waiting(self, key: str) -> int:
        """Number of items of `key` that wait or are expected."""
        now, later = (False, key), (True, key)
        return len(self._waiting.get(now, ())) + len(self._waiting.get(later, ())) + self._expected.get(key, 0)

    def waiting_now(self, key: str) -> int:
        """Number of items of `key` that wait, without those of batches (`Share.is_later`)."""
        return len(self._waiting.get((False, key), ()))

    @property
    def places(self) -> int:
        """Number of places that waiting and expected items take."""
        return self._size + self._expected.total()

    @property
    def keys(self) -> int:
        """Number of keys that have taken places."""
        return len({key for _, key in self._waiting} | self._expected.keys())

    def expect(self, share: Share) -> Callable[[], None]:
        """Keep a place for an item of `share` that has yet to be made, until the caller calls the returned function."""
        key = share.key
        self._expected[key] += 1
        is_kept = True

        def end() -> None:
            nonlocal is_kept
            if is_kept:
                is_kept = False
                self._expected[key] -= 1
                if not self._expected[key]:
                    del self._expected[key]

        return end

    def longest(self) -> Iterator[ItemT]:
        """Return the items of the longest lane, the newest first. Lanes of batches count as longer than all others."""
        return reversed(
            max(self._waiting.items(), key=lambda one: (one[0][0], len(one[1])), default=(None, deque()))[1]
        )

    def shares_in_order(self, may: Callable[[Share], bool]) -> list[Share]:
        """Return the shares of all lanes for which `may` returns True, in the order in which `pop` would serve them."""
        entries = (entry for order in self._orders for entry in sorted(order))
        return [share for _, _, lane in entries if may(share := self._shares[lane])]

    def first_of(self, share: Share) -> ItemT:
        """Return the item of `share` that is served next. There must be one."""
        return self._waiting[share.is_later, share.key][0]

    def peek(self) -> ItemT | None:
        """Return the item that `pop` would return, and leave it in the queue; None if the queue is empty."""
        return next((self._waiting[order[0][2]][0] for order in self._orders if order), None)

    def is_ahead_of(self, share: Share, cost: float = 0.0) -> bool:
        """True if an item of another key would be served before a new item of `share`, once `share` is charged `cost`.
        `share` must be the one that was served last."""
        own = share.is_later, self._time_after(share, cost)
        # An item of the key itself may be the head of a heap.
        entries = (entry for order in self._orders for entry in order)
        return any(lane[1] != share.key and (lane[0], time) < own for time, _, lane in entries)

    def push(self, item: ItemT, share: Share, *, first: bool = False) -> None:
        """Add `item`. With `first`, it goes ahead of its key's other items. This is meant for an item whose computation
        has already begun."""
        lane = share.is_later, share.key
        self._shares[lane] = share
        if lane not in self._waiting:
            self._waiting[lane] = deque()
            self._enter_heap(lane)
        if first:
            self._waiting[lane].appendleft(item)
        else:
            self._waiting[lane].append(item)
        self._size += 1

    def charge(self, share: Share, cost: float) -> None:
        """Advance the virtual time of a key whose item was served at a `cost` of 0. A cost of 1 counts as one item."""
        self._times[share.key] = self._time_after(share, cost)
        for order, lane in ((self._now_order, (False, share.key)), (self._later_order, (True, share.key))):
            if lane in self._waiting:
                order[:] = [entry for entry in order if entry[2] != lane]
                heapq.heapify(order)
                self._enter_heap(lane)

    def pop(self, may: Callable[[Share], bool] | None = None, cost: float = 1.0) -> ItemT | None:
        """Remove and return the next item of a key for which `may` returns True (without `may`, of any key); None if
        there is no such item. The key is charged `cost`."""
        for order in self._orders:
            passed_over = []
            item: ItemT | None = None
            while order and item is None:
                entry = heapq.heappop(order)
                if may is None or may(self._shares[entry[2]]):
                    item = self._take(*entry, cost)
                else:
                    passed_over.append(entry)
            for entry in passed_over:
                heapq.heappush(order, entry)
            if item is not None:
                return item
        return None

    def keep(self, wanted: Callable[[ItemT], bool]) -> None:
        """Withdraw all items except the `wanted` ones."""
        earlier_size = self._size
        for lane, items in list(self._waiting.items()):
            kept = deque(item for item in items if wanted(item))
            self._size -= len(items) - len(kept)
            if kept:
                self._waiting[lane] = kept
            else:
                self._remove_lane(lane)
        if earlier_size != self._size:
            for order in self._orders:
                order[:] = [entry for entry in order if entry[2] in self._waiting]
                heapq.heapify(order)

    @property
    def _orders(self) -> tuple[list[_HeapEntry], list[_HeapEntry]]:
        """Both heaps, in the order in which they are served."""
        if self._passed_over >= _MAX_PASSED_OVER:
            return self._later_order, self._now_order
        return self._now_order, self._later_order

    def _take(self, time: float, _: int, lane: _Lane, cost: float) -> ItemT:
        is_later, key = lane
        items = self._waiting[lane]
        item = items.popleft()
        self._size -= 1
        self._now = max(self._now, time)
        self._passed_over = 0 if is_later or not self._later_order else self._passed_over + 1
        self._times[key] = time + cost * time_step(len(items)) / self._shares[lane].weight
        if items:
            self._enter_heap(lane)
        else:
            self._remove_lane(lane)
        if len(self._times) > 2 * len(self._waiting) + 64:
            self._times = {one: ahead for one, ahead in self._times.items() if ahead > self._now}
        return item

    def _time_after(self, share: Share, cost: float) -> float:
        return self._times.get(share.key, self._now) + cost * time_step(self.waiting(share.key)) / share.weight

    def _enter_heap(self, lane: _Lane) -> None:
        is_later, key = lane
        time = max(self._now, self._times.get(key, 0.0))
        heapq.heappush(self._later_order if is_later else self._now_order, (time, next(self._arrivals), lane))

    def _remove_lane(self, lane: _Lane) -> None:
        del self._waiting[lane], self._shares[lane]


FairQueue = ShareQueue


def make_room(
    queue: ShareQueue[ItemT],
    share: Share,
    max_items: int,
    resource: str,
    seconds_each: float,
    may_yield: Callable[[ItemT], bool],
) -> ItemT | None:
    """Make room for an item of `share` in the `queue` of `resource`, which should hold at most `max_items` items.

    A full queue refuses batches, and keys that already have an equal share of it. For any other key, the function
    returns an item that the caller must withdraw and refuse: the newest item of the longest lane for which `may_yield`
    is true. Its caller may have been cancelled already. Lanes of batches count as the longest. The function returns
    None if there is a free place, or if no item may yield. In the latter case, the queue grows beyond its bound, but at
    most to twice its size. Raises ShareUsedUp if the key's part of the queue is full, and EngineOverloaded if there is
    no place. `seconds_each` is the mean time per item, from which `retry_after` is calculated."""
    own = queue.waiting(share.key)
    if share.part < 1 and own >= share.of(max_items):
        raise ShareUsedUp(resource, own, retry_after(own, seconds_each))
    if queue.places < max_items:
        return None
    if share.is_later or own >= max_items // (queue.keys + (own == 0)):
        raise EngineOverloaded(resource, max_items, retry_after(queue.places, seconds_each))
    return next((item for item in queue.longest() if may_yield(item)), None)


def retry_after(waiting: int, seconds_each: float) -> int:
    """Whole seconds until `waiting` items have been served, at least 1."""
    return max(1, math.ceil(waiting * seconds_each))


@dataclass(slots=True, eq=False)
class _Claim:
    share: Share
    slots: int
    patient: bool
    granted: "asyncio.Future[None]"


class FairSlots:
    """Slots, such as connections, processes or bytes, with a bounded queue of callers. An object of this class belongs
    to one event loop.

    >>> slots = FairSlots("code_sandbox", 2, most_waiting=64)
    >>> async with slots.slot():
    ...     await work()
    """

    def __init__(self, resource: str, at_once: int, *, most_waiting: int) -> None:
        self.resource = resource
        self.at_once = at_once
        self._most_waiting = most_waiting
        self._queue: ShareQueue[_Claim] = ShareQueue()
        self._next: _Claim | None = None
        """The claim that is served next, as soon as enough slots are free."""
        self._running: dict[str, int] = {}
        self._used = 0
        self._held_s = 0.0
        self._held = 0

    @property
    def running(self) -> int:
        return self._used

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def held_by(self, share: Share) -> int:
        """Number of slots that the key of `share` holds."""
        return self._running.get(share.key, 0)

    @asynccontextmanager
    async def slot(self, *, patient: bool = False) -> AsyncIterator[None]:
        """Hold a slot for the SHARE of the running task while the block runs.

        Raises ShareUsedUp and EngineOverloaded if too many callers wait; `patient` callers wait in any case, because
        another bound limits their number.
        """
        taken = await self.take(patient=patient)
        try:
            yield
        finally:
            taken.give_back()

    async def take(self, slots: int = 1, *, patient: bool = False) -> "TakenSlots":
        """Take `slots` slots, or all slots if there are fewer. The caller holds them until it gives them back."""
        share = SHARE.get()
        slots = min(slots, self.at_once)
        await self._acquire(share, slots, patient=patient)
        return TakenSlots(self, share, slots)

    def is_free_for(self, slots: int) -> bool:
        """True if `take` would return at once for the SHARE of the running task."""
        slots = min(slots, self.at_once)
        return self._next is None and slots <= self._free and self._may_hold(SHARE.get(), slots)

    def check_room(self) -> None:
        """Raise the error that `take` would raise now, without taking anything. Callers use this check before they do
        other work."""
        self._displaced(SHARE.get(), 1)

    def _displaced(self, share: Share, slots: int) -> _Claim | None:
        """Return the claim that must be refused to make room for a claim of `share`, if any. Raises ShareUsedUp and
        EngineOverloaded."""
        if self.is_free_for(slots):
            return None
        return make_room(
            self._queue, share, self._most_waiting, self.resource, self._seconds_each, lambda one: not one.patient
        )

    async def _acquire(self, share: Share, slots: int, *, patient: bool) -> None:
        if not patient and (displaced := self._displaced(share, slots)) is not None:
            self._queue.keep(lambda claim: claim is not displaced)
            if not displaced.granted.done():  # a caller that was just cancelled has not withdrawn its claim yet
                displaced.granted.set_exception(self._share_used_up(displaced.share))
        claim = _Claim(share, slots, patient, asyncio.get_running_loop().create_future())
        self._queue.push(claim, share)
        self._grant()
        try:
            await claim.granted
        except asyncio.CancelledError:
            if claim.granted.done() and not claim.granted.cancelled() and claim.granted.exception() is None:
                self._release(share, slots)  # granted, but its caller left before it knew
            else:
                self._queue.keep(lambda other: other is not claim)
                self._grant()
            raise

    def _share_used_up(self, share: Share) -> ShareUsedUp:
        waiting = self._queue.waiting(share.key)
        return ShareUsedUp(self.resource, waiting, retry_after(waiting, self._seconds_each))

    @property
    def _free(self) -> int:
        """Number of slots that claims from the queue may take now."""
        return self.at_once - self._used

    def _has_waiting(self, share: Share) -> bool:
        """True if a claim of the key of `share` waits."""
        is_next = self._next is not None and self._next.share.key == share.key
        return is_next or self._queue.waiting(share.key) > 0

    def _may_hold(self, share: Share, _slots: int) -> bool:
        """Return True if the key of `share` may take a claim of this size once enough slots are free. In this class, a
        key that holds fewer slots than its part may take a claim of any size."""
        return self._running.get(share.key, 0) < share.of(self.at_once)

    def _may_be_granted(self, share: Share) -> bool:
        return self._may_hold(share, self._queue.first_of(share).slots)

    def _take(self, share: Share, slots: int) -> None:
        self._used += slots
        self._running[share.key] = self._running.get(share.key, 0) + slots

    def give_back(self, share: Share, slots: int, seconds: float) -> None:
        """Take back `slots` that were held for `seconds`."""
        self._held_s += seconds * slots
        self._held += 1
        self._release(share, slots)

    def _release(self, share: Share, slots: int) -> None:
        self._used -= slots
        self._running[share.key] -= slots
        if not self._running[share.key]:
            del self._running[share.key]
        self._grant()

    def _grant(self) -> None:
        while self._free > 0:
            claim = self._next or self._queue.pop(self._may_be_granted)
            self._next = None
            if claim is None:
                return
            if claim.granted.done():
                continue
            if claim.slots > self._free:
                self._next = claim
                return
            self._take(claim.share, claim.slots)
            claim.granted.set_result(None)

    @property
    def _seconds_each(self) -> float:
        """Mean slot-seconds of a use so far, divided by the number of slots. A queue of n uses takes about n times as
        long."""
        return self._held_s / max(1, self._held) / self.at_once


class FairBytes(FairSlots):
    """Bytes of memory. Each byte is a slot, and a claim takes many of them.

    A key that holds bytes gets more only if it then holds at most a multiple of the bytes that stay free (dynamic
    thresholds, Choudhury and Hahne, 1998). So one key can have two thirds of all bytes, two keys two fifths each, and n
    keys leave 1 / (2n + 1) free for the claim of another key. A key that holds nothing waits for its first claim only
    until the bytes are free.
    """

    WAITING_MULTIPLE = 2
    """After a claim that waited in the queue, a key holds at most this multiple of the free bytes."""
    IMMEDIATE_MULTIPLE = 4
    """After a claim that does not wait, a key holds at most this multiple of the free bytes. It is larger than for
    waiting claims, so that work in progress can finish."""
    SMALL_CLAIM_SHARE = 1 / 64
    """A claim of at most this share of all bytes takes free bytes ahead of all larger claims."""

    async def take(self, slots: int = 1, *, patient: bool = False) -> "TakenSlots":
        share = SHARE.get()
        is_small = slots <= self.SMALL_CLAIM_SHARE * self.at_once
        if is_small and self._may_pass(share) and self._fits(share, slots, self.IMMEDIATE_MULTIPLE):
            self._take(share, slots)
            return TakenSlots(self, share, slots)
        return await super().take(slots, patient=patient)

    def _may_pass(self, _: Share) -> bool:
        """True if a small claim may go ahead of the larger ones that wait."""
        return True

    def grow(self, taken: "TakenSlots", slots: int) -> bool:
        """Add `slots` to `taken`, ahead of all waiting claims. Return False if the key may not hold that many."""
        if not self._fits(taken.share, slots, self.IMMEDIATE_MULTIPLE):
            return False
        self._add(taken, slots)
        return True

    def _add(self, taken: "TakenSlots", slots: int) -> None:
        self._take(taken.share, slots)
        taken.slots += slots

    def _may_hold(self, share: Share, slots: int) -> bool:
        own = self._running.get(share.key, 0)
        return not own or (own + slots <= share.of(self.at_once) and self._fits(share, slots, self.WAITING_MULTIPLE))

    def _fits(self, share: Share, slots: int, multiple: int) -> bool:
        own, free = self._running.get(share.key, 0), self._free - slots
        return free >= 0 and (not own or own + slots <= multiple * free)


class ReservedBytes(FairBytes):
    """Bytes for claims that grow: a claim that holds bytes may wait until either more bytes or the reserve are free.

    Claims that hold bytes and wait for more could wait for each other forever. So a reserve is kept in addition to the
    bytes. It is as large as a claim may become by waiting (the banker's algorithm, Dijkstra 1965, in its simplest
    form). One claim at a time moves into the reserve, which frees the bytes that it held. In the reserve, this claim
    never waits for bytes again. So it ends, and the next claim moves in. Every waiting claim is therefore served,
    however much the other claims hold.
    """

    def __init__(self, resource: str, at_once: int, reserve: int, *, most_waiting: int) -> None:
        super().__init__(resource, at_once, most_waiting=most_waiting)
        self.reserve = reserve
        self._growing: ShareQueue[_Growth] = ShareQueue()
        self._in_reserve: TakenSlots | None = None

    @property
    def growing(self) -> int:
        """Number of claims that hold some bytes and wait for more."""
        return len(self._growing)

    async def grow_in_turn(self, taken: "TakenSlots", slots: int) -> bool:
        """Add `slots` to `taken` as soon as possible, and return True. The keys take turns, and claims that hold bytes
        go ahead of all claims that hold nothing. A claim that would exceed the reserve does not wait: the method then
        returns the result of `grow`."""
        if taken.slots + slots > self.reserve:
            return self.grow(taken, slots)
        if taken is self._in_reserve:
            # This claim must not wait in the queue, where another growth of its key may be ahead of it and wait for the
            # reserve.
            self._add(taken, slots)
            return True
        growth = _Growth(taken, slots, asyncio.get_running_loop().create_future())
        self._growing.push(growth, taken.share)
        self._grant()
        try:
            await growth.granted
        except asyncio.CancelledError:
            self._growing.keep(lambda other: other is not growth)
            self._grant()  # the key's next growth may need less
            raise
        return True

    def grow(self, taken: "TakenSlots", slots: int) -> bool:
        return taken is not self._in_reserve and super().grow(taken, slots)

    @property
    def _free(self) -> int:
        return super()._free + (0 if self._in_reserve is None else self._in_reserve.slots)

    def _may_grow(self, share: Share) -> bool:
        growth = self._growing.first_of(share)
        return self._in_reserve is None or self._fits(share, growth.slots, self.IMMEDIATE_MULTIPLE)

    def _grant(self) -> None:
        if self._in_reserve is not None and not self._in_reserve.slots:
            self._in_reserve = None
        while (growth := self._growing.pop(self._may_grow)) is not None:
            if growth.granted.done():
                continue
            if not self._fits(growth.taken.share, growth.slots, self.IMMEDIATE_MULTIPLE):
                self._in_reserve = growth.taken
            self._add(growth.taken, growth.slots)
            growth.granted.set_result(None)
        super()._grant()


class TakenSlots:
    """Slots that a caller holds until it gives them back."""

    def __init__(self, owner: FairSlots, share: Share, slots: int) -> None:
        self._owner = owner
        self.share = share
        self.slots = slots
        self._since = time.monotonic()

    def give_back(self) -> None:
        self.keep(0)

    def keep(self, slots: int) -> None:
        """Give back all but `slots`."""
        if self.slots > slots:
            beyond, self.slots = self.slots - slots, slots
            self._owner.give_back(self.share, beyond, time.monotonic() - self._since)


@dataclass(slots=True, eq=False)
class _Growth:
    """A waiting request to add `slots` slots to `taken`."""

    taken: TakenSlots
    slots: int
    granted: "asyncio.Future[None]"
