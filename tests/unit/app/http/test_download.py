"""Downloads of files."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from starlette.types import Message

from app.http.disconnect import ClientGone
from app.http.large_response import DownloadResponse
from tests.strays import no_stray_failures


async def test_when_the_caller_hangs_up_the_reading_ends_and_the_file_is_closed() -> None:
    closed, hung_up = asyncio.Event(), asyncio.Event()

    async def rest() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x"
        finally:
            await asyncio.sleep(0)
            closed.set()

    async def receive() -> Message:
        await hung_up.wait()
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            hung_up.set()
            await asyncio.Event().wait()  # nobody reads

    with no_stray_failures():
        with pytest.raises(ClientGone):
            await DownloadResponse(b"first", rest(), 1000, {})({}, receive, send)
        assert closed.is_set()
    assert [message.get("body") for message in sent] == [None, b"first", b"x"]


async def test_a_download_has_the_whole_file() -> None:
    async def rest() -> AsyncGenerator[bytes, None]:
        yield b"b"
        yield b"c"

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await DownloadResponse(b"a", rest(), 3, {})({}, receive, send)
    assert b"".join(message.get("body", b"") for message in sent) == b"abc"
    assert (b"content-length", b"3") in sent[0]["headers"]
