"""Turns of the event loop: one a pass, keys alternately, and rests between those of a key with rivals."""

import asyncio
from collections import Counter

import pytest

from models.loop_turns import BYTES_AHEAD_S, BYTES_PER_S, PIECES_OF_A_TURN, REST_S, LoopTurns, PieceCounter
from models.scheduler import SHARE, Share
from tests.loop_passes import passing
from tests.waiting import until


async def handle(key: str, pieces: int, handled: list[str]) -> None:
    SHARE.set(Share(key))
    counter = PieceCounter()
    for _ in range(pieces):
        handled.append(key)
        await counter.count()


async def test_few_pieces_wait_for_nobody() -> None:
    async with passing() as passes:
        await handle("alice", PIECES_OF_A_TURN - 1, [])
        assert passes.number == 0


async def test_one_task_has_a_turn_in_each_pass_of_the_loop() -> None:
    at_once: Counter[int] = Counter()

    class Handled(list[str]):
        def append(self, key: str) -> None:
            at_once[passes.number] += 1

    async with passing() as passes:
        await asyncio.gather(*(handle("alice", 20 * PIECES_OF_A_TURN, Handled()) for _ in range(10)))
    begun, *later = at_once.values()
    assert begun == 10 * PIECES_OF_A_TURN  # each task before its first wait
    assert set(later) == {PIECES_OF_A_TURN}


async def test_a_key_with_many_tasks_gets_no_more_turns_than_one_with_one() -> None:
    handled: list[str] = []
    many = [asyncio.create_task(handle("alice", 100 * PIECES_OF_A_TURN, handled)) for _ in range(8)]
    await handle("bob", 10 * PIECES_OF_A_TURN, handled)
    alices = Counter(handled)["alice"] / PIECES_OF_A_TURN
    await asyncio.gather(*many)
    assert alices <= 8 + 10 + 1


async def test_a_task_that_was_cancelled_leaves_its_turn_to_the_next() -> None:
    first, second = (asyncio.create_task(LoopTurns.of_running_loop().wait()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait_for(second, 10)
    assert first.cancelled()


class RestingTurns(LoopTurns):
    """Turns on a clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(asyncio.get_running_loop(), lambda: self.now)
        self.had: list[str] = []

    async def take(self, key: str, part: float, many: int) -> None:
        SHARE.set(Share(key, part))
        for _ in range(many):
            await self.wait()
            self.had.append(key)


@pytest.mark.parametrize("alices", [1, 3], ids=["one task", "several tasks"])
async def test_a_key_with_rivals_rests_after_a_turn_and_the_others_do_not_wait_for_that(alices: int) -> None:
    turns = RestingTurns()
    for key in ("alice", "bob"):
        turns.rivalry.record_request(key)
    asking = [asyncio.create_task(turns.take("alice", 0.5, 3)) for _ in range(alices)]
    await until(lambda: turns.had == ["alice"])
    await turns.take("the server itself", 1.0, 5)
    async with passing() as passes:
        await until(lambda: passes.number > 50)
    assert turns.had == ["alice"] + 5 * ["the server itself"]
    for number in range(2, 3 * alices + 1):
        turns.now += REST_S
        await until(lambda number=number: turns.had.count("alice") == number)
    await asyncio.gather(*asking)


async def test_turns_that_were_given_up_cost_no_rest() -> None:
    turns = RestingTurns()
    for key in ("alice", "bob"):
        turns.rivalry.record_request(key)
    gone = [asyncio.create_task(turns.take("alice", 0.5, 1)) for _ in range(20)]
    await asyncio.sleep(0)
    for one in gone:
        one.cancel()
    await turns.take("alice", 0.5, 1)  # the clock stands still
    assert turns.had == ["alice"]


async def test_a_key_without_rivals_does_not_rest() -> None:
    turns = RestingTurns()
    turns.rivalry.record_request("alice")
    await turns.take("alice", 0.5, 20)
    assert turns.had == 20 * ["alice"]


async def test_bodies_of_a_key_with_rivals_come_at_a_limited_speed_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    turns = LoopTurns(asyncio.get_running_loop(), clock=lambda: 0.0)
    turns.rivalry.record_request("alice")

    async def receive(share: Share, size: int) -> None:
        token = SHARE.set(share)
        await turns.wait_for_bytes(size)
        SHARE.reset(token)

    await receive(Share("alice", 0.5), 10 * BYTES_PER_S)
    assert slept == []
    turns.rivalry.record_request("bob")
    await receive(Share("bob", 0.5), int(BYTES_AHEAD_S * BYTES_PER_S))
    assert slept == []
    for _ in range(3):
        await receive(Share("alice", 0.5), BYTES_PER_S)
    assert slept == [1.0, 2.0, 3.0]


async def test_a_turn_that_is_given_up_costs_its_key_nothing() -> None:
    turns = LoopTurns(asyncio.get_running_loop(), lambda: 0.0)  # no rest ever ends
    done: list[str] = []
    turns.call(lambda: done.append("closed"), Share("alice"), rests=True, is_given_up=lambda: True)
    turns.call(lambda: done.append("open"), Share("alice"), rests=True)
    for _ in range(5):
        await asyncio.sleep(0)
    assert done == ["open"]
