"""Sound, decoded onto the file's timeline: whatever holds it, and whatever is wrong with it."""

import base64
from collections.abc import Sequence

import numpy as np
import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.av import SAMPLE_RATE
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import sniff
from tasks.inputs.source import Blob, Origin, Source
from tests.conftest import each_case
from tests.kit.audio.recordings import AUDIO, VIDEO, Samples, beep_starts, beeps, encoded, filmed, plain_wav

CODEC_DELAY_S = 0.03
"""What an encoder puts before the sound and a raw stream, MP3 without its Xing header or AVI cannot say."""
GREY = np.full((64, 64, 3), 128, np.uint8)


def blob(data: bytes) -> Blob:
    return Blob(data, sniff(data) or "application/octet-stream", None, "p")


def opened(data: bytes) -> AudioDecoder:
    return AudioDecoder(blob(data), MediaLimits())


def heard(decoder: AudioDecoder, block: int = 7 * SAMPLE_RATE) -> Samples:
    blocks, position = [np.zeros((decoder.info().channels, 0), np.float32)], 0
    while (read := decoder.read(position, block)).shape[1]:
        blocks.append(read)
        position += read.shape[1]
    return np.concatenate(blocks, axis=1)


def error_of(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        heard(opened(data))
    assert caught.value.param == "p"
    return caught.value


def noisy(seconds: float, starts: Sequence[float], channels: int = 2) -> Samples:
    """Beeps over a murmur, which takes room in a file where silence takes none."""
    samples = beeps(seconds, starts, channels=channels)
    return samples + np.random.default_rng(3).normal(0, 0.02, samples.shape).astype(np.float32)


def index_first(extension: str) -> dict[str, str]:
    """For MP4: room for its index before the sound."""
    return {"moov_size": "50000"} if extension == "m4a" else {}


@each_case("extension", AUDIO)
def test_every_container_gives_the_sound_at_its_time(extension: str) -> None:
    data = encoded(beeps(6.3, (2.0, 5.0), channels=2), extension)
    decoder = opened(data)
    samples = heard(decoder)
    delay = CODEC_DELAY_S if extension == "aac" else 0.0
    assert sniff(data) == AUDIO[extension][2]
    assert (samples.dtype, decoder.info().channels) == (np.float32, 2)
    assert beep_starts(samples) == pytest.approx([2.0, 5.0], abs=0.002 + delay)
    assert samples.shape[1] / SAMPLE_RATE == pytest.approx(6.3, abs=0.05)


@pytest.mark.parametrize("extension", sorted(set(VIDEO) - {"avi"}))
def test_the_sound_of_a_video_begins_when_the_video_says(extension: str) -> None:
    data = filmed(
        [GREY if extension != "3gp" else np.full((144, 176, 3), 128, np.uint8)] * 75,
        extension,
        sound=beeps(2.0, (0.5,)),
        sound_from=1.0,
    )
    samples = heard(opened(data))
    assert beep_starts(samples) == pytest.approx([1.5], abs=0.01)
    assert not samples[:, : int(0.9 * SAMPLE_RATE)].any()


def test_more_than_two_channels_become_one() -> None:
    decoder = opened(plain_wav(np.repeat(beeps(1.0, (0.5,), rate=16_000), 6, axis=0)))
    assert decoder.info().channels == 1
    assert beep_starts(heard(decoder)) == pytest.approx([0.5], abs=0.002)


@pytest.mark.deep
@pytest.mark.parametrize("extension", ["wav", "mp3", "aac", "ogg", "opus", "flac", "webm", "mkv"])
def test_a_cut_file_is_read_as_far_as_it_goes(extension: str) -> None:
    data = encoded(noisy(6.3, (1.0, 5.0)), extension)
    samples = heard(opened(data[: len(data) * 2 // 3]))
    assert beep_starts(samples)[0] == pytest.approx(1.0, abs=CODEC_DELAY_S)
    assert 1.1 < samples.shape[1] / SAMPLE_RATE < 6.2


def test_a_video_without_sound_says_so() -> None:
    error = error_of(filmed([GREY] * 5, "mp4"))
    assert (error.code, error.message) == ("no_audio", "'p' has no audio track.")


LIMITS = MediaLimits(audio_seconds=5)


def sent(data: bytes, filename: str | None = None) -> Source:
    return Source(Origin("p"), payload=base64.b64encode(data).decode(), filename=filename)


async def blocks_of(recording: Recording, seconds: float) -> list[Samples]:
    return [block async for block in recording.blocks(seconds)]


async def test_a_recording_comes_in_blocks(loader: MediaLoader) -> None:
    async with await loader.open_recording(sent(encoded(beeps(4.5, (2.0,), channels=2), "mp3"))) as recording:
        assert (recording.channels, recording.media_type) == (2, "audio/mpeg")
        assert recording.claimed_seconds == pytest.approx(4.5, abs=0.1)
        blocks = await blocks_of(recording, 2.0)
        again = await blocks_of(recording, 1.5)
    assert [block.shape for block in blocks] == [(2, 32_000), (2, 32_000), (2, 8_000)]
    assert np.array_equal(np.concatenate(blocks, axis=1), np.concatenate(again, axis=1))


async def test_a_recording_that_says_it_is_too_long_is_refused_at_once(loader: MediaLoader) -> None:
    with pytest.raises(InputTooLarge, match=r"longer than 0.0833333 minutes \(OPENFAZE_MAX_AUDIO_MINUTES\)") as caught:
        await loader.open_recording(sent(encoded(beeps(6.0, ()), "mp3")))
    assert caught.value.code == "audio_too_long"


async def test_a_recording_that_only_claims_to_be_too_long_is_read(loader: MediaLoader) -> None:
    honest = plain_wav(beeps(1.0, (), rate=16_000))
    lie = honest[:4] + b"\xff" * 4 + honest[8:40] + b"\xff" * 4 + honest[44:]
    async with await loader.open_recording(sent(lie)) as recording:
        assert sum(block.shape[1] for block in await blocks_of(recording, 30.0)) == SAMPLE_RATE


async def missing_seconds(loader: MediaLoader, data: bytes) -> float:
    source = Source(Origin("p"), payload=base64.b64encode(data).decode())
    async with await loader.open_recording(source) as recording:
        samples = [block.shape[1] async for block in recording.blocks()]
        return recording.missing_seconds(sum(samples) / SAMPLE_RATE)
