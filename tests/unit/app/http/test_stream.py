"""Responses of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from app.errors import ApiError, BadRequest
from app.http import stream
from app.http.request import ClientGone
from app.http.stream import EventStream
from app.monitoring.metrics import Stages

SCOPE = {"type": "http", "method": "POST"}


async def as_it_is(event: bytes) -> bytes:
    return event


class Client:
    """A client that reads a response, and leaves once `leave` is set."""

    def __init__(self, limit_s: float = 60.0) -> None:
        self.messages: list[Any] = []
        self.leave = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.stages = Stages()
        self.limit_s = limit_s

    async def receive(self) -> Any:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.goes_on.wait()
        self.messages.append(message)
        if not message.get("more_body", True):
            self.leave.set()  # as servers report a response that is complete

    async def read(self, events: AsyncGenerator[bytes, None]) -> None:
        def failure(error: ApiError) -> bytes:
            return f"{error.code};end".encode()

        response = EventStream(events, as_it_is, self.stages, failure, self.limit_s)
        await response(SCOPE, self.receive, self.send)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


async def test_a_stream_that_is_read_to_its_end_is_no_caller_who_left() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        for event in (b"a", b"b"):
            yield event
            await asyncio.sleep(0)

    client = Client()
    client.stages.done("read")
    await client.read(events())
    assert client.body == b"ab"
    headers = dict(client.messages[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"server-timing"].startswith(b"read;dur=")


async def test_an_error_before_the_first_event_is_raised_and_nothing_is_sent() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(0)
        raise BadRequest("broken")
        yield b""

    client = Client()
    with pytest.raises(BadRequest):
        await client.read(events())
    assert client.messages == []


async def test_a_later_error_is_sent_in_the_stream() -> None:
    async def events() -> AsyncGenerator[bytes, None]:
        yield b"a;"
        raise BadRequest("broken")

    client = Client()
    await client.read(events())
    assert client.body == b"a;invalid_request;end"
    assert client.messages[-1]["more_body"] is False
    assert client.stages.failed == 400


async def test_a_silent_stream_begins_with_a_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PING_S", 0.001)
    client = Client()

    async def events() -> AsyncGenerator[bytes, None]:
        while len(client.messages) < 3:
            await asyncio.sleep(0.001)
        yield b"data: late\n\n"

    await client.read(events())
    assert client.body.startswith(b": ping\n\n: ping\n\n")
    assert client.body.count(b"data: late\n\n") == 1


async def test_the_work_for_a_client_that_does_not_read_ends_with_the_time_of_the_request() -> None:
    client = Client(limit_s=0.05)
    client.goes_on.clear()
    ended = asyncio.Event()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"a"
        finally:
            ended.set()

    reading = asyncio.create_task(client.read(events()))
    await ended.wait()
    client.goes_on.set()
    await reading
    assert client.body.endswith(b"atimeout;end")
    assert client.stages.failed == 503


async def test_who_hangs_up_ends_the_work() -> None:
    ended = asyncio.Event()
    client = Client()

    async def events() -> AsyncGenerator[bytes, None]:
        try:
            yield b"a"
            client.leave.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    with pytest.raises(ClientGone):
        await client.read(events())
    assert client.body == b"a"
    assert ended.is_set()


async def test_a_server_that_stops_says_so_in_the_stream() -> None:
    client = Client()

    async def events() -> AsyncGenerator[bytes, None]:
        yield b"a;"
        await asyncio.Event().wait()

    reading = asyncio.create_task(client.read(events()))
    while not client.messages:
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()
    assert client.body == b"a;overloaded;end"
