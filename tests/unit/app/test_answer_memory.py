"""Memory for the text of an answer, counted once."""

import sys

from app.answer_memory import AnswerMemory


async def test_text_that_is_held_ahead_is_not_held_again_when_it_is_passed_on() -> None:
    held: list[int] = []

    async def hold(size: int) -> None:
        held.append(size)

    memory = AnswerMemory(hold)
    text = "word" * 100
    size = sys.getsizeof(text)
    await memory.hold_ahead(2 * size)
    await memory.hold_ahead(size)
    for _ in range(3):
        await memory.pass_on(text)
    assert held == [2 * size, size]
