"""Hosts an engine: loads it when it is needed, and gives it a bounded queue and a dynamic batcher.

The event loop only moves references: `load`, `run` and `close` of the engine happen at the host's workplace, on its own
threads or on replicas. A caller withdraws an item by cancelling the coroutine that waits for the result. An item in the
queue is then removed. An item that is already running is finished, unless the workplace can end it, and its result is
discarded.

An engine may return an item of which only a part is computed. Its unfinished part goes to the front of its key's queue,
and takes turns with the items of other keys.
"""

import asyncio
import contextlib
import contextvars
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import structlog

from models import garbage
from models.base import (
    EngineFailed,
    EngineNotReady,
    EngineSpec,
    EngineUnavailable,
    ModelError,
    ShareUsedUp,
    Unfinished,
    ran_out,
)
from models.concurrency import SharedRun
from models.fair_executor import Rests
from models.measures import LOAD, MEMORY, RELOAD, WORKER, EngineCounters, Pace, reason_of
from models.native import library_missing_from
from models.residents import Residents
from models.scheduler import SHARE, FairQueue, Share, make_room, retry_after
from models.supply import WeightsMissing
from models.turns import Turns
from models.workplace import EngineFactory, HostLimits, ThreadWorkplace, Workplace, WorkplaceFactory

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

log = structlog.get_logger(__name__)

_CLOSING = "The server is shutting down."
CONTESTED_BATCH_S = 0.025
"""While keys compete, a batch should take at most this many seconds, because a running batch cannot be interrupted."""
_MAX_URGENT_BATCHES = 4
"""At most this many successive batches have only urgent items while other items wait. The batch after these also takes
the first of the other items."""


