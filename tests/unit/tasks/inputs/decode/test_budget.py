"""The budget of decoded bytes: held as long as a picture lives, shared between keys, never waited for without end."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import to_api_error
from models.queues import KEY
from tasks.errors import InputError, Overloaded
from tasks.inputs.decode.budget import DecodedBudget

Picture = NDArray[np.uint8]


def decoder(size: int, *, view: bool = False) -> Callable[[], Awaitable[Picture]]:
    async def decode() -> Picture:
        picture = np.zeros(size, np.uint8)
        return picture.reshape(1, size)[:, ::1] if view else picture

    return decode


def budget(limit: int = 100, largest: int = 1000, wait_s: float = 600) -> DecodedBudget:
    return DecodedBudget(limit, largest=largest, wait_s=wait_s)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("view", [False, True])
async def test_a_picture_is_counted_until_its_last_view_is_gone(view: bool) -> None:
    room = budget()
    picture = await room.hold(60, decoder(60, view=view))
    assert room.used == 60
    part = picture[..., 10:20]
    del picture
    assert room.used == 60
    del part
    await settle()
    assert room.used == 0


async def test_a_picture_waits_until_there_is_room() -> None:
    room = budget()
    first = await room.hold(60, decoder(60))
    second = asyncio.create_task(room.hold(60, decoder(60)))
    await settle()
    assert not second.done()
    del first
    assert (await second).size == 60


async def test_room_that_another_thread_gives_back_is_noticed() -> None:
    room = budget()
    held = [await room.hold(60, decoder(60))]
    second = asyncio.create_task(room.hold(60, decoder(60)))
    await settle()
    freeing = threading.Thread(target=held.clear)
    freeing.start()
    assert (await second).size == 60
    freeing.join()


async def test_room_that_a_garbage_collection_gives_back_is_noticed() -> None:
    room = budget()
    cycle: list[object] = [await room.hold(60, decoder(60))]
    cycle.append(cycle)
    del cycle
    second = asyncio.create_task(room.hold(60, decoder(60)))
    await settle()
    gc.collect()
    assert (await second).size == 60


async def test_a_small_picture_does_not_overtake_a_large_one_of_its_key_that_waits() -> None:
    room = budget()
    first = await room.hold(60, decoder(60))
    large = asyncio.create_task(room.hold(50, decoder(50)))
    await settle()
    small = asyncio.create_task(room.hold(10, decoder(10)))
    await settle()
    assert not small.done()
    del first
    assert (await large).size == 50
    assert (await small).size == 10


async def of_key(key: str, room: DecodedBudget, size: int) -> Picture:
    KEY.set(key)
    return await room.hold(size, decoder(size))


async def test_a_keys_own_small_pictures_do_not_keep_its_large_one_waiting() -> None:
    room = budget(limit=640)
    held = [await of_key("album", room, 10) for _ in range(30)]
    large = asyncio.create_task(of_key("album", room, 400))
    await settle()
    small = asyncio.create_task(of_key("album", room, 10))
    await settle()
    assert not large.done()
    assert not small.done()
    del held[:]
    assert (await large).size == 400
    del large
    assert (await small).size == 10


async def test_keys_get_room_in_turn() -> None:
    room, order = budget(), []
    held = [await room.hold(100, decoder(100))]

    async def picture(key: str) -> None:
        KEY.set(key)
        await room.hold(100, decoder(100))
        order.append(key)

    pictures = [asyncio.create_task(picture(key)) for key in "aaab"]
    await settle()
    held.clear()
    await asyncio.gather(*pictures)
    assert order == list("aaba")


async def test_a_picture_larger_than_the_budget_is_decoded_alone() -> None:
    room = budget()
    small = await room.hold(10, decoder(10))
    large = asyncio.create_task(room.hold(500, decoder(500)))
    await settle()
    assert not large.done()
    del small
    assert (await large).size == 500


async def test_a_picture_that_its_decoder_refuses_waits_for_nothing() -> None:
    room = budget(largest=90)
    held = await room.hold(90, decoder(90))

    async def refuse() -> Picture:
        raise InputError("too large")

    with pytest.raises(InputError):
        await room.hold(10_000, refuse)
    assert room.used == held.size


async def test_who_waits_too_long_is_told_the_setting() -> None:
    room = budget(wait_s=0)
    held = await room.hold(60, decoder(60))
    with pytest.raises(Overloaded, match=r"OPENFAZE_MAX_DECODED_MB") as caught:
        await room.hold(60, decoder(60))
    public = to_api_error(caught.value)
    assert (public.status, public.code) == (503, "overloaded")
    assert public.retry_after
    assert room.used == held.size


async def test_room_comes_back_when_decoding_fails() -> None:
    room = budget()

    async def fail() -> Picture:
        raise InputError("damaged")

    with pytest.raises(InputError):
        await room.hold(100, fail)
    assert room.used == 0


async def test_who_leaves_the_queue_lets_the_next_one_in() -> None:
    room = budget()
    held = await room.hold(40, decoder(40))
    large = asyncio.create_task(room.hold(80, decoder(80)))
    await settle()
    small = asyncio.create_task(room.hold(10, decoder(10)))
    await settle()
    large.cancel()
    assert (await small).size == 10
    assert held.size == 40


async def test_who_leaves_just_as_it_is_let_in_gives_its_room_back() -> None:
    room = budget()
    held = await room.hold(60, decoder(60))
    waiting = asyncio.create_task(room.hold(80, decoder(80)))
    await settle()
    del held
    await asyncio.sleep(0)  # it is let in, and has not yet woken up
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert room.used == 0
