"""Videos as a few frames, each with the time at which it is seen."""

import base64

import numpy as np
import pytest

from tasks.errors import InputError
from tasks.inputs.av.video import VideoFrames
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import sniff
from tasks.inputs.source import Blob, Origin, Source
from tests.kit.audio.recordings import VIDEO, Picture, beeps, encoded, filmed

SIZE = (144, 176)
"""The height and width that H.263 knows too."""


def blob(data: bytes) -> Blob:
    return Blob(data, sniff(data) or "application/octet-stream", None, "p")


def opened(data: bytes, **limits: int) -> VideoFrames:
    return VideoFrames(blob(data), MediaLimits(**limits))


def error_of(data: bytes, **limits: int) -> InputError:
    with pytest.raises(InputError) as caught:
        opened(data, **limits)
    assert caught.value.param == "p"
    return caught.value


def greys(count: int, size: tuple[int, int] = SIZE) -> list[Picture]:
    """Pictures that tell their place among others by their grey."""
    return [np.full((*size, 3), 20 + number * 200 // count, np.uint8) for number in range(count)]


def shown(frames: VideoFrames, count: int) -> list[int]:
    """The places of the frames' pictures among `greys(count)`."""
    means = [float(frames.picture(number).mean()) for number in range(1, frames.total + 1)]
    return [round((mean - 20) * count / 200) for mean in means]


@pytest.mark.deep
@pytest.mark.parametrize("extension", VIDEO)
def test_every_container_gives_frames_at_their_times(extension: str) -> None:
    data = filmed(greys(20), extension, frames_each=5)
    frames = opened(data, video_frames=8)
    assert sniff(data) == VIDEO[extension][3]
    assert (frames.total, len(frames.times)) == (8, 8)
    # Each picture is seen for a fifth of a second.
    assert shown(frames, 20) == [int(time * 5 + 0.001) for time in frames.times]


@pytest.mark.parametrize("extension", ["mp4", "mov", "webm", "mkv", "3gp"])
def test_a_container_without_pictures_is_no_video(extension: str) -> None:
    data = encoded(beeps(1.0, ()), extension)
    assert str(sniff(data)).startswith("audio/")
    error = error_of(data)
    assert (error.code, error.message) == ("no_video", "'p' has no video track.")


def test_a_still_video_is_seen_at_even_times() -> None:
    times = opened(filmed(greys(1), "mp4", frames_each=250), video_frames=5).times
    assert times == pytest.approx([0, 2, 4, 6, 8], abs=0.05)


def test_every_scene_is_seen_however_short() -> None:
    scenes = [greys(8)[at] for at in (0, 5, 2, 7)]
    data = filmed([*[scenes[0]] * 100, *[scenes[1]] * 8, *[scenes[2]] * 100, *[scenes[3]] * 12], "mp4")
    assert set(shown(opened(data, video_frames=8), 8)) == {0, 5, 2, 7}


@pytest.mark.parametrize(
    ("degrees", "size"),
    [(90, SIZE), (-90, SIZE), (180, SIZE[::-1]), (0, SIZE[::-1]), (93, SIZE), (-4, SIZE[::-1])],
)
def test_frames_stand_upright(degrees: int, size: tuple[int, int]) -> None:
    corner = np.full((*SIZE, 3), 30, np.uint8)
    corner[:40, :40] = 220
    frames = opened(filmed([corner] * 5, "mp4", turned=degrees))
    picture = frames.picture(1)
    assert frames.size(1) == size
    assert picture.shape == (*size[::-1], 3)
    bright = np.rot90(corner, round(degrees / 90)) > 128
    assert ((picture > 128) == bright).mean() > 0.99


def test_frames_with_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    error = error_of(filmed(greys(2, (480, 640)), "mp4"), image_pixels=300_000)
    assert error.code == "image_too_large"
    assert error.message == (
        "'p' has frames of 640 x 480 pixels (0.4 megapixels); the limit is 0.3 megapixels "
        "(OPENFAZE_MAX_IMAGE_MEGAPIXELS)."
    )


LIMITS = MediaLimits(video_frames=6)


def sent(data: bytes) -> Source:
    return Source(
        Origin("messages[0].content[0].video_url"), payload=f"data:video/mp4;base64,{base64.b64encode(data).decode()}"
    )


async def test_a_video_is_a_document_of_frames(loader: MediaLoader) -> None:
    async with await loader.open(sent(filmed(greys(4), "mp4", frames_each=25))) as document:
        assert (document.kind, document.media_type, document.total_pages) == ("video", "video/mp4", 6)
        times = [document.timestamp(number) for number in range(1, 7)]
        assert times == sorted(set(times))
        assert times[0] == 0.0
        assert await document.size(1) == SIZE[::-1]
        assert (await document.picture(6)).shape == (*SIZE, 3)
        assert not (await document.text_layer(1)).complete
