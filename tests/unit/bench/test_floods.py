"""Floods of the bench: what their callers send, and what is told of the calls beside them."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bench.fairness import Case, chosen, row, slow_readers
from bench.floods import Asked, Caller, Calls, Connections

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def flood_until(done: asyncio.Event, caller: Caller, serve: Serve) -> list[int]:
    answers = [0, 0, 0]
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        flooding = asyncio.create_task(caller.run("127.0.0.1", port, 1, answers))
        waiting = asyncio.create_task(done.wait())
        ended, _ = await asyncio.wait([flooding, waiting], return_when=asyncio.FIRST_COMPLETED)
        assert waiting in ended, flooding.exception()
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
    return answers


@pytest.mark.deep
@pytest.mark.parametrize(
    ("caller", "received"),
    [
        (Connections(b"abc", every_s=0), b"abc"),
        (Connections(b"abc", again=b"de", every_s=0), b"abcdede"),
        (Connections(b"abc", read_per_s=1, every_s=0), b"abc"),
    ],
    ids=["closed at once", "sends again", "reads"],
)
async def test_connections_are_opened_again_once_they_are_closed(caller: Connections, received: bytes) -> None:
    done, came = asyncio.Event(), list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readexactly(len(received)))
        writer.close()
        if len(came) == 3:
            done.set()

    answers = await flood_until(done, caller, serve)
    assert came[:3] == [received] * 3
    assert answers[2] >= 3


@pytest.mark.parametrize(
    "body",
    ["content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
    ids=["with a length", "streamed"],
)
async def test_a_caller_reads_an_answer_to_its_end_before_the_next_call(body: str) -> None:
    done, calls = asyncio.Event(), [Asked(path="/a"), Asked(b"{}", "/b")]
    expected = {call.path: call.sent("key-of-alice") for call in calls}
    order = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for status in (200, 429, 200):
            head = await reader.readuntil(b"\r\n\r\n")
            order.append(path := head.split()[1].decode())
            assert head + await reader.readexactly(len(expected[path]) - len(head)) == expected[path]
            writer.write(f"HTTP/1.1 {status} X\r\nretry-after: 0\r\n{body}".encode())
        await reader.readuntil(b"\r\n\r\n")
        done.set()
        writer.close()

    assert await flood_until(done, Calls(calls), serve) == [2, 1, 4]
    assert order == ["/b", "/a", "/b"], "each caller begins with another call"


def test_only_what_may_be_cached_is_answered_from_the_cache() -> None:
    assert b"bypass-cache" in Asked.chat({}).sent("a")
    assert b"bypass-cache" not in Asked.chat({}, may_be_cached=True).sent("a")


def test_floods_are_chosen_by_their_names_or_by_that_of_their_group() -> None:
    cases = {name: Case(slow_readers, {}) for name in ("long heads", "slow readers")}
    for only, names in (
        ([], ["long heads", "slow readers"]),
        (["connections"], ["long heads", "slow readers"]),
        (["OCR", "slow readers"], ["slow readers"]),
        (["OCR"], []),
    ):
        assert list(chosen("connections", cases, only)) == names


def test_a_row_has_the_percentiles_and_the_ratio_of_the_95th() -> None:
    alone, beside = [n / 1000 for n in range(101)], [n / 500 for n in range(101)]
    assert row("OCR", alone, beside).split() == ["OCR", "50.0", "95.0", "100.0", "100.0", "190.0", "200.0", "2.0", "x"]
