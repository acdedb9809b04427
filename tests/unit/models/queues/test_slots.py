"""Slots: keys wait in turn, leave their place when they go, and are refused beyond the bound."""

import asyncio

import pytest

from models.base import EngineOverloaded
from models.queues.fair_queue import KEY
from models.queues.slots import Slots


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
