"""Gives turns to competing keys, at engines that use the same processors and at processes that hold files."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import itemgetter

from models.rest_group import RestGroup
from models.scheduler import Share, time_step

CONTESTED_S = 60.0
"""Two keys are rivals if one sends a request within this many seconds after the other."""
_RETURN_WAIT_S = 0.03
"""The processors wait this many seconds for the next step of a key's work. Otherwise, this step would wait for another
key's batch: for example, the lines of a page arrive for recognition a moment after their detection has ended."""
SLOW_S = 10.0
"""A key is assumed to make another long call within this many seconds after its last one."""
LONG_CALLS_S = 1.0
"""A key's calls count as long together if they have lately taken this many seconds more than FREE_PART of the time."""
FREE_PART = 0.5
"""Part of the time for which a key's calls may last together without being counted as long."""
LONG_S = 0.1
"""After this many seconds, a batch no longer keeps the batches of other keys from the processors. A batch cannot be
interrupted, so the operating system then divides the processors between them."""
_ROUNDING_ERROR = 1e-6
"""Two sums of widths count as equal if they differ by at most this, which allows for rounding."""


@dataclass(frozen=True, slots=True)
class _Home:
    """The processes of one key."""

    share: Share
    first: int
    """Number of the key's first process. The key's other processes are the next ones of its candidates, which begin
    again after the last one."""
    last_request_s: float
    """Time of the key's last request."""


