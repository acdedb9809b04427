"""What a connection may hold, and for how long, before a request is known."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn.server import ServerState

from app.cli.serving import configure
from app.http import protocol
from app.http.protocol import LARGEST_HEAD, LARGEST_REST, LEAST_PIECE, MAX_HEADERS, READER_BYTES, BoundedProtocol
from app.settings import Settings
from tests.kit.waits.waiting import until

READ = 256 * 1024
"""A loop reads at most this many bytes at a time."""
GET = b"GET /%d HTTP/1.1\r\nhost: localhost\r\n\r\n"


@dataclass
class Running:
    """A server of an application that reads each body, and answers with its path once `may_answer` is set."""

    port: int = 0
    connections: list["Counting"] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.paths.append(path)
        waiting = asyncio.create_task(self.may_answer.wait())
        while not waiting.done():
            message: asyncio.Task[Message] = asyncio.create_task(receive())  # type: ignore[arg-type]
            await asyncio.wait([message, waiting], return_when=asyncio.FIRST_COMPLETED)
            if message.done() and message.result()["type"] == "http.disconnect":
                self.gone.append(path)
                waiting.cancel()
                return
            message.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (path.encode(), b";"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def close(self) -> None:
        for connection in self.connections:
            connection.transport.abort()
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await until(lambda: not any(connection.tasks for connection in self.connections))


class Counting(BoundedProtocol):
    taken = parsed = pieces = 0

    def data_received(self, data: bytes) -> None:
        self.taken += len(data)
        super().data_received(data)

    def _parse(self, piece: bytes) -> None:
        self.parsed += len(piece)
        self.pieces += 1
        super()._parse(piece)


@contextlib.asynccontextmanager
async def serving(app: Any = None, **config: Any) -> AsyncIterator[Running]:
    running = Running()
    configured = configure(app or running.app, Settings(_env_file=None))
    for name, value in {"interface": "asgi3", **config}.items():
        setattr(configured, name, value)
    configured.load()

    def connection() -> Counting:
        running.connections.append(Counting(configured, ServerState(), {}))
        return running.connections[-1]

    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        await running.close()


async def send_until_closed(writer: asyncio.StreamWriter, piece: Callable[[], bytes]) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(piece())
            await writer.drain()


async def read_all(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


def status_and_code(answer: bytes) -> tuple[bytes, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    error = json.loads(body)["error"]
    assert f"x-request-id: {error['request_id']}".encode() in head
    return head.split(b" ")[1], error["code"]


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nx: ", b"a" * 50_000, id="one header"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 10_000, id="many headers"),
        pytest.param(b"GET /", b"a" * 50_000, id="the path"),
        pytest.param(b"", b"\r\n" * 10_000, id="nothing but ends of lines"),
    ],
)
async def test_a_head_without_an_end_is_refused_and_closed_after_a_bounded_number_of_bytes(
    begin: bytes, piece: bytes
) -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(begin)
        reading = asyncio.create_task(read_all(reader))
        await send_until_closed(writer, lambda: piece)
        await reading
    (connection,) = running.connections
    assert connection.parsed <= LARGEST_HEAD + READ
    assert connection.taken <= LARGEST_HEAD + LARGEST_REST + 2 * READ
    assert running.paths == []


@pytest.mark.parametrize("size", [100, 1 << 20], ids=["in small pieces", "at once"])
@pytest.mark.parametrize(("length", "status"), [(LARGEST_HEAD - 100, 200), (70_000, 431)])
async def test_a_whole_head_is_refused_by_its_size_however_it_comes(size: int, length: int, status: int) -> None:
    head = b"GET /a HTTP/1.1\r\nconnection: close\r\nx: " + b"a" * length + b"\r\n\r\n"
    async with serving() as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        for start in range(0, len(head), size):
            writer.write(head[start : start + size])
            await writer.drain()
        answer = await read_all(reader)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        if status == 431:
            assert status_and_code(answer) == (b"431", "head_too_large")


@pytest.mark.parametrize(("count", "status"), [(MAX_HEADERS, 200), (MAX_HEADERS + 1, 431)])
async def test_a_head_is_refused_by_the_number_of_its_headers(count: int, status: int) -> None:
    async with serving() as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        writer.write(b"GET /a HTTP/1.1\r\nconnection: close\r\n" + b"a:\r\n" * (count - 1) + b"\r\n")
        answer = await read_all(reader)
        assert answer.startswith(b"HTTP/1.1 %d " % status)
        if status == 431:
            assert status_and_code(answer) == (b"431", "head_too_large")


async def test_trailers_are_no_headers() -> None:
    headers: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        headers.extend(scope["headers"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with serving(app) as running:
        reader, writer = await running.connect()
        writer.write(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-forwarded-for: a\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    assert headers == [(b"transfer-encoding", b"chunked")]


async def test_a_wish_for_another_protocol_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        for number in range(2):
            writer.write(b"GET /%d HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n" % number)
            assert b"/%d" % number in await reader.readuntil(b"0\r\n\r\n")
    assert not caplog.records


async def test_what_is_no_http_is_refused_with_an_error_object() -> None:
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(b"\x16\x03\x01\x02\x00\x01")
        assert status_and_code(await read_all(reader)) == (b"400", "invalid_request")


async def test_trailers_without_an_end_close_the_connection_and_end_the_request() -> None:
    async with serving() as running:
        _, writer = await running.connect()
        writer.write(b"POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: ")
        await send_until_closed(writer, lambda: b"a" * 50_000)
        await until(lambda: running.gone == ["/a"])
    assert running.connections[0].parsed <= LARGEST_HEAD + 2 * READ


async def test_requests_that_are_sent_at_once_are_answered_in_order_and_only_one_is_made_ahead() -> None:
    sent = [b"/%d;" % number for number in range(300)]
    async with serving() as running:
        reader, writer = await running.connect()
        writer.write(b"".join(GET % number for number in range(300)))
        await until(lambda: running.paths == ["/0"])
        (connection,) = running.connections
        assert len(connection.pipeline) == 1
        assert len(connection._unparsed) <= READ
        running.may_answer.set()
        got = b""
        while got.count(b";") < 300:
            got += await reader.read(READ)
        assert [piece for piece in got.split(b"\r\n") if piece.startswith(b"/")] == [one[:-1] for one in sent]


async def test_bodies_that_are_sent_ahead_belong_to_their_requests() -> None:
    bodies: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        bodies.append(body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    expected = [bytes([65 + number]) * (number * 30_000) + b"\r\n\r\n" for number in range(6)]
    async with serving(app) as running:
        _, writer = await running.connect()
        for body in expected:
            writer.write(b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await until(lambda: bodies == expected)


async def test_a_body_of_blank_lines_is_parsed_in_few_pieces() -> None:
    body = b"\r\n\r\n" * 50_000
    async with serving() as running:
        _, writer = await running.connect()
        writer.write(b"POST /1 HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body) + body + GET % 2 * 100)
        await until(lambda: bool(running.connections) and bool(running.connections[0].pipeline))
        (connection,) = running.connections
        assert connection.pieces <= len(body) / LEAST_PIECE + 20
        assert len(connection.pipeline) <= LEAST_PIECE / len(GET % 2) + 1


async def test_no_more_is_read_while_requests_wait_for_an_answer() -> None:
    async with serving() as running:
        _, writer = await running.connect()
        flood = GET % 1 * 10_000
        sending = asyncio.create_task(send_until_closed(writer, lambda: flood))
        await until(lambda: bool(running.connections) and running.connections[0].flow.is_held)
        (connection,) = running.connections
        for _ in range(100):
            await asyncio.sleep(0)
        assert connection.taken <= LARGEST_HEAD + 2 * READ
        assert (len(running.paths), len(connection.pipeline)) == (1, 1)
        sending.cancel()
        await asyncio.wait([sending])


async def test_who_hangs_up_ends_the_running_request_although_another_waits() -> None:
    async with serving() as running:
        _, writer = await running.connect()
        writer.write(GET % 1 + GET % 2)
        await until(lambda: running.paths == ["/1"])
        writer.close()
        await until(lambda: running.gone == ["/1"])
        assert running.paths == ["/1"]


@pytest.mark.parametrize("before", [b"", GET % 1], ids=["first", "on a connection that is kept"])
@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\nhost:"])
async def test_a_head_that_is_not_whole_in_time_closes_the_connection(
    before: bytes, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.05)
    async with serving() as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        writer.write(before)
        if before:
            await reader.readuntil(b"0\r\n\r\n")
        writer.write(part)
        assert await read_all(reader) == b""


async def test_a_connection_that_sends_nothing_is_closed_like_a_head_that_is_not_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "HEAD_S", 0.05)
    async with serving() as running:
        reader, _ = await running.connect()
        assert await read_all(reader) == b""


async def test_a_head_behind_a_request_that_runs_has_time_until_its_answer() -> None:
    async with serving() as running:
        _, writer = await running.connect()
        writer.write(GET % 1 + b"GET /")
        await until(lambda: running.paths == ["/1"])
        (connection,) = running.connections
        assert connection.timeout_keep_alive_task is None
        running.may_answer.set()
        await until(lambda: connection.timeout_keep_alive_task is not None)


@pytest.mark.parametrize(
    ("request_", "later"),
    [
        pytest.param(GET % 1, b"", id="nothing"),
        pytest.param(GET % 1, b"\r\n", id="an end of a line"),
        pytest.param(b"POST /1 HTTP/1.1\r\ncontent-length: 9\r\n\r\n", b"a", id="a part of a body after its answer"),
    ],
)
async def test_a_connection_that_falls_silent_between_requests_is_closed(request_: bytes, later: bytes) -> None:
    async with serving(timeout_keep_alive=0.05) as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        writer.write(request_)
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(later)
        assert await read_all(reader) == b""


@pytest.mark.parametrize("sent", [GET % 1, GET % 1 + GET % 2], ids=["alone", "with another behind it"])
async def test_a_reader_that_takes_nothing_is_let_go(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "READER_S", 0.05)
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def stream() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"a" * 65536, "more_body": True})
                await asyncio.sleep(0)

        streaming = asyncio.create_task(stream())
        while (await receive())["type"] != "http.disconnect":
            pass
        streaming.cancel()
        ended.append(scope["path"])

    async with serving(app) as running:
        _, writer = await running.connect()
        writer.write(sent)
        await until(lambda: ended == ["/1"])


@pytest.mark.parametrize("ends", [b"", b"connection: close\r\n"])
async def test_an_unread_end_of_an_answer_holds_no_connection(ends: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "READER_S", 0.05)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a" * (20 << 20)})

    async with serving(app, timeout_keep_alive=0.05) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as caller:
            caller.sendall(b"GET / HTTP/1.1\r\n" + ends + b"\r\n")
            await until(lambda: bool(running.connections) and running.connections[0].parser is None)


@pytest.mark.parametrize(
    ("sizes", "is_kept"),
    [
        pytest.param([200_000, 200_000 - READER_BYTES], True, id="enough"),
        pytest.param([200_000, 200_001 - READER_BYTES], False, id="a little at a time"),
        pytest.param([200_000, 200_000 - READER_BYTES, 200_000 - READER_BYTES], False, id="nothing any more"),
        pytest.param([100, 0], True, id="the rest"),
        pytest.param([100, 1], False, id="not all of the rest"),
    ],
)
async def test_a_reader_is_kept_if_it_takes_enough(sizes: list[int], is_kept: bool) -> None:
    class Buffer:
        size, is_aborted = sizes[0], False

        def get_write_buffer_size(self) -> int:
            return self.size

        def abort(self) -> None:
            self.is_aborted = True

    connection = BoundedProtocol(configure(Running().app, Settings(_env_file=None)), ServerState(), {})
    connection.transport = buffer = Buffer()  # type: ignore[assignment]
    connection._watch_reader()
    for buffer.size in sizes[1:]:
        connection._check_reader()
    assert buffer.is_aborted != is_kept
    connection._stop_reader_timer()


async def test_an_answer_over_http_1_0_has_no_chunks_and_ends_with_its_connection() -> None:
    async with serving() as running:
        running.may_answer.set()
        reader, writer = await running.connect()
        writer.write(b"GET /a HTTP/1.0\r\n\r\n")
        head, _, body = (await read_all(reader)).partition(b"\r\n\r\n")
    assert body == b"/a;"
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
