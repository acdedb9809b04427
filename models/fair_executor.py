"""Threads for long computations on texts. The computations are done in slices, so that a small job of one key need not
wait for the end of another key's large job.

A job is a function, or a generator function that yields after every few milliseconds of work and returns its result.
After each slice, the key that has had the least time has its turn, and a job whose caller has left ends. If it is a
key's turn when its job arrives, the job waits only until the running job yields. A running job that does not yield in
time is overtaken: another thread does the work of other keys meanwhile, and Python's threads share the time.

All threads of the process share Python's lock with the event loop. Keys that compete can be made to rest after each
slice, so that one key's jobs leave time to the requests of others.
"""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, overload

from models.base import EngineNotReady, ShareUsedUp
from models.concurrency import as_exception
from models.loop_turns import LoopTurns
from models.scheduler import SHARE, FairQueue, Share, make_room, retry_after

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Slices = Generator[None, None, T]
"""Return type of a generator function whose work is done in slices."""

SLICE_S = 0.02
RESTING_SLICE_S = 0.005
"""Seconds of a slice whose key rests after it. The short steps of other keys' requests would wait for more than their
own length beside long slices, although these keys have half of the time."""
CHARGED_S = 0.02
"""A key that computes for this many seconds is charged for one turn, and for less time less. If each slice were charged
for one turn, keys with short steps would wait for as many long steps of others."""
OVERDUE_S = 2 * SLICE_S
"""A slice that takes more seconds than this is overdue, and its job can be overtaken. A slice may begin its last step
just before SLICE_S is over, and a step usually takes less than another SLICE_S."""
FREE_PART = 0.5
"""A key with rivals may compute for this part of the time without a rest, be it in one job or in many short ones."""
ITEMS_AT_ONCE = 500
MOST_OVERTAKEN = 3
"""At most this many jobs of an executor, each of a different key, are overtaken at a time."""


