"""What runs in a replica's process: one engine, on as many threads as it has workers. It knows nothing of Ray."""

import asyncio
import math
import pickle
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock, get_ident
from typing import Any, Generic, TypeVar

from models.base import Cancellable, Engine, EngineNotReady, EngineSpec, ModelError, Unfinished, ran_out
from models.batches import Batches
from models.garbage import set_aside
from models.workplace import Factory, HostLimits, loaded

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


Pickled = bytes | tuple[bytes, Sequence[memoryview]]
"""With what is large beside it, in shared memory."""


class Replica(Generic[ItemT, ResultT]):
    """Items and results travel as bytes: what is read from them may be written to, and holds on to no shared memory."""

    def __init__(
        self,
        spec: EngineSpec,
        factory: Factory[ItemT, ResultT],
        limits: HostLimits,
        version: str,
        stuck_s: float = math.inf,
    ) -> None:
        """Loads the engine, so that a replica that joins later is warm. One that does not load says so when it is
        asked, and is tried again then: to fail here would have it started again and again."""
        self._spec = spec
        self._factory = factory
        self._limits = limits
        self._version = version
        self._stuck_s = stuck_s
        """For how long a batch may be computed before this process is given up."""
        self._begun: dict[int, float] = {}
        """By thread, when the batch that it computes was begun."""
        self._failures: Counter[str] = Counter()
        """By reason, since they were last told."""
        self._batches = Batches[ItemT, ResultT](spec.name, limits.max_batch, self._failures)
        self._engine: Engine[ItemT, ResultT] | None = None
        self._loading = Lock()
        self._threads = ThreadPoolExecutor(limits.workers, thread_name_prefix=spec.name)
        self._at_start: Exception | None = None
        """What kept the engine from loading at the start, until somebody is told."""
        try:
            self._loaded()
        except Exception as error:  # noqa: BLE001 - whatever an engine raises is for the server to judge
            self._at_start = error

    def version(self) -> str:
        """The digest of the engine and of how it is driven."""
        return self._version

    def check_health(self) -> None:
        """Serve asks every ten seconds, and replaces who raises: an engine that hangs would keep its thread forever."""
        took = time.monotonic() - min(self._begun.values(), default=math.inf)
        if took > self._stuck_s:
            raise RuntimeError(f"'{self._spec.name}' has computed one batch for {took:.0f} s.")

    async def load(self) -> bytes:
        """A pickled None, or what keeps the engine from loading."""
        return await self._in_thread(self._failure)

    async def run(self, items: Pickled) -> bytes:
        """Pickled: a result or exception an item, and what failed besides, by reason. Cancelled before a thread has
        taken it, it never runs; later, items are told that can end early."""
        left, begun = Event(), list[ItemT]()
        try:
            return await self._in_thread(self._results, items, left, begun)
        except asyncio.CancelledError:
            left.set()
            _call_off(begun)
            raise

    def __del__(self) -> None:
        """Serve calls it once what was under way has ended."""
        if self._engine is not None:
            self._engine.close()

    def _failure(self) -> bytes:
        failure, self._at_start = self._at_start, None
        try:
            if failure is None:
                self._loaded()
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
        return pickle.dumps(failure and portable(failure))

    def _results(self, sent: Pickled, left: Event, begun: list[ItemT]) -> bytes:
        pickled, beside = (sent, ()) if isinstance(sent, bytes) else sent
        items: Sequence[ItemT] = pickle.loads(pickled, buffers=map(bytearray, beside))  # noqa: S301 - the server wrote it
        begun += items
        if left.is_set():  # before they were in the list
            _call_off(items)
        self._begun[get_ident()] = time.monotonic()
        try:
            results = self._computed(items, left)
        except Exception as error:  # noqa: BLE001 - of the load
            results = [error] * len(items)
        finally:
            del self._begun[get_ident()]
        told = [portable(one) if isinstance(one, Exception) else one for one in results]
        failures, self._failures = dict(self._failures), self._failures
        self._failures.clear()
        return pickle.dumps((told, failures), pickle.HIGHEST_PROTOCOL)

    def _computed(self, items: Sequence[ItemT], left: Event) -> list[Any]:
        """A result or exception an item. What is unfinished goes on here, where its parts are, until all have left."""
        engine = self._loaded()
        rests, results = dict(enumerate(items)), dict[int, Any]()
        while rests:
            self._begun[get_ident()] = time.monotonic()
            places = list(rests)[: self._batches.most]  # there may be room for fewer together than were sent
            for place, one in zip(places, self._batches.run(engine, [rests[place] for place in places]), strict=True):
                if isinstance(one, Unfinished) and not left.is_set():
                    rests[place] = one.rest
                    continue
                gone = EngineNotReady(self._spec.capability, "Its caller has left.")
                results[place] = gone if isinstance(one, Unfinished) else one
                del rests[place]
        return [results[place] for place in range(len(items))]

    def _loaded(self) -> Engine[ItemT, ResultT]:
        with self._loading:
            if self._engine is None:
                self._engine = loaded(self._factory, self._limits, self._batches)
                set_aside()
            return self._engine

    async def _in_thread(self, call: Any, *args: Any) -> bytes:
        result: bytes = await asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
        return result


def _call_off(items: Sequence[Any]) -> None:
    for item in items:
        if isinstance(item, Cancellable):
            item.cancelled.set()


def portable(error: Exception) -> Exception:
    """The error itself where it can be pickled, else one that means the same. What a library raises may need
    arguments to be made again, or hold what cannot leave its process."""
    try:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - ours
    except Exception:  # noqa: BLE001 - whatever comes of foreign classes
        again = None
    if type(again) is type(error) and (not isinstance(error, ModelError) or str(again) == str(error)):
        return error
    text = f"{type(error).__name__}: {error}"
    return MemoryError(text) if ran_out(error) else RuntimeError(text)
