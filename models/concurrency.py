"""Helpers for the event loop: its threads, work that several callers share, deadlines, and limits on the number of
simultaneous items."""

import asyncio
import contextvars
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class SharedRun(Generic[Result]):
    """A run shared by all callers that join it: each gets its result, or its exception. A caller that joins after the
    end starts a new run.

    A caller that leaves does not stop the run, because other callers may wait for it. The run has its own context,
    without the fields that a request adds to the log. A SharedRun belongs to one event loop.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._work = work
        self._run: asyncio.Task[Result] | None = None

    def start(self) -> asyncio.Task[Result]:
        """Return the run that is under way, or start a new one."""
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._work(), context=contextvars.Context())
            self._run.add_done_callback(mark_retrieved)
        return self._run

    async def join(self) -> Result:
        return await outlast(self.start())

    async def stop(self) -> None:
        """Cancel the run, and with it the callers that wait for it."""
        if self._run is not None and not self._run.done():
            self._run.cancel()
            await asyncio.wait([self._run])


class WhileAwaited(Generic[Result]):
    """A piece of work shared by all callers that join it. Each gets its result or exception. The work continues when a
    caller leaves, and is cancelled when the last one does."""

    def __init__(self, work: Coroutine[Any, Any, Result]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(mark_retrieved)
        self._waiting = 0

    @property
    def can_be_joined(self) -> bool:
        """True unless the work is being cancelled, was cancelled, or has failed."""
        task = self._task
        return not (task.cancelling() or (task.done() and (task.cancelled() or task.exception() is not None)))

    def call_when_done(self, call: Callable[[], object]) -> None:
        """Call `call` when the work ends, even if it fails."""
        self._task.add_done_callback(lambda _: call())

    async def join(self) -> Result:
        self._waiting += 1
        try:
            return await outlast(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task.cancel()


async def outlast(work: asyncio.Future[Result] | Coroutine[Any, Any, Result]) -> Result:
    """Wait for `work`, which continues if the caller is cancelled. Its failure is nobody's then. (Since Python 3.14,
    `asyncio.shield` reports such a failure to the event loop.)"""
    task = asyncio.ensure_future(work)
    task.add_done_callback(mark_retrieved)
    await asyncio.wait([task])
    return task.result()


def mark_retrieved(ended: asyncio.Future[Any]) -> None:
    """Mark the failure of a finished task as retrieved, because its last caller may have left. Otherwise
    asyncio would log the failure, whose message may quote a caller's texts."""
    if not ended.cancelled():
        ended.exception()


def as_exception(error: BaseException) -> Exception:
    """Return what a thread hands on to its caller for `error`: an Exception unchanged, a RuntimeError for the rest.

    Libraries in Rust panic with a BaseException. `except Exception` and `except ExceptionGroup` let it pass, so that
    the input of one request could end what others share.
    """
    if isinstance(error, Exception):
        return error
    failure = RuntimeError(f"the work ended with a {type(error).__name__}")
    failure.__cause__ = error
    return failure


class Threads(ThreadPoolExecutor):
    """Python's own threads, except that callers get only Exceptions. Libraries in Rust panic with a BaseException,
    which would end the event loop."""

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> "Future[Result]":
        return super().submit(_call_with_exceptions, fn, *args, **kwargs)


