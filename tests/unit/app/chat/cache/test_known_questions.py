"""Questions whose answers are kept: what was seen of an answer is told of that answer alone, who leaves first, when a
question is embedded, and what becomes of a request where they cannot be reached."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from app.chat.cache import rephrased
from app.chat.cache.event_codec import encode_events
from app.chat.cache.known_questions import KnownQuestion, KnownQuestions
from app.chat.cache.rephrased import RephrasedQuestions, decode_answer_of
from app.chat.cache.same_answer import digest_of
from app.chat.cache.verification import MIN_OBSERVATIONS, Observation, Observations
from app.chat.cache.vetoes import gist
from app.chat.inputs import Turn
from app.events import Event, Finish, TextChunk
from app.state.entries import EntryTotals
from app.state.sealing import Sealer
from app.wire.request import ChatRequest
from models.base import EngineFailed
from models.embedding.embedder import DIMENSIONS, Vector

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
    questions = KnownQuestions(tmp_path / "q.sqlite", Sealer(1 << 20), clock=clock)
    yield questions
    await questions.close()


def vector(number: int = 0) -> Vector:
    one = np.zeros(DIMENSIONS, np.float32)
    one[number] = 1
    return one


async def add(questions: KnownQuestions, said: str, answer: bytes = ANSWER, *, number: int = 0) -> None:
    await questions.add(bytes([number]), "t1", "How tall?", answer, digest_of(said), max_age_s=600)


async def known(questions: KnownQuestions, number: int = 0) -> KnownQuestion:
    [found] = await questions.find_by_gist(bytes([number]), 2)
    return replace(found, vector=vector())


async def test_the_same_answer_keeps_what_was_seen_of_it(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "330 metres.")
    await questions.observe(await known(questions), RIGHT)
    # It has ended, and is made anew.
    clock.now += 3600
    await add(questions, "330  Metres")
    assert (await known(questions)).observations == Observations((RIGHT,))


async def test_another_answer_under_the_same_key_begins_without(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "330 metres.")
    await questions.observe(await known(questions), RIGHT)
    clock.now += 3600
    await add(questions, "300 metres.")
    assert (await known(questions)).observations == Observations()
    await add(questions, "330 metres.")
    assert (await known(questions)).observations == Observations()


async def test_what_was_seen_of_an_answer_is_not_noted_for_its_successor(questions: KnownQuestions) -> None:
    await add(questions, "330 metres.")
    before = await known(questions)
    await add(questions, "300 metres.")
    await questions.observe(before, RIGHT)
    assert (await known(questions)).observations == Observations()


async def test_only_the_answer_that_was_observed_is_told_again(questions: KnownQuestions) -> None:
    await add(questions, "330 metres.")
    events = [TextChunk("330 "), TextChunk("metres."), Finish("stop", 1, 2)]
    told = decode_answer_of(await known(questions), encode_events(events))
    assert told == [TextChunk("330 metres."), Finish("stop", 1, 2, vcache=True)]
    assert (
        decode_answer_of(await known(questions), encode_events([TextChunk("300 metres."), Finish("stop", 1, 2)]))
        is None
    )


async def test_what_was_used_least_lately_leaves_first_and_a_hit_is_a_use(tmp_path: Path, clock: Clock) -> None:
    questions = KnownQuestions(tmp_path / "few.sqlite", Sealer(1 << 20), max_questions=3, clock=clock)
    for number in range(3):
        await add(questions, "Yes.", bytes([number]) * 32, number=number)
        clock.now += 1
    first = await known(questions, 0)
    assert not questions.needs_use_update(first)
    clock.now += 50
    for number in (1, 2):
        await add(questions, "Yes.", bytes([number]) * 32, number=number)
    clock.now += 8
    assert questions.needs_use_update(first)
    await questions.use(first)
    await add(questions, "Yes.", b"4" * 32, number=4)
    there = [one for number in range(5) for one in await questions.find_by_gist(bytes([number]), 9)]
    assert {one.answer_key[:1] for one in there} == {b"\0", b"\2", b"4"}
    await questions.close()


async def test_what_has_ended_is_swept_out(questions: KnownQuestions, clock: Clock) -> None:
    await add(questions, "Yes.", b"1" * 32, number=1)
    clock.now += 599
    await add(questions, "Yes.", b"2" * 32, number=2)
    [held] = await questions.entry_totals()
    assert (held.tenant, held.kind, held.entries) == ("t1", "question", 2)
    clock.now += 2
    assert await questions.sweep() == 1
    assert [(one.tenant, one.entries) for one in await questions.entry_totals()] == [("t1", 1)]
    assert (await known(questions, 2)).answer_key == b"2" * 32
    assert await questions.purge("t2") == 0
    assert await questions.purge("t1") == 1
    assert await questions.entry_totals() == list[EntryTotals]()


async def test_of_one_gist_those_come_first_that_were_used_last(questions: KnownQuestions, clock: Clock) -> None:
    for number in range(4):
        await add(questions, "Yes.", bytes([number]) * 32)
        clock.now += 1
    await questions.use((await questions.find_by_gist(b"\0", 9))[-1])
    assert [one.answer_key[0] for one in await questions.find_by_gist(b"\0", 3)] == [0, 3, 2]
    assert not await questions.find_by_gist(b"\1", 3)


async def test_a_vector_is_kept_as_it_points_and_what_was_seen_counts_by_it_alone(
    questions: KnownQuestions, tmp_path: Path
) -> None:
    await add(questions, "330 metres.")
    [before] = await questions.find_by_gist(b"\0", 1)
    assert before.vector is None
    pointing = np.random.default_rng(5).normal(size=DIMENSIONS).astype(np.float32)
    pointing /= np.linalg.norm(pointing)
    await questions.observe(replace(before, vector=pointing), RIGHT)
    await questions.observe(before, RIGHT)
    [after] = await questions.find_by_gist(b"\0", 1)
    assert after.vector is not None
    assert float(after.vector @ pointing) == pytest.approx(1, abs=0.001)
    assert after.observations == Observations((RIGHT, RIGHT))
    with closing(sqlite3.connect(tmp_path / "q.sqlite")) as db, db:
        db.execute("UPDATE questions SET vector = x'00'")
    [damaged] = await questions.find_by_gist(b"\0", 1)
    assert (damaged.vector, damaged.observations) == (None, Observations())


QUESTION = ChatRequest.model_validate(
    {"model": "interfaze-beta", "messages": [{"role": "user", "content": "How tall is the Eiffel Tower?"}]}
)


TURN = Turn("How tall is the Eiffel Tower?", ())


class _Embedder:
    """One that fails, or never answers."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.hangs = hangs
        self.asked = 0

    async def embed(self, _texts: Sequence[str]) -> Sequence[Vector]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        raise EngineFailed("all-minilm-l6-v2")


