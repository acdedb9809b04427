"""Who speaks when: clustering, changes of speaker, channels, words, and all of it on made and real speech."""

import asyncio
import random
import subprocess
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from eval.conversations import converse
from eval.diarization import compare
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.diarization.capability import DIARIZATION
from models.diarization.voices import DIMENSIONS, VoiceEncoder, VoiceTurn
from models.runtime import Runtime
from models.speech.transcriber import RATE, Samples
from tasks.speech.channels import FaintSpeech
from tasks.speech.speakers import FRAME, SpeakerTurns, SpeechRegion, find_voices, turns_in
from tasks.speech.turns import SpeakerTurn, in_order, label_words

ESPEAK = ["en-us+m3/40/165", "fr+f4/55/170", "es+m8/55/175", "en-us+klatt2/50/160"]
RANDOM = np.random.default_rng(7)


@dataclass(frozen=True)
class Word:
    start: float
    end: float
    text: str = " word"


def voice(number: int) -> NDArray[np.float32]:
    """One of several vectors at right angles, as voices that have nothing in common would be."""
    return np.eye(DIMENSIONS, dtype=np.float32)[number]


def takes(number: int, count: int, spread: float = 0.4) -> NDArray[np.float32]:
    """`count` windows of one voice, each a little different."""
    away = RANDOM.normal(size=(count, DIMENSIONS))
    vectors = voice(number) + spread * away / np.linalg.norm(away, axis=1, keepdims=True)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def speech(seconds: float, level: float = 0.1) -> Samples:
    return (level * RANDOM.normal(size=int(seconds * RATE))).astype(np.float32)


