"""What a connection may cost: of heads, bodies, answers and idling, against real sockets on loopback.

Time passes where a test says so: it looks at the connections as of a later second.
"""

import asyncio
import functools
import json
import select
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
import uvicorn
from uvicorn.server import ServerState

from app import connections
from app.access.keys import EVERYONE, Caller
from app.connections import (
    LINGER_S,
    REASONS,
    WINDOW_S,
    BoundedProtocol,
    ConnectionLimits,
    Connections,
    allow_descriptors,
    bounded_protocol,
)
from app.http.disconnect import HANG_UP
from models.loop_turns import REST_S, LoopTurns
from models.scheduler import Share
from tests.loop_passes import passing
from tests.waiting import until

GET = b"GET /small HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /read HTTP/1.1\r\nhost: x\r\n"
LARGE = 64 * 1024 * 1024


hang_ups_are_noticed = pytest.mark.skipif(
    not hasattr(select, "EPOLLRDHUP"), reason="only Linux tells of a hang-up before what was sent is read"
)


@dataclass
class Application:
    """Reads bodies at /read and /slowly, answers much at /large, and holds what is asked of /held until `release`. At
    /unread, waits for its caller to leave."""

    asked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """Paths whose callers left."""
    read: list[tuple[int, str]] = field(default_factory=list)
    """Bytes of each body, and how it ended."""
    release: asyncio.Event = field(default_factory=asyncio.Event)
    caller: Caller | None = None
    """Caller of all requests, as if it had been found by its key."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked.append(path)
        if self.caller is not None:
            scope["state"]["caller"] = self.caller
        if path in ("/read", "/slowly"):
            size = 0
            while True:
                message = await receive()
                for _ in range(40 if path == "/slowly" else 0):
                    await asyncio.sleep(0)
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    break
            self.read.append((size, message["type"]))
            if message["type"] == "http.disconnect":
                return
        if path == "/unread":
            await scope["state"][HANG_UP]
            self.left.append(path)
            return
        if path == "/awaited":
            while (message := await receive())["type"] != "http.disconnect":
                pass
            self.read.append((0, message["type"]))
            return
        if path == "/begun":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if path == "/held":
            await self.release.wait()
        body = b"x" * LARGE if path == "/large" else b"ok"
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Server:
    app: Application
    connections: Connections
    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        port = writer.get_extra_info("sockname")[1]
        await until(lambda: reader.at_eof() or any(one.client == ("127.0.0.1", port) for one in self.connections._all))
        return reader, writer

    def after(self, seconds: float) -> None:
        """Looks at the connections as of so many seconds later."""
        self.connections.look(asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def served(**limits: Any) -> AsyncIterator[Server]:
    app = Application()
    connections = Connections(ConnectionLimits(**limits))
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    protocol = functools.partial(bounded_protocol(connections), config=config, server_state=state, app_state={})
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    running = Server(app, connections, server.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        for writer in running.writers:
            writer.transport.abort()
        app.release.set()
        server.close()
        for one in list(state.connections):
            one.transport.abort()  # type: ignore[union-attr]
        await until(lambda: not connections and not state.tasks)
        connections.report()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


async def refusal(reader: asyncio.StreamReader) -> tuple[int, str, str]:
    """Status, code and message of an error in OpenAI's form, after which the connection ends."""
    status, body = await answer(reader)
    assert await reader.read() == b"", "the connection goes on"
    error = json.loads(body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["request_id"].startswith("req-")
    return status, error["code"], error["message"]


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


async def test_ordinary_requests_pass_on_one_connection() -> None:
    async with served() as server:
        reader, writer = await server.open()
        for _ in range(3):
            writer.write(GET)
            assert await answer(reader) == (200, b"ok")
        writer.write(POST + b"content-length: 200000\r\n\r\n" + b"x" * 200_000)
        assert await answer(reader) == (200, b"ok")
        assert server.app.read == [(200_000, "http.request")]
        assert not server.connections.refused


@pytest.mark.parametrize(
    "piece",
    [b"x" * 1000, b"x-%d: y\r\n" % 7, b"x: " + b"y" * 997 + b"\r\n"],
    ids=["one endless line", "many headers", "large headers"],
)
async def test_a_head_without_an_end_is_refused_when_it_is_larger_than_its_limit(piece: bytes) -> None:
    async with served(head_bytes=64 * 1024) as server:
        reader, writer = await server.open()
        writer.write(b"GET / HTTP/1.1\r\n")
        sent = 0
        while sent < 90_000:
            writer.write(piece)
            sent += len(piece)
        status, code, message = await refusal(reader)
        assert (status, code) == (431, "head_too_large")
        assert message.endswith(("larger than 64 kB.", "more than 128 headers."))
        assert server.app.asked == []
        assert server.connections.refused == {"head_too_large": 1}


async def test_a_long_url_is_refused() -> None:
    async with served() as server:
        reader, writer = await server.open()
        target = b"/?".ljust(8192, b"a")
        writer.write(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target)
        assert (await answer(reader))[0] == 200
        writer.write(b"GET %ba HTTP/1.1\r\nhost: x\r\n\r\n" % target)
        message = "The request's URL has 8193 bytes; it may have 8192 at most."
        assert await refusal(reader) == (431, "head_too_large", message)
        assert len(server.app.asked) == 1


@pytest.mark.parametrize(("over", "status"), [(0, 200), (2, 431), (9_000, 431)])
async def test_a_head_that_comes_in_one_piece_is_measured_as_well(over: int, status: int) -> None:
    limit = 64 * 1024
    begin, end = b"GET /small HTTP/1.1\r\nhost: x\r\nlong: ", b"\r\n\r\n"
    async with served(head_bytes=limit) as server:
        reader, writer = await server.open()
        writer.write(begin + b"y" * (limit - len(begin) - len(end) + over) + end)
        if status == 200:
            assert await answer(reader) == (200, b"ok")
        else:
            assert (await refusal(reader))[:2] == (431, "head_too_large")
            assert server.app.asked == []


async def test_a_head_just_within_its_limit_is_read_however_it_is_cut() -> None:
    async with served(head_bytes=64 * 1024) as server:
        reader, writer = await server.open()
        head = b"GET /small HTTP/1.1\r\nhost: x\r\nlong: " + b"y" * 60_000 + b"\r\n\r\n"
        for start in range(0, len(head), 7_001):
            writer.write(head[start : start + 7_001])
            await writer.drain()
        assert await answer(reader) == (200, b"ok")


@pytest.mark.parametrize("junk", [b"0\r\nx: ", b"1;"], ids=["trailer", "chunk extension"])
async def test_what_surrounds_the_chunks_of_a_body_is_bounded_like_a_head(junk: bytes) -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + junk)
        for _ in range(300):
            writer.write(b"y" * 1000)
        assert (await refusal(reader))[:2] == (431, "head_too_large")