def rephrased_by(questions: KnownQuestions, embedder: _Embedder) -> RephrasedQuestions:
    def no_llm() -> Never:
        raise AssertionError("nothing is compared here")

    return RephrasedQuestions(
        questions, embedder, no_llm, max_error=0.01, max_age_s=60, today=lambda: datetime.now(UTC)
    )


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(rephrased, "LOOKUP_TIMEOUT_S", 60.0)


async def known_well(questions: KnownQuestions, text: str, seen: Observation = RIGHT) -> None:
    await questions.add(gist(text, "scope"), "t1", text, ANSWER, b"", max_age_s=600)
    [found] = await questions.find_by_gist(gist(text, "scope"), 1)
    for _ in range(MIN_OBSERVATIONS):
        await questions.observe(replace(found, vector=vector()), seen)


async def test_a_question_is_embedded_only_where_an_answer_may_be_given(questions: KnownQuestions) -> None:
    embedder = _Embedder()
    layer = rephrased_by(questions, embedder)
    asked = await layer.look_up(QUESTION, TURN, "scope")
    assert asked is not None
    assert (asked.nearest, asked.decision) == (None, "explore")
    # One that says something else, one in another scope, and one of which too little is known.
    await known_well(questions, "How tall is the Tokyo Tower?")
    await questions.add(asked.gist, "t1", "Hi, how tall is the Eiffel Tower, please?", b"b" * 32, b"", max_age_s=600)
    asked = await layer.look_up(QUESTION, TURN, "scope")
    assert asked is not None
    assert asked.nearest is not None
    assert (asked.nearest.answer_key, asked.decision) == (b"b" * 32, "explore")
    elsewhere = await layer.look_up(QUESTION, TURN, "another scope")
    assert elsewhere is not None
    assert elsewhere.nearest is None
    assert embedder.asked == 0


