"""Determines the size of an engine's batches, which is limited by the memory that their items take."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import structlog

from models.base import Engine, Unfinished, ran_out
from models.concurrency import as_exception
from models.hosts.measures import MEMORY

ItemT = TypeVar("ItemT")

ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)

_USABLE_SHARE = 0.5
"""The items of one engine may take this share of a card's free memory. The other engines on the card need the
remainder."""
_BATCHES_BEFORE_GROWTH = 200
"""The largest size of batches is doubled after this many successful batches of that size."""


@dataclass(frozen=True, slots=True)
class CardMemory:
    """Memory that an engine takes on a card, in megabytes.

    The numbers are estimates and were not measured on a card. They come from the size of the weights, in their
    precision on a card, and from the memory of the network on a CPU.
    """

    base: int
    """Memory of the weights and of the smallest computation."""
    item: int
    """Memory that one more item takes during the computation."""
    items: int = 1
    """At most this many items are computed together on a card with enough memory."""
    is_guess: bool = False
    """True if the network is the operator's own, so that the estimate may be wrong. The estimate still limits the size
    of batches, but not the memory of the engine's runtime."""

    @property
    def most(self) -> int:
        return self.base + self.item * self.items

    @property
    def shown(self) -> str:
        """Memory in MB as shown to operators: `1,620 + 32 × 200`."""
        return f"{self.base:,} + {self.items} × {self.item:,}"


def finished(engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> list[ResultT | Exception]:
    """Return the engine's results. Items that it computes in parts are continued until they are finished."""
    results: list[Any] = list(engine.run(items))
    while rests := {index: result.rest for index, result in enumerate(results) if isinstance(result, Unfinished)}:
        for index, result in zip(rests, engine.run(list(rests.values())), strict=True):
            results[index] = result
    return results


class Batches(Generic[ItemT, ResultT]):
    """Runs batches of at most `limit` items on a card or on the CPU, and smaller ones once memory has run out. Only the
    threads of one host may use an object of this class."""

    def __init__(self, name: str, limit: int, failures: Counter[str] | None = None) -> None:
        """`failures` counts failures by reason. A lack of memory in a batch of several items counts as a failure, even
        if smaller batches then succeed."""
        self.most = limit
        """A batch has at most this many items at present."""
        self._name = name
        self._limit = limit
        self._successes = 0
        self._failures = Counter() if failures is None else failures
        self._counting = Lock()

    def fit(self, free: int, item_bytes: int) -> None:
        """Adapt the size of batches to `free` bytes of memory, of which each item takes `item_bytes`."""
        self.most = max(1, min(self._limit, int(free * _USABLE_SHARE) // item_bytes))

    def take_failures(self) -> dict[str, int]:
        """Return the numbers of failures by reason since the last call of this method, and reset them."""
        with self._counting:
            taken = dict(self._failures)
            self._failures.clear()
        return taken

    def run(self, engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> list[ResultT | Exception]:
        """Return a result or an exception for each item, even if the engine raises an exception. A batch that fails as
        a whole is run again item by item. Items that ran out of memory are run again in batches of half the size."""
        try:
            results = finished(engine, items)
            if len(results) != len(items):
                raise RuntimeError(f"{self._name} returned {len(results)} results for {len(items)} items")
        except BaseException as error:  # noqa: BLE001 - an error is the result of its items
            failure = as_exception(error)
            results = [failure] * len(items)
            if not ran_out(failure):
                return results if len(items) == 1 else [self.run(engine, [item])[0] for item in items]
        short = [index for index, result in enumerate(results) if isinstance(result, Exception) and ran_out(result)]
        if not short:
            self._count_success(len(items))
        elif len(items) > 1:
            self._halve(len(items))
            while short:
                places, short = short[: self.most], short[self.most :]
                retried = self.run(engine, [items[index] for index in places])
                for index, result in zip(places, retried, strict=True):
                    results[index] = result
        return results

    def _halve(self, count: int) -> None:
        self.most, self._successes = max(1, min(self.most, count) // 2), 0
        with self._counting:
            self._failures[MEMORY] += 1
        log.warning("memory_ran_out", engine=self._name, items=count, now_at_most=self.most)
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()  # PyTorch keeps freed memory, which other engines could use

    def _count_success(self, items: int) -> None:
        self._successes += items == self.most < self._limit
        if self._successes >= _BATCHES_BEFORE_GROWTH:
            self.most, self._successes = min(2 * self.most, self._limit), 0
