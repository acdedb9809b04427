"""A response of server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.chat import render
from app.errors import GOOD_BYE_S, shutting_down, told
from app.middleware import until_disconnect
from app.telemetry import Stages


class EventStream(Response):
    """Starts with the first piece: what fails before it is raised, and keeps its HTTP status; what fails after
    it is told in the stream. Hanging up ends the work."""

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: contextlib.AbstractAsyncContextManager[object],
        pieces: AsyncGenerator[bytes, None],
        stages: Stages,
        request_id: str,
    ) -> None:
        """`pieces` come while `feed` is open."""
        # `no` keeps nginx from holding pieces back.
        super().__init__(headers={"cache-control": "no-cache", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._pieces = pieces
        self._stages = stages
        self._request_id = request_id

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await until_disconnect(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        async with self._feed, contextlib.aclosing(self._pieces) as pieces:
            first = await anext(pieces)
            self.headers["server-timing"] = self._stages.header
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send_piece(send, first)
            try:
                async for piece in pieces:
                    await _send_piece(send, piece)
            except asyncio.CancelledError:
                # The server stops. To a caller who has left, this goes nowhere.
                await self._say_good_bye(send)
                raise
            except Exception as error:  # noqa: BLE001 - `told` logs what has to be
                await _send_piece(send, render.failure(told(error, "stream_failed"), self._request_id))
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _say_good_bye(self, send: Send) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOOD_BYE_S):
                await _send_piece(send, render.failure(shutting_down(), self._request_id))
                await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_piece(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})
