"""Limits the number of connections, and ends connections that are slow or idle.

uvicorn limits neither the size nor the duration of heads, bodies and answers. `bounded_protocol` adds limits to its
protocol: on the number of connections (in all, and per address), on the size and duration of a request's head, on slow
bodies and slowly received answers, and on idle time. To make room for a new connection, the oldest connection that
waits for a head or for the next request is closed. Connections that are being served stay open.
"""

import asyncio
import functools
import logging
import math
import sys
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import uuid4

import pydantic_core
import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.access.keys import EVERYONE, Caller
from app.errors import DEFAULT_HEADERS, ApiError, BadRequest
from app.hang_ups import HangUps
from app.http.disconnect import HANG_UP
from models.loop_turns import LoopTurns
from models.scheduler import Share

TICK_S = 1.0
"""Time between two checks of all connections, in seconds. Deadlines are kept with this precision."""
WINDOW_S = 10.0
"""Period over which a rate is measured, in seconds."""
LINGER_S = 30.0
"""If a request is answered before its whole body has arrived, for example because the body is too large, the client may
continue to send the body for this many seconds.

A client that is cut off while sending may never see its response.
"""
_LEAST_LINGERING_BYTES = 64 * 1024
"""A client must send at least this many bytes of an unread body between two checks. A slower client is dropped, because
other clients need its connection."""
_CLOSING_S = 2.0
"""After an error that ends the connection, a client has this many seconds to close its side. After any other answer,
the rate of an unread body is not checked for this many seconds."""
_REPORT_S = 60.0
"""Time between two log lines about refused connections, in seconds."""
_FED_AT_ONCE = 1024
"""A chunked body is parsed in pieces of this many bytes, and its framing is checked after each.

In a larger piece, the content could hide a long chunk extension.
"""
_HEAD_FED_AT_ONCE = 512
"""A head is parsed in pieces of this many bytes, and checked after each. A larger piece may contain many whole
requests."""
_FRAMING = 8
"""A chunked body may have this many bytes of framing per byte of content, and ConnectionLimits.head_bytes more in all.
Chunks of one byte need 5."""
_MAX_HEADERS = 128
"""A request has at most this many header lines. Clients and proxies send about 30. Parsing 12,000 short lines would
take 10 ms."""
_MAX_URL = 8192
"""The URL in a request's first line has at most this many bytes. Splitting 64 kB of query parameters would take 30
ms."""
_CHUNKS_OF_A_TURN = 64
"""One turn of the event loop ends once this many chunks of a body are parsed, after about 0.2 ms. Chunks are counted
instead of bytes, because parsing a small chunk costs more than its content."""
_HEAD_COST = 64
"""Cost of a request's head, in chunks. Each of its headers costs a further chunk."""
_CLIENT_LEFT = "The client closed its side of the connection before it had its answer; it has to keep both sides open."
_DESCRIPTORS = 65536
_PIPELINED = 32
"""At most this many requests of one connection wait for an earlier request."""

