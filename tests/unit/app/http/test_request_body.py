"""Bodies of requests."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from app.access.door import Door
from app.errors import BadRequest, PayloadTooLarge, Unavailable
from app.http.request import ClientGone, ReadAhead, read_body
from app.monitoring.metrics import Stages

MB = 1024 * 1024


class Upload:
    """A request whose body comes when a test sends it."""

    def __init__(self, door: Door, *, announced: int | None = None, encodings: Sequence[str] = (), limit_s: float = 60):
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._door = door
        self.taken = 0
        services = SimpleNamespace(settings=SimpleNamespace(request_timeout_s=limit_s))
        app = SimpleNamespace(state=SimpleNamespace(services=services))
        headers = [] if announced is None else [(b"content-length", str(announced).encode())]
        headers += [(b"content-encoding", one.encode()) for one in encodings]
        state = {"stages": Stages()}
        self.request = Request({"type": "http", "headers": headers, "app": app, "state": state}, self._receive)

    async def _receive(self) -> Any:
        message = await self._messages.get()
        self.taken += 1
        return message

    def send(self, size: int, *, last: bool = False, text: bytes = b"x") -> None:
        content = (text * (size // len(text) + 1))[:size]
        self._messages.put_nowait({"type": "http.request", "body": content, "more_body": not last})

    def hang_up(self) -> None:
        self._messages.put_nowait({"type": "http.disconnect"})

    async def read(self, max_bytes: int) -> bytes:
        self.request.state.place = await self._door.enter("key", None, ReadAhead(self._receive))
        try:
            return bytes(await read_body(self.request, max_bytes))
        finally:
            self.request.state.place.leave()


def a_door(body_bytes: int = 100 * MB) -> Door:
    return Door(10, body_bytes)


@pytest.mark.parametrize("encodings", [["gzip"], ["identity", "br"], ["GZIP, identity"]])
async def test_a_compressed_body_is_refused_before_it_is_read(encodings: list[str]) -> None:
    upload = Upload(a_door(), encodings=encodings)
    upload.send(2, text=b"{}", last=True)
    with pytest.raises(BadRequest, match="Send the body uncompressed"):
        await upload.read(MB)
    assert upload.taken == 0


@pytest.mark.parametrize("encodings", [[], [""], ["Identity"]])
async def test_a_body_as_it_is_may_say_so(encodings: list[str]) -> None:
    upload = Upload(a_door(), encodings=encodings)
    upload.send(2, text=b"{}", last=True)
    assert await upload.read(MB) == b"{}"


@pytest.mark.parametrize("announced", [None, 3 * MB])
async def test_a_body_that_is_too_large_is_refused_by_what_is_announced_or_comes(announced: int | None) -> None:
    upload = Upload(a_door(), announced=announced)
    upload.send(MB)
    upload.send(2 * MB)
    with pytest.raises(PayloadTooLarge) as refused:
        await upload.read(2 * MB)
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")
    assert upload.taken == (0 if announced else 2)


async def test_the_bodies_of_running_requests_have_a_bound_that_is_free_again_when_they_end() -> None:
    door = a_door(10 * MB)
    first, second, third = (Upload(door) for _ in range(3))
    first.send(8 * MB)
    reading = asyncio.create_task(first.read(20 * MB))
    while not first.taken:
        await asyncio.sleep(0)
    second.send(8 * MB, last=True)
    with pytest.raises(Unavailable) as refused:
        await second.read(20 * MB)
    assert (refused.value.status, refused.value.code) == (503, "overloaded")
    first.send(1, last=True)
    assert len(await reading) == 8 * MB + 1
    third.send(8 * MB, last=True)
    assert len(await third.read(20 * MB)) == 8 * MB


async def test_a_body_that_does_not_come_within_the_requests_time_is_refused() -> None:
    upload = Upload(a_door(), limit_s=0.01)
    upload.send(1)
    with pytest.raises(Unavailable) as refused:
        await upload.read(MB)
    assert refused.value.code == "timeout"


async def test_who_hangs_up_within_the_body_is_gone() -> None:
    upload = Upload(a_door())
    upload.send(1)
    upload.hang_up()
    with pytest.raises(ClientGone):
        await upload.read(MB)
