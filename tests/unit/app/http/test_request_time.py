"""The work of a request: its time limit, failures, and callers who leave."""

import asyncio

import pytest

from app.errors import BadRequest, Unavailable
from app.http.request import within


async def stuck() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_the_work_has_its_result() -> None:
    assert await within(10, asyncio.sleep(0, "one")) == "one"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (asyncio.CancelledError(), RuntimeError),
        (TimeoutError("a socket's"), TimeoutError),
        (BadRequest("broken"), BadRequest),
    ],
)
async def test_failures_of_the_work_are_not_the_requests_time_limit(
    raised: BaseException, expected: type[Exception]
) -> None:
    async def failing() -> None:
        await asyncio.sleep(0)
        raise raised

    with pytest.raises(expected):
        await within(10, failing())


async def test_a_caller_who_leaves_ends_the_work() -> None:
    working = asyncio.create_task(within(10, stuck()))
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait([working])
    assert working.cancelled()


@pytest.mark.parametrize(("seconds", "spent_s"), [(0.01, 0.0), (600, 600)])
async def test_the_time_limit_counts_from_the_arrival_and_is_a_503(seconds: float, spent_s: float) -> None:
    with pytest.raises(Unavailable, match=f"longer than {seconds:g} s") as refusal:
        await within(seconds, stuck(), spent_s)
    assert (refusal.value.code, refusal.value.retry_after) == ("timeout", 1)
