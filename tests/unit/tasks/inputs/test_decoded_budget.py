"""The budget of decoded bytes: held as long as a picture lives, shared between keys, never waited for without end."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import to_api_error
from models.queues import KEY
from tasks.errors import InputError, Overloaded
from tasks.inputs.decode import DecodedBudget

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


async def test_who_waits_too_long_is_told_the_setting() -> None:
    room = budget(wait_s=0)
    held = await room.hold(60, decoder(60))
    with pytest.raises(Overloaded, match="MB") as caught:
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