@pytest.mark.parametrize("content", [1, 20_000], ids=["little content", "much content"])
async def test_a_long_chunk_extension_is_refused_whatever_content_comes_with_it(content: int) -> None:
    chunk = b"%x;%s\r\n%s\r\n" % (content, b"x" * 90_000, b"y" * content)
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" + chunk * 3 + b"0\r\n\r\n")
        assert (await refusal(reader))[:2] == (431, "head_too_large")


async def test_chunks_of_one_byte_are_a_body_like_any_other() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n")
        assert await answer(reader) == (200, b"ok")
        assert server.app.read == [(100_000, "http.request")]


async def test_other_connections_have_their_turn_between_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: Counter[int] = Counter()
    on_body = BoundedProtocol.on_body

    def counted(protocol: BoundedProtocol, body: bytes) -> None:
        at_once[passes.number] += 1
        on_body(protocol, body)

    monkeypatch.setattr(BoundedProtocol, "on_body", counted)
    async with passing() as passes, served() as server:
        opened = [await server.open() for _ in range(5)]
        for _, writer in opened:
            writer.write(POST + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
        for reader, _ in opened:
            assert await answer(reader) == (200, b"ok")
        assert server.app.read == [(20_000, "http.request")] * 5
    assert at_once.total() == 100_000
    assert max(at_once.values()) < 256


async def test_other_connections_have_their_turn_between_requests_that_come_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once: Counter[int] = Counter()
    on_message_begin = BoundedProtocol.on_message_begin

    def counted(protocol: BoundedProtocol) -> None:
        at_once[passes.number] += 1
        on_message_begin(protocol)

    monkeypatch.setattr(BoundedProtocol, "on_message_begin", counted)
    async with passing() as passes, served() as server:
        opened = [await server.open() for _ in range(10)]
        for _, writer in opened:
            writer.write(GET.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * 200 + b"\r\n\r\n") * 30)
        for reader, _ in opened:
            for _ in range(30):
                assert await answer(reader) == (200, b"ok")
    assert at_once.total() == 300
    assert max(at_once.values()) < 4


