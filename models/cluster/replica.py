"""The code that runs in a replica's process: one engine, with one thread for each of its workers. It does not depend on
Ray."""

import asyncio
import gc
import math
import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from models.base import Cancellable, Engine, EngineNotReady, EngineSpec, ModelError, ran_out
from models.hosts.workplace import Batches, EngineFactory, HostLimits

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


Pickled = bytes | tuple[bytes, Sequence[memoryview]]
"""Pickled items, either as bytes or with the large buffers separate, in shared memory."""


class Replica(Generic[ItemT, ResultT]):
    """The engine of a replica's process. Items are unpickled and results are pickled here, so that the arrays in them
    are writable and do not occupy shared memory."""

    def __init__(
        self,
        spec: EngineSpec,
        factory: EngineFactory[ItemT, ResultT],
        limits: HostLimits,
        version: str,
        stuck_s: float = math.inf,
    ) -> None:
        """Load the engine, so that a replica that is added later gets no work before it is ready. If loading fails, the
        next call of `load` reports the error, and the call after that loads the engine again. If this method raised the
        error, Serve would start the replica again and again."""
        self._spec = spec
        self._factory = factory
        self._limits = limits
        self._version = version
        self._stuck_s = stuck_s
        """Number of seconds after which the engine counts as stuck if it is still computing the same items."""
        self._batches = Batches[ItemT, ResultT](spec.name, limits.max_batch)
        self._engine: Engine[ItemT, ResultT] | None = None
        self._loading = Lock()
        self._threads = ThreadPoolExecutor(limits.workers, thread_name_prefix=spec.name)
        self._first_load_error: Exception | None = None
        """Exception of the first load, kept until it is reported."""
        try:
            self._load_engine()
        except Exception as error:  # noqa: BLE001 - the server decides about any exception of an engine
            self._first_load_error = error

    def version(self) -> str:
        """Return the digest of the engine and of its settings."""
        return self._version

    def check_health(self) -> None:
        """Raise an exception if the engine is stuck in a batch, because the batch would occupy its thread forever.
        Serve calls this method every ten seconds, and replaces a replica that raises an exception."""
        took = self._batches.longest_call_s
        if took > self._stuck_s:
            raise RuntimeError(f"'{self._spec.name}' has computed one batch for {took:.0f} s.")

    async def load(self) -> bytes:
        """Load the engine unless it is loaded. Return a pickled None, or the pickled exception."""
        return await self._in_thread(self._load_result)

    async def run(self, items: Pickled) -> bytes:
        """Return a result or exception for each item, and the numbers of further failures by reason, all pickled. If
        the call is cancelled before a thread has begun the batch, the batch is not computed. If it is cancelled later,
        the Cancellable items end early."""
        abandoned, begun = Event(), list[ItemT]()
        try:
            return await self._in_thread(self._run_batch, items, abandoned, begun)
        except asyncio.CancelledError:
            abandoned.set()
            _cancel_items(begun)
            raise

    def __del__(self) -> None:
        """Close the engine. Serve calls this method once all work has ended."""
        if self._engine is not None:
            self._engine.close()

    def _load_result(self) -> bytes:
        failure, self._first_load_error = self._first_load_error, None
        try:
            if failure is None:
                self._load_engine()
        except Exception as error:  # noqa: BLE001 - reported like an error in `__init__`
            failure = error
        return pickle.dumps(failure and picklable(failure))

    def _run_batch(self, sent: Pickled, abandoned: Event, begun: list[ItemT]) -> bytes:
        pickled, buffers = (sent, ()) if isinstance(sent, bytes) else sent
        items: Sequence[ItemT] = pickle.loads(pickled, buffers=map(bytearray, buffers))  # noqa: S301 - the server wrote it
        begun += items
        if abandoned.is_set():  # all callers may have left before `begun` had the items
            _cancel_items(items)
        try:
            results = self._compute(items, abandoned)
        except Exception as error:  # noqa: BLE001 - an error of the load
            results = [error] * len(items)
        picklable_results = [picklable(one) if isinstance(one, Exception) else one for one in results]
        return pickle.dumps((picklable_results, self._batches.take_failures()), pickle.HIGHEST_PROTOCOL)

    def _compute(self, items: Sequence[ItemT], abandoned: Event) -> list[Any]:
        """Return a result or exception for each item, or less once all callers have left."""
        engine = self._load_engine()
        results: list[Any] = []
        while len(results) < len(items):
            if abandoned.is_set():
                gone = EngineNotReady(self._spec.capability, "Its caller has left.")
                return results + [gone] * (len(items) - len(results))
            # Memory may allow fewer items at a time than were sent.
            results += self._batches.run(engine, items[len(results) : len(results) + self._batches.most])
        return results

    def _load_engine(self) -> Engine[ItemT, ResultT]:
        with self._loading:
            if self._engine is None:
                engine = self._factory()
                engine.load()
                self._engine = engine
                gc.freeze()  # collections need not visit what stays
            return self._engine

    async def _in_thread(self, call: Any, *args: Any) -> bytes:
        result: bytes = await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
        return result


def _cancel_items(items: Sequence[Any]) -> None:
    for item in items:
        if isinstance(item, Cancellable):
            item.cancelled.set()


def picklable(error: Exception) -> Exception:
    """Return `error` itself if it can be pickled, else an exception with the same meaning. An exception of a library
    may need arguments to be unpickled, or hold objects that cannot leave the process."""
    try:
        restored = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own pickle
    except Exception:  # noqa: BLE001 - classes of libraries may raise anything
        restored = None
    if type(restored) is type(error) and (not isinstance(error, ModelError) or str(restored) == str(error)):
        return error
    text = f"{type(error).__name__}: {error}"
    return MemoryError(text) if ran_out(error) else RuntimeError(text)
