"""A response of server-sent events. Errors and the end of the stream are sent as events, too."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.errors import LAST_MESSAGE_S, ApiError, report_error, shutting_down
from app.http.disconnect import until_disconnect
from app.telemetry import Stages
from models.loop_turns import LoopTurns

_PIECE = 256 * 1024
"""At most this many bytes are passed to the server in one message, because the server copies the bytes that it cannot
send yet."""


class EventStreamResponse(Response):
    """Response whose status and headers are sent only once its first chunk is available.

    An error before the first chunk is raised, and keeps its HTTP status. A later error is sent in the stream. When the
    caller hangs up, the work ends.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: contextlib.AbstractAsyncContextManager[object],
        pieces: AsyncGenerator[bytes, None],
        stages: Stages,
        failure: Callable[[ApiError], Iterable[bytes]],
    ) -> None:
        """Create a response of `pieces`, which arrive while `feed` is open.

        `failure` encodes an error that occurs after the stream has begun, in pieces.
        """
        # The value `no` prevents nginx from buffering.
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._pieces = pieces
        self._stages = stages
        self._failure = failure

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await until_disconnect(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        async with self._feed, contextlib.aclosing(self._pieces) as pieces:
            first = await anext(pieces)
            self.headers["server-timing"] = self._stages.header
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            turns = LoopTurns.of_running_loop()
            await _send_piece(send, first)
            try:
                async for piece in pieces:
                    await turns.wait_for_bytes(len(piece))
                    await _send_piece(send, piece)
            except asyncio.CancelledError:
                # The server stops, or the caller has left, in which case nobody reads the message.
                await self._send_shutdown_error(send)
                raise
            except Exception as error:  # noqa: BLE001 - `report_error` logs bugs and faults
                public = report_error(error, "stream_failed")
                self._stages.failed, self._stages.rejected = public.status, public.rejected
                await self._send_error(send, public)
        # The end is sent after everything is closed. After it, `receive` reports a disconnect, which cancels this work.
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_shutdown_error(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_MESSAGE_S):
                await self._send_error(send, shutting_down())
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_error(self, send: Send, error: ApiError) -> None:
        for piece in self._failure(error):
            await _send_piece(send, piece)


async def _send_piece(send: Send, piece: bytes) -> None:
    for start in range(0, len(piece), _PIECE):
        await send({"type": "http.response.body", "body": piece[start : start + _PIECE], "more_body": True})
