"""Questions whose answers are kept: what was seen of an answer is told of that answer alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from app.chat.cache.known_questions import KnownQuestion, KnownQuestions
from app.chat.cache.recorded import recorded
from app.chat.cache.rephrased import replayed_for
from app.chat.cache.verified import Observation, Observations, digest_of
from app.chat.event_driver import Finish, Text
from app.state.sealing import Seal
from models.language.embedding import DIMENSIONS, Vector

ANSWER = b"a" * 32
RIGHT = Observation(0.9, correct=True)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def questions(tmp_path: Path, clock: Clock) -> AsyncIterator[KnownQuestions]:
    questions = KnownQuestions(tmp_path / "q.sqlite", Seal(1 << 20), clock=clock)
    yield questions
    await questions.close()


def vector(number: int = 0) -> Vector:
    one = np.zeros(DIMENSIONS, np.float32)
    one[number] = 1
    return one


async def add(questions: KnownQuestions, said: str, answer: bytes = ANSWER, *, number: int = 0) -> None:
    await questions.add("scope", "t1", "How tall?", vector(number), answer, digest_of(said), max_age_s=60)


async def known(questions: KnownQuestions, number: int = 0) -> KnownQuestion:
    found = await questions.nearest("scope", vector(number), 1)
    return found[0]


async def test_the_same_answer_keeps_what_was_seen_of_it(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "330 metres.")
    await questions.observe(await known(questions), RIGHT)
    # It has ended, and is made anew.
    clock.now += 3600
    await add(questions, "330  Metres")
    assert (await known(questions)).seen == Observations((RIGHT,))


async def test_another_answer_under_the_same_key_begins_without(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "330 metres.")
    await questions.observe(await known(questions), RIGHT)
    clock.now += 3600
    await add(questions, "300 metres.")
    assert (await known(questions)).seen == Observations()
    await add(questions, "330 metres.")
    assert (await known(questions)).seen == Observations()


async def test_what_was_seen_of_an_answer_is_not_noted_for_its_successor(questions: KnownQuestions) -> None:
    await add(questions, "330 metres.")
    before = await known(questions)
    await add(questions, "300 metres.")
    await questions.observe(before, RIGHT)
    assert (await known(questions)).seen == Observations()


async def test_only_the_answer_that_was_observed_is_told_again(questions: KnownQuestions) -> None:
    await add(questions, "330 metres.")
    events = [Text("330 "), Text("metres."), Finish("stop", 1, 2)]
    told = replayed_for(await known(questions), recorded(events))
    assert told == [*events[:2], Finish("stop", 1, 2, vcache=True)]
    assert replayed_for(await known(questions), recorded([Text("300 metres."), Finish("stop", 1, 2)])) is None
