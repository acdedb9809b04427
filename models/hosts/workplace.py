"""Workplaces of engines: threads of this process or, in `models.cluster`, replicas in separate processes."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from models.base import Engine, EngineSpec
from models.devices.device import free_memory
from models.devices.onnx_sessions import bounded
from models.hosts.batches import Batches, CardMemory

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

ItemT_contra = TypeVar("ItemT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)

EngineFactory = Callable[[], Engine[ItemT, ResultT]]


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
    max_queue: int = 64
    """Number of items of one key that may wait."""
    workers: int = 1
    """At most this many batches run at the same time."""
    idle_unload_s: float | None = None
    """Seconds without work after which the engine is unloaded; None keeps it loaded."""


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


def collect_garbage() -> None:
    """Free the objects that only refer to each other, such as those of a closed engine, including frozen ones."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
