"""Drives one request's events in a task of its own, so that silence can be told from the end, and a client
that leaves takes all its work with it."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

from app.chat.events import Event
from app.errors import Unavailable

BUFFERED_EVENTS = 64
"""Events that wait for a slow client before the work waits too."""


class Feed:
    """The events of one request, within its time limit.

    >>> async with Feed(pipeline.run(request), timeout_s=300) as feed:
    ...     async for event in feed.events():
    """

    def __init__(self, events: AsyncGenerator[Event, None], timeout_s: float) -> None:
        self._events = events
        self._timeout_s = timeout_s
        self._buffer: asyncio.Queue[Event | None] = asyncio.Queue(BUFFERED_EVENTS)
        self._failure: Exception | None = None
        self._driver: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._driver = asyncio.create_task(self._drive())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the work, where it still runs, and waits until it has let go of everything."""
        assert self._driver is not None
        self._driver.cancel()
        await asyncio.wait([self._driver])

    async def events(self) -> AsyncIterator[Event]:
        """Every event; raises what the work raises, and Unavailable when the time is up."""
        async for event in self.events_and_pauses(None, None):
            if event is not None:
                yield event

    async def events_and_pauses(
        self, first_pause_s: float | None, pause_s: float | None
    ) -> AsyncIterator[Event | None]:
        """As `events`, with None after `first_pause_s` without the first event, and after each `pause_s` of
        silence from then on."""
        pause = first_pause_s
        while True:
            try:
                async with asyncio.timeout(pause):
                    event = await self._buffer.get()
            except TimeoutError:
                yield None
            else:
                if event is None:
                    if self._failure is not None:
                        raise self._failure
                    return
                yield event
            pause = pause_s

    async def _drive(self) -> None:
        try:
            async with asyncio.timeout(self._timeout_s), contextlib.aclosing(self._events) as events:
                async for event in events:
                    await self._buffer.put(event)
        except TimeoutError:
            self._failure = Unavailable(
                f"The request took longer than {self._timeout_s:g} s (OPENFAZE_REQUEST_TIMEOUT_S).",
                code="timeout",
                retry_after=1,
            )
        except Exception as error:  # noqa: BLE001 - raised to whoever listens, by `events`
            self._failure = error
        await self._buffer.put(None)
