"""Threads for computations on texts. A computation is a function, or a generator function that yields after every few
milliseconds of work and returns its result. Keys take turns for the threads, slice by slice."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, overload

from models.base import EngineNotReady, EngineOverloaded
from models.concurrency import as_exception
from models.fair_queue import KEY, FairQueue, QueueFull

P = ParamSpec("P")
T = TypeVar("T")
Item = TypeVar("Item")
Slices = Generator[None, None, T]
"""Return type of a generator function whose work is done in slices."""

SLICE_S = 0.02
ITEMS_AT_ONCE = 500
_MAX_WAITING = 1024
_RETRY_S = 5


def all_of(slices: Slices[T]) -> T:
    """Do all slices without a pause and return the result."""
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: T = end.value
            return result


def in_slices(work: Callable[[Item], T], items: Iterable[Item], at_once: int = ITEMS_AT_ONCE) -> Slices[list[T]]:
    """Return the results of `work` for all items, with a slice for each `at_once` items."""
    results: list[T] = []
    for item in items:
        if len(results) % at_once == at_once - 1:
            yield
        results.append(work(item))
    return results


@dataclass(slots=True, eq=False)
class _SlicedWork:
    work: Callable[[], Any]
    key: str
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    result: "Future[Any]" = field(default_factory=Future)
    steps: "Slices[Any] | None" = None

    def advance(self) -> bool:
        """Do one slice of work. Return True if the work has ended."""
        until = time.perf_counter() + SLICE_S
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
                if time.perf_counter() > until:
                    return False
            self.steps.close()
        except StopIteration as end:
            self._settle(end.value)
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            self._settle(error=as_exception(error))
        return True

    def _settle(self, value: object = None, error: Exception | None = None) -> None:
        try:
            if error is None:
                self.result.set_result(value)
            else:
                self.result.set_exception(error)
        except InvalidStateError:
            pass  # the caller has left


class FairExecutor:
    """Threads for one purpose, which keys use in turn.

    >>> executor = FairExecutor("evidence")
    >>> grounding = await executor.run(ground, answer, entries)
    """

    def __init__(self, name: str, *, threads: int = 1, most_waiting: int = _MAX_WAITING) -> None:
        self._name = name
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._queue: FairQueue[_SlicedWork] = FairQueue(most_waiting)
        self._changed = threading.Condition()
        """Lock for the queue and for the fields below."""
        self._running: set[_SlicedWork] = set()
        self._closed = False

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

        Raises the exceptions of `work`; EngineOverloaded if too much work waits; EngineNotReady after `close`.
        """
        job = _SlicedWork(lambda: work(*args, **kwargs), KEY.get())
        with self._changed:
            if self._closed:
                raise EngineNotReady(self._name, "The server is shutting down.")
            try:
                self._queue.put(job.key, job)
            except QueueFull as error:
                raise EngineOverloaded(self._name, error.waiting, _RETRY_S) from error
            if len(self._threads) < min(self._most_threads, len(self._queue) + len(self._running)):
                self._threads.append(threading.Thread(target=self._serve, name=self._name, daemon=True))
                self._threads[-1].start()
            self._changed.notify()
        try:
            return await asyncio.wrap_future(job.result)
        finally:
            if job.result.cancelled() and job.steps is None:
                with self._changed:
                    self._queue.remove(job.key, job)

    async def close(self) -> None:
        """End work in slices, wait for other running work, and drop work that has not begun."""
        with self._changed:
            self._closed = True
            for job in (*self._queue, *self._running):
                job.result.cancel()
            self._changed.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _serve(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Do one slice of work. Return False once the executor is closed and has no more work.

        The method returns after each slice, because the local variables of a loop would keep the last job, and thus
        megabytes, while the thread waits for the next one.
        """
        with self._changed:
            while (job := self._queue.pop()) is None:
                if self._closed:
                    return False
                self._changed.wait()
            self._running.add(job)
        is_done = job.context.run(job.advance)
        with self._changed:
            self._running.discard(job)
            if not is_done:
                self._queue.put(job.key, job)
        return True
