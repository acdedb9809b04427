"""The feed: silence, failure, time limits, and callers who leave."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable

import pytest

from app.chat.render import ChunkOptions, Envelope, stream
from app.errors import BadRequest, Unavailable
from app.events import Event, Finish, ReasoningChunk, TextChunk
from app.feed import BUFFERED, Feed, TimeLimit, Work
from app.wire import sse
from tests.strays import no_stray_failures

FINISH = Finish("stop", 1, 1)
ENVELOPE = Envelope("req-1", 0, "interfaze-beta")


async def test_silence_is_filled_with_pings_and_nothing_is_lost() -> None:
    heard = asyncio.Event()

    async def slow() -> AsyncGenerator[Event, None]:
        await heard.wait()
        yield TextChunk("late")
        yield FINISH

    async with Feed(slow(), timeout_s=10) as feed:
        pieces = []
        async for piece in stream(feed, ENVELOPE, ChunkOptions(), first_ping_s=0.001, ping_s=0.001):
            pieces.append(piece)
            heard.set()
    assert pieces[0] == sse.PING
    assert any(b'"content":"late"' in piece for piece in pieces)
    assert pieces[-1].endswith(sse.DONE)


async def test_events_that_are_not_shown_do_not_break_the_silence() -> None:
    pinged = asyncio.Event()

    async def thinking() -> AsyncGenerator[Event, None]:
        while not pinged.is_set():
            yield ReasoningChunk("hidden")
            await asyncio.sleep(0)
        yield FINISH

    async with Feed(thinking(), timeout_s=10) as feed:
        async for piece in stream(feed, ENVELOPE, ChunkOptions(), first_ping_s=0.01, ping_s=0.01):
            if piece == sse.PING:
                pinged.set()
    assert pinged.is_set()


async def test_work_that_is_cancelled_from_within_ends_with_a_failure() -> None:
    async def broken() -> AsyncGenerator[Event, None]:
        yield TextChunk("one")
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError):
        async with Feed(broken(), timeout_s=10).events() as events:
            async for _ in events:
                pass
    async with Feed(broken(), timeout_s=10) as feed:
        with pytest.raises(RuntimeError):
            async for _ in stream(feed, ENVELOPE, ChunkOptions()):
                pass


async def test_work_that_its_caller_cancels_ends_as_cancelled() -> None:
    begun = asyncio.Event()

    async def stuck() -> AsyncGenerator[Event, None]:
        begun.set()
        await asyncio.Event().wait()
        yield FINISH

    async def listen() -> None:
        async with Feed(stuck(), timeout_s=10).events() as events:
            async for _ in events:
                pass

    listening = asyncio.create_task(listen())
    await begun.wait()
    listening.cancel()
    await asyncio.wait([listening])
    assert listening.cancelled()


async def test_a_time_out_of_the_work_itself_is_not_the_requests_time_limit() -> None:
    async def timed_out() -> AsyncGenerator[Event, None]:
        yield TextChunk("one")
        raise TimeoutError("a socket's")

    with pytest.raises(TimeoutError, match="a socket's"):
        async with Feed(timed_out(), timeout_s=10).events() as events:
            async for _ in events:
                pass


async def test_a_failure_reaches_the_listener_after_what_came_before() -> None:
    async def failing() -> AsyncGenerator[Event, None]:
        yield TextChunk("one")
        raise BadRequest("broken")

    seen: list[Event] = []
    with pytest.raises(BadRequest):
        async with Feed(failing(), timeout_s=10).events() as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401 - what came before the failure counts
    assert seen == [TextChunk("one")]
    pieces: list[bytes] = []
    async with Feed(failing(), timeout_s=10) as feed:
        with pytest.raises(BadRequest):
            async for piece in stream(feed, ENVELOPE, ChunkOptions()):
                pieces.append(piece)  # noqa: PERF401
    assert [piece.count(b'"content":"one"') for piece in pieces] == [1]


async def test_leaving_ends_the_work_and_waits_for_it() -> None:
    ended = False

    async def endless() -> AsyncGenerator[Event, None]:
        nonlocal ended
        try:
            while True:
                yield TextChunk("more")
        finally:
            await asyncio.sleep(0)
            ended = True

    async with Feed(endless(), timeout_s=10).events() as events:
        async for _ in events:
            break
    assert ended
    ended = False
    async with Feed(endless(), timeout_s=10) as feed:
        async for _ in stream(feed, ENVELOPE, ChunkOptions()):
            break
    assert ended


async def test_the_time_limit_is_a_503_that_names_it() -> None:
    async def stuck() -> AsyncGenerator[Event, None]:
        await asyncio.Event().wait()
        yield FINISH

    with pytest.raises(Unavailable, match=r"longer than 0\.01 s") as refusal:
        async with Feed(stuck(), timeout_s=0.01).events() as events:
            async for _ in events:
                pass
    assert refusal.value.code == "timeout"


async def test_the_time_limit_counts_from_the_arrival() -> None:
    async def stuck() -> AsyncGenerator[Event, None]:
        await asyncio.Event().wait()
        yield FINISH

    async with Feed(stuck(), timeout_s=600, spent_s=600) as feed:
        with pytest.raises(Unavailable, match="longer than 600 s"):
            async for _ in stream(feed, ENVELOPE, ChunkOptions()):
                pass
    now = asyncio.get_running_loop().time()
    assert TimeLimit.of(600, spent_s=500).answer_by < now + 100


async def test_a_listener_that_lags_gets_every_event_and_those_that_wait_in_one_piece() -> None:
    total = 3 * BUFFERED // 100

    async def busy() -> AsyncGenerator[Event, None]:
        for number in range(total):
            yield TextChunk(f"{number},")

    async with Feed(busy(), timeout_s=10) as feed:
        pieces = [piece async for piece in stream(feed, ENVELOPE, ChunkOptions())]
    assert b'"content":"0,"' in pieces[0]
    assert BUFFERED // 2 < len(pieces[0]) <= BUFFERED
    contents = [json.loads(line[6:])["choices"][0]["delta"]["content"] for line in b"".join(pieces).split(b"\n\n")[:-1]]
    assert contents == [f"{number}," for number in range(total)]


async def test_the_work_waits_for_a_slow_listener_of_large_pieces() -> None:
    made = 0

    async def large() -> AsyncGenerator[bytes, None]:
        nonlocal made
        for size in (BUFFERED // 2, BUFFERED // 4, 3 * BUFFERED, BUFFERED // 2):
            made += 1
            yield bytes(size)

    async with Feed(large(), timeout_s=10) as feed:
        sizes, begun = [], []
        async for piece in feed.encoded(lambda piece: (piece,), sse.PING, 10, 10):
            for _ in range(10):
                await asyncio.sleep(0)
            sizes.append(len(piece))
            begun.append(made)
    assert sizes == [BUFFERED // 2 + BUFFERED // 4, 3 * BUFFERED, BUFFERED // 2]
    assert begun == [4, 4, 4]


async def test_work_that_fails_while_its_caller_leaves_leaves_no_failure_behind() -> None:
    async def start(report: Callable[[str], None]) -> None:
        report("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("the page could not be fetched") from None

    with no_stray_failures():
        async with contextlib.aclosing(Work[str, None](start).reports()) as reports:
            assert await anext(reports) == "begun"
        del reports
