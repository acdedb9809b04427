"""Queues and slots: keys wait in turn, leave their place when they go, and are refused beyond the bounds."""

import asyncio

import pytest

from models.base import EngineOverloaded
from models.queues import KEY, FairQueue, QueueFull, Slots


def filled(*items: str, limit: int = 100, limit_of_key: int | None = None) -> FairQueue[str]:
    """Return a queue of items whose first letter is their key."""
    queue = FairQueue[str](limit, limit_of_key)
    for item in items:
        queue.put(item[0], item)
    return queue


def emptied(queue: FairQueue[str]) -> list[str | None]:
    return [queue.pop() for _ in range(len(queue))]


def test_keys_take_turns_and_items_of_a_key_keep_their_order() -> None:
    assert emptied(filled("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_key_that_comes_back_waits_behind_the_others() -> None:
    queue = filled("a1", "b1", "c1")
    assert queue.pop() == "a1"
    queue.put("a", "a2")
    assert emptied(queue) == ["b1", "c1", "a2"]


def test_an_empty_queue_has_no_item() -> None:
    queue = filled("a1")
    assert emptied(queue) == ["a1"]
    assert (queue.pop(), len(queue), list(queue)) == (None, 0, [])


def test_keys_whose_oldest_item_may_not_leave_are_passed_over_and_keep_their_turn() -> None:
    queue = filled("a1", "b1", "c1", "b2")
    assert [queue.pop(lambda item: item[0] != "a") for _ in range(4)] == ["b1", "c1", "b2", None]
    assert emptied(queue) == ["a1"]


def test_the_number_of_items_is_limited_in_all_and_for_a_key() -> None:
    queue = filled("a1", "a2", "b1", limit=4, limit_of_key=2)
    with pytest.raises(QueueFull) as own:
        queue.put("a", "a3")
    assert (own.value.is_own, own.value.waiting) == (True, 2)
    queue.put("c", "c1")
    with pytest.raises(QueueFull) as all_keys:
        queue.put("b", "b2")
    assert (all_keys.value.is_own, all_keys.value.waiting) == (False, 4)
    assert len(queue) == 4


def test_an_item_whose_caller_left_gives_its_place_back() -> None:
    queue = filled("a1", "a2", "b1", limit=3)
    queue.remove("a", "a1")
    queue.remove("a", "a1")
    queue.remove("z", "z1")
    assert (len(queue), queue.waiting("a")) == (2, 1)
    queue.put("c", "c1")
    assert emptied(queue) == ["a2", "b1", "c1"]
    assert queue.waiting("a") == 0


async def use(slots: Slots, key: str, order: list[str]) -> None:
    KEY.set(key)
    async with slots.slot():
        order.append(key)
        await asyncio.sleep(0)


async def test_keys_wait_in_turn() -> None:
    slots, order = Slots("x", 1), list[str]()
    await asyncio.gather(*(use(slots, key, order) for key in ["a", "a", "a", "b", "b"]))
    assert order == ["a", "a", "b", "a", "b"]
    assert (slots.running, slots.waiting) == (0, 0)


async def test_a_caller_who_leaves_gives_up_its_place() -> None:
    slots = Slots("x", 1)
    await slots.take()
    leaves, stays = (asyncio.create_task(slots.take()) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    slots.give_back()
    await stays
    assert (slots.running, slots.waiting) == (1, 0)
    slots.give_back()
    assert slots.running == 0


async def test_a_slot_that_was_granted_to_a_caller_who_leaves_goes_to_the_next() -> None:
    slots = Slots("x", 1)
    await slots.take()
    leaves, stays = (asyncio.create_task(slots.take()) for _ in range(2))
    await asyncio.sleep(0)
    slots.give_back()
    leaves.cancel()
    await stays
    assert slots.running == 1


async def test_more_than_may_wait_are_refused() -> None:
    slots = Slots("x", 1, most_waiting=1)
    await slots.take()
    slots.check_room()
    waiting = asyncio.create_task(slots.take())
    await asyncio.sleep(0)
    with pytest.raises(EngineOverloaded):
        slots.check_room()
    with pytest.raises(EngineOverloaded):
        await slots.take()
    patient = asyncio.create_task(slots.take(wait=True))
    await asyncio.sleep(0)
    assert slots.waiting == 2
    waiting.cancel()
    patient.cancel()
