"""Workplaces of engines: threads of this process or, in `models.cluster`, replicas in separate processes; and the
batches that are computed there, whose size is limited by the memory that their items take."""

import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock, get_ident
from typing import Any, Generic, Protocol, TypeVar

import structlog

from models.base import Engine, EngineSpec, Unfinished, ran_out
from models.concurrency import as_exception
from models.hosts.faults import staying_error
from models.hosts.measures import MEMORY

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

EngineFactory = Callable[[], Engine[ItemT, ResultT]]

log = structlog.get_logger(__name__)

_BATCHES_BEFORE_GROWTH = 200
"""The largest size of batches is doubled after this many successful batches of that size."""


@dataclass(frozen=True, slots=True)
class CardMemory:
    """Memory that an engine may take on a card, in megabytes.

    The numbers are calculated from the networks, and were not measured on a card: the size of the weights, in their
    precision on a card, and what the computation keeps at the same time.
    """

    base: int
    """Memory of the weights and of the computation, except for `item`."""
    item: int = 0
    """Memory that one more item takes during the computation."""
    items: int = 1
    """At most this many items are computed together on a card with enough memory."""

    @property
    def most(self) -> int:
        return self.base + self.item * self.items

    @property
    def shown(self) -> str:
        """Memory in MB as shown to operators: `1,620 + 32 × 200`."""
        return f"{self.base:,} + {self.items} × {self.item:,}" if self.item else f"{self.base:,}"


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Limits with which a host runs one engine."""

    max_batch: int = 1
    """Largest number of items of one `run`. The items are those that arrived while the engine was busy: no batch waits
    for more items."""
    max_queue: int = 64
    """Number of items of one key that may wait."""
    workers: int = 1
    """At most this many batches run at the same time."""


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
        self._called_at: dict[int, float] = {}
        """Time at which each thread called the engine. The keys are the identifiers of the threads that are in a call
        now."""

    @property
    def longest_call_s(self) -> float:
        """Seconds that the engine has computed in the oldest call that has not ended; 0 if there is none."""
        return max((time.monotonic() - began for began in list(self._called_at.values())), default=0.0)

    def take_failures(self) -> dict[str, int]:
        """Return the numbers of failures by reason since the last call of this method, and reset them."""
        with self._counting:
            taken = dict(self._failures)
            self._failures.clear()
        return taken

    def run(self, engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> list[ResultT | Exception]:
        """Return a result or an exception for each item, even if the engine raises an exception. A batch that fails as
        a whole is run again item by item, unless the card refuses every call. Items that ran out of memory are run
        again in batches of half the size."""
        try:
            results = self._finish(engine, items)
            if len(results) != len(items):
                raise RuntimeError(f"{self._name} returned {len(results)} results for {len(items)} items")
        except BaseException as error:  # noqa: BLE001 - an error is the result of its items
            failure = as_exception(error)
            results = [failure] * len(items)
            if not ran_out(failure):
                is_last = len(items) == 1 or staying_error(failure)
                return results if is_last else [self.run(engine, [item])[0] for item in items]
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

    def _finish(self, engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> list[Any]:
        """Return the engine's results. Items that it computes in parts are continued until they are finished."""
        results: list[Any] = list(self._call(engine, items))
        while rests := {index: result.rest for index, result in enumerate(results) if isinstance(result, Unfinished)}:
            for index, result in zip(rests, self._call(engine, list(rests.values())), strict=True):
                results[index] = result
        return results

    def _call(self, engine: Engine[ItemT, ResultT], items: Sequence[ItemT]) -> Sequence[Any]:
        self._called_at[get_ident()] = time.monotonic()
        try:
            return engine.run(items)
        finally:
            del self._called_at[get_ident()]

    def _halve(self, count: int) -> None:
        self.most, self._successes = max(1, min(self.most, count) // 2), 0
        with self._counting:
            self._failures[MEMORY] += 1
        log.warning("memory_ran_out", engine=self._name, items=count, now_at_most=self.most)
        free_torch_memory()

    def _count_success(self, items: int) -> None:
        self._successes += items == self.most < self._limit
        if self._successes >= _BATCHES_BEFORE_GROWTH:
            self.most, self._successes = min(2 * self.most, self._limit), 0


class Workplace(Protocol[ItemT_contra, ResultT_co]):
    """A place where an engine computes. It belongs to one host and its event loop, which it never blocks."""

    @property
    def at_once(self) -> int:
        """Largest number of batches that may run at the same time."""

    @property
    def most(self) -> int:
        """Largest number of items that a batch may have now."""

    @property
    def longest_call_s(self) -> float:
        """Seconds that the engine has computed in the oldest call in this process that has not ended; 0 if there is
        none."""

    async def open(self) -> None:
        """Load the engine. Raises the engine's exceptions."""

    async def run(self, items: Sequence[ItemT_contra], abandoned: asyncio.Event) -> Sequence[ResultT_co | Exception]:
        """Return a result or an exception for each item. `abandoned` is set once nobody waits for
        any of the results. The workplace then ends their work if it can, and the caller ignores the results."""

    async def close(self) -> None:
        """Free the engine. No `run` is under way."""

    def release(self) -> None:
        """End the threads or replicas permanently, without waiting."""


WorkplaceFactory = Callable[[EngineSpec, EngineFactory[Any, Any], HostLimits, Counter[str]], Workplace[Any, Any]]
"""Function that makes a workplace. Its counter argument counts the host's failures by reason."""


class Cluster(Protocol):
    """A cluster that runs replicas of engines. An object of this class belongs to one event loop."""

    def workplace(self, name: str, card: CardMemory | None, *, on_a_card: bool) -> WorkplaceFactory:
        """Return a function that makes replicas of an engine. `name` is unique; `card` is the card's memory that the
        engine declares to take."""

    async def close(self) -> None: ...


class ThreadWorkplace(Generic[ItemT, ResultT]):
    """Workplace in the host's own threads. Native libraries release the GIL while they compute."""

    def __init__(
        self, spec: EngineSpec, factory: EngineFactory[ItemT, ResultT], limits: HostLimits, failures: Counter[str]
    ) -> None:
        self._factory = factory
        self._limits = limits
        self._batches = Batches[ItemT, ResultT](spec.name, limits.max_batch, failures)
        self._engine: Engine[ItemT, ResultT] | None = None
        self._threads = ThreadPoolExecutor(limits.workers, thread_name_prefix=spec.name)

    @property
    def at_once(self) -> int:
        return self._limits.workers

    @property
    def most(self) -> int:
        return self._batches.most

    @property
    def longest_call_s(self) -> float:
        return self._batches.longest_call_s

    async def open(self) -> None:
        self._engine = await self._in_thread(self._load_engine)
        gc.freeze()  # collections need not visit what stays

    async def run(
        self,
        items: Sequence[ItemT],
        abandoned: asyncio.Event,  # noqa: ARG002 - a running batch is finished, because no thread can be stopped
    ) -> Sequence[ResultT | Exception]:
        results: Sequence[ResultT | Exception] = await self._in_thread(self._batches.run, self._engine, items)
        return results

    async def close(self) -> None:
        # A worker thread still refers to the function that it ran for a moment after the result arrives. The function
        # pops the engine from the list `last`, so this reference does not keep the engine's memory in use.
        assert self._engine is not None
        last, self._engine = [self._engine], None
        await self._in_thread(lambda: last.pop().close())

    def release(self) -> None:
        self._threads.shutdown(wait=False)

    def _load_engine(self) -> Engine[ItemT, ResultT]:
        engine = self._factory()
        engine.load()
        return engine

    async def _in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)


def collect_garbage() -> None:
    """Free the objects that only refer to each other, such as those of a closed engine, including frozen ones, and the
    memory on a card that PyTorch keeps of them."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    free_torch_memory()


def free_torch_memory() -> None:
    """Return the memory on a card that PyTorch keeps of freed tensors, so that other engines can use it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