async def test_what_has_the_gist_and_a_veto_is_not_near(questions: KnownQuestions) -> None:
    one, other = "Is Java faster than Python?", "Is Python faster than Java?"
    assert gist(one, "scope") == gist(other, "scope")
    await known_well(questions, one)
    embedder = _Embedder()
    request = QUESTION.model_copy(update={"messages": [QUESTION.messages[0].model_copy(update={"content": other})]})
    asked = await rephrased_by(questions, embedder).look_up(request, Turn(other, ()), "scope")
    assert asked is not None
    assert asked.nearest is None
    assert embedder.asked == 0


class _Pointing(_Embedder):
    """All texts have the same vector."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        self.asked += len(texts)
        return [vector() for _ in texts]


async def test_two_questions_are_embedded_when_their_answers_are_compared(questions: KnownQuestions) -> None:
    events = [TextChunk("330 metres."), Finish("stop", 1, 2)]
    written = asyncio.create_task(asyncio.sleep(0))
    embedder = _Pointing()
    layer = rephrased_by(questions, embedder)

    async def find(_known: KnownQuestion) -> Sequence[Event]:
        return events

    async def seen_after(number: int) -> int:
        asked = await layer.look_up(QUESTION, Turn(TURN.text, ()), "scope")
        assert asked is not None
        layer.learn(asked, "t1", bytes([number]) * 32, events, find, written)
        await asyncio.gather(*layer._learning)
        [found] = await questions.find_by_gist(asked.gist, 9)
        return len(found.observations)

    assert (await seen_after(0), embedder.asked) == (0, 0)
    assert (await seen_after(1), embedder.asked) == (1, 2)
    # From then on the earlier one's is there.
    assert (await seen_after(2), embedder.asked) == (2, 3)
    assert not layer.faults


async def test_what_is_too_much_to_learn_from_is_counted(questions: KnownQuestions) -> None:
    layer = rephrased_by(questions, _Embedder())
    asked = await layer.look_up(QUESTION, TURN, "scope")
    assert asked is not None

    async def find(_known: KnownQuestion) -> None:
        return None

    never = asyncio.create_task(asyncio.Event().wait())
    for _ in range(rephrased._MAX_LEARNING + 2):
        layer.learn(asked, "t1", ANSWER, [TextChunk("Yes."), Finish("stop", 1, 2)], find, never)
    assert layer.faults == {"busy": 2}
    never.cancel()


@pytest.mark.parametrize("hangs", [True, False], ids=["slow", "down"])
async def test_an_embedding_that_fails_is_left_alone_for_a_while(
    questions: KnownQuestions, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    monkeypatch.setattr(rephrased, "EMBEDDING_S", 0.01)
    monkeypatch.setattr("app.state.entries.PAUSE_S", 3600.0)
    await known_well(questions, "What is the height of the Eiffel Tower?")
    embedder = _Embedder(hangs=hangs)
    layer = rephrased_by(questions, embedder)
    for _ in range(6):
        assert await layer.look_up(QUESTION, TURN, "scope") is None
    assert embedder.asked == (3 if hangs else 1)
    assert layer.faults == ({"slow": 3, "down": 3} if hangs else {"down": 6})


async def test_questions_that_cannot_be_reached_are_left_alone_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.state.entries.PAUSE_S", 3600.0)
    # A folder is no file.
    layer = rephrased_by(KnownQuestions(tmp_path, Sealer(1 << 20)), _Embedder())
    for _ in range(3):
        assert await layer.look_up(QUESTION, TURN, "scope") is None
    # The look-up, and from then on what would come before it.
    assert layer.faults == {"down": 3}
    await layer.close()
