"""What an LLM that sees is shown of the images and videos of a request."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import PIL.Image
import pytest

from app.chat.inputs import Turn, latest_turn
from app.chat.pictures import LEAST_TOKENS, LlmImage, images_for_llm, tokens_of_pictures
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tests.kit.audio.recordings import filmed
from tests.unit.app.chat.test_inputs import image, request, text, user

ROOM = 65_536
"""Tokens."""


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(video_frames=4))
    yield loader
    await loader.close()


def data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def png(width: int = 8, height: int = 8) -> str:
    file = io.BytesIO()
    PIL.Image.new("RGB", (width, height), "red").save(file, "PNG")
    return data_url(file.getvalue(), "image/png")


def film(height: int = 64, width: int = 96) -> bytes:
    """Four seconds, each brighter than the one before."""
    return filmed([np.full((height, width, 3), level, np.uint8) for level in (10, 80, 150, 220)], "mp4", frames_each=25)


def turn_of(*parts: dict[str, Any]) -> Turn:
    return latest_turn(request(user(text("Look"), *parts)), 16)


def seen(shown: LlmImage) -> PIL.Image.Image:
    head, _, data = shown.url.partition(",")
    assert head == "data:image/jpeg;base64"
    return PIL.Image.open(io.BytesIO(base64.b64decode(data)))


async def test_an_image_is_shown_as_it_is(loader: MediaLoader) -> None:
    url = png()
    assert await images_for_llm(turn_of(image(url)), loader, ROOM, omits_unreadable=False) == {
        (0, 1): [LlmImage(url, tokens=LEAST_TOKENS)]
    }


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video_url", "video_url": {"url": data_url(film(), "video/mp4")}},
        {"type": "file", "file": {"file_data": data_url(film(), "application/octet-stream"), "filename": "clip.bin"}},
        {"type": "file_url", "file_url": data_url(film(), "video/mp4")},
    ],
)
async def test_a_video_is_shown_as_frames_with_their_times(loader: MediaLoader, part: dict[str, Any]) -> None:
    images = await images_for_llm(turn_of(image(png()), part), loader, ROOM, omits_unreadable=False)
    frames = images[0, 2]
    assert len(frames) == 4
    times = [float(frame.label.removeprefix("[video at ").removesuffix(" s]")) for frame in frames]
    assert times == sorted(times)
    for frame, time in zip(frames, times, strict=True):
        assert np.asarray(seen(frame)).mean() == pytest.approx((10, 80, 150, 220)[int(time)], abs=4)


async def test_a_photo_is_made_so_small_that_the_context_has_room_for_it(loader: MediaLoader) -> None:
    turn = turn_of(image(png(4032, 3024)))
    images = await images_for_llm(turn, loader, 2048, omits_unreadable=False)
    [[shown]] = images.values()
    width, height = seen(shown).size
    assert width * height / 28**2 == pytest.approx(2048, rel=0.1)
    assert width / height == pytest.approx(4 / 3, rel=0.01)
    assert 1800 < tokens_of_pictures(images) <= 2048


@pytest.mark.deep
async def test_where_there_is_less_room_than_frames_need_fewer_are_shown(loader: MediaLoader) -> None:
    part = {"type": "video_url", "video_url": data_url(film(576, 1024), "video/mp4")}
    images = await images_for_llm(turn_of(part), loader, 2 * LEAST_TOKENS, omits_unreadable=False)
    assert [seen(frame).size for frame in images[0, 1]] == 2 * [seen(images[0, 1][0]).size]
    first, last = (np.asarray(seen(frame)).mean() for frame in images[0, 1])
    assert (first, last) == (pytest.approx(80, abs=4), pytest.approx(220, abs=4))