class ByLoudness:
    """A VoiceEncoder to whom each loudness is a voice: -20 dB the first, -40 dB the second and so on."""

    async def embed(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        levels = [-20 * np.log10(np.sqrt(np.mean(np.square(window)))) for window in windows]
        return np.stack([voice(max(0, round(level / 20) - 1)) for level in levels])


# Clustering


@pytest.mark.parametrize("speakers", [1, 2, 5, 20])
def test_as_many_voices_are_found_as_there_are(speakers: int) -> None:
    vectors = np.concatenate([takes(number, 12) for number in range(speakers)])
    found = find_voices(vectors, len(vectors) * 0.8)
    assert sorted((found @ np.eye(DIMENSIONS, speakers)).argmax(axis=1)) == list(range(speakers))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_stray_window_is_nobody() -> None:
    vectors = np.concatenate([takes(0, 20), takes(1, 20), takes(2, 1)])
    assert len(find_voices(vectors, 32.8)) == 2


# Changes of speaker within a region


def region(voices: Sequence[int], seconds: float, loudness: NDArray[np.float32] | None = None) -> SpeechRegion:
    """A region of `seconds` from second 10 on, its windows evenly spread."""
    frames = round(seconds / FRAME)
    centres = 10 + 0.8 + np.linspace(0, seconds - 1.6, len(voices))
    flat = np.ones(frames, np.float32) if loudness is None else loudness
    return SpeechRegion(10.0, 10.0 + seconds, centres, np.stack([voice(number) for number in voices]), flat)


TWO = np.stack([voice(0), voice(1)])


def test_a_region_of_one_voice_is_one_turn() -> None:
    assert turns_in(region([1, 1, 1, 1], 4.0), TWO) == [SpeakerTurn(10.0, 14.0, 1)]


def test_a_region_is_cut_between_the_windows_that_differ() -> None:
    first, second = turns_in(region([0, 0, 0, 1, 1, 1], 5.6), TWO)
    assert (first.speaker, second.speaker) == (0, 1)
    assert first.end == second.start == pytest.approx(12.8, abs=0.1)


def test_a_cut_falls_into_a_pause_near_by() -> None:
    loudness = np.ones(112, np.float32)
    loudness[53:55] = 0.01
    first, second = turns_in(region([0, 0, 0, 1, 1, 1], 5.6, loudness), TWO)
    assert first.end == second.start
    assert 12.65 <= first.end <= 12.75


# Turns and words


def test_speakers_are_numbered_as_they_begin_and_short_pauses_are_bridged() -> None:
    turns = [SpeakerTurn(5, 6, 0), SpeakerTurn(1, 2, 3), SpeakerTurn(2.4, 3, 3), SpeakerTurn(3.6, 4, 3)]
    assert in_order(turns) == [SpeakerTurn(1, 3, 0), SpeakerTurn(3.6, 4, 0), SpeakerTurn(5, 6, 1)]


def test_a_word_is_whose_turn_holds_most_of_it() -> None:
    turns = [SpeakerTurn(0, 1, 0), SpeakerTurn(1, 2, 1), SpeakerTurn(2.05, 3, 0)]
    words = [Word(0.1, 0.5), Word(0.8, 1.1), Word(0.9, 1.3), Word(1.9, 2.1), Word(1.9, 2.5)]
    assert label_words(words, turns) == [0, 0, 1, 1, 0]


def test_a_word_outside_all_turns_is_the_nearest_ones() -> None:
    turns = [SpeakerTurn(1, 2, 0), SpeakerTurn(4, 5, 1)]
    assert label_words([Word(0, 0.5), Word(2.1, 2.4), Word(3.5, 3.9), Word(8, 9)], turns) == [0, 0, 1, 1]


def test_without_turns_everything_is_one_speakers() -> None:
    assert label_words([Word(0, 1), Word(5, 6)], []) == [0, 0]


# The recording


async def diarize(
    encoder: VoiceEncoder, regions: Sequence[tuple[Samples, float]], speakers: int | None = None
) -> Sequence[SpeakerTurn]:
    with SpeakerTurns(encoder) as turns:
        for samples, start in regions:
            await turns.add(samples, start)
        return await turns.finish(speakers)


async def test_speech_without_any_speaker_has_no_turns() -> None:
    assert await diarize(ByLoudness(), []) == []
    assert await diarize(ByLoudness(), [(np.empty(0, np.float32), 1.0)]) == []


async def test_one_voice_is_one_speaker() -> None:
    turns = await diarize(ByLoudness(), [(speech(3), 0.5), (speech(0.4), 5), (speech(7), 6)])
    assert {turn.speaker for turn in turns} == {0}
    assert [(turn.start, turn.end) for turn in turns] == [(0.5, 3.5), (5, 5.4), (6, 13)]


async def test_two_voices_in_one_region_are_told_apart() -> None:
    turns = await diarize(ByLoudness(), [(np.concatenate([speech(4, 0.01), speech(4, 0.1)]), 2.0)])
    assert [turn.speaker for turn in turns] == [0, 1]
    assert turns[0].end == turns[1].start == pytest.approx(6, abs=0.5)


async def test_the_number_of_speakers_may_be_given() -> None:
    regions = [(speech(4, level), 5.0 * number) for number, level in enumerate((0.1, 0.01, 0.001))]
    assert [turn.speaker for turn in await diarize(ByLoudness(), regions)] == [0, 1, 2]
    assert {turn.speaker for turn in await diarize(ByLoudness(), regions, 2)} == {0, 1}
    assert {turn.speaker for turn in await diarize(ByLoudness(), regions, 1)} == {0}


class TakesNotes:
    """A Diarizer that keeps what it was given, and hears two people."""

    def __init__(self) -> None:
        self.samples = np.empty(0, np.float32)
        self.speakers: int | None = None
        self.path: Path | None = None

    async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
        self.samples, self.speakers, self.path = np.fromfile(recording, np.float32), speakers, recording
        return [VoiceTurn(0.5, 1, "B"), VoiceTurn(2, 2.5, "A"), VoiceTurn(3, 4, "B")]


async def test_an_engine_of_whole_recordings_gets_the_speech_at_its_place_and_silence_between() -> None:
    engine = TakesNotes()
    first, second = speech(0.5), speech(1)
    with SpeakerTurns(engine) as turns:
        await turns.add(first, 0.5)
        await turns.add(second, 2.0)
        found = await turns.finish(2)
    assert found == [SpeakerTurn(0.5, 1, 0), SpeakerTurn(2, 2.5, 1), SpeakerTurn(3, 4, 0)]
    assert engine.speakers == 2
    np.testing.assert_array_equal(engine.samples[8000:16_000], first)
    np.testing.assert_array_equal(engine.samples[32_000:], second)
    assert not engine.samples[:8000].any()
    assert not engine.samples[16_000:32_000].any()
    assert engine.path is not None
    assert not engine.path.exists()


# Real voices


@pytest.fixture(scope="module")
async def encoder() -> AsyncIterator[VoiceEncoder]:
    runtime = Runtime(CATALOG, EngineConfig(threads=1), {"diarization": "resemblyzer"})
    if not runtime.can_serve("diarization"):
        pytest.skip("needs the voice encoder: pip install --no-deps resemblyzer")
    service = runtime.use(DIARIZATION)
    assert isinstance(service, VoiceEncoder)
    yield service
    await runtime.close()


@pytest.mark.parametrize("speakers", [2, *(pytest.param(speakers, marks=pytest.mark.deep) for speakers in (1, 3))])
async def test_made_conversations_have_the_right_speakers_at_the_right_times(
    encoder: VoiceEncoder, speakers: int
) -> None:
    try:
        talk = await asyncio.to_thread(
            converse, random.Random(speakers).sample(ESPEAK, speakers), speakers, minutes=0.4 * (1 + speakers)
        )
    except FileNotFoundError:
        pytest.skip("needs espeak-ng")
    except subprocess.CalledProcessError as error:
        pytest.fail(str(error.stderr))
    regions = [(talk.samples[int(turn.start * RATE) : int(turn.end * RATE)], turn.start) for turn in talk.turns]
    turns = await diarize(encoder, regions)
    assert len({turn.speaker for turn in turns}) == speakers
    assert compare(talk.turns, turns).rate < 0.05


async def test_the_real_two_speakers_are_told_apart_even_mixed_down(encoder: VoiceEncoder, shared: Path) -> None:
    resampler = av.AudioResampler("fltp", "stereo", RATE)
    with av.open(str(shared / "samples" / "speech_two_speakers.wav")) as container:
        stream = container.streams.audio[0]
        frames = [part for frame in container.decode(stream) for part in resampler.resample(frame)]
    stereo = np.concatenate([frame.to_ndarray() for frame in (*frames, *resampler.resample(None))], axis=1)
    turns = await diarize(encoder, [(stereo.mean(axis=0)[3_700:75_000], 3_700 / RATE)])
    assert [turn.speaker for turn in turns] == [0, 1]
    # Both talk from 0.3 s to 2.4 s.
    assert 1.2 < turns[1].start < 2.5


# Faint speech


def raised(*blocks: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    faint = FaintSpeech()
    return [faint.raised(block) for block in blocks]


def loudness(block: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(block[:, RATE // 10 :]))))


@pytest.mark.parametrize("level", [0.006, 0.001, 0.0001])
def test_faint_speech_is_raised_to_the_usual_level(level: float) -> None:
    [block] = raised(speech(2, level)[None])
    assert loudness(block) == pytest.approx(10 ** (-24 / 20), rel=0.1)


@pytest.mark.parametrize("level", [0.3, 0.05, 0.01])
def test_ordinary_speech_is_not_touched(level: float) -> None:
    block = speech(2, level)[None]
    assert raised(block)[0] is block


def test_silence_is_not_raised() -> None:
    for silence in speech(2, 0.00002)[None], np.zeros((2, 16_000), np.float32):
        assert raised(silence)[0] is silence


def test_the_loudest_so_far_decides_and_the_gain_changes_smoothly() -> None:
    faint, loud = speech(2, 0.001)[None], speech(2, 0.1)[None]
    first, second, third = raised(faint, loud, faint)
    assert loudness(first) > 50 * loudness(faint)
    np.testing.assert_array_equal(second[:, 1600:], loud[:, 1600:])
    assert third is faint
    assert np.abs(second).max() <= 1