def all_of(slices: Slices[T]) -> T:
    """Do all slices without a pause and return the result. This suits work of few slices, or a thread for which no
    other work waits."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def in_slices(work: Callable[[Item], T], items: Iterable[Item], at_once: int = ITEMS_AT_ONCE) -> Slices[list[T]]:
    """Return the results of `work` for all items, with a slice for each `at_once` items. The default suits work of some
    microseconds an item."""
    results: list[T] = []
    for item in items:
        if len(results) % at_once == at_once - 1:
            yield
        results.append(work(item))
    return results


@dataclass(slots=True, eq=False)
class _SlicedWork:
    work: Callable[[], Any]
    share: Share
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    result: "Future[Any]" = field(default_factory=Future)
    steps: "Slices[Any] | None" = None
    spent_s: float = 0.0
    rests: bool = False
    """True if the key of the job rests after each slice."""
    since: float = 0.0
    """Time at which the running slice began, by `time.perf_counter`."""

    def advance(self, is_due: Callable[[float], bool]) -> bool:
        """Do one slice of work. The slice ends early once `is_due` returns True for its seconds so far, because then a
        job of another key has its turn. Return True if the work has ended."""
        started = self.since
        try:
            if self.steps is None:
                if self.result.cancelled():
                    return True
                value = self.work()
                if not isinstance(value, Generator):
                    self._settle(value)
                    return True
                self.steps = value
            while not self.result.cancelled():
                next(self.steps)
                spent = time.perf_counter() - started
                if spent > (RESTING_SLICE_S if self.rests else SLICE_S) or is_due(spent):
                    return False
            self.steps.close()
        except StopIteration as end:
            self._settle(end.value)
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self._settle(error=as_exception(error))
        finally:
            self.spent_s += time.perf_counter() - started
        return True

    def _settle(self, value: object = None, error: Exception | None = None) -> None:
        try:
            if error is None:
                self.result.set_result(value)
            else:
                self.result.set_exception(error)
        except InvalidStateError:
            pass  # the caller has left


class Rests:
    """Rests of keys, for executors whose threads share Python's lock.

    While keys compete for the event loop, a key rests after each slice, `factor` times as long as it took, if its jobs
    on all these executors have lately taken `after_s` seconds more than FREE_PART of the time.
    """

    def __init__(self, factor: float, after_s: float = 0.0) -> None:
        self._factor, self._after_s = factor, after_s
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        """Times until which keys rest, by `time.perf_counter`. Some of these times may be in the past."""
        self._free_again: dict[str, float] = {}
        """Times at which FREE_PART of the time will have made up for what the jobs of each key took. Some of these
        times may be in the past."""

    def add(self, key: str, slice_s: float) -> None:
        """Record a slice of `slice_s` seconds, which has just ended."""
        now = time.perf_counter()
        with self._lock:
            self._free_again = {other: at for other, at in self._free_again.items() if at > now}
            self._free_again[key] = self._free_again.get(key, now) + slice_s / FREE_PART
            if (self._free_again[key] - now) * FREE_PART > self._after_s:
                self._until = {other: until for other, until in self._until.items() if until > now}
                self._until[key] = now + self._factor * slice_s

    def until(self) -> Mapping[str, float]:
        """Return the times until which keys rest, by `time.perf_counter`."""
        with self._lock:
            return dict(self._until)


class FairExecutor:
    """Threads for one purpose, which keys use in turn.

    >>> executor = FairExecutor("evidence")
    >>> grounding = await executor.run(ground, answer, entries)
    """

    def __init__(self, name: str, *, threads: int = 1, most_waiting: int = 256, rests: Rests | None = None) -> None:
        """Create the executor. Without `rests`, no key rests."""
        self._name = name
        self._rests = rests
        self._most_threads = threads
        self._most_waiting = most_waiting
        self._threads: list[threading.Thread] = []
        self._queue: FairQueue[_SlicedWork] = FairQueue()
        self._changed = threading.Condition()
        """Lock for the queue and for the fields below."""
        self._running: set[_SlicedWork] = set()
        self._watching = 0
        """Number of threads that wait until a running slice is overdue or a key's rest is over."""
        self._closed = False
        self._done = 0
        self._spent_s = 0.0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @overload
    async def run(self, work: Callable[P, Slices[T]], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    @overload
    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...

    async def run(self, work: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Return the result of `work`. Cancelling the call withdraws work that has not begun, and ends work in slices
        when it yields next.

        Raises the exceptions of `work`; ShareUsedUp and EngineOverloaded if too much work waits; EngineNotReady after
        `close`.
        """
        job = _SlicedWork(lambda: work(*args, **kwargs), SHARE.get())
        job.rests = self._rests is not None and job.share.part < 1 and LoopTurns.of_running_loop().rivalry.is_on
        with self._changed:
            if self._closed:
                raise EngineNotReady(self._name, "The server is shutting down.")
            self._make_room(job.share)
            self._queue.push(job, job.share)
            if len(self._threads) < min(self._most_threads + MOST_OVERTAKEN, len(self._queue) + len(self._running)):
                self._threads.append(threading.Thread(target=self._serve, name=self._name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()
        try:
            return await asyncio.wrap_future(job.result)
        finally:
            if job.result.cancelled():
                with self._changed:
                    self._queue.keep(lambda one: one is not job or one.steps is not None)

    async def close(self) -> None:
        """End work in slices, wait for other running work, and drop work that has not begun."""
        with self._changed:
            self._closed = True
            for job in (*self._queue, *self._running):
                job.result.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _make_room(self, share: Share) -> None:
        seconds_each = self._spent_s / max(1, self._done) / self._most_threads
        displaced = make_room(
            self._queue, share, self._most_waiting, self._name, seconds_each, lambda job: job.steps is None
        )
        if displaced is not None:
            self._queue.keep(lambda job: job is not displaced)
            waiting = self._queue.waiting(displaced.share.key)
            displaced.result.set_exception(ShareUsedUp(self._name, waiting, retry_after(waiting, seconds_each)))

    def _serve(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Do one slice of work. Return False once the executor is closed and has no more work.

        The method returns after each slice, because the local variables of a loop would keep the last job, and thus
        megabytes, while the thread waits for the next one.
        """
        job = self._next()
        if job is None:
            return False
        spent_before = job.spent_s
        is_done = job.context.run(job.advance, lambda spent: self._is_due(job.share, spent))
        with self._changed:
            self._running.discard(job)
            slice_s = job.spent_s - spent_before
            self._queue.charge(job.share, slice_s / CHARGED_S)
            if self._rests and job.rests and not self._closed:
                self._rests.add(job.share.key, slice_s)
            if is_done:
                self._done += 1
                self._spent_s += job.spent_s
            else:
                self._queue.push(job, job.share)
        return True

    def _is_due(self, share: Share, spent_s: float) -> bool:
        """True if a job of another key goes before the running one of `share`, which has run for `spent_s` seconds."""
        with self._changed:
            return self._queue.is_ahead_of(share, spent_s / CHARGED_S)

    def _next(self) -> _SlicedWork | None:
        """Wait for a job that may run, and return it. Return None once the executor is closed and has no more work."""
        with self._changed:
            while (job := self._pop(now := time.perf_counter())) is None:
                if self._closed and not self._queue:
                    self._changed.notify_all()
                    return None
                self._wait(now)
            if self._queue and not self._watching:
                self._changed.notify()
            return job

    def _wait(self, now: float) -> None:
        """Wait until something changes or, if work waits, until another running slice is overdue or a rest is over."""
        times = [job.since + OVERDUE_S - now for job in self._running]
        times += [until - now for until in self._rests.until().values()] if self._rests else []
        timeout = min((time_left for time_left in times if time_left > 0), default=None) if self._queue else None
        self._watching += timeout is not None
        self._changed.wait(timeout)
        self._watching -= timeout is not None

    def _pop(self, now: float) -> _SlicedWork | None:
        """Return the next job that may run now, or None. Overdue jobs do not count as running, but no further job of
        their keys may run at the same time."""
        overdue = {job.share.key for job in self._running if job.since + OVERDUE_S <= now}
        if sum(job.since + OVERDUE_S > now for job in self._running) >= self._most_threads:
            return None
        resting = set()
        if self._rests and not self._closed:
            resting = {key for key, until in self._rests.until().items() if until > now}
        job = self._queue.pop(lambda share: share.key not in overdue and share.key not in resting, cost=0.0)
        if job is not None:
            job.since = now
            self._running.add(job)
        return job
