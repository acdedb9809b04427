"""Lets a key that has rivals use one engine of a group at a time, and rest at all of them after each batch.

Engines that work on one recording would otherwise run beside each other, and each in the rests after the batches of the
others, so that other keys would hardly find a processor free.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class RestGroupMember:
    """An engine in its group."""

    waiting: Callable[[str], int]
    """Function that returns the number of a key's items in the engine's queue, without those of batches (`is_later`),
    which come after the items of all other keys and must keep no other engine waiting."""
    wake: Callable[[], None]
    """Function that is called when a batch may begin that could not begin before."""
    running: Counter[str] = field(default_factory=Counter)
    """Number of running batches by key."""
    times: dict[str, float] = field(default_factory=dict)
    """Virtual time of each key that has work in the group, as in a FairQueue, in seconds of work."""


class RestGroup:
    """A group of engines. An object of this class belongs to one event loop.

    Of several engines that have work of a key, next is the one that has worked for the key least, in seconds: a batch
    of one engine may take as long as twenty of another.
    """

    def __init__(self) -> None:
        self._members: list[RestGroupMember] = []
        self._resting: Counter[str] = Counter()
        """Number of rests by key that are not over."""
        self._now: dict[str, float] = {}
        """Virtual time of the latest batch of each key that has work in the group."""

    def join(self, waiting: Callable[[str], int], wake: Callable[[], None]) -> RestGroupMember:
        """Add an engine, which `RestGroupMember` describes."""
        self._members.append(RestGroupMember(waiting, wake))
        return self._members[-1]

    def may_begin(self, member: RestGroupMember, key: str, *, is_contested: bool) -> bool:
        """True if `member` may begin a batch of `key`, which must not rest. If several keys compete (`is_contested`),
        no other engine may be working for the key, or have work of the key that comes first."""
        if self._resting[key]:
            return False
        if not is_contested or len(self._members) == 1:
            return True
        own = self._time_of(member, key)
        others = [other for other in self._members if other is not member]
        return not any(
            other.running[key] or (other.waiting(key) and self._time_of(other, key) < own) for other in others
        )

    def began(self, member: RestGroupMember, keys: Collection[str]) -> None:
        """Record that a batch of `keys` begins. `ended` must follow."""
        for key in keys:
            member.running[key] += 1
            self._now[key] = self._time_of(member, key)

    def ended(self, member: RestGroupMember, keys: Collection[str], seconds: float, rest_s: float) -> None:
        """Record that a batch of `keys` has taken `seconds`. The keys now rest for `rest_s`."""
        for key in keys:
            member.times[key] = self._time_of(member, key) + seconds
            member.running[key] -= 1
        for one in self._members:
            one.running += Counter()  # forgets keys without a batch
        if rest_s:
            self._let_rest(keys, rest_s)
        self.wake_all()

    def wake_all(self) -> None:
        """Let all engines look again which batches may begin."""
        for key in [key for key in self._now if not any(one.running[key] or one.waiting(key) for one in self._members)]:
            del self._now[key]
            for member in self._members:
                member.times.pop(key, None)
        for member in self._members:
            member.wake()

    def _let_rest(self, keys: Collection[str], seconds: float) -> None:
        rested = list(keys)
        self._resting.update(rested)

        def end() -> None:
            self._resting.subtract(rested)
            self._resting += Counter()  # forgets keys that rest no longer
            self.wake_all()

        asyncio.get_running_loop().call_later(seconds, end)

    def _time_of(self, member: RestGroupMember, key: str) -> float:
        return max(self._now.get(key, 0.0), member.times.get(key, 0.0))