async def test_a_connection_that_sends_much_rests_and_the_others_from_there_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[None] = []
    on_message_begin = BoundedProtocol.on_message_begin

    def counted(protocol: BoundedProtocol) -> None:
        begun.append(None)
        on_message_begin(protocol)

    now = 0.0
    loop = asyncio.get_running_loop()
    turns = LoopTurns(loop, lambda: now)
    monkeypatch.setattr(LoopTurns, "of_running_loop", lambda: turns)
    monkeypatch.setattr(BoundedProtocol, "on_message_begin", counted)
    async with served() as server:
        many, writer = await server.open()
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * 200 + b"\r\n\r\n") * 30)
        assert await answer(many) == (200, b"ok")
        for _ in range(5):
            reader, writer = await server.open()
            writer.write(GET)
            assert await answer(reader) == (200, b"ok")
        assert len(begun) < 5 + 8
        while len(begun) < 5 + 30:
            known = len(begun)
            now += REST_S
            await until(lambda: len(begun) > known)  # noqa: B023
        for _ in range(29):
            assert await answer(many) == (200, b"ok")


@pytest.mark.deep
async def test_what_waits_to_be_parsed_does_not_pile_up_while_the_application_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unparsed: Counter[BoundedProtocol] = Counter()
    most = 0
    data_received, on_body = BoundedProtocol.data_received, BoundedProtocol.on_body

    def receive(protocol: BoundedProtocol, data: bytes) -> None:
        nonlocal most
        unparsed[protocol] += len(data)
        data_received(protocol, data)
        most = max(most, unparsed[protocol])

    def parse(protocol: BoundedProtocol, body: bytes) -> None:
        unparsed[protocol] -= len(body) + 7
        on_body(protocol, body)

    monkeypatch.setattr(BoundedProtocol, "data_received", receive)
    monkeypatch.setattr(BoundedProtocol, "on_body", parse)
    async with served() as server:
        opened = [await server.open() for _ in range(12)]
        for _, writer in opened:
            chunk = b"12c\r\n" + b"x" * 300 + b"\r\n"
            writer.write(POST.replace(b"/read", b"/slowly"))
            writer.write(b"transfer-encoding: chunked\r\n\r\n" + chunk * 10_000 + b"0\r\n\r\n")
        for reader, _ in opened:
            assert await answer(reader) == (200, b"ok")
    assert most < 3 * 256 * 1024, most


@pytest.mark.parametrize(("lines", "status"), [(100, 200), (150, 431)])
async def test_the_lines_of_a_head_are_bounded(lines: int, status: int) -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST + b"a: b\r\n" * lines + b"content-length: 0\r\n\r\n")
        assert (await answer(reader))[0] == status


async def test_a_head_that_takes_too_long_is_refused() -> None:
    async with served(head_s=10) as server:
        reader, writer = await server.open()
        writer.write(b"GET / HT")
        await until(lambda: next(iter(server.connections._all))._in_head)
        server.after(9)
        server.after(11)
        assert await refusal(reader) == (
            408,
            "request_too_slow",
            "The request's head did not arrive within 10 s.",
        )


