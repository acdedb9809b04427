"""Where somebody speaks, block by block."""

from pathlib import Path

import numpy as np
import pytest

from models.speech.voice_activity import FRAME, VoiceActivity
from tests.kit.audio.speech import RATE, Samples, decoded, in_a_row, pause, say


async def heard(samples: Samples, step: int) -> np.ndarray:
    activity = VoiceActivity()
    parts = [await activity.add(samples[first : first + step]) for first in range(0, len(samples), step)]
    return np.concatenate([*parts, await activity.finish()])


@pytest.mark.parametrize("step", [1000, 7777, 16_000])
async def test_blocks_of_any_length_give_what_the_whole_gives(step: int) -> None:
    samples = in_a_row([pause(0.5), say("Good morning everybody."), pause(7.0), say("It rains.")])
    whole = await heard(samples, len(samples))
    assert len(whole) == -(-len(samples) // FRAME)
    assert np.allclose(await heard(samples, step), whole, atol=1e-5)


@pytest.mark.parametrize("sample", ["speech_jfk.flac", "speech_two_speakers.wav"])
async def test_it_finds_what_faster_whispers_own_code_finds(shared: Path, sample: str) -> None:
    from faster_whisper.vad import get_vad_model

    samples = decoded(shared / "samples" / sample)
    padded = np.pad(samples, (0, -len(samples) % FRAME))
    assert np.allclose(await heard(samples, 16_000), get_vad_model()(padded).ravel(), atol=1e-4)


@pytest.mark.parametrize("hiss", [0.0, 0.001])
async def test_a_long_silence_does_not_make_it_deaf(shared: Path, hiss: float) -> None:
    speech = decoded(shared / "samples" / "speech_jfk.flac")
    alone = (await heard(speech, RATE) > 0.5).sum()
    samples = in_a_row([pause(120.0), speech])
    after = await heard(
        (samples + np.random.default_rng(0).normal(0, hiss, len(samples))).astype(np.float32), 30 * RATE
    )
    assert (after > 0.5).sum() == pytest.approx(alone, rel=0.1)
