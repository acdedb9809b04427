"""Two channels: one room, or two lines."""

from pathlib import Path

import numpy as np

from tasks.speech.channels import are_apart
from tests.kit.audio.speech import Samples, decoded, in_a_row, pause, say

FIRST = "Good morning everybody, and thank you for coming."
SECOND = "The price of coffee has gone up again this month."


def by_turns(leak: float) -> Samples:
    """Two speakers, each on a channel of its own, that much of which is heard on the other."""
    one, other = say(FIRST), say(SECOND, "en-gb")
    first = in_a_row([one, pause(0.5), leak * other])
    second = in_a_row([leak * one, pause(0.5), other])
    return np.stack([first, second]).astype(np.float32)


def echoed(samples: Samples, delay: int, seed: int) -> Samples:
    tail = np.random.default_rng(seed).normal(0, 0.15, 3000) * np.exp(-np.arange(3000) / 800)
    return np.convolve(samples, [*np.zeros(delay), 1.0, *tail])[: len(samples)].astype(np.float32)


def test_speakers_by_turns_are_apart() -> None:
    assert are_apart(by_turns(0.2))


def test_speakers_at_the_same_time_are_apart(shared: Path) -> None:
    file = shared / "samples" / "speech_two_speakers.wav"
    assert are_apart(np.stack([decoded(file, 0), decoded(file, 1)]))


def test_two_microphones_in_one_room_are_not() -> None:
    speech = in_a_row([say(FIRST), pause(0.5), say(SECOND)])
    assert not are_apart(np.stack([speech, speech]))
    assert not are_apart(np.stack([echoed(speech, 0, 1), 0.6 * echoed(speech, 90, 2)]))


def test_a_channel_that_is_silent_or_only_hisses_is_nobody() -> None:
    speech = in_a_row([say(FIRST), pause(0.5), say(SECOND)])
    hiss = np.random.default_rng(0).normal(0, 1e-3, len(speech)).astype(np.float32)
    assert not are_apart(np.stack([speech, np.zeros_like(speech)]))
    assert not are_apart(np.stack([speech, hiss]))


def test_too_little_says_nothing() -> None:
    assert not are_apart(by_turns(0.0)[:, :16_000])
    assert not are_apart(np.zeros((2, 100), np.float32))