async def test_a_connection_that_says_nothing_ends_and_one_between_requests_later() -> None:
    async with served(head_s=10, idle_s=75) as server:
        silent, _ = await server.open()
        between, writer = await server.open()
        writer.write(GET)
        await answer(between)
        server.after(11)
        assert await is_closed(silent)
        writer.write(b"\r\n" * 10)  # no request begins with these
        writer.write(GET)
        assert await answer(between) == (200, b"ok")
        server.after(76)
        assert await is_closed(between)


async def test_a_second_head_that_stops_in_the_middle_is_refused_like_the_first() -> None:
    async with served(head_s=10) as server:
        reader, writer = await server.open()
        writer.write(GET)
        await answer(reader)
        writer.write(b"GET / HT")
        await until(lambda: next(iter(server.connections._all))._in_head)
        server.after(11)
        assert (await refusal(reader))[:2] == (408, "request_too_slow")


async def test_a_body_that_trickles_is_refused_and_the_application_hears_that_its_caller_left() -> None:
    async with served(least_rate=1000) as server:
        reader, writer = await server.open()
        writer.write(POST + b"content-length: 1000000\r\n\r\n" + b"x" * 100_000)
        await until(lambda: server.app.asked)
        await until(lambda: next(iter(server.connections._all))._inbound.moved > 100_000)
        server.after(WINDOW_S + 1)  # the first hundred thousand came quickly
        server.after(2 * WINDOW_S + 2)
        status, code, message = await refusal(reader)
        assert (status, code) == (408, "request_too_slow")
        assert "more slowly than 0.976562 kB/s over 10 s" in message
        await until(lambda: server.app.read)
        assert server.app.read == [(100_000, "http.disconnect")]


async def test_a_body_has_the_requests_time_and_no_more() -> None:
    async with served(least_rate=0, body_s=300) as server:
        reader, writer = await server.open()
        writer.write(POST + b"content-length: 1000000\r\n\r\n" + b"x" * 1000)
        await until(lambda: server.app.asked)
        server.after(299)
        server.after(301)
        assert (await refusal(reader))[1:] == (
            "request_too_slow",
            "The request's body did not arrive within 300 s (OPENFAZE_REQUEST_TIMEOUT_S).",
        )


async def test_a_body_that_the_application_does_not_take_yet_is_not_slow() -> None:
    async with served(least_rate=1000) as server:
        reader, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/held") + b"content-length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        await until(lambda: next(iter(server.connections._all)).flow.read_paused)
        for windows in range(1, 5):
            server.after(windows * (WINDOW_S + 1))
        server.app.release.set()
        assert await answer(reader) == (200, b"ok")


async def test_the_rest_of_a_body_that_nobody_reads_is_thrown_away_for_a_while() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/small") + b"content-length: 100000000\r\n\r\n" + b"x" * 1000)
        assert await answer(reader) == (200, b"ok")
        one = next(iter(server.connections._all))
        for second in range(3, round(LINGER_S)):
            before = one._inbound.moved
            writer.write(b"x" * 70_000)
            await until(lambda: one._inbound.moved >= before + 70_000)  # noqa: B023
            server.after(second)
        assert not one.transport.is_closing()
        server.after(LINGER_S + 1)
        assert await is_closed(reader)
        assert server.connections.refused == {"body_unread": 1}


async def test_a_body_that_nobody_reads_and_that_trickles_keeps_no_place() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/small") + b"content-length: 100000000\r\n\r\n" + b"x")
        assert await answer(reader) == (200, b"ok")
        server.after(1)
        writer.write(b"x")
        server.after(3)
        assert await is_closed(reader)
        assert server.connections.refused == {"body_unread": 1}