Reason = Literal[
    "connections",
    "connections_of_address",
    "pipelined",
    "head_too_large",
    "head_too_slow",
    "body_too_slow",
    "body_unread",
    "answer_too_slow",
    "invalid_http",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Reasons for which a connection is ended or refused."""

log = structlog.get_logger(__name__)


def _is_shutdown_cancellation(record: logging.LogRecord) -> bool:
    """True if the record is about a request that was cancelled because the server is stopping."""
    return record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)


_protocol_log = logging.getLogger("uvicorn.error.protocol")
"""Logger of uvicorn's protocol. Only errors are logged, because the protocol logs a warning for each request that is
not HTTP and for each unsupported upgrade, with which anybody could fill the log."""
_protocol_log.addFilter(lambda record: record.levelno >= logging.ERROR and not _is_shutdown_cancellation(record))


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    connections: int = 1000
    """Largest number of connections (OPENFAZE_MAX_CONNECTIONS)."""
    per_address: int = 500
    """Largest number of connections per address (OPENFAZE_MAX_CONNECTIONS_PER_ADDRESS)."""
    head_bytes: int = 64 * 1024
    """Largest size of a request's first line and headers, in bytes."""
    head_s: float = 10.0
    """Longest time for a whole head, in seconds."""
    idle_s: float = 75.0
    """Longest time between two requests, in seconds (OPENFAZE_KEEP_ALIVE_S)."""
    body_s: float = 300.0
    """Longest time for a whole body, in seconds (OPENFAZE_REQUEST_TIMEOUT_S)."""
    least_rate: float = 4096.0
    """A client must send its body and receive its answer at least at this rate, in bytes per second over ten
    seconds."""


class HeadTooLarge(ApiError):
    status = 431
    type = "invalid_request_error"
    code = "head_too_large"


class TooSlow(ApiError):
    status = 408
    type = "invalid_request_error"
    code = "request_too_slow"


class UnknownCoding(ApiError):
    status = 501
    type = "invalid_request_error"
    code = "unknown_transfer_encoding"


class Connections:
    """All connections of a server in one event loop. A timer checks them at regular intervals."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.refused: Counter[str] = Counter()
        """Number of refusals by reason since the last log line about refusals."""
        self.ever_refused: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self._all: dict[BoundedProtocol, None] = {}
        self._by_address: Counter[str] = Counter()
        self._hang_ups: HangUps | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._report: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._all)

    def admit(self, connection: "BoundedProtocol") -> Reason | None:
        """Add a connection. Return the reason to refuse it if there is no room and no waiting connection can be closed
        to make room, and otherwise None."""
        self._all[connection] = None
        self._by_address[connection.address] += 1
        refusal: Reason | None = None
        if self._by_address[connection.address] > self.limits.per_address:
            refusal = self._make_room("connections_of_address", lambda other: other.address == connection.address)
        elif len(self._all) > self.limits.connections:
            refusal = self._make_room("connections", lambda _: True)
        if self._clock is None:
            self._clock = connection.loop.call_later(TICK_S, self._tick, connection.loop)
        if self._hang_ups is None:
            self._hang_ups = HangUps(connection.loop)
        self._hang_ups.watch(connection.descriptor, connection.note_hang_up)
        return refusal

    def leave(self, connection: "BoundedProtocol") -> None:
        if self._all.pop(connection, connection) is None:
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]
            if self._hang_ups is not None:
                self._hang_ups.forget(connection.descriptor)
        if not self._all and self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if not self._all and self._hang_ups is not None:
            self._hang_ups.close()
            self._hang_ups = None

    def note(self, reason: Reason, loop: asyncio.AbstractEventLoop) -> None:
        """Count a refusal. The log reports refusals together, at most once a minute, because a flood of requests would
        otherwise flood the log."""
        self.refused[reason] += 1
        self.ever_refused[reason] += 1
        if self._report is None:
            self._report = loop.call_later(_REPORT_S, self.report)

    def report(self) -> None:
        if self._report is not None:
            self._report.cancel()
            self._report = None
        if self.refused:
            log.warning("connections_refused", **self.refused)
            self.refused.clear()

    def look(self, now: float) -> None:
        """End the connections that are too slow at the time `now`, in seconds of the loop's clock."""
        for connection in list(self._all):
            connection.look(now)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._clock = loop.call_later(TICK_S, self._tick, loop) if self._all else None
        self.look(loop.time())

    def _make_room(self, reason: Reason, may_drop: Callable[["BoundedProtocol"], bool]) -> Reason | None:
        """Drop the oldest waiting connection for `reason`. Return `reason` if there is none."""
        newest = next(reversed(self._all))
        for connection in self._all:
            if connection is not newest and connection.waits and may_drop(connection):
                connection.drop(reason)
                return None
        return reason


class _Flow:
    """Counts the bytes that move in one direction, and their rate over a window of time."""

    def __init__(self, now: float) -> None:
        self.moved = 0
        self._since = now
        self._moved_before = 0

    def restart(self, now: float) -> None:
        self._since, self._moved_before = now, self.moved

    def is_slow(self, now: float, least_rate: float) -> bool:
        if now - self._since < WINDOW_S:
            return False
        slow = self.moved - self._moved_before < least_rate * (now - self._since)
        self.restart(now)
        return slow


class _TurnedFlow(FlowControl):
    """uvicorn's flow control, except that reading is not resumed while received bytes still wait to be parsed.
    Otherwise, received bytes would pile up, because the application consumes parsed bytes faster than the turns of the
    event loop parse new ones."""

    def __init__(self, transport: asyncio.Transport, waits_for_turn: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._waits_for_turn = waits_for_turn

    def resume_reading(self) -> None:
        if self._waits_for_turn():
            self.read_paused = False
        else:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the bounds of ConnectionLimits."""

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _protocol_log
        self._connections = connections
        self._limits = connections.limits
        self.timeout_keep_alive = math.ceil(self._limits.idle_s)
        self.address = ""
        self.descriptor = -1
        """File descriptor of the socket."""
        self._has_hung_up = False
        """True once the client has closed its side, although bytes that it sent before may still be unread."""
        now = self.loop.time()
        self._in_head = self._in_body = self._is_ending = False
        self._since = now
        """Time at which the current wait began: for the head, the body or the next request."""
        self._head = 0
        """Number of bytes of the head received so far."""
        self._inbound, self._outbound = _Flow(now), _Flow(now)
        self._seen = 0
        """Number of bytes that had been received at the last check of a body that the server does not read."""
        self._framing = 0
        """Number of framing bytes of the body beyond the number that its content permits."""
        self._unparsed: deque[memoryview] = deque()
        """Pieces that have been received and wait for a turn of the event loop, in order."""
        self._chunks = 0
        """Number of chunks that were parsed in the current turn. A chunk that comes in several pieces counts as
        several. The head of a request counts, too (_HEAD_COST)."""
        self._is_chunked = False
        """True if the body is sent in chunks."""
        self._head_error: ApiError | None = None
        """Problem of the head, if any."""
        self._answered: RequestResponseCycle | None = None
        """Request that is being answered. uvicorn's `cycle` is the newest request, which may wait for this one."""
        self._unsent = 0
        """Number of bytes of answers that the client had not received at the last check."""

    @property
    def waits(self) -> bool:
        """True if the connection waits for the head of a request, for the client to close, or for an unread body."""
        if self._is_ending or self._waits_for_turn():
            return self._is_ending
        return not self._in_body if self.cycle is None else self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _TurnedFlow(transport, self._waits_for_turn)
        self.address = self.client[0] if self.client else ""
        self.descriptor = transport.get_extra_info("socket").fileno()
        if refusal := self._connections.admit(self):
            self.drop(refusal)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        self._note_disconnect()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _note_disconnect(self) -> None:
        """Inform the application that the client has left, so that it sends nothing more to a closed connection.

        uvicorn informs the application only about the newest request.
        """
        self.pipeline.clear()
        for cycle in (self._answered, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.waiting_for_100_continue = False
                cycle.message_event.set()
                hang_up: asyncio.Future[None] = cycle.scope["state"][HANG_UP]
                if not hang_up.done():
                    hang_up.set_result(None)

    def note_hang_up(self) -> None:
        """Treat a client that closes its sending side as gone, because the two cannot be distinguished. Send an error
        in case the client still listens. Requests of this client that are still unread are not served."""
        self._has_hung_up = True
        if not self.waits:
            self._end_with(BadRequest(_CLIENT_LEFT, code="client_left"))

    def eof_received(self) -> None:
        self.note_hang_up()

    def data_received(self, data: bytes) -> None:
        if self._has_hung_up:
            if not (self._is_ending or self._in_body):
                self._end_with(BadRequest(_CLIENT_LEFT, code="client_left"))
            return
        self._inbound.moved += len(data)
        if not self._waits_for_turn():
            self._wait_for_turn(Share(f"address {self.address}"))
        self._unparsed.append(memoryview(data))

    def _wait_for_turn(self, share: Share, *, rests: bool = False) -> None:
        self.transport.pause_reading()
        turns = LoopTurns.of_running_loop()
        turns.call(self._parse, share, rests=rests, is_given_up=self.transport.is_closing)

    def _wait_for_more(self) -> None:
        """Wait for a turn to parse the rest of what has been received. Its share is that of the key that the head has,
        or else of the address, and separate from that of first heads. Other connections from the same address, perhaps
        a proxy's, therefore get a turn for their first head before it, and do not wait for the bodies of other keys."""
        if self.transport.is_closing():
            return
        caller: Caller | None = None if self.cycle is None else self.cycle.scope["state"].get("caller")
        tenant = EVERYONE if caller is None else caller.tenant
        sender = f"address {self.address}" if tenant == EVERYONE else f"key {tenant}"
        self._wait_for_turn(Share(f"more of {sender}"), rests=True)

    def _parse(self) -> None:
        """Parse what has been received. After many chunks or a head, the rest waits for another turn of the event
        loop."""
        self._chunks = 0
        while self._unparsed and not (self._is_ending or self.transport.is_closing()):
            if self._chunks >= _CHUNKS_OF_A_TURN:
                self.transport.pause_reading()
                # The application, whose task was created with the head, looks up the key first.
                self.loop.call_soon(self._wait_for_more)
                return
            received = self._unparsed.popleft()
            piece = received[: self._piece_size]
            if len(piece) < len(received):
                self._unparsed.appendleft(received[len(piece) :])
            if self._in_body:
                self._framing += len(piece)
            else:
                self._head += len(piece)
            super().data_received(bytes(piece))
            if max(self._head, self._framing) > self._limits.head_bytes:
                self._refuse(HeadTooLarge(self._too_large), "head_too_large")
            elif len(self.pipeline) > _PIPELINED:
                self.drop("pipelined")
        self._unparsed.clear()
        if not (self.flow.read_paused or self.transport.is_closing()):
            self.transport.resume_reading()

    def _waits_for_turn(self) -> bool:
        """True if received bytes wait to be parsed."""
        return len(self._unparsed) > 0

    @property
    def _piece_size(self) -> int | None:
        if not self._in_body:
            # At most one byte beyond the limit of a head is parsed before the head is refused.
            return max(1, min(_HEAD_FED_AT_ONCE, self._limits.head_bytes - self._head))
        return _FED_AT_ONCE if self._is_chunked else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][HANG_UP] = self.loop.create_future()
        self._chunks += _HEAD_COST
        self._in_head = True
        self._since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._chunks += 1
        if len(self.headers) > _MAX_HEADERS:
            self._head_error = HeadTooLarge(f"The request has more than {_MAX_HEADERS} headers.")
            raise ValueError(self._head_error)  # the parser stops, and reports the error

    def on_headers_complete(self) -> None:
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            # With several Host headers, a proxy and this server could attribute the request to different hosts.
            message = f"The request has {hosts or 'no'} headers 'Host'; it needs exactly one."
            self._head_error = BadRequest(message, code="invalid_http")
        coding = b",".join(value for name, value in self.headers if name == b"transfer-encoding")
        if coding and coding.strip().lower() != b"chunked":
            self._head_error = UnknownCoding("The only transfer-encoding that this server reads is 'chunked'.")
        if len(self.url) > _MAX_URL:
            self._head_error = HeadTooLarge(
                f"The request's URL has {len(self.url)} bytes; it may have {_MAX_URL} at most."
            )
        if self._head_error is not None:
            raise ValueError(self._head_error)  # the parser stops, and reports the error
        super().on_headers_complete()
        self._in_head, self._in_body = False, True
        self._head = self._framing = 0
        self._is_chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        self._since = self.loop.time()
        self._inbound.restart(self._since)

    def on_body(self, body: bytes) -> None:
        self._chunks += 1
        # Smaller chunks than allowed increase the count of framing bytes; large chunks lower it.
        self._framing = max(0, self._framing - (1 + _FRAMING) * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._framing = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    def look(self, now: float) -> None:
        """End the connection if the data that it waits for have not arrived by `now`, or arrive too slowly."""
        limits, waited = self._limits, now - self._since
        if self._is_ending:
            if waited > _CLOSING_S:
                self.transport.abort()
        elif self._is_taken_too_slowly(now):
            self.drop("answer_too_slow")
        elif self._in_body and not self.cycle.response_complete:
            self._look_at_body(now, waited)
        elif self._in_body:
            received, self._seen = self._inbound.moved - self._seen, self._inbound.moved
            is_slow = received < _LEAST_LINGERING_BYTES and not self._waits_for_turn()
            if waited > LINGER_S or (waited > _CLOSING_S and is_slow):
                self.drop("body_unread")
        elif self._in_head and waited > limits.head_s:
            self._refuse(TooSlow(self._timeout_message("head", limits.head_s)), "head_too_slow")
        elif self.waits and waited > (limits.head_s if self.cycle is None else limits.idle_s):
            self.transport.close()

    def drop(self, reason: Reason) -> None:
        """End the connection without a response."""
        self._connections.note(reason, self.loop)
        self._note_disconnect()
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _look_at_body(self, now: float, waited: float) -> None:
        if waited > self._limits.body_s:
            self._refuse(
                TooSlow(self._timeout_message("body", self._limits.body_s, " (OPENFAZE_REQUEST_TIMEOUT_S)")),
                "body_too_slow",
            )
        elif self.flow.read_paused or self._waits_for_turn():
            self._inbound.restart(now)  # The server is slow, not the client.
        elif self._inbound.is_slow(now, self._limits.least_rate):
            kilobytes = f"{self._limits.least_rate / 1024:g} kB/s over {WINDOW_S:g} s"
            self._refuse(TooSlow(f"The request's body arrives more slowly than {kilobytes}."), "body_too_slow")

    def _is_taken_too_slowly(self, now: float) -> bool:
        unsent_before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if not self._unsent:
            self._outbound.restart(now)
            return False
        self._outbound.moved += max(0, unsent_before - self._unsent)
        return self._outbound.is_slow(now, self._limits.least_rate)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP with an error in OpenAI's form, like every other error."""
        reason: Reason = "head_too_large" if isinstance(self._head_error, HeadTooLarge) else "invalid_http"
        self._refuse(self._head_error or BadRequest(msg, code="invalid_http"), reason)

    def _refuse(self, error: ApiError, reason: Reason) -> None:
        self._connections.note(reason, self.loop)
        self._end_with(error)

    def _end_with(self, error: ApiError) -> None:
        """Send the error unless a response has already begun, and end the connection."""
        cycle = self._answered
        self._note_disconnect()
        if cycle is not None and cycle.response_started and not cycle.response_complete:
            self.transport.abort()
        else:
            self._answer(error)

    def _answer(self, error: ApiError) -> None:
        request_id = f"req-{uuid4()}"
        body = pydantic_core.to_json(error.body(request_id))
        head = [
            b"content-type: application/json",
            b"content-length: %d" % len(body),
            b"x-request-id: " + request_id.encode(),
            *(f"{name}: {value}".encode() for name, value in {**error.headers, **DEFAULT_HEADERS}.items()),
            b"connection: close",
        ]
        self.transport.write(STATUS_LINE[error.status] + b"\r\n".join(head) + b"\r\n\r\n" + body)
        self._is_ending = True
        self._since = self.loop.time()
        # Closing a connection with unread bytes would reset it, and the client might lose the answer.
        try:
            self.transport.write_eof()
        except OSError:  # raised by asyncio's transports if the client has reset the connection
            self.transport.abort()
        else:
            self.flow.resume_reading()

    @property
    def _too_large(self) -> str:
        limit = self._limits.head_bytes // 1024
        return f"The request's first line and headers are larger than {limit} kB."

    def _timeout_message(self, part: str, seconds: float, setting: str = "") -> str:
        return f"The request's {part} did not arrive within {seconds:g} s{setting}."


def bounded_protocol(connections: Connections) -> Any:
    """Return the value of uvicorn's setting `http`: a factory of protocols whose connections `connections` limits."""
    return functools.partial(BoundedProtocol, connections=connections)


def allow_descriptors() -> None:
    """Raise this process's limit on open files to 65536, or to the highest value permitted if that is lower.

    The default of many systems is 1024, which is too low for the connections and the files that their requests open.
    """
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
        if soft != resource.RLIM_INFINITY and soft < limit:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
