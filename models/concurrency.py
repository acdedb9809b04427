"""Work on the event loop: one piece for all who ask for it, and many pieces side by side, but never too many."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic, Self, TypeVar

Result = TypeVar("Result")

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class SharedRun(Generic[Result]):
    """A run whose result, or exception, all who join share, or the exception; who joins after the end starts a new run.

    Who leaves does not stop the run: others wait for it too. Nor is it of anyone's context, such as a request's
    fields for the log. Belongs to one event loop.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._work = work
        self._run: asyncio.Task[Result] | None = None

    def start(self) -> asyncio.Task[Result]:
        """The run that is under way, or a new one."""
        if self._run is None or self._run.done():
            self._run = asyncio.create_task(self._work(), context=contextvars.Context())
            self._run.add_done_callback(heard_of)
        return self._run

    async def join(self) -> Result:
        return await asyncio.shield(self.start())

    async def stop(self) -> None:
        """Cancels the run, and with it those who wait for it."""
        if self._run is not None and not self._run.done():
            self._run.cancel()
            await asyncio.wait([self._run])


class WhileAwaited(Generic[Result]):
    """A piece of work that those who join share, with its result or exception. Who leaves does not stop it; when the
    last has left, it is cancelled."""

    def __init__(self, work: Coroutine[Any, Any, Result]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(heard_of)
        self._waiting = 0

    @property
    def can_be_joined(self) -> bool:
        """Not where it is being cancelled, or has failed."""
        task = self._task
        return not (task.cancelling() or (task.done() and (task.cancelled() or task.exception() is not None)))

    def when_over(self, call: Callable[[], object]) -> None:
        """Calls it then, however it ends."""
        self._task.add_done_callback(lambda _: call())

    async def join(self) -> Result:
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._task.cancel()


def heard_of(ended: asyncio.Future[Any]) -> None:
    """A callback that takes note of a failure whose last listener may have left: asyncio would log it, with what it
    quotes of a caller's texts."""
    if not ended.cancelled():
        ended.exception()


class Deadline:
    """A moment by which what one task waits for, piece after piece, must have come: one timer for all of them, where
    `asyncio.timeout_at` would need one for each.

    >>> with Deadline(loop.time() + 5) as deadline:
    ...     piece = await deadline.next(pieces)
    """

    def __init__(self, when: float) -> None:
        """`when`: by the event loop's clock."""
        self._passed = False
        self._waiting: asyncio.Task[Any] | None = None
        self._timer = asyncio.get_running_loop().call_at(when, self._ring)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def passed(self) -> bool:
        return self._passed

    async def next(self, pieces: AsyncGenerator[Result, None]) -> Result:
        """The next of `pieces`. Raises StopAsyncIteration behind the last, and TimeoutError if the moment is first."""
        if self.passed():
            raise TimeoutError
        task = self._waiting = asyncio.current_task()
        assert task is not None
        others = task.cancelling()
        try:
            return await anext(pieces)
        except asyncio.CancelledError:
            if self.passed() and task.cancelling() == others + 1:
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None
            if self.passed():
                task.uncancel()

    def _ring(self) -> None:
        self._passed = True
        if self._waiting is not None:
            self._waiting.cancel()


class EngineAdmission:
    """To an engine, for the items of one request: the first is refused if the engine is overloaded, so that the client
    hears of it at once; the rest wait their turn, so that no work is thrown away."""

    def __init__(self) -> None:
        self._first_is_in = False

    def waits(self) -> bool:
        """Whether the next one waits."""
        waits, self._first_is_in = self._first_is_in, True
        return waits


async def side_by_side(
    work: Callable[[ItemT], Awaitable[ResultT]],
    items: Sequence[ItemT],
    *,
    at_most: int,
    done: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[ResultT]:
    """`work(item)` for each of `items`, begun in their order, `at_most` under way at a time. `done` is told after each
    how many are done, and how many there are.

    The first failure cancels the rest and is raised as it is, not in a group; cancelling this cancels all.
    """
    results: dict[int, ResultT] = {}
    queue = iter(enumerate(items))

    async def work_through_the_queue() -> None:
        for place, item in queue:
            results[place] = await work(item)
            done(len(results), len(items))

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_most, len(items))):
                group.create_task(work_through_the_queue())
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
        # The group and the frame that raises it refer to each other: together they would keep what the items hold.
        failures.__traceback__ = None
    if failure is not None:
        raise failure
    return [results[place] for place in range(len(items))]