async def test_who_sends_what_nobody_reads_makes_room_for_the_next() -> None:
    async with served(connections=1) as server:
        reader, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/small") + b"content-length: 100000000\r\n\r\n" + b"x")
        assert await answer(reader) == (200, b"ok")
        other, writing = await server.open()
        writing.write(GET)
        assert await answer(other) == (200, b"ok")
        assert await is_closed(reader)


async def test_an_answer_that_nobody_takes_is_given_up_and_one_that_is_taken_is_not() -> None:
    async with served(least_rate=1000) as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/large"))
        one = next(iter(server.connections._all))
        await until(lambda: one.transport.get_write_buffer_size() > LARGE // 2)
        server.after(1)
        for windows in range(1, 4):
            left = one.transport.get_write_buffer_size()
            while one.transport.get_write_buffer_size() >= left:
                await reader.read(256 * 1024)
            server.after(1 + windows * (WINDOW_S + 1))
        assert not one.transport.is_closing()
        server.after(1 + 5 * (WINDOW_S + 1))
        await until(lambda: not server.connections)
        assert server.connections.refused == {"answer_too_slow": 1}
        writer.close()


async def test_connections_that_wait_make_room_the_oldest_first_and_those_at_work_do_not() -> None:
    async with served(connections=3) as server:
        working, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/held"))
        await until(lambda: server.app.asked)
        oldest, _ = await server.open()
        second, _ = await server.open()
        newest, newest_writer = await server.open()
        assert await is_closed(oldest)
        newest_writer.write(GET)
        assert await answer(newest) == (200, b"ok")
        server.app.release.set()
        assert await answer(working) == (200, b"ok")
        assert not second.at_eof()
        assert server.connections.refused == {"connections": 1}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"connections": 2}, "connections"),
        ({"per_address": 2}, "connections_of_address"),
        ({"connections": 2, "per_address": 2}, "connections_of_address"),
    ],
)
async def test_a_new_connection_is_refused_where_all_are_at_work(limits: dict[str, int], reason: str) -> None:
    async with served(**limits) as server:
        for number in (1, 2):
            _, writer = await server.open()
            writer.write(GET.replace(b"/small", b"/held"))
            await until(lambda number=number: len(server.app.asked) == number)
        reader, _ = await server.open()
        assert await is_closed(reader)
        assert len(server.connections) == 2
        assert server.connections.refused == {reason: 1}


async def test_a_request_that_waits_for_its_turn_is_not_closed_for_a_new_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admitted: list[BoundedProtocol] = []
    admit = Connections.admit
    monkeypatch.setattr(Connections, "admit", lambda self, one: admitted.append(one) or admit(self, one))
    async with served() as server:
        reader, _ = await server.open()
        await until(lambda: len(admitted) == 1)
        assert admitted[0].waits
        admitted[0].data_received(GET)
        assert not admitted[0].waits
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


async def test_an_address_has_a_bound_of_its_own() -> None:
    async with served(connections=100, per_address=2) as server:
        first, _ = await server.open()
        await server.open()
        await server.open()
        assert await is_closed(first)
        assert server.connections.refused == {"connections_of_address": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("before", "wanted", "after"), [(400, 500, 500), (500, 400, 500), (400, 10**6, 600)])