@dataclass(slots=True, eq=False)
class _QueuedItem(Generic[ItemT, ResultT]):
    item: ItemT
    share: Share
    queue: "FairQueue[_QueuedItem[ItemT, ResultT]]"
    patient: bool
    """True if the item cannot be displaced, because its caller was prepared to wait for a place in the queue, or
    because work on it has begun."""
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
        turns: Turns | None = None,
    ) -> None:
        """Create a host. `turns` are shared with the hosts of engines that compute on the same processors."""
        self.spec = spec
        self.limits = limits or HostLimits()
        self.counters = EngineCounters()
        self._factory = factory
        self._workplace: Workplace[ItemT, ResultT] = ThreadWorkplace(spec, factory, self.limits, self.counters.failures)
        self.loaded = False
        self._urgent: FairQueue[_QueuedItem[ItemT, ResultT]] = FairQueue()
        self._queue: FairQueue[_QueuedItem[ItemT, ResultT]] = FairQueue()
        self._work_arrived = asyncio.Event()
        self.take(turns or Turns())
        self._urgent_batches = 0
        self._running: Counter[str] = Counter()
        """Number of running items by key."""
        self.pace = Pace()
        self._running_batches: list[tuple[list[_QueuedItem[ItemT, ResultT]], asyncio.Event]] = []
        """Running batches, each with an event that is set once all its callers have left."""
        self._waiting_callers: dict[Share, deque[asyncio.Future[None]]] = {}
        """Futures of the callers that wait for a place in the queue, by their key's share."""
        self._lifecycle = asyncio.Lock()
        self._loading = SharedRun(self._load)
        self._workers: list[asyncio.Task[None]] = []
        self._leases = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self.broken: str | None = None
        """Cause of the last failure to load, and its remedy; None if there was none, or if a load has succeeded
        since."""
        self.missing: str | None = None
        """Remedy for weights that the last load did not find and could not fetch."""
        self._unloading: set[asyncio.Task[bool]] = set()
        self._stopping = False
        self._closed = False
        self._residents: Residents | None = None

    def take(self, turns: Turns, rests: Rests | None = None) -> None:
        """Take `turns` with all other engines that compute on the same processors. `rests` are those of the executors
        that share Python's lock with an engine that holds it. Must be called before the engine's first load."""
        self._turns = turns
        self._rests = rests if self.limits.holds_lock else None
        turns.join(lambda key: self._urgent.waiting(key) + self._queue.waiting(key))
        self._rest_group = turns.rest_group(self.limits.rest_group)
        self._in_rest_group = self._rest_group.join(
            lambda key: 0 if self._closed else self._urgent.waiting_now(key) + self._queue.waiting_now(key),
            self._work_arrived.set,
        )

    def reside(self, residents: Residents, device: str, size: int) -> None:
        """Let the engine share a card with other engines. `size` is the engine's declared use of the card's memory, in
        bytes."""
        residents.add(self, device, size)
        self._residents = residents

    def move(self, to: WorkplaceFactory) -> None:
        """Let the engine compute at another workplace. Must be called before the engine's first load."""
        assert not self.counters.loads
        self._workplace.release()
        self._workplace = to(self.spec, self._factory, self.limits, self.counters.failures)
        self.limits = replace(self.limits, workers=self._workplace.at_once)

    @property
    def healthy(self) -> bool:
        """True unless a worker has died, after which only a restart helps."""
        return not any(worker.done() for worker in self._workers) or self._stopping

    @property
    def in_use(self) -> bool:
        """True if a caller holds a lease."""
        return self._leases > 0

    @property
    def queued(self) -> int:
        return len(self._urgent) + len(self._queue)

    @property
    def running(self) -> int:
        """Number of items that are being computed."""
        return self._running.total()

    async def run(self, item: ItemT, *, wait: bool = False, urgent: bool = False) -> ResultT:
        """Return the engine's result for `item`.

        If the queue is full, the caller waits for a place if `wait` is true. Otherwise the call raises
        EngineOverloaded, or ShareUsedUp if the caller's key has used up its part of the queue. Keys are served in turn.
        An `urgent` item overtakes all others: the first urgent items wait only for the running batch. They share no
        batch with other items, except that the batch after _MAX_URGENT_BATCHES such batches also takes one other item.
        While keys compete, urgent items overtake only items of their own key. Raises EngineUnavailable if the engine
        does not load, and EngineFailed if it breaks on this item.
        """
        [result] = await self.run_many([item], wait=wait, urgent=urgent)
        return result

    async def run_many(self, items: Sequence[ItemT], *, wait: bool = False, urgent: bool = False) -> list[ResultT]:
        """Return the results for `items` in order. The first failure is raised, and the other items are withdrawn."""
        jobs: list[_QueuedItem[ItemT, ResultT]] = []
        async with self.lease():
            try:
                for item in items:  # no comprehension, because `finally` needs the jobs queued so far
                    jobs.append(await self._enqueue(item, wait=wait, urgent=urgent))  # noqa: PERF401
                if len(jobs) == 1:  # `gather` adds a future, which costs more than a place in the queue
                    return [await jobs[0].result]
                return await asyncio.gather(*(job.result for job in jobs))
            finally:
                self._withdraw(jobs)

    @contextlib.contextmanager
    def place(self) -> Iterator[Callable[[], None]]:
        """Reserve a place in the queue for an item that the caller has yet to make, so that the caller makes no item
        in vain. The place is reserved until the block ends, or until the caller calls the yielded function right
        before `run`. Raises EngineOverloaded or ShareUsedUp if there is no place."""
        share = SHARE.get()
        self._make_room(self._queue, share)
        give_up = self._queue.expect(share)
        try:
            yield give_up
        finally:
            give_up()
            self._wake_callers()

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[None]:
        """Keep the engine loaded while the block runs; load it first if necessary."""
        self._leases += 1
        self._cancel_idle_timer()
        try:
            await self.load()
            yield
        finally:
            self._leases -= 1
            if self._residents is not None and not self._leases:
                self._residents.mark_idle(self)
            self._start_idle_timer()

    async def load(self) -> None:
        """Load the engine unless it is loaded. Raises EngineUnavailable with the engine's own remedy.

        Callers share one load, which continues even if all of them leave, so that the next caller waits for less time.
        """
        if self._closed:
            raise EngineNotReady(self.spec.capability, _CLOSING)
        if self.loaded and not self._stopping:
            return
        await self._loading.join()

    async def unload(self) -> bool:
        """Free the engine's weights and return True. If the engine is not loaded, or a caller holds a lease, do nothing
        and return False."""
        async with self._lifecycle:
            if not self.loaded or self._leases:
                return False
            await self._drop_engine()
            garbage.collect_all()
            self.counters.unloads += 1
            log.info("engine_unloaded", engine=self.spec.name)
            return True

    async def close(self) -> None:
        """Refuse all waiting items with EngineNotReady, let running ones finish, and free the engine and the threads
        permanently.

        Garbage is not collected: the process ends soon, which frees all memory.
        """
        self._closed = True
        self._cancel_idle_timer()
        waiting: list[asyncio.Future[Any]] = [job.result for job in (*self._urgent, *self._queue)]
        waiting += [room for rooms in self._waiting_callers.values() for room in rooms]
        for future in waiting:
            if not future.done():
                future.set_exception(EngineNotReady(self.spec.capability, _CLOSING))
        async with self._lifecycle:
            if self.loaded:
                await self._drop_engine()
        await asyncio.gather(*self._unloading)
        self._workplace.release()

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
                if isinstance(error, WeightsMissing):
                    self.missing = error.remedy
                elif isinstance(error, EngineUnavailable) and not isinstance(error, EngineNotReady):
                    self.broken = error.remedy
                self.counters.failures[reason_of(error)] += 1
                raise
            except Exception as error:
                log.exception("engine_load_failed", engine=self.spec.name)
                self.counters.failures[MEMORY if ran_out(error) else LOAD] += 1
                if ran_out(error):
                    reason = f"'{self.spec.name}' did not find the memory that it needs."
                    raise EngineNotReady(self.spec.capability, reason) from error
                self.broken = load_failure(self.spec.name, error)
                raise EngineUnavailable(self.spec.capability, self.broken) from error
            self.loaded = True
            self.missing = self.broken = None
            self._stopping = False
            self.counters.failures[RELOAD] += self.counters.loads > 0
            self.counters.loads += 1
            self._workers = [asyncio.create_task(self._work()) for _ in range(self.limits.workers)]
            for worker in self._workers:
                worker.add_done_callback(self._worker_ended)
            log.info("engine_loaded", engine=self.spec.name, ms=round((time.perf_counter() - started) * 1000))

    async def _enqueue(self, item: ItemT, *, wait: bool, urgent: bool) -> _QueuedItem[ItemT, ResultT]:
        share = SHARE.get()
        queue = self._urgent if urgent else self._queue
        if not wait:
            self._make_room(queue, share)
        # Urgent items do not wait here, because they overtake the items in the queue.
        while wait and not urgent and queue.waiting(share.key) >= share.of(self.limits.max_queue):
            room = asyncio.get_running_loop().create_future()
            self._waiting_callers.setdefault(share, deque()).append(room)
            try:
                await room
            except asyncio.CancelledError:
                # If this caller has already been promised the place, the next waiting caller gets it.
                self._wake_callers()
                raise
        job = _QueuedItem[ItemT, ResultT](item, share, queue, wait, asyncio.get_running_loop().create_future())
        self._turns.record_request(share)
        queue.push(job, share)
        self._work_arrived.set()
        return job

    def _make_room(self, queue: FairQueue[_QueuedItem[ItemT, ResultT]], share: Share) -> None:
        """Make room for one more item of `share`. Raises EngineOverloaded or ShareUsedUp if that is impossible."""
        max_items, seconds_each = self.limits.max_queue, self._seconds_each
        displaced = make_room(queue, share, max_items, self.spec.name, seconds_each, lambda job: not job.patient)
        if displaced is not None:
            waiting_count = queue.waiting(displaced.share.key)
            queue.keep(lambda job: job is not displaced)
            self._rest_group.wake_all()
            if not displaced.result.done():  # a caller that was just cancelled has not withdrawn its item yet
                displaced.result.set_exception(
                    ShareUsedUp(self.spec.name, waiting_count, retry_after(waiting_count, seconds_each))
                )

    def _withdraw(self, jobs: list[_QueuedItem[ItemT, ResultT]]) -> None:
        """Remove from the queues those of `jobs` that have no result yet, because their caller has left."""
        if all(job.result.done() and not job.result.cancelled() for job in jobs):
            return
        for job in jobs:
            job.result.cancel()
        for queue in (self._urgent, self._queue):
            queue.keep(lambda job: not job.result.done())
        self._rest_group.wake_all()
        for batch, abandoned in self._running_batches:
            if all(job.result.done() for job in batch):
                abandoned.set()
        self._wake_callers()

    @property
    def _seconds_each(self) -> float:
        """Mean seconds per item so far, divided by the number of workers."""
        return self.counters.seconds.sum / max(1, self.counters.batch_items.sum) / self.limits.workers

    @property
    def _contested_batch(self) -> int:
        """Largest batch while keys compete: the number of items like the latest that take CONTESTED_BATCH_S, unless the
        engine's limits say otherwise."""
        if self.limits.contested_batch is not None:
            return self.limits.contested_batch
        return max(1, int(self.pace.items * CONTESTED_BATCH_S / max(self.pace.seconds, CONTESTED_BATCH_S)))

    async def _work(self) -> None:
        while not self._stopping:
            if self._next_share() is None:
                self._work_arrived.clear()
                await self._work_arrived.wait()
                continue
            limits = self.limits
            turn = self._turns.turn(
                self._next_share, width=1 / limits.workers, is_followed=limits.is_followed, long_s=limits.long_s
            )
            async with turn as batch:
                jobs = self._take_batch()
                self._wake_callers()
                batch.update(job.share for job in jobs)
                if jobs:
                    batch.unfinished |= await self._run(jobs)

    def _worker_ended(self, worker: "asyncio.Task[None]") -> None:
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.counters.failures[WORKER] += 1
            log.error("engine_worker_died", engine=self.spec.name, exc_info=error)

    async def _run(self, jobs: list[_QueuedItem[ItemT, ResultT]]) -> set[Share]:
        """Compute a batch, and return the shares that have an unfinished item in it."""
        started = time.perf_counter()
        keys = Counter(job.share.key for job in jobs)
        self._running += keys
        self._rest_group.began(self._in_rest_group, keys)
        batch = jobs, asyncio.Event()
        self._running_batches.append(batch)
        results = await self._compute([job.item for job in jobs], batch[1])
        self._running_batches.remove(batch)
        self._running -= keys
        # Idle workers are woken, because items may have waited until their key had fewer running items.
        self._work_arrived.set()
        seconds = time.perf_counter() - started
        self.counters.seconds.add(seconds)
        self.counters.batch_items.add(len(jobs))
        self.pace.add(seconds, len(jobs))
        rest_s = self.limits.rest * seconds if self._turns.is_contested else 0.0
        self._rest_group.ended(self._in_rest_group, keys, seconds, rest_s)
        if self._rests and self._turns.is_contested:
            for key in keys:
                self._rests.add(key, seconds)
        for job, result in zip(jobs, results, strict=True):
            self._settle(job, result)
        return {job.share for job, result in zip(jobs, results, strict=True) if isinstance(result, Unfinished)}

    async def _compute(self, items: list[ItemT], abandoned: asyncio.Event) -> list[ResultT | Exception | Unfinished]:
        """Return the results of `items`. Items that ran out of memory are computed again after another engine has been
        unloaded from the card."""
        results = list(await self._workplace.run(items, abandoned))
        while self._residents is not None and not abandoned.is_set():
            out_of_memory = [
                index for index, result in enumerate(results) if isinstance(result, Exception) and ran_out(result)
            ]
            if not out_of_memory or not await self._residents.unload_another(self):
                break
            retried = await self._workplace.run([items[index] for index in out_of_memory], abandoned)
            for index, result in zip(out_of_memory, retried, strict=True):
                results[index] = result
        return results

    def _settle(self, job: _QueuedItem[ItemT, ResultT], result: ResultT | Exception | Unfinished) -> None:
        if isinstance(result, Exception):
            self.counters.failures[reason_of(result)] += 1
        if job.result.done():  # no caller waits for it any longer
            return
        if isinstance(result, ModelError):
            job.result.set_exception(result)
        elif isinstance(result, Exception):
            log.error("engine_item_failed", engine=self.spec.name, exc_info=result)
            job.result.set_exception(EngineFailed(self.spec.name, result))
        elif isinstance(result, Unfinished):
            self._requeue(job, result.rest)
        else:
            job.result.set_result(result)

    def _requeue(self, job: _QueuedItem[ItemT, ResultT], rest: ItemT) -> None:
        if self._closed:
            job.result.set_exception(EngineNotReady(self.spec.capability, _CLOSING))
            return
        job.item, job.patient = rest, True  # the rest needs no place in the queue, and cannot be displaced
        job.queue.push(job, job.share, first=True)
        self._work_arrived.set()

    def _next_share(self) -> Share | None:
        """Share of the key whose item would run next."""
        askers = self._urgent.shares_in_order(self._may_run)
        if not askers or self._turns.is_contested:
            askers += self._queue.shares_in_order(self._may_run)
        return self._turns.next_of(askers)

    def _take_batch(self) -> list[_QueuedItem[ItemT, ResultT]]:
        """Take the next batch from the queues: urgent items if there are any, else others, from each key in turn. While
        keys compete, the batch is of the key whose turn it is, unless a full batch of several items takes less than
        CONTESTED_BATCH_S."""
        first, most = self._next_share(), self._workplace.most
        # A batch of a single item is of that key, too, because the queue's own order counts items and not their time.
        if first is not None and self._turns.is_contested and (most == 1 or self._contested_batch < most):
            queue = self._urgent if self._urgent.waiting(first.key) else self._queue
            return self._pop_items(queue, min(self._contested_batch, most), only=first)
        jobs: list[_QueuedItem[ItemT, ResultT]] = []
        self._urgent_batches = self._urgent_batches + 1 if self._urgent and self._queue else 0
        if self._urgent_batches > _MAX_URGENT_BATCHES:
            jobs += self._pop_items(self._queue, 1)
            self._urgent_batches = 0
        return jobs + self._pop_items(self._urgent or self._queue, most - len(jobs))

    def _pop_items(
        self, queue: FairQueue[_QueuedItem[ItemT, ResultT]], max_items: int, *, only: Share | None = None
    ) -> list[_QueuedItem[ItemT, ResultT]]:
        def may(share: Share) -> bool:
            return self._may_run(share) and (only is None or share.key == only.key)

        taken = (queue.pop(may) for _ in range(min(max_items, len(queue))))
        return [job for job in taken if job is not None]

    def _may_run(self, share: Share) -> bool:
        """True if a worker may take an item of `share`. An engine without batches may compute one item for a long time,
        so no key may occupy more than its share of the workers. Batches contain items of several keys and need no such
        limit. No item of a key that rests, or whose work another engine of the rest group does first, may run."""
        if not self._rest_group.may_begin(self._in_rest_group, share.key, is_contested=self._turns.is_contested):
            return False
        return self.limits.max_batch > 1 or self._running[share.key] < share.of(self.limits.workers)

    def _wake_callers(self) -> None:
        for share, rooms in list(self._waiting_callers.items()):
            free = share.of(self.limits.max_queue) - self._queue.waiting(share.key)
            while rooms and free > 0:
                room = rooms.popleft()
                if not room.done():
                    room.set_result(None)
                    free -= 1
            if not rooms:
                del self._waiting_callers[share]

    async def _drop_engine(self) -> None:
        """Stop the workers after their running batches (a batch may outlive its callers), and free the engine."""
        self._stopping = True
        self._work_arrived.set()
        await asyncio.gather(*self._workers)
        self.loaded = False
        await self._workplace.close()

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _start_idle_timer(self) -> None:
        if self.limits.idle_unload_s is None or self._leases or self._closed or not self.loaded:
            return
        loop = asyncio.get_running_loop()
        self._cancel_idle_timer()
        self._idle_timer = loop.call_later(self.limits.idle_unload_s, self._start_unload, context=contextvars.Context())

    def _start_unload(self) -> None:
        unloading = asyncio.create_task(self.unload())
        self._unloading.add(unloading)
        unloading.add_done_callback(self._unloading.discard)


def load_failure(engine: str, error: BaseException) -> str:
    """Return the message for callers if the load of `engine` raised `error`. The message repeats no detail of the error
    except the name of a missing system library."""
    reason = library_missing_from(error)
    return f"'{engine}' did not load. {reason}" if reason else f"'{engine}' did not load; `openfaze doctor` shows why."
