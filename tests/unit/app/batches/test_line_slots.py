"""When lines run, and when they make room."""

import asyncio

import pytest

from app.batches.line_slots import KeyPauses, LineSlot, LineSlots
from models.scheduler import SHARE, Share

CHAT = ("POST", "/v1/chat/completions")


def widened(at_once: int) -> LineSlots:
    slots = LineSlots(at_once)
    for _ in range(100):
        slots.note_success()
    return slots


async def begun(slots: LineSlots, count: int) -> list["asyncio.Task[LineSlot]"]:
    """Lines that wait for their turn, those of which it is the turn first."""
    tasks = [asyncio.create_task(slots.take()) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_as_many_lines_run_as_went_well_up_to_the_limit() -> None:
    slots = LineSlots(4)
    assert slots.width == 1
    slots.note_success()
    assert slots.width == 2
    for _ in range(100):
        slots.note_success()
    assert slots.width == 4


async def test_where_there_was_no_room_half_as_many_run() -> None:
    slots = widened(8)
    slots.note_refusal()
    assert slots.width == 4
    for _ in range(10):
        slots.note_refusal()
    assert slots.width == 1


async def test_lines_wait_while_somebody_waits_for_an_answer_but_one_runs() -> None:
    slots = widened(4)
    with slots.yield_to(*CHAT):
        lines = await begun(slots, 3)
        assert [one.done() for one in lines] == [True, False, False]
        lines[0].result().give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [one.done() for one in lines] == [True, True, False], "one after the other"
    await asyncio.gather(*lines)
    assert slots.running == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/batches/batch_1"), ("POST", "/v1/files"), ("POST", "/v1/batches"), ("GET", "/ready")],
)
async def test_whoever_looks_after_a_batch_does_not_hold_it_up(method: str, path: str) -> None:
    slots = widened(4)
    with slots.yield_to(method, path):
        assert slots.width == 4


async def test_a_request_that_fails_counts_no_longer() -> None:
    slots = widened(4)
    with pytest.raises(OSError), slots.yield_to(*CHAT):
        raise OSError
    assert slots.width == 4


async def test_turns_come_in_the_order_of_asking() -> None:
    slots = LineSlots(1)
    lines = await begun(slots, 3)
    for line, expected in zip(lines, ([True, False, False], [True, True, False], [True, True, True]), strict=True):
        assert [one.done() for one in lines] == expected
        line.result().give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_keys_with_batches_take_turns() -> None:
    slots, order = LineSlots(1), []

    async def line(key: str) -> None:
        SHARE.set(Share(key))
        slot = await slots.take()
        order.append(key)
        await asyncio.sleep(0)
        slot.give_back()

    await asyncio.gather(*(line(key) for key in "aaaabb"))
    assert order == list("abaaab") or order == list("ababaa")


async def test_a_key_never_waits_for_the_lines_of_other_keys() -> None:
    slots = LineSlots(2)

    async def take(key: str) -> LineSlot:
        SHARE.set(Share(key))
        return await slots.take()

    with slots.yield_to(*CHAT):
        held = [await asyncio.create_task(take(key)) for key in "abc"]
        second = asyncio.create_task(take("b"))
        held[0].give_back()
        held[2].give_back()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done(), "its key has one already"
        held[1].give_back()
        await second
    assert slots.running == 1


async def test_a_slot_that_was_given_back_is_given_back_once_and_taken_again() -> None:
    slots = LineSlots(1)
    slot = await slots.take()
    slot.give_back()
    slot.give_back()
    assert slots.running == 0
    await slot.take()
    await slot.take()
    assert slots.running == 1


def test_a_key_pauses_until_the_last_of_its_pauses_ends_and_others_do_not() -> None:
    now = 100.0
    pauses = KeyPauses(lambda: now)
    pauses.begin("a", 10)
    pauses.begin("a", 3)
    assert (pauses.remaining_s("a"), pauses.remaining_s("b")) == (10, 0)
    now = 110.0
    assert pauses.remaining_s("a") == 0


async def test_whoever_leaves_while_waiting_takes_no_place() -> None:
    slots = LineSlots(1)
    first, second, third = await begun(slots, 3)
    second.cancel()
    first.result().give_back()
    await third
    assert slots.running == 1


async def test_whoever_leaves_when_it_is_its_turn_gives_the_place_back() -> None:
    slots = LineSlots(1)
    [first] = await begun(slots, 1)
    second = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    first.result().give_back()  # the turn of the second, which does not know it yet
    second.cancel()
    await asyncio.wait([second])
    assert second.cancelled()
    assert slots.running == 0
