"""Questions whose answers are kept: what was seen of an answer is told of that answer alone, who leaves first, and what
becomes of a request where they cannot be reached."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from app.chat.cache import rephrased
from app.chat.cache.known_questions import KnownQuestion, KnownQuestions
from app.chat.cache.recorded import recorded
from app.chat.cache.rephrased import Rephrased, replayed_for
from app.chat.cache.verified import Observation, Observations, digest_of
from app.chat.event_driver import Finish, Text
from app.chat.inputs import Turn
from app.state.entries import Held
from app.state.sealing import Seal
from app.wire.request import ChatRequest
from models.base import EngineFailed
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
    await questions.add("scope", "t1", "How tall?", vector(number), answer, digest_of(said), max_age_s=600)


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


async def test_what_was_used_least_lately_leaves_first_and_a_hit_is_a_use(tmp_path: Path, clock: Clock) -> None:
    questions = KnownQuestions(tmp_path / "few.sqlite", Seal(1 << 20), most=3, clock=clock)
    for number in range(3):
        await add(questions, "Yes.", bytes([number]) * 32, number=number)
        clock.now += 1
    first = await known(questions, 0)
    assert not questions.was_long_unused(first)
    clock.now += 50
    for number in (1, 2):
        await add(questions, "Yes.", bytes([number]) * 32, number=number)
    clock.now += 8
    assert questions.was_long_unused(first)
    await questions.use(first)
    await add(questions, "Yes.", b"4" * 32, number=4)
    there = await questions.nearest("scope", vector(0) + vector(1) + vector(2) + vector(4), 9)
    assert {one.answer[:1] for one in there} == {b"\0", b"\2", b"4"}
    await questions.close()


async def test_what_has_ended_is_swept_out(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "Yes.", b"1" * 32, number=1)
    clock.now += 599
    await add(questions, "Yes.", b"2" * 32, number=2)
    [held] = await questions.held()
    assert (held.tenant, held.kind, held.entries) == ("t1", "question", 2)
    clock.now += 2
    assert await questions.sweep() == 1
    assert [(one.tenant, one.entries) for one in await questions.held()] == [("t1", 1)]
    assert (await known(questions, 2)).answer == b"2" * 32
    assert await questions.purge("t1") == 1
    assert await questions.held() == list[Held]()


QUESTION = ChatRequest.model_validate(
    {"model": "interfaze-beta", "messages": [{"role": "user", "content": "How tall is the Eiffel Tower?"}]}
)


class _Embedder:
    """One that fails, or never answers."""

    def __init__(self, *, hangs: bool) -> None:
        self.hangs = hangs
        self.asked = 0

    async def embed(self, _texts: Sequence[str]) -> Sequence[Vector]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        raise EngineFailed("all-minilm-l6-v2")


def rephrased_by(questions: KnownQuestions, embedder: _Embedder) -> Rephrased:
    def no_llm() -> Never:
        raise AssertionError("nothing is compared here")

    return Rephrased(questions, embedder, no_llm, max_error=0.01, max_age_s=60, today=lambda: datetime.now(UTC))


@pytest.mark.parametrize("hangs", [True, False], ids=["slow", "down"])
async def test_an_embedding_that_fails_is_left_alone_for_a_while(
    questions: KnownQuestions, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(rephrased, "EMBEDDING_S", 0.01)
    monkeypatch.setattr("app.state.entries.PAUSE_S", 3600.0)
    embedder = _Embedder(hangs=hangs)
    layer = rephrased_by(questions, embedder)
    for _ in range(6):
        assert await layer.asked(QUESTION, Turn("How tall is the Eiffel Tower?", ()), "scope") is None
    assert embedder.asked == (3 if hangs else 1)
    assert layer.faults == ({"slow": 3, "down": 3} if hangs else {"down": 6})


async def test_questions_that_cannot_be_reached_are_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.state.entries.PAUSE_S", 3600.0)
    # A folder is no file.
    layer = rephrased_by(KnownQuestions(tmp_path, Seal(1 << 20)), _Embedder(hangs=False))
    turn = Turn("How tall is the Eiffel Tower?", (), _vectors=[vector()])
    for _ in range(3):
        assert await layer.asked(QUESTION, turn, "scope") is None
    # The look-up, and from then on what would come before it.
    assert layer.faults == {"down": 3}
    await layer.close()
