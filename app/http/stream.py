"""A response of server-sent events that keeps the status of an early error, and sends later errors as events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus
from starlette.types import Message, Receive, Scope, Send

from app.errors import LAST_MESSAGE_S, ApiError, report_error, shutting_down, took_too_long
from app.http.request import ClientGone
from app.monitoring.metrics import Stages
from models.concurrency import call_off

PING_S = 5
"""The response begins with its first event, or after this many seconds with a ping, and further pings follow at this
interval."""

_AHEAD = 64
"""The work waits while the client has not taken this many events."""

# The package would end all streams as soon as the server is asked to stop. Here, they have until the end of its grace.
AppStatus.enable_automatic_graceful_drain = False


class EventStream(EventSourceResponse):
    """Response of events that are encoded already.

    An error before the response has begun is raised, and keeps its HTTP status. A later error is sent in the stream.
    When the caller hangs up, the events are closed, and ClientGone is raised.
    """

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        stages: Stages,
        failure: Callable[[ApiError], bytes],
        limit_s: float,
    ) -> None:
        """Create a response. `failure` encodes an error that occurs after the response has begun, and its end. The work
        waits for a slow client until the request has taken `limit_s` seconds."""
        super().__init__(
            _in_its_own_task(events, stages, limit_s),
            headers={"cache-control": "no-cache"},
            sep="\n",
            ping=PING_S,
            ping_message_factory=lambda: ServerSentEvent(comment="ping", sep="\n"),
            client_close_handler_callable=self._note_hang_up,
        )
        # Whether the connection lasts is up to the server, which closes those of HTTP/1.0.
        del self.headers["connection"]
        self._stages = stages
        self._failure = failure
        self._has_begun = self._has_ended = self._has_left = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_late(message: Message) -> None:
            if message["type"] == "http.response.start":
                return  # sent with the first event, whose work may have an error or further stages
            if not self._has_begun:
                self._has_begun = True
                self.headers["server-timing"] = self._stages.header
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            self._has_ended = not message.get("more_body", False)
            await send(message)

        try:
            await super().__call__(scope, receive, send_late)
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
        if self._has_left:
            raise ClientGone

    async def _fail(self, send: Send, error: ApiError) -> None:
        self._has_ended = True
        await send({"type": "http.response.body", "body": self._failure(error), "more_body": False})

    async def _note_hang_up(self, _: Message) -> None:
        self._has_left = not self._has_ended


async def _in_its_own_task(
    events: AsyncGenerator[bytes, None], stages: Stages, limit_s: float
) -> AsyncGenerator[bytes, None]:
    """Yield the events of a generator that runs in a task of its own, and close it. Raises what the events raise, and
    Unavailable if the client had not taken enough of them when the time was over.

    When the client leaves, the package cancels its tasks at each further await. The work must be able to clean up.
    """
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
    room = asyncio.Semaphore(_AHEAD)

    async def work() -> None:
        async with aclosing(events):
            async for event in events:
                try:
                    async with asyncio.timeout(limit_s - stages.seconds):
                        await room.acquire()
                except TimeoutError:
                    raise took_too_long(limit_s) from None
                waiting.put_nowait(event)

    task = asyncio.create_task(work())
    task.add_done_callback(lambda _: waiting.put_nowait(None))
    try:
        event = await waiting.get()
        while event is not None:
            # Sending costs more than an event, so those that have piled up are sent together.
            piled_up = [event]
            while not waiting.empty() and (event := waiting.get_nowait()) is not None:
                piled_up.append(event)
            for _ in piled_up:
                room.release()
            yield b"".join(piled_up)
            event = await waiting.get() if event is not None else None
        task.result()
    finally:
        with anyio.CancelScope(shield=True):
            await call_off(task)
