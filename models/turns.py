"""Who computes next, and where, while several keys ask: engines of the same processors, and processes with files."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from models.scheduler import Share, counted

CONTESTED_S = 60.0
"""For so long after a key has asked, another one that asks is taken for its rival."""
_BACK_S = 0.03
"""For so long a key is waited for whose next step follows: the lines that are cut out of a page that was searched would
come a moment too late, and wait for another key's batch."""


SLOW_S = 10.0
"""For so long after its last long call a key is taken to have another one."""


@dataclass(frozen=True, slots=True)
class _Home:
    share: Share
    first: int
    asked: float


class Homes:
    """Which of `many` processes, each of which holds files and answers one call at a time, a key may use: all while it
    asks alone, and its Share of them where others have asked of late, each key other ones as far as there are enough.

    While others ask, a key with calls that take long has none of what the others use, nor ever the last process of
    several: whoever has none of those calls waits for none.
    """

    def __init__(self, many: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._many = many
        self._clock = clock
        self._homes: dict[str, _Home] = {}
        self._long: Counter[str] = Counter()
        """How many long calls each key has now."""
        self._slow_until: dict[str, float] = {}

    def of(self, share: Share) -> list[int]:
        """What `share`, which asks now, may use."""
        self._forget()
        self._settle(share)
        return self.usable(share)

    def usable(self, share: Share) -> list[int]:
        """What `share`, which has asked, may use now: less once others have asked, or it has a long call."""
        self._forget()
        many = share.of(self._many) if self._homes.keys() - {share.key} else self._many
        return self._from(self._first(share.key), many, self._choice(share.key))

    def began_long(self, share: Share) -> None:
        """Takes note that a call takes long; `ended_long` must follow."""
        self._long[share.key] += 1
        self._settle(share)

    def ended_long(self, share: Share) -> None:
        self._long[share.key] -= 1
        self._slow_until[share.key] = self._clock() + SLOW_S

    def _settle(self, share: Share) -> None:
        self._homes[share.key] = _Home(share, self._first(share.key), self._clock())

    def _forget(self) -> None:
        now = self._clock()
        self._long = +self._long
        self._slow_until = {key: until for key, until in self._slow_until.items() if now < until}
        self._homes = {
            key: home for key, home in self._homes.items() if now - home.asked < CONTESTED_S or self._is_slow(key)
        }

    def _is_slow(self, key: str) -> bool:
        return self._long[key] > 0 or key in self._slow_until

    def _first(self, key: str) -> int:
        choice = self._choice(key)
        if key in self._homes and self._homes[key].first in choice:
            return self._homes[key].first
        taken = Counter(home.first for one, home in self._homes.items() if one != key)
        return min(choice, key=taken.__getitem__)

    def _choice(self, key: str) -> Sequence[int]:
        """The processes among which `key` has its part."""
        others = self._homes.keys() - {key}
        if not others or self._many == 1:
            return range(self._many)
        but_last = range(self._many - 1)
        if self._is_slow(key):
            return but_last
        slow = {
            number
            for home in map(self._homes.__getitem__, filter(self._is_slow, others))
            if home.first in but_last
            for number in self._from(home.first, home.share.of(self._many), but_last)
        }
        return [number for number in range(self._many) if number not in slow]

    @staticmethod
    def _from(first: int, many: int, choice: Sequence[int]) -> list[int]:
        start = choice.index(first)
        return [choice[(start + step) % len(choice)] for step in range(min(many, len(choice)))]


class Turns:
    """Engines that compute with the same processors, such as the two of OCR, so that no key waits for more of another's
    work than the batch that runs. Belongs to one event loop.

    As long as one key asks alone, all of them run at once. Where several do (`is_contested`), so many batches run
    `at_once`, next that of the key whose work took least of the processors' time; such a key is waited for between two
    steps of its work.
    """

    def __init__(self, at_once: int = 1, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._clock = clock
        self._last: tuple[str, float] | None = None
        """The key that asked last, and when."""
        self._contested_until = -math.inf
        self._running = 0
        self._waiting: list[tuple[Callable[[], Share | None], bool, asyncio.Future[None]]] = []
        self._times: dict[str, float] = {}
        """Virtual times, as a FairQueue's, in seconds of work."""
        self._now = 0.0
        self._back: asyncio.TimerHandle | None = None
        """Runs while a key is waited for whose time is `_back_at`."""
        self._back_at = 0.0
        self._queues: list[Callable[[str], int]] = []

    def join(self, waiting: Callable[[str], int]) -> None:
        """Takes an engine's queue into account, which says how much of a key is `waiting`."""
        self._queues.append(waiting)

    def widen(self, more: int) -> None:
        """Lets so many more batches run at once: an engine has moved to further processors."""
        self._at_once += more

    @property
    def is_contested(self) -> bool:
        return self._clock() < self._contested_until

    def asked(self, share: Share) -> None:
        """Takes note that `share` has work for one of the engines."""
        now = self._clock()
        if self._last is not None and self._last[0] != share.key and now - self._last[1] < CONTESTED_S:
            self._contested_until = now + CONTESTED_S
        self._last = share.key, now
        if self._back is not None:
            asyncio.get_running_loop().call_soon(self._grant)

    def next_of(self, shares: Sequence[Share]) -> Share | None:
        """Whose turn it is of those who want the same engine, who are in the order of its queue."""
        first = next(iter(shares), None)
        if first is None or not self.is_contested:
            return first
        return min((share for share in shares if share.is_later == first.is_later), key=self._time)

    @asynccontextmanager
    async def turn(
        self, first: Callable[[], Share | None], *, is_followed: bool = False
    ) -> AsyncIterator[Counter[Share]]:
        """Waits until the engine may run a batch. What is yielded counts the items of the batch by share.

        `first`: whose work the engine would run next, which may change until it is its turn. `is_followed`: whether
        the same work goes on in another engine.
        """
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((first, is_followed, granted))
        self._grant()
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():
                self._end()
            raise
        batch: Counter[Share] = Counter()
        started = self._clock()
        try:
            yield batch
        finally:
            spent = (self._clock() - started) / max(1, batch.total())
            for share, items in batch.items():
                many = counted(sum(waiting(share.key) for waiting in self._queues))
                self._times[share.key] = self._time(share) + spent * items * many / share.weight
            awaited = [self._time(share) for share in batch if not share.is_later]
            if awaited and is_followed and self.is_contested:
                self._wait_for(min(awaited))
            self._end()

    def _wait_for(self, time_of_key: float) -> None:
        self._let_go()
        self._back_at = time_of_key
        self._back = asyncio.get_running_loop().call_later(_BACK_S, self._give_up)

    def _give_up(self) -> None:
        self._let_go()
        self._grant()

    def _let_go(self) -> None:
        if self._back is not None:
            self._back.cancel()
            self._back = None

    def _end(self) -> None:
        self._running -= 1
        self._times = {key: ahead for key, ahead in self._times.items() if ahead > self._now}
        # Not at once: the engine whose batch has ended is to be among those that wait.
        asyncio.get_running_loop().call_soon(self._grant)

    def _grant(self) -> None:
        self._waiting = [one for one in self._waiting if not one[2].done()]
        while self._waiting and not (self._running >= self._at_once and self.is_contested):
            # Work of batches comes last; of one key's work, what was begun is ended first.
            places = [
                (share is not None and share.is_later, self._time(share), is_followed)
                for share, is_followed in ((first(), is_followed) for first, is_followed, _ in self._waiting)
            ]
            place = min(places)
            if self._back is not None and place[:2] > (False, self._back_at):
                return
            self._let_go()
            self._now = place[1]
            *_, granted = self._waiting.pop(places.index(place))
            self._running += 1
            granted.set_result(None)

    def _time(self, share: Share | None) -> float:
        return self._now if share is None else max(self._now, self._times.get(share.key, 0.0))