def _call_with_exceptions(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    try:
        return work(*args, **kwargs)
    except Exception:
        raise
    except BaseException as error:
        raise as_exception(error) from error


async def call_off(*tasks: asyncio.Task[Any]) -> None:
    """Cancel `tasks`, and wait until all have ended. If one of them fails, the failure is ignored."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(mark_retrieved)
    if tasks:
        await asyncio.wait(tasks)


class TimeIsUp(Exception):
    """Raised at the end of the time that a Deadline sets. A TimeoutError may also come from the work."""


class Deadline:
    """A time that ends waits of one task, one at a time, such as the waits for the pieces of an answer.

    All waits share one timer, because a timer for each of thousands of pieces would cost more than the pieces. It runs
    until the end of the `with` block, or until it ends a wait.
    """

    def __init__(self, when: float) -> None:
        """Create a deadline at `when`, a time of the event loop's clock, or infinity."""
        self._when = when
        self._timer: asyncio.Handle | None = None
        self._rings_at = when
        """Time at which the timer ends a wait, unless the deadline has moved."""
        self._waiting: asyncio.Task[Any] | None = None
        self._has_ended_wait = False

    def __enter__(self) -> "Deadline":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_timer()

    def move(self, when: float) -> None:
        """Move the deadline to another time. A timer that runs earlier is left as it is, and set again at its end."""
        self._when = when
        if self._rings_at > when:
            self._stop_timer()

    async def wait_for(self, work: Awaitable[Result]) -> Result:
        """Return what `work` returns. Raises what it raises, and TimeIsUp at the deadline unless the work is done
        without a wait. The work is then cancelled, and has ended."""
        if self._timer is None and self._when != math.inf:
            self._start_timer()
        task = self._waiting = asyncio.current_task()
        assert task is not None
        cancelled_before = task.cancelling()
        try:
            return await work
        except asyncio.CancelledError:
            if self._has_ended_wait and task.cancelling() - 1 <= cancelled_before:
                raise TimeIsUp from None
            raise
        finally:
            self._waiting = None
            if self._has_ended_wait:
                self._has_ended_wait = False
                task.uncancel()

    def _end_wait(self) -> None:
        self._timer = None
        if self._when > self._rings_at:
            self._start_timer()
        elif self._waiting is not None:
            self._has_ended_wait = True
            self._waiting.cancel()

    def _start_timer(self) -> None:
        loop, self._rings_at = asyncio.get_running_loop(), self._when
        is_over = self._when <= loop.time()
        self._timer = loop.call_soon(self._end_wait) if is_over else loop.call_at(self._when, self._end_wait)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class EngineAdmission:
    """Admission of one request's items to an engine. If the engine is overloaded, the first item is refused, so that
    the client is told immediately. Later items wait for room, so that no finished work is wasted."""

    def __init__(self) -> None:
        self._first_is_in = False

    def waits(self) -> bool:
        """True if the next item waits for room instead of being refused."""
        waits, self._first_is_in = self._first_is_in, True
        return waits


async def both(one: Coroutine[Any, Any, ItemT], other: Coroutine[Any, Any, ResultT]) -> tuple[ItemT, ResultT]:
    """Run two coroutines side by side, and return both results. If one fails, the other is cancelled and the failure
    is raised."""
    first, second = asyncio.create_task(one), asyncio.create_task(other)
    try:
        one_result, other_result = await asyncio.gather(first, second)
        return one_result, other_result
    finally:
        await call_off(first, second)


async def side_by_side(
    work: Callable[[ItemT], Awaitable[ResultT]],
    items: Sequence[ItemT],
    *,
    at_most: int,
    done: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[ResultT]:
    """Return `work(item)` for each of `items`. The calls begin in the items' order, at most `at_most` at a time. `done`
    is called after each with the number of finished items and the number of all items.

    The first failure cancels the other calls and is raised by itself, not in a group. Cancelling this function cancels
    all calls.
    """
    results: dict[int, ResultT] = {}
    queue = iter(enumerate(items))

    async def work_through_the_queue() -> None:
        for index, item in queue:
            results[index] = await work(item)
            done(len(results), len(items))

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_most, len(items))):
                group.create_task(work_through_the_queue())
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
        # The group and the frame that raises it refer to each other, which would keep everything alive that the items
        # hold.
        failures.__traceback__ = None
    except BaseException:
        # The group's own frame and the cancellation refer to each other, too, and to this frame.
        results.clear()
        raise
    if failure is not None:
        try:
            raise failure
        finally:
            results.clear()
            del failure
    return [results[index] for index in range(len(items))]
