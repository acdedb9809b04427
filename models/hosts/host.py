"""Hosts an engine: loads it when it is needed, and gives it a bounded queue and a dynamic batcher.

The event loop only moves references: `load`, `run` and `close` of the engine happen at the host's workplace, on its own
threads or on replicas. A caller withdraws an item by cancelling the coroutine that waits for the result. An item in the
queue is then removed. An item that is already running is finished, unless the workplace can end it, and its result is
discarded.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog

from models.base import (
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    EngineSpec,
    EngineUnavailable,
    ModelError,
    ran_out,
)
from models.concurrency import SharedRun
from models.devices.native import library_missing_from
from models.hosts.faults import Faults, staying_error
from models.hosts.measures import LOAD, MEMORY, RELOAD, WORKER, EngineCounters, reason_of
from models.hosts.residents import Residents
from models.hosts.workplace import (
    EngineFactory,
    HostLimits,
    ThreadWorkplace,
    Workplace,
    WorkplaceFactory,
    collect_garbage,
)
from models.queues import KEY, FairQueue, QueueFull, Slots

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)

_CLOSING = "The server is shutting down."
_FAULT = "The server has to be started again."
_KEYS_QUEUED = 8
"""The queue of an engine has places for as many items as this many keys may have in it."""


@dataclass(slots=True, eq=False)
class _QueuedItem(Generic[ItemT, ResultT]):
    item: ItemT
    key: str
    result: "asyncio.Future[ResultT]"


class EngineHost(Generic[ItemT, ResultT]):
    """Serves one engine to the coroutines of one event loop.

    >>> host = EngineHost(spec, MyEngine, HostLimits(max_batch=8))
    >>> result = await host.run(item)
    """

    def __init__(
        self,
        spec: EngineSpec,
        factory: EngineFactory[ItemT, ResultT],
        limits: HostLimits | None = None,
    ) -> None:
        self.spec = spec
        self.limits = limits or HostLimits()
        self.counters = EngineCounters()
        self._factory = factory
        self._workplace: Workplace[ItemT, ResultT] = ThreadWorkplace(spec, factory, self.limits, self.counters.failures)
        self.loaded = False
        self._queue: FairQueue[_QueuedItem[ItemT, ResultT]] = FairQueue(
            _KEYS_QUEUED * self.limits.max_queue, self.limits.max_queue
        )
        self._work_arrived = asyncio.Event()
        self.running = 0
        """Number of items that are being computed."""
        self._running_batches: list[tuple[list[_QueuedItem[ItemT, ResultT]], asyncio.Event]] = []
        """Running batches, each with an event that is set once all its callers have left."""
        self._waiting_callers: list[asyncio.Future[None]] = []
        """Futures of the callers that wait for a place in the queue."""
        self._lifecycle = asyncio.Lock()
        self._loading = SharedRun(self._load)
        self._workers: list[asyncio.Task[None]] = []
        self._leases = 0
        self.broken: str | None = None
        """Cause of the last failure to load, and its remedy; None if there was none, or if a load has succeeded
        since."""
        self._stopping = False
        self._closed = False
        self._residents: Residents | None = None
        self._faults = Faults()
        self._deadline_s: float | None = None
        self._patience = 1.0
        self._is_stuck = False
        """True once a call of the engine has exceeded its deadline."""
        self.callers: Slots | None = None
        """Slots for which callers wait before they add items, such as one for each page that is being read. Those that
        wait count as queued."""

    def reside(self, residents: Residents, device: str, size: int) -> None:
        """Let the engine share a card with other engines. `size` is its part of the card's memory, in bytes."""
        residents.add(self, device, size)
        self._residents = residents

    def guard(self, faults: Faults, deadline_s: float | None, patience: float = 1.0) -> None:
        """Let the engine report its faults to `faults`. `deadline_s` is the number of seconds that a call of the engine
        may take; the first call, which may compile, may take `patience` times as long."""
        self._faults, self._deadline_s, self._patience = faults, deadline_s, patience

    def move(self, to: WorkplaceFactory) -> None:
        """Let the engine compute at another workplace. Must be called before the engine's first load."""
        assert not self.counters.loads
        self._workplace.release()
        self._workplace = to(self.spec, self._factory, self.limits, self.counters.failures)
        self.limits = replace(self.limits, workers=self._workplace.at_once)

    @property
    def healthy(self) -> bool:
        """True unless a worker has died, or a call does not end: only a restart helps then."""
        return not self._is_stuck and (not any(worker.done() for worker in self._workers) or self._stopping)

    @property
    def in_use(self) -> bool:
        """True if a caller holds a lease."""
        return self._leases > 0

    @property
    def queued(self) -> int:
        return len(self._queue) + (self.callers.waiting if self.callers else 0)

    async def run(self, item: ItemT, *, wait: bool = False) -> ResultT:
        """Return the engine's result for `item`.

        If the queue is full, the caller waits for a place if `wait` is true. Otherwise the call raises
        EngineOverloaded. Keys are served in turn. Raises EngineUnavailable if the engine does not load, and
        EngineFailed if it breaks on this item.
        """
        [result] = await self.run_many([item], wait=wait)
        return result

    async def run_many(self, items: Sequence[ItemT], *, wait: bool = False) -> list[ResultT]:
        """Return the results for `items` in order. The first failure is raised, and the other items are withdrawn."""
        jobs: list[_QueuedItem[ItemT, ResultT]] = []
        async with self.lease():
            try:
                for item in items:  # no comprehension, because `finally` needs the jobs queued so far
                    jobs.append(await self._enqueue(item, wait=wait))  # noqa: PERF401
                if len(jobs) == 1:  # `gather` adds a future, which costs more than a place in the queue
                    return [await jobs[0].result]
                return await asyncio.gather(*(job.result for job in jobs))
            finally:
                self._withdraw(jobs)

    def check_room(self) -> None:
        """Raise EngineOverloaded if the queue has no place for an item that the caller has yet to make."""
        waiting = self._queue.waiting(KEY.get())
        if waiting >= self.limits.max_queue:
            raise self._overloaded(waiting)

    def check_calls(self) -> None:
        """If a call of the engine has exceeded its deadline, report the fault, and end all that waits for the
        engine."""
        limit_s = (self._deadline_s or math.inf) * (1.0 if self.counters.seconds.count else self._patience)
        if self._is_stuck or self._workplace.longest_call_s <= limit_s:
            return
        self._is_stuck = True
        self._faults.report(self.spec.name, "run", f"The call did not end within {limit_s:g} s.")
        for jobs, _ in self._running_batches:
            for job in jobs:
                self._settle(job, EngineFailed(self.spec.name))
        self._refuse_waiting(_FAULT)

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[None]:
        """Keep the engine loaded while the block runs; load it first if necessary."""
        self._leases += 1
        try:
            await self.load()
            yield
        finally:
            self._leases -= 1
            if self._residents is not None and not self._leases:
                self._residents.mark_idle(self)

    async def load(self) -> None:
        """Load the engine unless it is loaded. Raises EngineUnavailable with the engine's own remedy.

        Callers share one load, which continues even if all of them leave, so that the next caller waits for less time.
        """
        if self._closed or self._is_stuck:
            raise EngineNotReady(self.spec.capability, _CLOSING if self._closed else _FAULT)
        if self.loaded and not self._stopping:
            return
        await self._loading.join()

    async def unload(self) -> bool:
        """Free the engine's weights and return True. If the engine is not loaded, or a caller holds a lease, do nothing
        and return False."""
        async with self._lifecycle:
            if not self.loaded or self._leases or self._is_stuck:
                return False
            await self._drop_engine()
            collect_garbage()
            log.info("engine_unloaded", engine=self.spec.name)
            return True

    async def close(self) -> None:
        """Refuse all waiting items with EngineNotReady, let running ones finish, and free the engine and the threads
        permanently. An engine whose call does not end is left as it is.

        Garbage is not collected: the process ends soon, which frees all memory.
        """
        self._closed = True
        self._refuse_waiting(_CLOSING)
        async with self._lifecycle:
            if self.loaded and not self._is_stuck:
                await self._drop_engine()
        self._workplace.release()

    def _refuse_waiting(self, reason: str) -> None:
        waiting: list[asyncio.Future[Any]] = [job.result for job in self._queue]
        waiting += self._waiting_callers
        for future in waiting:
            if not future.done():
                future.set_exception(EngineNotReady(self.spec.capability, reason))

    async def _load(self) -> None:
        async with self._lifecycle:
            if self._closed:
                raise EngineNotReady(self.spec.capability, _CLOSING)
            if self.loaded:
                return
            started = time.perf_counter()
            try:
                if self._residents is None:
                    await self._workplace.open()
                else:
                    await self._residents.load(self, self._workplace.open)
            except ModelError as error:
                if isinstance(error, EngineUnavailable) and not isinstance(error, EngineNotReady):
                    self.broken = error.remedy
                self.counters.failures[reason_of(error)] += 1
                raise
            except Exception as error:
                log.exception("engine_load_failed", engine=self.spec.name)
                self.counters.failures[MEMORY if ran_out(error) else LOAD] += 1
                if message := staying_error(error):
                    self._faults.report(self.spec.name, "load", message)
                if ran_out(error):
                    reason = f"'{self.spec.name}' did not find the memory that it needs."
                    raise EngineNotReady(self.spec.capability, reason) from error
                self.broken = load_failure(self.spec.name, error)
                raise EngineUnavailable(self.spec.capability, self.broken) from error
            self.loaded = True
            self.broken = None
            self._stopping = False
            self.counters.failures[RELOAD] += self.counters.loads > 0
            self.counters.loads += 1
            self._workers = [asyncio.create_task(self._work()) for _ in range(self.limits.workers)]
            for worker in self._workers:
                worker.add_done_callback(self._worker_ended)
            log.info("engine_loaded", engine=self.spec.name, ms=round((time.perf_counter() - started) * 1000))

    async def _enqueue(self, item: ItemT, *, wait: bool) -> _QueuedItem[ItemT, ResultT]:
        loop = asyncio.get_running_loop()
        job = _QueuedItem[ItemT, ResultT](item, KEY.get(), loop.create_future())
        while True:
            try:
                self._queue.put(job.key, job)
            except QueueFull as error:
                if not wait:
                    raise self._overloaded(error.waiting) from error
                self._waiting_callers.append(loop.create_future())
                await self._waiting_callers[-1]
            else:
                self._work_arrived.set()
                return job

    def _overloaded(self, waiting: int) -> EngineOverloaded:
        seconds_each = self.counters.seconds.sum / max(1, self.counters.batch_items.sum) / self.limits.workers
        return EngineOverloaded(self.spec.name, waiting, max(1, math.ceil(waiting * seconds_each)))

    def _withdraw(self, jobs: list[_QueuedItem[ItemT, ResultT]]) -> None:
        """Remove from the queue those of `jobs` that have no result yet, because their caller has left."""
        if all(job.result.done() and not job.result.cancelled() for job in jobs):
            return
        for job in jobs:
            job.result.cancel()
            self._queue.remove(job.key, job)
        for batch, abandoned in self._running_batches:
            if all(job.result.done() for job in batch):
                abandoned.set()
        self._wake_callers()

    async def _work(self) -> None:
        while not self._stopping:
            if jobs := self._take_batch():
                await self._run(jobs)
            else:
                self._work_arrived.clear()
                await self._work_arrived.wait()

    def _take_batch(self) -> list[_QueuedItem[ItemT, ResultT]]:
        """Take the next batch from the queue, from each key in turn."""
        jobs: list[_QueuedItem[ItemT, ResultT]] = []
        while len(jobs) < self._workplace.most and (job := self._queue.pop()):
            jobs.append(job)
        self._wake_callers()
        return jobs

    def _worker_ended(self, worker: "asyncio.Task[None]") -> None:
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.counters.failures[WORKER] += 1
            log.error("engine_worker_died", engine=self.spec.name, exc_info=error)

    async def _run(self, jobs: list[_QueuedItem[ItemT, ResultT]]) -> None:
        started = time.perf_counter()
        self.running += len(jobs)
        batch = jobs, asyncio.Event()
        self._running_batches.append(batch)
        results: Sequence[ResultT | Exception] = await self._workplace.run([job.item for job in jobs], batch[1])
        self._running_batches.remove(batch)
        self.running -= len(jobs)
        self.counters.seconds.add(time.perf_counter() - started)
        self.counters.batch_items.add(len(jobs))
        if message := next(filter(None, map(_staying_error_of, results)), None):
            # After another engine's fault, these items are not at fault, and may be sent again.
            is_another = self._faults.engine not in (None, self.spec.name)
            self._faults.report(self.spec.name, "run", message)
            if is_another:
                results = [EngineNotReady(self.spec.capability, _FAULT)] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            self._settle(job, result)

    def _settle(self, job: _QueuedItem[ItemT, ResultT], result: ResultT | Exception) -> None:
        if isinstance(result, Exception):
            self.counters.failures[reason_of(result)] += 1
        if job.result.done():  # no caller waits for it any longer
            return
        if isinstance(result, ModelError):
            job.result.set_exception(result)
        elif isinstance(result, Exception):
            log.error("engine_item_failed", engine=self.spec.name, exc_info=result)
            job.result.set_exception(EngineFailed(self.spec.name, result))
        else:
            job.result.set_result(result)

    def _wake_callers(self) -> None:
        """Let the callers that wait for a place try again."""
        waiting, self._waiting_callers = self._waiting_callers, []
        for room in waiting:
            if not room.done():
                room.set_result(None)

    async def _drop_engine(self) -> None:
        """Stop the workers after their running batches (a batch may outlive its callers), and free the engine."""
        self._stopping = True
        self._work_arrived.set()
        await asyncio.gather(*self._workers)
        self.loaded = False
        await self._workplace.close()


def _staying_error_of(result: object) -> str | None:
    return staying_error(result) if isinstance(result, Exception) else None


def load_failure(engine: str, error: BaseException) -> str:
    """Return the message for callers if the load of `engine` raised `error`. The message repeats no detail of the error
    except the name of a missing system library."""
    reason = library_missing_from(error)
    return f"'{engine}' did not load. {reason}" if reason else f"'{engine}' did not load; `openfaze doctor` shows why."
