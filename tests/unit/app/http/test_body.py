"""Bodies of requests, and answers of any size."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from types import SimpleNamespace
from typing import IO, Any

import pytest
from starlette.requests import Request

from app.errors import BadRequest, PayloadTooLarge
from app.feed import Feed
from app.http import body, large_response
from app.http.body import read_body
from app.http.event_stream import EventStreamResponse
from app.http.large_response import json_response
from app.telemetry import Stages
from models.base import MemoryShort
from models.request_memory import RequestMemory
from models.scheduler import SHARE, Share

MB = 1024 * 1024


class Upload:
    """A request whose body comes when a test sends it."""

    def __init__(self, memory: RequestMemory, *, announced: int | None = None, encodings: Sequence[str] = ()) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.taken = 0
        app = SimpleNamespace(state=SimpleNamespace(services=SimpleNamespace(memory=memory)))
        headers = [] if announced is None else [(b"content-length", str(announced).encode())]
        headers += [(b"content-encoding", one.encode()) for one in encodings]
        self.request = Request({"type": "http", "headers": headers, "app": app}, self._receive)

    async def _receive(self) -> Any:
        message = await self._messages.get()
        self.taken += 1
        return message

    def send(self, size: int, *, last: bool = False, text: bytes = b"x") -> None:
        content = (text * (size // len(text) + 1))[:size]
        self._messages.put_nowait({"type": "http.request", "body": content, "more_body": not last})


async def idle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("encodings", [["gzip"], ["identity", "br"], ["GZIP, identity"]])
async def test_a_compressed_body_is_refused_before_it_is_read(encodings: list[str]) -> None:
    upload = Upload(RequestMemory(8 * MB, most_waiting=8), encodings=encodings)
    upload.send(2, text=b"{}", last=True)
    with pytest.raises(BadRequest, match="Send the body uncompressed"):
        await read_body(upload.request, MB)
    assert upload.taken == 0


@pytest.mark.parametrize("encodings", [[], [""], ["Identity"]])
async def test_a_body_as_it_is_may_say_so(encodings: list[str]) -> None:
    upload = Upload(RequestMemory(8 * MB, most_waiting=8), encodings=encodings)
    upload.send(2, text=b"{}", last=True)
    assert await read_body(upload.request, MB) == b"{}"


async def test_the_rest_of_a_body_with_too_many_values_is_not_read() -> None:
    upload = Upload(RequestMemory(8 * MB, most_waiting=8))
    for _ in range(20):
        upload.send(MB // 4, text=b'{"role":"user","content":"a"},')
    with pytest.raises(PayloadTooLarge, match="50000 values"):
        await read_body(upload.request, 10 * MB)
    assert upload.taken <= 8


async def test_quotation_marks_within_a_text_are_no_values() -> None:
    upload = Upload(RequestMemory(8 * MB, most_waiting=8))
    upload.send(2 * MB, text=b'\\"')
    upload.send(1, last=True)
    assert len(await read_body(upload.request, 10 * MB)) == 2 * MB + 1


async def test_a_large_body_waits_for_memory_and_a_small_one_never_does() -> None:
    memory = RequestMemory(10 * MB, most_waiting=8)
    first, second = Upload(memory, announced=8 * MB), Upload(memory, announced=8 * MB)
    small = Upload(memory, announced=MB // 2)
    ended = asyncio.Event()

    async def answer(upload: Upload) -> int:
        with memory.of_request():
            size = len(await read_body(upload.request, 10 * MB))
            await ended.wait()
            return size

    first.send(8 * MB, last=True)
    second.send(8 * MB, last=True)
    small.send(MB // 2, last=True)
    answers = [asyncio.create_task(answer(one)) for one in (first, second, small)]
    await idle()
    assert (first.taken, second.taken, small.taken) == (1, 0, 1), "the second stays at its client"
    assert (memory.bytes.running, memory.bytes.waiting) == (8 * MB, 1)
    ended.set()
    assert await asyncio.gather(*answers) == [8 * MB, 8 * MB, MB // 2]
    assert memory.bytes.running == 0


async def test_a_body_of_unknown_length_holds_what_it_may_have_and_then_what_it_has() -> None:
    memory = RequestMemory(40 * MB, most_waiting=8)
    upload = Upload(memory)
    with memory.of_request():
        reading = asyncio.create_task(read_body(upload.request, 10 * MB))
        upload.send(2 * MB)
        await idle()
        assert memory.bytes.running == 10 * MB
        upload.send(MB, last=True)
        assert len(await reading) == 3 * MB
        assert memory.bytes.running == 3 * MB
    assert memory.bytes.running == 0


async def test_memory_for_the_rest_of_a_slow_body_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PACE_CHECK_S", 0.0)
    memory = RequestMemory(40 * MB, most_waiting=8, request_s=1e-9)
    slow, other = Upload(memory, announced=30 * MB), Upload(memory, announced=20 * MB)

    async def read(upload: Upload) -> int:
        with memory.of_request():
            return len(await read_body(upload.request, 30 * MB))

    slow.send(6000)
    reading = asyncio.create_task(read(slow))
    await idle()
    assert memory.bytes.running == 6000 + MB
    reading_other = asyncio.create_task(read(other))
    other.send(20 * MB, last=True)
    assert await reading_other == 20 * MB
    slow.send(20 * MB)
    slow.send(10 * MB - 6000, last=True)
    assert await reading == 30 * MB, "it comes all the same as long as there is memory"
    assert memory.bytes.running == 0


async def test_a_slow_body_is_refused_where_others_have_taken_the_memory_for_its_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "PACE_CHECK_S", 0.0)
    memory = RequestMemory(40 * MB, most_waiting=8, request_s=1e-9)
    slow = Upload(memory, announced=30 * MB)

    async def read() -> None:
        with memory.of_request():
            await read_body(slow.request, 30 * MB)

    slow.send(6000)
    reading = asyncio.create_task(read())
    await idle()
    share = SHARE.set(Share("another"))
    with memory.of_request():
        await memory.hold(30 * MB)
        slow.send(20 * MB)
        with pytest.raises(MemoryShort, match="more 'memory' than other requests leave free"):
            await reading
        assert memory.bytes.running == 30 * MB
    SHARE.reset(share)


async def test_a_body_that_comes_quickly_enough_keeps_the_memory_for_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "PACE_CHECK_S", 0.0)
    memory = RequestMemory(40 * MB, most_waiting=8, request_s=1e9)
    upload = Upload(memory, announced=30 * MB)
    with memory.of_request():
        reading = asyncio.create_task(read_body(upload.request, 30 * MB))
        upload.send(MB)
        await idle()
        assert memory.bytes.running == 30 * MB
        upload.send(29 * MB, last=True)
        assert len(await reading) == 30 * MB


async def test_a_body_that_is_too_large_gives_its_memory_back() -> None:
    memory = RequestMemory(8 * MB, most_waiting=8)
    upload = Upload(memory)
    upload.send(MB)
    upload.send(2 * MB)
    with memory.of_request(), pytest.raises(PayloadTooLarge):
        await read_body(upload.request, 2 * MB)
    assert memory.bytes.running == 0


async def sent(content: bytes) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(message)

    response = await json_response(content, {"server-timing": "read;dur=1"})
    await response({"type": "http"}, None, send)  # type: ignore[arg-type]
    return messages


@pytest.mark.parametrize("room", [MB, 64 * MB], ids=["from a file", "from memory"])
async def test_a_large_answer_leaves_in_pieces_and_is_the_same(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_response, "MAX_IN_MEMORY", room)
    content = bytes(range(256)) * 10_000
    start, *pieces = await sent(content)
    assert b"".join(piece["body"] for piece in pieces) == content
    assert max(len(piece["body"]) for piece in pieces) == 256 * 1024
    assert dict(start["headers"]) == {
        b"server-timing": b"read;dur=1",
        b"content-length": b"2560000",
        b"content-type": b"application/json",
    }


async def test_slow_readers_hold_so_much_in_memory_together_whoever_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_response, "MAX_IN_MEMORY", 5 * MB)
    files: list[int] = []
    write_to_file = large_response.write_to_file

    def write_counted(content: Sequence[bytes]) -> IO[bytes]:
        files.append(sum(map(len, content)))
        return write_to_file(content)

    monkeypatch.setattr(large_response, "write_to_file", write_counted)
    content = b"x" * (2 * MB)
    begun: list[Any] = []

    async def never(message: Any) -> None:
        begun.append(message)
        await asyncio.Event().wait()

    async def read_by_nobody() -> None:
        await (await json_response([content[:MB], content[MB:]], {}))({"type": "http"}, None, never)  # type: ignore[arg-type]

    readers = []
    for _ in range(3):
        readers.append(asyncio.create_task(read_by_nobody()))
        while len(begun) < len(readers):
            await asyncio.sleep(0)
    assert files == [len(content)]
    assert large_response.LargeResponse.in_memory == 4 * MB
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    assert large_response.LargeResponse.in_memory == 0


async def test_a_small_answer_is_one_piece() -> None:
    start, piece = await sent(b"{}")
    assert piece["body"] == b"{}"
    assert dict(start["headers"])[b"content-type"] == b"application/json"


async def test_a_stream_that_is_heard_to_its_end_is_no_caller_who_hung_up() -> None:
    async def said() -> AsyncGenerator[bytes, None]:
        for piece in (b"a", b"b"):
            yield piece
            await asyncio.sleep(0)

    sent: list[Any] = []
    is_complete = asyncio.Event()

    async def receive() -> Any:
        await is_complete.wait()  # as servers do
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if not message.get("more_body", True):
            is_complete.set()

    feed = Feed(said(), timeout_s=10)
    pieces = feed.encoded(lambda piece: (piece,), b"ping", first_ping_s=10, ping_s=10)
    await EventStreamResponse(feed, pieces, Stages(), lambda _: [b"failed"])({}, receive, send)
    assert b"".join(message.get("body", b"") for message in sent) == b"ab"
    assert is_complete.is_set()


async def test_a_large_piece_of_a_stream_is_sent_in_parts_as_the_reader_takes_them() -> None:
    large = bytes(range(256)) * 4096
    sizes: list[int] = []

    async def said() -> AsyncGenerator[bytes, None]:
        yield large

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sizes.append(len(message.get("body", b"")))

    feed = Feed(said(), timeout_s=10)
    pieces = feed.encoded(lambda piece: (piece,), b"ping", first_ping_s=10, ping_s=10)
    await EventStreamResponse(feed, pieces, Stages(), lambda _: [b"failed"])({}, receive, send)
    assert sum(sizes) == len(large)
    assert max(sizes) <= 256 * 1024
