"""Videos as a few frames, each with the time at which it is seen."""

import base64
import io
import random
from collections.abc import AsyncIterator, Sequence

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from models.capability import EngineConfig
from models.vision.ocr.capability import PP_OCR_V6_SMALL
from tasks.base import TaskRequest
from tasks.errors import InputError
from tasks.inputs.av.tracks import VideoTrack
from tasks.inputs.av.video import VideoFrames, at_or_before, grid, scene_changes, spread
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import sniff
from tasks.inputs.source import Blob, Origin, Source
from tasks.ocr import OcrTask
from tests import pages
from tests.recordings import VIDEO, Picture, beeps, encoded, filmed

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


def test_frames_come_in_any_order() -> None:
    frames = opened(filmed(greys(20), "mp4", frames_each=5, key_every=30), video_frames=8)
    in_order = [frames.picture(number) for number in range(1, 9)]
    for number in (8, 2, 2, 5, 1, 7):
        assert np.array_equal(frames.picture(number), in_order[number - 1])


def test_the_same_frames_are_taken_every_time() -> None:
    data = filmed(greys(20), "mp4", frames_each=5)
    assert opened(data).times == opened(data).times


def test_a_still_video_is_seen_at_even_times() -> None:
    times = opened(filmed(greys(1), "mp4", frames_each=250), video_frames=5).times
    assert times == pytest.approx([0, 2, 4, 6, 8], abs=0.05)


def test_every_scene_is_seen_however_short() -> None:
    scenes = [greys(8)[at] for at in (0, 5, 2, 7)]
    data = filmed([*[scenes[0]] * 100, *[scenes[1]] * 8, *[scenes[2]] * 100, *[scenes[3]] * 12], "mp4")
    assert set(shown(opened(data, video_frames=8), 8)) == {0, 5, 2, 7}


def test_a_page_of_text_in_place_of_another_one_is_a_change() -> None:
    first, second, third = text_pages(4, 5, 6)
    times = opened(filmed([*[first] * 37, *[second] * 11, *[third] * 60], "mp4"), video_frames=6).times
    # Four small pictures are compared for each frame: one in 0.18 seconds.
    assert any(1.48 <= time < 1.66 for time in times)
    assert any(1.92 <= time < 2.10 for time in times)


def test_a_short_video_is_all_its_frames() -> None:
    frames = opened(filmed(greys(3), "mp4"))
    assert frames.times == (0.0, 0.04, 0.08)
    assert shown(frames, 3) == [0, 1, 2]


def test_one_frame_is_enough() -> None:
    assert opened(filmed(greys(1), "webm"), video_frames=1).times == (0.0,)


def test_a_long_video_is_not_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decode = VideoTrack._decoded

    def counted(track: VideoTrack) -> object:
        for frame in decode(track):
            decoded.append(frame.pts)
            yield frame

    monkeypatch.setattr(VideoTrack, "_decoded", counted)
    monkeypatch.setattr("tasks.inputs.av.video._SCAN_PIXELS", 1_000_000)
    frames = opened(filmed(greys(20), "mp4", frames_each=100, key_every=25), video_frames=4)
    pictures = shown(frames, 20)
    assert pictures == [int(time / 4 + 0.001) for time in frames.times]
    # A key frame for each probe and each picture, of 2000 frames.
    assert len(decoded) < 60


def test_far_from_a_key_frame_the_key_frame_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.inputs.av.video._SCAN_PIXELS", 0)
    # Four seconds, of twenty from one key frame to the next.
    monkeypatch.setattr("tasks.inputs.av.video._REACH_PIXELS", 100 * SIZE[0] * SIZE[1])
    frames = opened(filmed(greys(20), "mp4", frames_each=50, key_every=500), video_frames=4)
    assert all(time % 20 < 4 for time in frames.times)
    assert shown(frames, 20) == [int(time / 2 + 0.001) for time in frames.times]