class Homes:
    """Assigns keys to `many` processes, each of which holds files and answers one call at a time. A key may use all
    processes while no other key asks for anything, and only its Share of them if others have asked recently, or while
    `is_contested`: the other processes would compete with the work of other keys for the processors, even if these keys
    need no process. Different keys get different processes if there are enough.

    While some keys have long calls, or many calls that are long together, and others do not, the keys without long
    calls use none of the processes of the keys with long calls, and the keys with long calls never use the last of
    several processes. Keys without long calls therefore never wait for a long call.
    """

    def __init__(
        self, many: int, *, is_contested: Callable[[], bool] = bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._many = many
        self._is_contested = is_contested
        self._clock = clock
        self._homes: dict[str, _Home] = {}
        self._long: Counter[str] = Counter()
        """Number of unfinished long calls per key."""
        self._slow_until: dict[str, float] = {}
        self._free_again: dict[str, float] = {}
        """Times at which FREE_PART of the time will have made up for what the calls of each key took. Some
        of these times may be in the past."""

    def of(self, share: Share) -> list[int]:
        """Record that `share` asks for a process now, and return the numbers of the processes that it may use."""
        self._drop_expired()
        self._assign(share)
        return self.usable(share)

    def usable(self, share: Share) -> list[int]:
        """Return the numbers of the processes that `share`, which has asked before, may use now. There are fewer once
        other keys have asked, or once this key has a long call."""
        self._drop_expired()
        has_rivals = self._homes.keys() - {share.key} or self._is_contested()
        many = share.of(self._many) if has_rivals else self._many
        return self._consecutive(self._first_process(share.key), many, self._candidates(share.key))

    def began_long(self, share: Share) -> None:
        """Record that a call of `share` takes long. `ended_long` must follow."""
        self._long[share.key] += 1
        self._assign(share)

    def ended_long(self, share: Share) -> None:
        self._long[share.key] -= 1
        self._slow_until[share.key] = self._clock() + SLOW_S

    def ended(self, share: Share, seconds: float) -> None:
        """Record that a call of `share` took `seconds` of processor time."""
        now = self._clock()
        self._free_again[share.key] = max(now, self._free_again.get(share.key, now)) + seconds / FREE_PART
        if (self._free_again[share.key] - now) * FREE_PART > LONG_CALLS_S:
            self._slow_until[share.key] = now + SLOW_S
            self._assign(share)

    def _assign(self, share: Share) -> None:
        self._homes[share.key] = _Home(share, self._first_process(share.key), self._clock())

    def _drop_expired(self) -> None:
        now = self._clock()
        self._long = +self._long
        self._slow_until = {key: until for key, until in self._slow_until.items() if now < until}
        self._free_again = {key: at for key, at in self._free_again.items() if now < at}
        self._homes = {
            key: home
            for key, home in self._homes.items()
            if now - home.last_request_s < CONTESTED_S or self._is_slow(key)
        }

    def _is_slow(self, key: str) -> bool:
        return self._long[key] > 0 or key in self._slow_until

    def _first_process(self, key: str) -> int:
        choice = self._candidates(key)
        if key in self._homes and self._homes[key].first in choice:
            return self._homes[key].first
        taken = Counter(home.first for one, home in self._homes.items() if one != key)
        return min(choice, key=taken.__getitem__)

    def _candidates(self, key: str) -> Sequence[int]:
        """Return the numbers of the processes from which `key` gets its part."""
        others = self._homes.keys() - {key}
        if not others or self._many == 1:
            return range(self._many)
        but_last = range(self._many - 1)
        if self._is_slow(key):
            return range(self._many) if all(map(self._is_slow, others)) else but_last
        slow = {
            number
            for home in map(self._homes.__getitem__, filter(self._is_slow, others))
            if home.first in but_last
            for number in self._consecutive(home.first, home.share.of(self._many), but_last)
        }
        return [number for number in range(self._many) if number not in slow]

    @staticmethod
    def _consecutive(first: int, many: int, choice: Sequence[int]) -> list[int]:
        start = choice.index(first)
        return [choice[(start + step) % len(choice)] for step in range(min(many, len(choice)))]


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


@dataclass(slots=True, eq=False)
class _WaitingBatch:
    """An engine that waits for its turn."""

    first: Callable[[], Share | None]
    """Function that returns the share whose work the engine would run next."""
    width: float
    is_followed: bool
    granted: "asyncio.Future[None]"


class BatchItems(Counter[Share]):
    """Number of items of a batch by share."""

    def __init__(self) -> None:
        super().__init__()
        self.unfinished: set[Share] = set()
        """Shares whose items the batch has computed only in part. Their work continues in the same engine."""


class Turns:
    """Gives turns to engines that compute with the same processors, such as all engines that compute in this process. A
    key waits for no other work of another key than the running batches, and for at most `long_s` seconds. An object of
    this class belongs to one event loop.

    As long as only one key asks, all engines run at the same time. If several keys ask (`is_contested`), the widths of
    the running batches sum to at most 1; the width of a batch is the part of the processors that it takes. The next
    batch belongs to the key whose work has taken the least processor time. The processors wait for this key between two
    steps of its work.
    """

    def __init__(self, *, long_s: float = LONG_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._long_s = long_s
        self._clock = clock
        self._rivalry = Rivalry(clock)
        self._running_width = 0.0
        """Width of all running batches that are not long yet."""
        self._giving_way: Counter[str] = Counter()
        """Number of running batches by key that keep only other batches of their key waiting."""
        self._waiting: list[_WaitingBatch] = []
        self._times: dict[str, float] = {}
        """Virtual time of each key, as in a FairQueue, in seconds of work."""
        self._now = 0.0
        self._return_timer: asyncio.TimerHandle | None = None
        """Timer that runs while the processors wait for a key whose virtual time is `_awaited_time`."""
        self._awaited_time = 0.0
        self._queues: list[Callable[[str], int]] = []
        self._rest_groups: dict[str, RestGroup] = {}

    def join(self, waiting: Callable[[str], int]) -> None:
        """Take an engine's queue into account. `waiting` returns the number of a key's items in it."""
        self._queues.append(waiting)

    def rest_group(self, name: str | None) -> RestGroup:
        """Return the rest group of this name. Without a name, the group is a new one."""
        return RestGroup() if name is None else self._rest_groups.setdefault(name, RestGroup())

    @property
    def is_contested(self) -> bool:
        return self._rivalry.is_on

    def record_request(self, share: Share) -> None:
        """Record that `share` has work for one of the engines."""
        self._rivalry.record_request(share.key)
        if self._return_timer is not None:
            asyncio.get_running_loop().call_soon(self._grant)

    def next_of(self, shares: Sequence[Share]) -> Share | None:
        """Return the share whose turn it is; None if `shares` is empty. The work of all `shares` waits for the same
        engine, and they are in the order of its queue."""
        first = next(iter(shares), None)
        if first is None or not self.is_contested:
            return first
        equals = (share for share in shares if share.is_later == first.is_later)
        return min(equals, key=lambda share: (share.key in self._giving_way, self._virtual_time(share)))

    @asynccontextmanager
    async def turn(
        self,
        first: Callable[[], Share | None],
        *,
        width: float = 1.0,
        is_followed: bool = False,
        long_s: float = math.inf,
    ) -> AsyncIterator[BatchItems]:
        """Wait until the engine may run a batch, and yield a counter for the batch's items per share.

        `first` returns the share whose work the engine would run next, which may change until its turn. `width` is the
        part of the processors that the batch takes. `is_followed` is True if the work continues in another engine.
        After `long_s` seconds, the batch no longer keeps the batches of other keys from the processors.
        """
        one = _WaitingBatch(first, width, is_followed, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._grant()
        try:
            await one.granted
        except asyncio.CancelledError:
            if not one.granted.cancelled():
                self._return_width(width)
            raise
        batch = BatchItems()
        started = self._clock()
        is_kept = True
        gives_way: set[str] = set()
        """Keys of the batch, while it keeps their other batches waiting but none of other keys."""

        def end() -> None:
            nonlocal is_kept
            if is_kept:
                is_kept = False
                self._return_width(width)
            if gives_way:
                self._giving_way = +(self._giving_way - Counter(gives_way))
                gives_way.clear()
                asyncio.get_running_loop().call_soon(self._grant)

        def give_way() -> None:
            end()
            gives_way.update(share.key for share in batch)
            self._giving_way.update(gives_way)

        loop = asyncio.get_running_loop()
        timers = [loop.call_later(self._long_s, end)]
        if long_s < self._long_s:
            timers.append(loop.call_later(long_s, give_way))
        try:
            yield batch
        finally:
            for timer in timers:
                timer.cancel()
            spent = (self._clock() - started) * width / max(1, batch.total())
            for share, items in batch.items():
                many = time_step(sum(waiting(share.key) for waiting in self._queues))
                self._times[share.key] = self._virtual_time(share) + spent * items * many / share.weight
            returning = batch.keys() - batch.unfinished
            awaited = [self._virtual_time(share) for share in returning if not share.is_later]
            if awaited and is_followed and self.is_contested:
                self._wait_for(min(awaited))
            end()

    def _wait_for(self, time_of_key: float) -> None:
        self._stop_waiting()
        self._awaited_time = time_of_key
        self._return_timer = asyncio.get_running_loop().call_later(_RETURN_WAIT_S, self._end_wait)

    def _end_wait(self) -> None:
        self._stop_waiting()
        self._grant()

    def _stop_waiting(self) -> None:
        if self._return_timer is not None:
            self._return_timer.cancel()
            self._return_timer = None

    def _return_width(self, width: float) -> None:
        self._running_width -= width
        self._times = {key: ahead for key, ahead in self._times.items() if ahead > self._now}
        # The turn is granted in the next pass of the event loop, so that the engine whose batch has just ended can ask
        # for it, too.
        asyncio.get_running_loop().call_soon(self._grant)

    def _grant(self) -> None:
        self._waiting = [one for one in self._waiting if not one.granted.done()]
        while self._waiting:
            # Work of batches comes last. Among the work of one key, work that has already begun comes first.
            places = [
                ((share is not None and share.is_later, self._virtual_time(share), one.is_followed), one)
                for share, one in ((one.first(), one) for one in self._waiting)
                if share is None or share.key not in self._giving_way or not self.is_contested
            ]
            if not places:
                return
            place, one = min(places, key=itemgetter(0))
            if (
                self.is_contested
                and self._running_width > _ROUNDING_ERROR
                and self._running_width + one.width > 1 + _ROUNDING_ERROR
            ):
                return
            if self._return_timer is not None and place[:2] > (False, self._awaited_time):
                return
            self._stop_waiting()
            self._now = place[1]
            self._waiting.remove(one)
            self._running_width += one.width
            one.granted.set_result(None)

    def _virtual_time(self, share: Share | None) -> float:
        return self._now if share is None else max(self._now, self._times.get(share.key, 0.0))
