"""The time of a chat request."""

import asyncio

from app.chat.call import TimeLimit


async def test_an_answer_is_cut_before_the_time_of_its_request_is_over() -> None:
    now = asyncio.get_running_loop().time()
    assert TimeLimit.of(600, spent_s=500).answer_by < now + 100
