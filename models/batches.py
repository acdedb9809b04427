"""How many items an engine computes together, by the memory that they take."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from models.base import Engine, Unfinished, ran_out
from models.measures import MEMORY

ItemT = TypeVar("ItemT")

ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)

_OF_FREE = 0.5
"""The part of a card's free memory that one engine's items are counted on: others come to compute there, too."""
_CALM_BATCHES = 200
"""After so many of the most items without running out, twice as many are tried."""


@dataclass(frozen=True, slots=True)
class CardMemory:
    """What an engine takes of a card's memory, in megabytes: an estimate, from its weights in the precision that they
    have there and from what its network took on a CPU. Nothing was measured on a card."""

    base: int
    """Weights, and what it computes with however little there is to do."""
    item: int
    """What one more item takes while it is computed."""
    items: int = 1
    """The most that are computed together there, where there is room."""
    is_guess: bool = False
    """Whether the estimate is another network's, and stands in for one that an operator brought: counted with, and
    no bound."""

    @property
    def most(self) -> int:
        return self.base + self.item * self.items

    @property
    def shown(self) -> str:
        """In MB: `1,620 + 32 × 200`."""
        return f"{self.base:,} + {self.items} × {self.item:,}"


class Batches(Generic[ItemT, ResultT]):
    """How many items an engine computes together: at most `limit`, and fewer where memory runs out, on a card or off
    it. Called by the threads of one host."""

    def __init__(self, name: str, limit: int, failures: Counter[str] | None = None) -> None:
        """`failures` counts by reason; here, how often memory ran out and fewer items went on."""
        self.most = limit
        """For now."""
        self._name = name
        self._limit = limit
        self._calm = 0
        self._failures = Counter() if failures is None else failures

    def fit(self, free: int, each: int) -> None:
        """To `free` bytes, where an item takes `each`."""
        self.most = max(1, min(self._limit, int(free * _OF_FREE) // each))

    def run(self, engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> list[ResultT | Exception | Unfinished]:
        """A result, an exception or what is left of it for each item, whatever the engine raises. A batch that breaks
        as a whole is run again item by item; what memory did not suffice for, in halves."""
        try:
            results: list[ResultT | Exception | Unfinished] = list(engine.run(items))
            if len(results) != len(items):
                raise RuntimeError(f"{self._name} returned {len(results)} results for {len(items)} items")
        except Exception as error:  # noqa: BLE001 - whatever an engine raises belongs to its items
            results = [error] * len(items)
            if not ran_out(error):
                return results if len(items) == 1 else [self.run(engine, [item])[0] for item in items]
        short = [place for place, result in enumerate(results) if isinstance(result, Exception) and ran_out(result)]
        if not short:
            self._count(len(items))
        elif len(items) > 1:
            self._halve(len(items))
            while short:
                places, short = short[: self.most], short[self.most :]
                again = self.run(engine, [items[place] for place in places])
                for place, result in zip(places, again, strict=True):
                    results[place] = result
        return results

    def _halve(self, count: int) -> None:
        self.most, self._calm = max(1, min(self.most, count) // 2), 0
        self._failures[MEMORY] += 1
        log.warning("memory_ran_out", engine=self._name, items=count, now_at_most=self.most)
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()  # what it keeps for itself, others could use

    def _count(self, items: int) -> None:
        self._calm += items == self.most < self._limit
        if self._calm >= _CALM_BATCHES:
            self.most, self._calm = min(2 * self.most, self._limit), 0
