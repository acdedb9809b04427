"""Sound, decoded onto the file's timeline: whatever holds it, and whatever is wrong with it."""

import base64
import io
import random
import struct
from collections.abc import AsyncIterator, Sequence

import av
import numpy as np
import pytest
from av.audio.resampler import AudioResampler

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.av import SAMPLE_RATE
from tasks.inputs.av.audio import AudioDecoder, Recording
from tasks.inputs.fetch.fetcher import Fetcher, FetchPolicy
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.media_types import sniff
from tasks.inputs.source import Blob, Origin, Source
from tests.conftest import each_case
from tests.recordings import AUDIO, RATE, VIDEO, Samples, beep_starts, beeps, encoded, filmed, plain_wav, speech

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


def wav(channels: int, rate: int, data: bytes) -> bytes:
    """16 bits a sample, with whatever the header is to say."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2 & 0xFFFF, 16)
    return (
        b"".join(
            (
                b"RIFF",
                struct.pack("<I", 36 + len(data)),
                b"WAVEfmt \x10\0\0\0",
                form,
                b"data",
                struct.pack("<I", len(data)),
            )
        )
        + data
    )


def many_channels(count: int) -> bytes:
    mono = (beeps(1.0, (0.5,), rate=16_000)[0] * 32767).astype("<i2")
    return wav(count, 16_000, np.repeat(mono[:, None], count, axis=1).tobytes())


def noisy(seconds: float, starts: Sequence[float], channels: int = 2) -> Samples:
    """Beeps over a murmur, which takes room in a file where silence takes none."""
    samples = beeps(seconds, starts, channels=channels)
    return samples + np.random.default_rng(3).normal(0, 0.02, samples.shape).astype(np.float32)


def index_first(extension: str) -> dict[str, str]:
    """For MP4: room for its index before the sound."""
    return {"moov_size": "50000"} if extension == "m4a" else {}


def broken(data: bytes, start: float, end: float) -> bytes:
    """`data` with noise in place of a part of it."""
    first, last = int(len(data) * start), int(len(data) * end)
    return data[:first] + random.Random(7).randbytes(last - first) + data[last:]


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


def test_an_mp3_without_tags_is_read_too() -> None:
    data = encoded(beeps(3.0, (2.0,)), "mp3", write_xing="0", id3v2_version="0")
    assert data[:2] == b"\xff\xfb"
    assert beep_starts(heard(opened(data))) == pytest.approx([2.0], abs=CODEC_DELAY_S)


def test_the_cover_of_an_album_is_no_video() -> None:
    data = encoded(beeps(1.0, (0.5,)), "mp3", cover=GREY)
    assert len(av.open(io.BytesIO(data)).streams.video) == 1
    assert sniff(data) == "audio/mpeg"
    assert beep_starts(heard(opened(data))) == pytest.approx([0.5], abs=0.002)


def test_speech_is_as_long_as_it_was_spoken() -> None:
    data = speech("Bring the blue folder to the second floor at nine.")
    decoder = opened(data)
    assert heard(decoder).shape[1] / SAMPLE_RATE == pytest.approx(decoder.info().claimed_seconds, abs=0.01)


def test_blocks_of_any_size_are_the_same_samples() -> None:
    data = encoded(beeps(5.0, (1.0, 3.3)), "mp3")
    whole = heard(opened(data))
    assert np.array_equal(heard(opened(data), block=1_001), whole)
    assert np.array_equal(heard(opened(data), block=SAMPLE_RATE), whole)


def test_reading_elsewhere_decodes_the_same_again() -> None:
    decoder = opened(encoded(beeps(5.0, (1.0, 3.3)), "m4a"))
    whole = heard(decoder)
    assert np.array_equal(decoder.read(40_000, 5_000), whole[:, 40_000:45_000])
    assert np.array_equal(decoder.read(45_000, 5_000), whole[:, 45_000:50_000])
    assert np.array_equal(decoder.read(0, 100), whole[:, :100])
    assert decoder.read(10_000_000, 100).shape == (1, 0)


@pytest.mark.parametrize("seconds", [300, pytest.param(900, marks=pytest.mark.deep)])
def test_samples_stay_in_their_place_however_long_it_lasts(seconds: int) -> None:
    """At 22,050 Hz, whose ratio to 16,000 is no round number."""
    expected = np.arange(30, seconds, 120)
    data = encoded(beeps(seconds, expected, rate=22_050), "flac", rate=22_050)
    samples = heard(opened(data), block=30 * SAMPLE_RATE)
    assert np.abs(beep_starts(samples) - expected).max() < 3 / SAMPLE_RATE
    assert samples.shape[1] == seconds * SAMPLE_RATE


def test_more_than_two_channels_become_one() -> None:
    decoder = opened(many_channels(6))
    assert decoder.info().channels == 1
    assert beep_starts(heard(decoder)) == pytest.approx([0.5], abs=0.002)


@pytest.mark.parametrize("channels", [7, 33, 64])
def test_channels_without_places_are_mixed_evenly(channels: int) -> None:
    samples = heard(opened(many_channels(channels)))
    assert samples.shape == (1, SAMPLE_RATE)
    assert beep_starts(samples) == pytest.approx([0.5], abs=0.002)


def test_a_header_that_claims_4_gb_is_not_believed() -> None:
    honest = plain_wav(beeps(1.0, (0.5,), rate=16_000))
    lie = honest[:4] + b"\xff" * 4 + honest[8:40] + b"\xff" * 4 + honest[44:]
    assert heard(opened(lie)).shape == (1, SAMPLE_RATE)


@pytest.mark.deep
@pytest.mark.parametrize("extension", ["wav", "mp3", "aac", "ogg", "opus", "flac", "webm", "mkv"])
def test_a_cut_file_is_read_as_far_as_it_goes(extension: str) -> None:
    data = encoded(noisy(6.3, (1.0, 5.0)), extension)
    samples = heard(opened(data[: len(data) * 2 // 3]))
    assert beep_starts(samples)[0] == pytest.approx(1.0, abs=CODEC_DELAY_S)
    assert 1.1 < samples.shape[1] / SAMPLE_RATE < 6.2


def test_an_mp4_whose_index_comes_first_is_read_as_far_as_it_goes() -> None:
    data = encoded(noisy(6.3, (1.0, 5.0)), "m4a", **index_first("m4a"))
    assert beep_starts(heard(opened(data[: len(data) * 2 // 3])))[0] == pytest.approx(1.0, abs=0.002)


def test_an_mp4_without_its_index_is_damaged() -> None:
    data = encoded(beeps(6.3, (1.0,)), "m4a")
    error = error_of(data[: len(data) // 2])
    assert error.message == "'p' cannot be decoded as audio/mp4: it is damaged or incomplete."


@pytest.mark.parametrize("extension", ["m4a", "flac"])
def test_the_sound_after_a_broken_part_keeps_its_time(extension: str) -> None:
    data = encoded(noisy(10.0, (2.0, 8.0)), extension, **index_first(extension))
    starts = beep_starts(heard(opened(broken(data, 0.45, 0.55))))
    assert starts[0] == pytest.approx(2.0, abs=0.002)
    assert starts[-1] == pytest.approx(8.0, abs=0.1)


@pytest.mark.parametrize("extension", ["m4a", "flac", "ogg"])
def test_a_file_of_which_nothing_can_be_decoded_is_an_error(extension: str) -> None:
    data = encoded(noisy(3.0, (1.0,)), extension, **index_first(extension))
    begins = data.find(b"mdat") + 4 if extension == "m4a" else 200
    assert "damaged" in error_of(data[:begins] + random.Random(5).randbytes(len(data) - begins)).message


def test_a_recording_of_no_length_has_no_samples() -> None:
    assert heard(opened(wav(1, 16_000, b""))).shape == (1, 0)


def test_a_video_without_sound_says_so() -> None:
    error = error_of(filmed([GREY] * 5, "mp4"))
    assert (error.code, error.message) == ("no_audio", "'p' has no audio track.")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (many_channels(65), "has 65 channels; at most 64 are read"),
        (wav(1, 2_000_000_000, bytes(8000)), "has a sample rate of 2000000000 Hz; 1000 to 768000 are read"),
        (wav(1, 7, bytes(8000)), "has a sample rate of 7 Hz"),
    ],
)
def test_what_no_recorder_writes_is_refused(data: bytes, said: str) -> None:
    error = error_of(data)
    assert said in error.message
    assert error.code == "unsupported_media_type"


def with_times(*starts: int) -> bytes:
    """A second of sound at each of `starts`, in seconds, as Matroska has them."""
    file = io.BytesIO()
    tone = beeps(1.0, (0.0,), rate=48_000)
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for start in starts:
            frame = av.AudioFrame.from_ndarray((tone * 32767).astype(np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, start * 48_000
            container.mux(stream.encode(frame))
    return file.getvalue()


def test_a_gap_in_the_times_is_silent() -> None:
    samples = heard(opened(with_times(0, 4, 5)))
    assert beep_starts(samples) == pytest.approx([0, 4, 5], abs=0.002)
    assert samples.shape[1] == 6 * SAMPLE_RATE
    assert not samples[:, SAMPLE_RATE : 4 * SAMPLE_RATE - 100].any()


def test_a_time_that_no_recording_has_makes_no_gap() -> None:
    samples = heard(opened(with_times(0, 1_000_000, 1_000_001)))
    assert beep_starts(samples) == pytest.approx([0, 1, 2], abs=0.002)
    assert samples.shape[1] == 3 * SAMPLE_RATE


def test_sound_goes_on_where_times_go_back() -> None:
    samples = heard(
        opened(encoded(beeps(2.0, (0.5,), channels=2), "ogg") + encoded(beeps(2.0, (1.0,), channels=2), "ogg"))
    )
    assert beep_starts(samples) == pytest.approx([0.5, 3.0], abs=0.05)


def test_a_change_of_form_goes_on_without_a_break() -> None:
    """Raw AAC may change its rate and channels anywhere."""
    first = encoded(beeps(2.0, (0.5,)), "aac")
    then = encoded(beeps(2.0, (0.5,), channels=2, rate=48_000), "aac", rate=48_000)
    samples = heard(opened(first + then))
    assert samples.shape[0] == 1
    assert beep_starts(samples) == pytest.approx([0.5, 2.5], abs=3 * CODEC_DELAY_S)


def test_resampling_is_what_ffmpeg_does_in_one_go() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 3 * RATE)).astype(np.float32)
    data = encoded(noise, "flac")
    decoded = np.concatenate([frame.to_ndarray() for frame in av.open(io.BytesIO(data)).decode(audio=0)], axis=1)
    whole = av.AudioFrame.from_ndarray(decoded, "s16", "mono")
    whole.sample_rate = RATE
    resampler = AudioResampler("flt", "mono", SAMPLE_RATE)
    at_once = [frame.to_ndarray() for frame in (*resampler.resample(whole), *resampler.resample(None))]
    assert np.array_equal(heard(opened(data)), np.concatenate(at_once, axis=1))


@pytest.fixture(scope="module")
async def loader() -> AsyncIterator[MediaLoader]:
    loader = MediaLoader(Fetcher(FetchPolicy()), MediaLimits(audio_seconds=5))
    yield loader
    await loader.close()


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


async def test_a_recording_that_hides_its_length_is_refused_while_it_is_decoded(loader: MediaLoader) -> None:
    live = encoded(beeps(8.0, ()), "mkv", live="1")
    async with await loader.open_recording(sent(live)) as recording:
        assert recording.claimed_seconds is None
        with pytest.raises(InputTooLarge, match="OPENFAZE_MAX_AUDIO_MINUTES"):
            await blocks_of(recording, 1.0)


async def test_a_web_page_that_is_called_mp3_is_told_as_what_it_is(loader: MediaLoader) -> None:
    page = b"<!DOCTYPE html><html><body>Not found</body></html>"
    with pytest.raises(
        InputError, match=r"'talk.mp3' is text/html, which is neither audio nor video. Supported: wav, mp3"
    ) as caught:
        await loader.open_recording(sent(page, "talk.mp3"))
    assert caught.value.code == "unsupported_media_type"


async def test_words_that_are_called_mp3_are_text(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="is text/plain, which is neither audio nor video"):
        await loader.open_recording(sent(b"There is no such file.\n", "talk.mp3"))


async def test_noise_that_is_called_mp3_is_damaged(loader: MediaLoader) -> None:
    with pytest.raises(InputError, match="cannot be decoded as audio/mpeg: it is damaged"):
        await loader.open_recording(sent(b"\0\1\2\3" + random.Random(2).randbytes(3000), "talk.mp3"))


async def missing_seconds(loader: MediaLoader, data: bytes) -> float:
    source = Source(Origin("p"), payload=base64.b64encode(data).decode())
    async with await loader.open_recording(source) as recording:
        samples = [block.shape[1] async for block in recording.blocks()]
        return recording.missing_seconds(sum(samples) / SAMPLE_RATE)


@pytest.mark.parametrize("extension", ["wav", "mp3", "m4a", "webm", "mkv"])
async def test_a_file_that_ends_before_the_length_in_its_header_is_cut_off(loader: MediaLoader, extension: str) -> None:
    data = encoded(noisy(4.8, (1.0,)), extension, **index_first(extension))
    assert await missing_seconds(loader, data) == 0.0
    assert await missing_seconds(loader, data[: len(data) // 2]) > 1.5


@pytest.mark.parametrize("extension", ["aac", "opus", "mp3"])
async def test_a_file_without_a_length_in_its_header_is_not_called_cut_off(loader: MediaLoader, extension: str) -> None:
    options = {"write_xing": "0"} if extension == "mp3" else {}
    data = encoded(noisy(4.8, (1.0,)), extension, **options)
    assert await missing_seconds(loader, data) == 0.0
    assert await missing_seconds(loader, data[: len(data) // 2]) == 0.0


@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0x7FFF_FFFF, 0xFFFF_FFD3, 0xFFFF_FFFF])
async def test_a_size_that_was_not_known_yet_announces_nothing(loader: MediaLoader, size: int) -> None:
    data = plain_wav(beeps(3.0, (1.0,)), RATE)
    at = data.index(b"data") + 4
    assert await missing_seconds(loader, data[:at] + size.to_bytes(4, "little") + data[at + 4 :]) == 0.0


async def test_fragments_announce_no_length(loader: MediaLoader) -> None:
    data = encoded(noisy(4.8, (1.0,)), "m4a", movflags="frag_keyframe+empty_moov+default_base_moof")
    assert await missing_seconds(loader, data) == 0.0


@pytest.mark.parametrize("extension", ["mp4", "mkv", "avi"])
async def test_sound_that_is_shorter_than_the_pictures_is_not_cut_off(loader: MediaLoader, extension: str) -> None:
    data = filmed([GREY], extension, frames_each=100, sound=beeps(1.5, (1.0,)))
    assert await missing_seconds(loader, data) == 0.0
