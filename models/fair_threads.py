"""A default thread pool for the event loop, which API keys share fairly (round-robin).

`asyncio.to_thread` and `run_in_executor` hand work to these threads. Such work cannot be interrupted and continues
after its caller has left, so one key could occupy all threads.
"""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from models.base import available_cpus
from models.concurrency import as_exception
from models.scheduler import SHARE, FairQueue, Share

P = ParamSpec("P")
T = TypeVar("T")
THREADS = min(32, available_cpus() + 4)
"""Default number of threads, the same as asyncio's."""


@dataclass(slots=True, eq=False)
class _QueuedCall:
    work: Callable[[], Any]
    share: Share
    future: "Future[Any]"


class FairThreads(ThreadPoolExecutor):
    """A thread pool in which no single key can occupy every thread. Keys take turns to start their waiting calls.

    A call belongs to the key of the task that submits it. `threads` must be at least 2.

    >>> asyncio.get_running_loop().set_default_executor(FairThreads())
    """

    def __init__(self, threads: int = THREADS) -> None:
        super().__init__(threads, thread_name_prefix="work")
        self._thread_count = threads
        self._calls: FairQueue[_QueuedCall] = FairQueue()
        self._running: Counter[str] = Counter()
        """Number of running calls per key."""
        self._lock = threading.Lock()
        """Lock for the two fields above."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        call = _QueuedCall(lambda: fn(*args, **kwargs), SHARE.get(), Future())
        with self._lock:
            self._calls.push(call, call.share)
            self._start_waiting()
        return call.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads after the running calls. Calls that wait are cancelled."""
        with self._lock:
            while call := self._calls.pop():
                call.future.cancel()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _start_waiting(self) -> None:
        """Start as many of the waiting calls as may run now. Raises RuntimeError after a shutdown."""
        while self._running.total() < self._thread_count and (call := self._calls.pop(self._may_run)):
            self._running[call.share.key] += 1
            super().submit(self._run, call)

    def _may_run(self, share: Share) -> bool:
        return self._running[share.key] < self._thread_count - 1

    def _run(self, call: _QueuedCall) -> None:
        key, future, work = call.share.key, call.future, call.work
        del call
        try:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                    future.set_exception(as_exception(error))
        finally:
            del future, work  # the error's traceback refers to this frame
            with self._lock:
                self._running[key] -= 1
                self._running = +self._running  # keys without a running call are dropped
                self._start_waiting()
