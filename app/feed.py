"""Runs the work of one request, passes its events on, and ends all work for a client when the client leaves.

For a client that streams, the work runs in a separate task, so that heartbeats can be sent while the work is silent.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from app.errors import Unavailable
from app.events import Progress
from models.concurrency import call_off
from tasks import base

EventT = TypeVar("EventT")
ReportT = TypeVar("ReportT")
T = TypeVar("T")

Encoder = Callable[[EventT], Iterable[bytes] | Awaitable[Iterable[bytes]]]
"""Function that encodes an event in pieces. It returns an awaitable if the work is done in a thread."""

BUFFERED = 256 * 1024
"""If this many bytes wait for a slow client, the work waits, too. A piece that is larger is accepted while no other
piece waits."""
_END_SHARE = 0.05
_LONGEST_END_S = 10.0
"""Judging, tracing and sending a truncated answer has _END_SHARE of a request's time, but at most _LONGEST_END_S
seconds."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """Time limit of one request."""

    seconds: float = math.inf
    answer_by: float = math.inf
    """Time at which an answer in progress is cut, on the event loop's clock."""

    @classmethod
    def of(cls, seconds: float, spent_s: float = 0.0) -> "TimeLimit":
        """Return the limit of a request that arrived `spent_s` seconds ago."""
        end_s = min(seconds * _END_SHARE, _LONGEST_END_S)
        return cls(seconds, asyncio.get_running_loop().time() + seconds - spent_s - end_s)


class Feed(Generic[EventT]):
    """Events of one request, within its time limit.

    A client that waits for the whole answer gets the plain events. A client that streams also gets a heartbeat.

    >>> async with Feed(pipeline.run(request), timeout_s=300).events() as events:
    ...     async for event in events:

    >>> async with Feed(pipeline.run(request), timeout_s=300) as feed:
    ...     async for piece in feed.encoded(encode, PING, first_ping_s=5, ping_s=10):
    """

    def __init__(self, events: AsyncGenerator[EventT, None], timeout_s: float, spent_s: float = 0.0) -> None:
        """Create a feed. `timeout_s` counts from the request's arrival, which was `spent_s` seconds ago."""
        self._events = events
        self._timeout_s = timeout_s
        self._spent_s = spent_s
        self._pieces = _Pieces()
        self._failure: Exception | None = None
        self._driver: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the work if it still runs, and wait until it has released everything."""
        if self._driver is None:
            await self._events.aclose()
        else:
            await call_off(self._driver)

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncGenerator[EventT, None]]:
        """Provide the events, produced in the caller's own task.

        The block raises what the work raises, and Unavailable if the time is over.
        """
        try:
            async with (
                asyncio.timeout(self._timeout_s - self._spent_s) as limit,
                contextlib.aclosing(self._events) as events,
            ):
                yield events
        except TimeoutError:
            if limit.expired():
                raise took_too_long(self._timeout_s) from None
            raise
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            # A part of the work was cancelled on its own. The listener must not mistake this for its own cancellation.
            raise RuntimeError("a part of the work was cancelled") from error

    async def encoded(
        self, encode: Encoder[EventT], ping: bytes, first_ping_s: float, ping_s: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes that `encode` makes of the events, and `ping` whenever nothing has been sent for a while.

        The work begins when the first piece is requested. It pauses while BUFFERED bytes wait for the listener, who
        gets all waiting bytes as one piece. A ping is sent if `first_ping_s` seconds pass before the first bytes, and
        whenever `ping_s` seconds pass after the last bytes. An event that is encoded to no bytes delays no ping.
        """
        self._driver = asyncio.create_task(self._drive(encode))
        loop = asyncio.get_running_loop()
        quiet_until = loop.time() + first_ping_s
        while True:
            try:
                async with asyncio.timeout_at(quiet_until):
                    piece = await self._pieces.taken()
            except TimeoutError:
                yield ping
                quiet_until = loop.time() + ping_s
                continue
            if piece is None:
                break
            yield piece
            del piece
            quiet_until = loop.time() + ping_s
        if self._failure is not None:
            raise self._failure

    async def _drive(self, encode: Encoder[EventT]) -> None:
        try:
            async with self.events() as events:
                async for event in events:
                    pieces = encode(event)
                    for piece in await pieces if isinstance(pieces, Awaitable) else pieces:
                        await self._pieces.put(piece)
        except Exception as error:  # noqa: BLE001 - raised to the listener, by `encoded`
            self._failure = error
        self._pieces.end()


class _Pieces:
    """Bytes that wait for the listener of a stream: at most BUFFERED, or one larger piece."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []
        self._size = 0
        self._is_over = False
        self._changed = asyncio.Event()

    async def put(self, piece: bytes) -> None:
        """Add a piece, once there is room for it."""
        while self._waiting and self._size + len(piece) > BUFFERED:
            await self._next_change()
        if piece:
            self._waiting.append(piece)
            self._size += len(piece)
            self._change()

    def end(self) -> None:
        self._is_over = True
        self._change()

    async def taken(self) -> bytes | None:
        """Wait for pieces, and return all that wait as one piece; None after the last."""
        while not self._waiting:
            if self._is_over:
                return None
            await self._next_change()
        pieces, self._waiting, self._size = self._waiting, [], 0
        self._change()
        return b"".join(pieces)

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()


def _is_cancelled() -> bool:
    """True if somebody cancelled the running task itself."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def took_too_long(seconds: float) -> Unavailable:
    """Return the failure of a request whose time is over."""
    return Unavailable(
        f"The request took longer than {seconds:g} s (OPENFAZE_REQUEST_TIMEOUT_S).", code="timeout", retry_after=1
    )


class Work(Generic[ReportT, T]):
    """Runs `start(report)` in its own task. The result is available once the reports have ended.

    >>> work = Work[Progress, Result[Any]](lambda report: task.run(TaskRequest(text, sources, as_progress(report))))
    >>> async with aclosing(work.reports()) as reports: ...
    >>> work.result
    """

    def __init__(self, start: Callable[[Callable[[ReportT], None]], Coroutine[Any, Any, T]]) -> None:
        self._start = start
        self._outcome: list[T] = []

    async def reports(self) -> AsyncGenerator[ReportT, None]:
        """Yield the reports of the work until it ends. Raises what the work raises.

        Closing the generator cancels the work.
        """
        queue: asyncio.Queue[ReportT | None] = asyncio.Queue()
        task = asyncio.create_task(self._start(queue.put_nowait))
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (report := await queue.get()) is not None:
                yield report
            self._outcome.append(await task)
        finally:
            await call_off(task)

    @property
    def result(self) -> T:
        return self._outcome[0]

    def take(self) -> T:
        """Return the result, and keep no reference to it."""
        return self._outcome.pop()


def as_progress(report: Callable[[Progress], None]) -> base.Progress:
    """Return a task's `progress` function that reports events."""
    return lambda stage, done, total: report(Progress(stage, done, total))
