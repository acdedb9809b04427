"""A response of server-sent events that keeps the status of an early error, and sends later errors as events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import LAST_MESSAGE_S, ApiError, report_error, shutting_down
from app.http.request import ClientGone, within
from app.monitoring.metrics import Stages
from models.concurrency import call_off

EventT = TypeVar("EventT")

PING_S = 5.0
"""The response begins with its first event, or after this many seconds with a ping, and further pings follow at this
interval."""
_PING = b": ping\n\n"
_AHEAD = 64
"""The work waits while the client has not taken this many events."""


class EventStream(Response, Generic[EventT]):
    """Response whose body is made of events.

    An error before the response has begun is raised, and keeps its HTTP status. A later error is sent in the stream.
    When the caller hangs up, the work is cancelled, and ClientGone is raised.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[EventT, None],
        encode: Callable[[EventT], Awaitable[bytes]],
        stages: Stages,
        failure: Callable[[ApiError], bytes],
        limit_s: float,
    ) -> None:
        """Create a response. `encode` returns the bytes of an event, which are empty if the client is not to see it.
        `failure` encodes an error that occurs after the response has begun, and its end. The work, and its waits for a
        slow client, end when the request has taken `limit_s` seconds."""
        # As in starlette's own streams, there is no `body` whose length could be told.
        self.status_code = 200
        self.background = None
        # Proxies that know the last header (nginx) send each event at once.
        self.init_headers({"cache-control": "no-cache", "x-accel-buffering": "no"})
        self._events = events
        self._encode = encode
        self._stages = stages
        self._failure = failure
        self._limit_s = limit_s
        self._waiting: list[bytes] = []
        """Encoded events that are not sent yet."""
        self._changed = asyncio.Event()
        """Set when there is something to send, and when the work has ended."""
        self._has_room = asyncio.Event()
        self._has_begun = self._has_ended = self._has_left = False

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        # The work has a task of its own, so that it goes on while the client takes what has been sent.
        work = asyncio.create_task(within(self._limit_s, self._work(), self._stages.seconds))
        work.add_done_callback(lambda _work: self._changed.set())
        others = asyncio.create_task(self._end_when_gone(receive, work)), asyncio.create_task(self._ping())
        try:
            while not self._has_left:
                await self._changed.wait()
                self._changed.clear()
                has_ended = work.done()
                await self._send_waiting(send, is_last=has_ended and not (work.cancelled() or work.exception()))
                if has_ended:
                    break
            if not self._has_left:
                work.result()
        except asyncio.CancelledError:
            if self._has_begun and not self._has_ended:  # the server stops
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_MESSAGE_S):
                        await self._fail(send, shutting_down())
            raise
        except Exception as error:
            if not self._has_begun or self._has_ended:
                raise
            public = report_error(error, "stream_failed")
            self._stages.failed, self._stages.rejected = public.status, public.rejected
            await self._fail(send, public)
        finally:
            await call_off(work, *others)
        if self._has_left:
            raise ClientGone

    async def _work(self) -> None:
        """Encode the events, and close their generator."""
        async with aclosing(self._events) as events:
            async for event in events:
                if encoded := await self._encode(event):
                    while len(self._waiting) >= _AHEAD:
                        self._has_room.clear()
                        await self._has_room.wait()
                    self._waiting.append(encoded)
                    self._changed.set()

    async def _send_waiting(self, send: Send, *, is_last: bool) -> None:
        """Send the events that wait. Those that have piled up are sent together, because sending costs more than an
        event."""
        body = b"".join(self._waiting)
        self._waiting.clear()
        self._has_room.set()
        if not (body or is_last):
            return
        if not self._has_begun:
            # Only now, because the work before the first event may have an error or further stages.
            self._has_begun = True
            self.headers["server-timing"] = self._stages.header
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._has_ended = is_last
        await send({"type": "http.response.body", "body": body, "more_body": not is_last})

    async def _fail(self, send: Send, error: ApiError) -> None:
        self._has_ended = True
        await send({"type": "http.response.body", "body": self._failure(error), "more_body": False})

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            self._waiting.append(_PING)
            self._changed.set()

    async def _end_when_gone(self, receive: Receive, work: "asyncio.Task[None]") -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._has_ended:
            self._has_left = True
            work.cancel()
            self._changed.set()
