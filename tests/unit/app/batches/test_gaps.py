"""When lines run, and when they make room."""

import asyncio

import pytest

from app.batches.gaps import Gaps, KeyPauses, LineSlot
from models.scheduler import SHARE, Share

CHAT = ("POST", "/v1/chat/completions")


def widened(at_once: int) -> Gaps:
    gaps = Gaps(at_once)
    for _ in range(100):
        gaps.went_well()
    return gaps


async def begun(gaps: Gaps, count: int) -> list["asyncio.Task[LineSlot]"]:
    """Lines that wait for their turn, those of which it is the turn first."""
    tasks = [asyncio.create_task(gaps.take()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_as_many_lines_run_as_went_well_up_to_the_limit() -> None:
    gaps = Gaps(4)
    assert gaps.width == 1
    gaps.went_well()
    assert gaps.width == 2
    for _ in range(100):
        gaps.went_well()
    assert gaps.width == 4


async def test_where_there_was_no_room_half_as_many_run() -> None:
    gaps = widened(8)
    gaps.had_no_room()
    assert gaps.width == 4
    for _ in range(10):
        gaps.had_no_room()
    assert gaps.width == 1


async def test_lines_wait_while_somebody_waits_for_an_answer_but_one_runs() -> None:
    gaps = widened(4)
    with gaps.beside(*CHAT):
        lines = await begun(gaps, 3)
        assert [one.done() for one in lines] == [True, False, False]
        lines[0].result().give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [one.done() for one in lines] == [True, True, False], "one after the other"
    await asyncio.gather(*lines)
    assert gaps.running == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/batches/batch_1"), ("POST", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/ready")],
)
async def test_whoever_looks_after_a_batch_does_not_hold_it_up(method: str, path: str) -> None:
    gaps = widened(4)
    with gaps.beside(method, path):
        assert gaps.width == 4


async def test_a_request_that_fails_counts_no_longer() -> None:
    gaps = widened(4)
    with pytest.raises(OSError), gaps.beside(*CHAT):
        raise OSError
    assert gaps.width == 4


async def test_turns_come_in_the_order_of_asking() -> None:
    gaps = Gaps(1)
    lines = await begun(gaps, 3)
    for line, expected in zip(lines, ([True, False, False], [True, True, False], [True, True, True]), strict=True):
        assert [one.done() for one in lines] == expected
        line.result().give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_keys_with_batches_take_turns() -> None:
    gaps, order = Gaps(1), []

    async def line(key: str) -> None:
        SHARE.set(Share(key))
        slot = await gaps.take()
        order.append(key)
        await asyncio.sleep(0)
        slot.give_back()

    await asyncio.gather(*(line(key) for key in "aaaabb"))
    assert order == list("abaaab") or order == list("ababaa")


async def test_a_key_never_waits_for_the_lines_of_other_keys() -> None:
    gaps = Gaps(2)

    async def take(key: str) -> LineSlot:
        SHARE.set(Share(key))
        return await gaps.take()

    with gaps.beside(*CHAT):
        slots = [await asyncio.create_task(take(key)) for key in "abc"]
        second = asyncio.create_task(take("b"))
        slots[0].give_back()
        slots[2].give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done(), "its key has one already"
        slots[1].give_back()
        await second
    assert gaps.running == 1


async def test_a_slot_that_was_given_back_is_given_back_once_and_taken_again() -> None:
    gaps = Gaps(1)
    slot = await gaps.take()
    slot.give_back()
    slot.give_back()
    assert gaps.running == 0
    await slot.take()
    await slot.take()
    assert gaps.running == 1


def test_a_key_pauses_until_the_last_of_its_pauses_ends_and_others_do_not() -> None:
    now = 100.0
    pauses = KeyPauses(lambda: now)
    pauses.begin("a", 10)
    pauses.begin("a", 3)
    assert (pauses.rest_s("a"), pauses.rest_s("b")) == (10, 0)
    now = 110.0
    assert pauses.rest_s("a") == 0


async def test_whoever_leaves_while_waiting_takes_no_place() -> None:
    gaps = Gaps(1)
    first, second, third = await begun(gaps, 3)
    second.cancel()
    first.result().give_back()
    await third
    assert gaps.running == 1


async def test_whoever_leaves_when_it_is_its_turn_gives_the_place_back() -> None:
    gaps = Gaps(1)
    [first] = await begun(gaps, 1)
    second = asyncio.create_task(gaps.take())
    await asyncio.sleep(0)
    first.result().give_back()  # the turn of the second, which does not know it yet
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    assert gaps.running == 0