@pytest.mark.parametrize(("degrees", "size"), [(90, SIZE), (-90, SIZE), (180, SIZE[::-1]), (0, SIZE[::-1])])
def test_frames_stand_upright(degrees: int, size: tuple[int, int]) -> None:
    corner = np.full((*SIZE, 3), 30, np.uint8)
    corner[:40, :40] = 220
    frames = opened(filmed([corner] * 5, "mp4", turned=degrees))
    picture = frames.picture(1)
    assert frames.size(1) == size
    assert picture.shape == (*size[::-1], 3)
    bright = np.rot90(corner, degrees // 90) > 128
    assert ((picture > 128) == bright).mean() > 0.99


def test_pixels_that_are_not_square_are_made_so() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.height, stream.width = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        container.mux(stream.encode(av.VideoFrame.from_ndarray(greys(1)[0], format="rgb24")))
        container.mux(stream.encode(None))
    assert opened(file.getvalue()).size(1) == (2 * SIZE[1], SIZE[0])


def test_frames_with_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    error = error_of(filmed(greys(2, (480, 640)), "mp4"), image_pixels=300_000)
    assert error.code == "image_too_large"
    assert error.message == (
        "'p' has frames of 640 x 480 pixels (0.4 megapixels); the limit is 0.3 megapixels "
        "(OPENFAZE_MAX_IMAGE_MEGAPIXELS)."
    )


def test_a_frame_that_is_not_there_is_an_error() -> None:
    frames = opened(filmed(greys(2), "mp4"))
    for number in (0, 3):
        with pytest.raises(InputError, match=f"has no frame {number}; 2 were taken from it"):
            frames.picture(number)


def noisy_film() -> bytes:
    noise = np.random.default_rng(4)
    film = [noise.integers(0, 255, (*SIZE, 3), dtype=np.uint8) for _ in range(40)]
    return filmed(film, "mkv", key_every=10)


def test_a_video_with_a_broken_part_is_seen_around_it() -> None:
    data = noisy_film()
    first, last = int(len(data) * 0.4), int(len(data) * 0.5)
    frames = opened(data[:first] + random.Random(1).randbytes(last - first) + data[last:], video_frames=8)
    assert frames.total == 8
    assert all(frames.picture(number).shape == (*SIZE, 3) for number in (1, 8))


def test_a_video_of_which_no_frame_can_be_decoded_is_damaged() -> None:
    data = filmed(greys(10), "mp4", moov_size="50000")
    begins = data.index(b"mdat", data.index(b"moov") + 4) + 4
    error = error_of(data[:begins] + bytes(len(data) - begins))
    assert "damaged" in error.message


def test_times_are_spread_over_the_longest_waits() -> None:
    assert spread([0.0], 8.0, 4) == [0, 2, 4, 6]
    assert spread([0.0, 6.0], 8.0, 4) == [0, 2, 4, 6]
    assert spread([0.0, 1.0, 2.0], 2.0, 3) == [0, 1, 2]


def test_a_grid_stays_away_from_the_ends() -> None:
    assert grid(0.0, 8.0, 4) == [1, 3, 5, 7]


def test_the_greatest_changes_are_taken() -> None:
    levels = (0, 0, 90, 92, 200, 230)
    pictures = [np.full((4, 4), level, np.uint8) for level in levels]
    assert scene_changes(pictures, 2) == [2, 4]
    assert scene_changes(pictures, 9) == [2, 4, 5]
    assert scene_changes(pictures[:1], 9) == []


def test_what_is_seen_at_a_time_is_the_frame_before_it() -> None:
    assert [at_or_before([1.0, 2.0, 3.0], time) for time in (0.5, 1.0, 2.9, 9.0)] == [0, 0, 1, 2]


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(video_frames=6))
    yield loader
    await loader.close()


def sent(data: bytes) -> Source:
    return Source(
        Origin("messages[0].content[0].video_url"), payload=f"data:video/mp4;base64,{base64.b64encode(data).decode()}"
    )


def text_pages(*seeds: int) -> list[Picture]:
    sheets = [pages.paragraph_page(lines=3, width=960, seed=seed).image for seed in seeds]
    size = max(sheet.width for sheet in sheets) // 2 * 2, max(sheet.height for sheet in sheets) // 2 * 2
    canvases = [Pillow.new("RGB", size, "white") for _ in sheets]
    for canvas, sheet in zip(canvases, sheets, strict=True):
        canvas.paste(sheet)
    return [np.asarray(canvas) for canvas in canvases]


def texts_of(*seeds: int) -> Sequence[str]:
    return [pages.paragraph_page(lines=3, width=960, seed=seed).text for seed in seeds]


async def test_a_video_is_a_document_of_frames(loader: MediaLoader) -> None:
    async with await loader.open(sent(filmed(greys(4), "mp4", frames_each=25))) as document:
        assert (document.kind, document.media_type, document.total_pages) == ("video", "video/mp4", 6)
        times = [document.timestamp(number) for number in range(1, 7)]
        assert times == sorted(set(times))
        assert times[0] == 0.0
        assert await document.size(1) == SIZE[::-1]
        assert (await document.picture(6)).shape == (*SIZE, 3)
        assert not (await document.text_layer(1)).complete


@pytest.mark.deep
async def test_the_text_of_a_video_is_read_with_its_times(loader: MediaLoader) -> None:
    ocr = PP_OCR_V6_SMALL.build(EngineConfig())
    film = filmed(text_pages(4, 5), "mp4", frames_each=50)
    try:
        result = (await OcrTask(lambda: ocr.service, loader).run(TaskRequest("", (sent(film),)))).data
    finally:
        for part in ocr.parts:
            await part.close()
    first, second = texts_of(4, 5)
    # What is seen for a while is read for each frame, and written once.
    assert result["extracted_text"] == f"{first}\n\n{second}"
    assert result["total_pages"] == 6
    assert [section["page"] for section in result["sections"]] == [1, 2, 3, 4, 5, 6]
    assert list(result["sections"][0]) == ["text", "lines", "page", "width", "height", "timestamp"]
    for section in result["sections"]:
        assert section["text"] == (first if section["timestamp"] < 2 else second)
