"""The work of a request: its time limit, failures, and callers who leave."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import pytest

from app.chat.call import TimeLimit, within
from app.errors import BadRequest, Unavailable


async def stuck() -> AsyncGenerator[str, None]:
    await asyncio.Event().wait()
    yield "never"


async def test_work_that_is_cancelled_from_within_ends_with_a_failure() -> None:
    async def broken() -> AsyncGenerator[str, None]:
        yield "one"
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError):
        _ = [event async for event in within(10, broken())]


async def test_a_time_out_of_the_work_itself_is_not_the_requests_time_limit() -> None:
    async def timed_out() -> AsyncGenerator[str, None]:
        yield "one"
        raise TimeoutError("a socket's")

    with pytest.raises(TimeoutError, match="a socket's"):
        _ = [event async for event in within(10, timed_out())]


async def test_a_failure_reaches_the_caller_after_what_came_before() -> None:
    async def failing() -> AsyncGenerator[str, None]:
        yield "one"
        raise BadRequest("broken")

    seen: list[str] = []
    with pytest.raises(BadRequest):
        async for event in within(10, failing()):
            seen.append(event)  # noqa: PERF401 - what came before the failure counts
    assert seen == ["one"]


async def test_leaving_ends_the_work_and_waits_for_it() -> None:
    ended = False

    async def endless() -> AsyncGenerator[str, None]:
        nonlocal ended
        try:
            while True:
                yield "more"
        finally:
            await asyncio.sleep(0)
            ended = True

    async with contextlib.aclosing(within(10, endless())) as events:
        async for _ in events:
            break
    assert ended


@pytest.mark.parametrize(("seconds", "spent_s"), [(0.01, 0.0), (600, 600)])
async def test_the_time_limit_counts_from_the_arrival_and_is_a_503(seconds: float, spent_s: float) -> None:
    with pytest.raises(Unavailable, match=f"longer than {seconds:g} s") as refusal:
        _ = [event async for event in within(seconds, stuck(), spent_s)]
    assert (refusal.value.code, refusal.value.retry_after) == ("timeout", 1)
    now = asyncio.get_running_loop().time()
    assert TimeLimit.of(600, spent_s=500).answer_by < now + 100