def test_the_limit_on_open_files_is_raised_and_never_lowered(
    before: int, wanted: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {"soft": before}
    monkeypatch.setattr(connections, "_DESCRIPTORS", wanted)
    monkeypatch.setattr("resource.getrlimit", lambda _: (limits["soft"], 600))
    monkeypatch.setattr("resource.setrlimit", lambda _, given: limits.update(soft=given[0]))
    allow_descriptors()
    assert limits == {"soft": after}


async def test_requests_that_wait_for_the_one_before_them_are_bounded() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/held") + GET * 1000)
        assert await is_closed(reader)
        assert server.app.asked == ["/held"]


@pytest.mark.parametrize("leave", [asyncio.StreamWriter.close, lambda writer: writer.transport.abort()])
async def test_a_request_that_others_wait_behind_hears_that_its_caller_left(
    leave: Callable[[asyncio.StreamWriter], None],
) -> None:
    async with served() as server:
        _, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/awaited") + b"content-length: 0\r\n\r\n" + 3 * GET)
        await until(lambda: server.app.asked == ["/awaited"])
        leave(writer)
        await until(lambda: server.app.read == [(0, "http.disconnect")])
        await until(lambda: not server.connections)
    assert server.app.asked == ["/awaited"]


@hang_ups_are_noticed
async def test_a_request_whose_body_is_unread_hears_that_its_caller_left() -> None:
    async with served() as server:
        _, writer = await server.open()
        writer.write(POST.replace(b"/read", b"/unread") + b"content-length: 150000\r\n\r\n" + b"x" * 150_000)
        [connection] = server.connections._all
        await until(lambda: connection.flow.read_paused)
        writer.transport.abort()
        await until(lambda: server.app.left == ["/unread"])
        await until(lambda: not server.connections)


@hang_ups_are_noticed
async def test_the_body_of_a_known_key_waits_for_no_other_body_from_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waited: list[str] = []
    call = LoopTurns.call

    def noted(turns: LoopTurns, work: Callable[[], object], share: Share, **options: Any) -> None:
        waited.append(share.key)
        call(turns, work, share, **options)

    monkeypatch.setattr(LoopTurns, "call", noted)
    async with served() as server:
        for caller in (None, Caller(EVERYONE), Caller("alice")):
            server.app.caller = caller
            reader, writer = await server.open()
            waited.clear()
            writer.write(POST + b"content-length: 2000\r\n\r\n" + b"x" * 2000)
            assert await answer(reader) == (200, b"ok")
            sender = "key alice" if caller and caller.tenant == "alice" else "address 127.0.0.1"
            assert waited[:2] == ["address 127.0.0.1", f"more of {sender}"]


async def test_callers_that_have_left_make_room_for_others_from_their_address() -> None:
    async with served(per_address=2) as server:
        for _ in range(2):
            _, writer = await server.open()
            writer.write(POST.replace(b"/read", b"/held") + b"content-length: 150000\r\n\r\n" + b"x" * 150_000)
        await until(lambda: all(one.flow.read_paused for one in server.connections._all))
        for writer in server.writers:
            writer.transport.abort()
        await until(lambda: not server.connections)
        reader, writer = await server.open()
        writer.write(GET)
        assert await answer(reader) == (200, b"ok")
        assert server.connections.refused == {}


@hang_ups_are_noticed
async def test_a_request_whose_caller_left_before_it_was_parsed_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[Callable[[], object]] = []
    async with served() as server:
        _, writer = await server.open()
        [connection] = server.connections._all
        monkeypatch.setattr(LoopTurns, "call", lambda _, work, *__, **___: turns.append(work))
        writer.write(POST + b"content-length: 150000\r\n\r\n" + b"x" * 150_000)
        await until(lambda: turns)
        writer.transport.abort()
        await until(lambda: connection._is_ending or connection.transport.is_closing())
        for work in turns:
            work()
        await until(lambda: not server.connections)
    assert server.app.asked == []


async def test_a_request_that_is_refused_behind_one_that_is_answered_is_never_in_the_midst_of_its_answer() -> None:
    async with served(head_bytes=1024) as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/begun") + GET)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 10" in head
        writer.write(b"GET /small HTTP/1.1\r\nx: " + b"y" * 2000)
        try:
            rest = await reader.read()
        except ConnectionResetError:
            rest = b""
        assert rest in (b"", b"begun")


async def test_what_is_no_http_is_told_so_in_json() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert (await refusal(reader))[:2] == (400, "invalid_http")


async def test_nobody_fills_the_log_with_what_is_no_http(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as server:
        for request in (b"\x16\x03\x01 hello\r\n\r\n", GET.replace(b"\r\n\r\n", b"\r\nupgrade: websocket\r\n\r\n")) * 3:
            reader, writer = await server.open()
            writer.write(request.replace(b"upgrade:", b"connection: upgrade\r\nupgrade:"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write_eof()
            await reader.read()
        assert server.connections.ever_refused["invalid_http"] == 3
    assert caplog.records == []


@pytest.mark.parametrize("piece", [b"GET \x00", b"GET /small HTTP/1.1\r\n\r\n"], ids=["no HTTP", "no Host"])
async def test_what_is_no_http_behind_a_request_is_not_told_in_the_midst_of_its_answer(piece: bytes) -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/begun"))
        assert b"content-length: 10" in await reader.readuntil(b"\r\n\r\n")
        writer.write(piece)
        try:
            rest = await reader.read()
        except ConnectionResetError:
            rest = b""
        assert rest in (b"", b"begun")


@pytest.mark.parametrize(
    ("version", "hosts", "said"),
    [
        ("1.1", [], "The request has no headers 'Host'; it needs exactly one."),
        ("1.1", ["a", "b"], "The request has 2 headers 'Host'; it needs exactly one."),
        ("1.0", ["a", "a"], "The request has 2 headers 'Host'; it needs exactly one."),
    ],
)
async def test_a_request_without_a_host_or_of_two_is_refused(version: str, hosts: list[str], said: str) -> None:
    async with served() as server:
        reader, writer = await server.open()
        lines = [f"POST /read HTTP/{version}", *(f"host: {host}" for host in hosts), "content-length: 4", "", "body"]
        writer.write("\r\n".join(lines).encode())
        assert await refusal(reader) == (400, "invalid_http", said)
        assert server.app.asked == []


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip\r\ntransfer-encoding: chunked", "Identity,chunked"])
async def test_a_body_in_another_coding_than_chunks_is_refused(coding: str) -> None:
    async with served() as server:
        reader, writer = await server.open()
        head = f"POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: {coding}\r\n\r\n"
        writer.write(head.encode() + b"4\r\nbody\r\n0\r\n\r\n")
        status, code, said = await refusal(reader)
        assert (status, code) == (501, "unknown_transfer_encoding")
        assert "'chunked'" in said
        assert server.app.asked == []


async def test_a_client_that_shuts_its_side_down_before_its_answer_is_told() -> None:
    async with served() as server:
        begun = b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nbody"
        for request in (GET.replace(b"/small", b"/held"), begun):
            reader, writer = await server.open()
            writer.write(request)
            writer.write_eof()
            status, code, said = await refusal(reader)
            assert (status, code) == (400, "client_left")
            assert "keep both sides open" in said


async def test_a_client_that_shuts_its_side_down_is_not_told_to_continue(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as server:
        reader, writer = await server.open()
        [one] = server.connections._all
        one.data_received(POST + b"content-length: 9\r\nexpect: 100-continue\r\n\r\n")
        one._parse()
        one.eof_received()
        assert (await refusal(reader))[:2] == (400, "client_left")
        writer.close()
    assert caplog.records == []


async def test_a_client_that_shuts_its_side_down_amid_its_answer_is_cut_off() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(GET.replace(b"/small", b"/begun"))
        assert b"content-length: 10" in await reader.readuntil(b"\r\n\r\n")
        writer.write_eof()
        try:
            rest = await reader.read()
        except ConnectionResetError:
            rest = b""
        assert rest in (b"", b"begun")


async def test_a_request_of_http_1_0_needs_no_host() -> None:
    async with served() as server:
        reader, writer = await server.open()
        writer.write(b"GET /small HTTP/1.0\r\n\r\n")
        assert await answer(reader) == (200, b"ok")


async def test_refusals_are_logged_once_with_their_counts() -> None:
    async with served(per_address=1) as server:
        with structlog.testing.capture_logs() as lines:
            for _ in range(5):
                await server.open()
            assert lines == []
            server.connections.report()
            server.connections.report()
        assert lines == [{"event": "connections_refused", "log_level": "warning", "connections_of_address": 4}]
        assert server.connections.ever_refused == {
            reason: 4 * (reason == "connections_of_address") for reason in REASONS
        }
