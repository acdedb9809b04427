"""uvicorn's protocol of HTTP/1.1 with bounds on what a connection may hold before a request, or its key, is known.

A head is counted while it comes, and must be whole in time. One request may wait behind an answer that is not complete.
A reader that takes next to nothing is let go.
"""

import uuid
from asyncio import Transport
from asyncio.events import TimerHandle
from typing import Any

import httptools
import pydantic_core
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.errors import DEFAULT_HEADERS, ApiError, BadRequest, HeadTooLarge

LARGEST_HEAD = 64 * 1024
"""A request's URL and headers may have at most this many bytes together."""
MAX_HEADERS = 256
"""A request may have at most this many headers. In memory, each takes more than a hundred bytes, however short it
is."""
HEAD_S = 10.0
"""A head must be whole after this many seconds: from its first byte, or for the first one from the connection."""
READER_S, READER_BYTES = 60.0, 64 * 1024
"""A connection ends if its caller, of what is written already, takes neither the rest nor READER_BYTES in READER_S
seconds."""
LARGEST_REST = 1024 * 1024
"""At most this many further bytes are read and dropped after a refusal, since closing at once could destroy it."""
LEAST_PIECE = 256
"""Pieces of a body have at least this many bytes, since each takes microseconds and may be all blank lines. So the end
of a body may come with a dozen short requests behind it."""
_END = b"\r\n\r\n"
_FRAME = len(b": \r\n")

log = structlog.get_logger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """One connection, with bounds on the sizes and times of its heads, its queue and its unread answers."""

    flow: "_Flow"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed = b""
        """Bytes behind a request that waits for the answer to an earlier one."""
        self._since_progress = 0
        """Bytes since the last complete head, byte of a body, or end of a message: of a head or of trailers."""
        self._has_progress = False
        self._is_in_head = True
        self._is_in_body = False
        self._head_until: float | None = None
        self._is_refused = False
        self._dropped = 0
        self._running: RequestResponseCycle | None = None
        self._unread = 0
        self._reader_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._set_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._stop_reader_timer()
        self._unparsed = b""
        # The package tells only the newest request, not the one that it waits for.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def eof_received(self) -> None:
        self._watch_reader()  # the transport closes now

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._dropped += len(data)
            if self._dropped > LARGEST_REST:
                self.transport.abort()
            return
        data = self._unparsed + data
        start = 0
        # A piece has the end of at most one head, so that at most one request is queued, or those behind a body's end.
        while start < len(data) and not (self.pipeline or self._is_refused):
            found = data.find(_END, start + LEAST_PIECE if self._is_in_body else start)
            end = len(data) if found < 0 else found + len(_END)
            self._parse(data[start:end])
            start = end
        self._unparsed = b"" if self._is_refused else data[start:]
        if self.pipeline:
            # As long as little is kept, reading goes on, and notices if the caller hangs up.
            self.flow.is_held = len(self._unparsed) > LARGEST_HEAD
            (self.flow.pause_reading if self.flow.is_held else self.flow.resume_reading)()
        self._set_deadline()

    def _parse(self, piece: bytes) -> None:
        self._has_progress = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # the request is answered as if it asked for no other protocol, such as HTTP/2
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, HeadTooLarge) else BadRequest("Invalid HTTP request received."))
            return
        self._since_progress = 0 if self._has_progress else self._since_progress + len(piece)
        if self._since_progress > LARGEST_HEAD:
            self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        # The trailers of a chunked body come here too. As headers, they would be believed: no proxy removed them.
        if self._is_in_head:
            if len(self.headers) == MAX_HEADERS:
                raise HeadTooLarge(f"The request has more than {MAX_HEADERS} headers, which is the limit.")
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._is_in_body, self._has_progress = False, True, True
        if len(self.url) + sum(len(name) + len(value) + _FRAME for name, value in self.headers) > LARGEST_HEAD:
            raise _head_too_large()
        self.scope["state"]["peer"] = self.client
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._has_progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_body, self._has_progress = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.flow.is_held = False
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_reader()
        else:
            self.data_received(b"")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app if cycle.scope["http_version"] == "1.1" else _without_chunks(app, cycle))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_reader_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._watch_reader()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _set_deadline(self) -> None:
        """Set the time at which the connection is closed unless a head is whole, or a request begins. There is none
        while a request runs: it has a limit of its own."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        if self._is_answering or not self._is_in_head:
            self._head_until = None
        elif self._head_until is None:
            self._head_until = self.loop.time() + HEAD_S
        if not self._is_answering:
            until = self._head_until or self.loop.time() + self.timeout_keep_alive
            self.timeout_keep_alive_task = self.loop.call_at(until, self.timeout_keep_alive_handler)

    def _refuse(self, error: ApiError) -> None:
        """Answer a malformed request, and close the connection. While an earlier request runs, no answer can be sent in
        between."""
        self._is_refused = True
        if self._is_answering:
            self.transport.close()
            self._watch_reader()
            return
        request_id = f"req-{uuid.uuid4()}"
        log.info("request_refused", request_id=request_id, status=error.status, code=error.code)
        body = pydantic_core.to_json(error.body(request_id))
        headers = {
            "content-type": "application/json",
            "content-length": str(len(body)),
            "connection": "close",
            "x-request-id": request_id,
            **DEFAULT_HEADERS,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[error.status] + lines.encode() + b"\r\n" + body)
        self.transport.write_eof()
        self._is_in_head, self._head_until = True, None

    def _watch_reader(self) -> None:
        """End the connection unless the caller goes on taking what is written already."""
        self._stop_reader_timer()
        self._unread = self.transport.get_write_buffer_size()
        if self._unread:
            self._reader_timer = self.loop.call_later(READER_S, self._check_reader)

    def _check_reader(self) -> None:
        if self.transport.get_write_buffer_size() <= max(0, self._unread - READER_BYTES):
            self._watch_reader()
        else:
            log.info("reader_let_go", unread_bytes=self._unread)
            self.transport.abort()

    def _stop_reader_timer(self) -> None:
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None


class _Flow(FlowControl):
    """Flow control that reads nothing while a connection is held, even if the running request asks for more."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge(f"The request's URL and headers have more than {LARGEST_HEAD // 1024} kB, which is the limit.")


def _without_chunks(app: ASGIApp, cycle: RequestResponseCycle) -> Any:
    """Return `app` for a request of HTTP/1.0, which knows no chunks: an answer without a length ends with its
    connection."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_endless = False

        async def send_plain(message: Message) -> None:
            nonlocal is_endless
            if message["type"] == "http.response.start":
                is_endless = all(name.lower() != b"content-length" for name, _ in message.get("headers", ()))
                if is_endless:
                    cycle.chunked_encoding = cycle.keep_alive = False
            elif is_endless:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_plain)

    return answer
