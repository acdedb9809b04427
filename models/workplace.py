"""Workplaces of engines: threads of this process or, in `models.cluster`, replicas in separate processes."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

from models import garbage
from models.base import Engine, EngineSpec, Unfinished
from models.batches import Batches, CardMemory
from models.device import free_memory
from models.onnx_sessions import bounded

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

EngineFactory = Callable[[], Engine[ItemT, ResultT]]


_HOLDS_S = 0.02
"""Batches of other engines begin after so many seconds beside a batch that gives way."""


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Limits with which a host runs one engine."""

    max_batch: int = 1
    """Largest number of items of one `run`. The items are those that arrived while the engine was busy: no batch waits
    for more items."""
    item_bytes: int = 0
    """Bytes of a card's memory that each item takes during the computation, which may limit a batch further; 0 if
    unknown."""
    card_bytes: int = 0
    """Largest number of bytes of a card's memory that the engine may take, if its runtime can be limited; 0: no
    bound."""
    device: str = "cpu"
    """Device of the engine if `item_bytes` is known. The free memory of this device limits a batch."""
    contested_batch: int | None = None
    """Largest batch while several keys compete, so that no key waits longer than one short batch. None: as many items
    as the engine computes in a short time."""
    is_followed: bool = False
    """True if an item's work continues in another host that takes turns on the same processors
    (`models.turns.Turns`)."""
    long_s: float = math.inf
    """Seconds after which a batch no longer keeps the batches of other keys from the processors, if that is sooner than
    for other engines. Batches of its own key still wait for it, as long as for the batches of other engines."""
    rest: float = 0.0
    """While several keys compete, a key rests after each batch, this many times as long as the batch took."""
    rest_group: str | None = None
    """Name of a group of engines (`models.rest_group`). While several keys compete, a key uses one of them at a time,
    and rests at all of them after a batch of one."""
    holds_lock: bool = False
    """True if the engine holds Python's lock for much of a batch. While keys compete, a batch then counts as work on
    its key's texts (`fair_executor.Rests`)."""
    is_outside: bool = False
    """True if the engine computes in processes of its own, without taking turns with the engines of this process."""
    max_queue: int = 64
    """Number of items of all keys together that may wait. If one more arrives, `scheduler.make_room` refuses this item
    or another. A key may use its Share of the places."""
    workers: int = 1
    """At most this many batches run at the same time, each on an equal part of the processors. If a batch is a single
    item (`max_batch` is 1), no key may occupy more than its share (`scheduler.Share`) of the workers."""
    idle_unload_s: float | None = None
    """Seconds without work after which the engine is unloaded; None keeps it loaded."""

    def giving_way(self, rest: float = 0.5, rest_group: str | None = None) -> Self:
        """Return these limits for an engine whose batches take a tenth of a second or more on a CPU, so that they leave
        room for the small work of other keys, which has several steps in different engines. With `rest` 0.5, a key
        has two thirds of the time at most, in all engines of the `rest_group` together. A card's limits stay as they
        are."""
        return replace(self, long_s=_HOLDS_S, rest=rest, rest_group=rest_group) if self.device == "cpu" else self


class Workplace(Protocol[ItemT_contra, ResultT_co]):
    """A place where an engine computes. It belongs to one host and its event loop, which it never blocks."""

    @property
    def at_once(self) -> int:
        """Largest number of batches that may run at the same time."""

    @property
    def most(self) -> int:
        """Largest number of items that a batch may have now."""

    async def open(self) -> None:
        """Load the engine. Raises the engine's exceptions."""

    async def run(
        self, items: Sequence[ItemT_contra], abandoned: asyncio.Event
    ) -> Sequence[ResultT_co | Exception | Unfinished]:
        """Return a result, an exception or the unfinished rest for each item. `abandoned` is set once nobody waits for
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

    async def open(self) -> None:
        self._engine = await self._in_thread(self._load_engine)
        garbage.set_aside()

    async def run(
        self,
        items: Sequence[ItemT],
        abandoned: asyncio.Event,  # noqa: ARG002 - a running batch is finished, because no thread can be stopped
    ) -> Sequence[ResultT | Exception | Unfinished]:
        results: Sequence[ResultT | Exception | Unfinished] = await self._in_thread(
            self._batches.run, self._engine, items
        )
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
        return load_engine(self._factory, self._limits, self._batches)

    async def _in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)


def load_engine(
    factory: EngineFactory[ItemT, ResultT], limits: HostLimits, batches: Batches[ItemT, ResultT]
) -> Engine[ItemT, ResultT]:
    """Return a new, loaded engine, and adapt `batches` to the memory that it leaves free on its card."""
    engine = factory()
    with bounded(limits.card_bytes):
        engine.load()
    if limits.item_bytes and (free := free_memory(limits.device)) is not None:
        batches.fit(free, limits.item_bytes)
    return engine
