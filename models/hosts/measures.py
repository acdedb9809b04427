"""Counters of an engine's work. They do not depend on the code that reads them."""

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
"""Reason of a failure for lack of memory, counted even if smaller batches then succeeded."""
LOAD = "load"
RELOAD = "reload"
"""Reason counted if an engine had to be loaded again after it was unloaded, so that a request had to wait."""
WORKER = "worker"
"""Reason counted if a worker of the engine's host has died, after which only a restart helps."""


class Distribution:
    """Histogram: the number of values in each interval that ends at one of `bounds`, the number above the last bound,
    and the sum of all values."""

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
        """Return the sum of two distributions with equal bounds."""
        counts = [one + another for one, another in zip(self.counts, other.counts, strict=True)]
        return Distribution(self.bounds, counts, self.sum + other.sum)


@dataclass(slots=True)
class EngineCounters:
    """Counters of one engine since the process started."""

    seconds: Distribution = field(default_factory=lambda: Distribution(SECONDS))
    """Seconds per batch, or per answer of an LLM."""
    batch_items: Distribution = field(default_factory=lambda: Distribution(ITEMS))
    """Number of items per batch."""
    failures: Counter[str] = field(default_factory=Counter)
    """Number of failures by reason. For items and answers, reasons come from `reason_of`; for the engine as a whole,
    they are the constants above."""
    loads: int = 0

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Count an answer that is made while the block runs."""
        started = time.perf_counter()
        try:
            with self.failing():
                yield
        finally:
            self.seconds.add(time.perf_counter() - started)
            self.batch_items.add(1)

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """Count the error that the block raises, if any."""
        try:
            yield
        except Exception as error:
            self.failures[reason_of(error)] += 1
            raise


def reason_of(error: Exception) -> str:
    """Return the kind of an error in a word. The error's text is not used, because it may quote a request."""
    if ran_out(error):
        return MEMORY
    return str(getattr(error, "reason_label", "error"))
