"""What an engine counts of its own work, for whoever wants to see it: nothing here knows who that is."""

import contextlib
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from models.base import ran_out

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
ITEMS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

MEMORY = "memory"
"""The reason of a failure for want of memory, also where fewer items together then went through."""
LOAD = "load"
RELOAD = "reload"
"""The engine was loaded before, and had left: the request that came next waited for it."""
WORKER = "worker"
"""What drives the engine has died, which only a restart mends."""


class Distribution:
    """How many values there were up to each of `bounds`, and beyond the last, and their sum."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float], counts: Sequence[int] = (), total: float = 0.0) -> None:
        self.bounds = bounds
        self.counts = list(counts) or [0] * (len(bounds) + 1)
        self.sum = total

    @property
    def count(self) -> int:
        return sum(self.counts)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def __add__(self, other: "Distribution") -> "Distribution":
        """Both together, which have the same bounds."""
        counts = [one + another for one, another in zip(self.counts, other.counts, strict=True)]
        return Distribution(self.bounds, counts, self.sum + other.sum)


@dataclass(slots=True)
class EngineCounters:
    """Since the process started."""

    seconds: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    """How long each batch took, or each answer of an LLM."""
    batch_items: Distribution = field(default_factory=lambda: Distribution(ITEMS))
    """The items of each batch that ran."""
    failures: Counter[str] = field(default_factory=Counter)
    """By reason: of items and answers, those of `reason_of`; of the engine as a whole, the constants above."""
    loads: int = 0
    unloads: int = 0

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Counts an answer that is made while the block runs."""
        started = time.perf_counter()
        try:
            with self.failing():
                yield
        finally:
            self.seconds.add(time.perf_counter() - started)
            self.batch_items.add(1)

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Counts what the block fails with, if it does."""
        try:
            yield
        except Exception as error:
            self.failures[reason_of(error)] += 1
            raise


def reason_of(error: Exception) -> str:
    """One of a few words, which the classes of errors have: no text of an error, which may quote a request."""
    if ran_out(error):
        return MEMORY
    return str(getattr(error, "reason_label", "error"))
