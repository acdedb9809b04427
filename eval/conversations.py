"""Generated conversations of several voices, with known turns.

espeak-ng reads English with the voices of many languages and variants, each at its own pitch, pace and loudness. The
voices of flite, made from recordings of people, and a real clip beside the checkout are added if they exist.
"""

import functools
import io
import random
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from tasks.speech.turns import SpeakerTurn
from tests.conftest import SHARED

RATE = 16_000

TUNED_ON = [
    "en-us+m3/40/165",
    "en-gb+f2/60/175",
    "de+m1/45/160",
    "fr+f4/55/170",
    "en-gb-scotland+m7/30/150",
    "es+f5/70/180",
    "en-us+klatt2/50/160",
    "it+m5/60/170",
    "en-029+f1/45/165",
    "nl+m2/35/155",
    "sv+f3/65/170",
    "en-us+croak/40/150",
]
"""Voices of espeak-ng, with pitch and words per minute, for which the constants of tasks/speech were chosen."""
HELD_OUT = [
    "en-gb+m4/50/170",
    "en-us+f5/50/165",
    "pl+m6/40/160",
    "pt+f1/60/175",
    "en-gb-x-rp+m1/30/155",
    "de+f4/65/170",
    "en-us+klatt4/45/165",
    "fr+m2/50/160",
    "es+m8/55/175",
    "it+f2/50/165",
    "en-gb-scotland+f3/45/160",
    "ro+m3/35/170",
]
"""Voices that influenced no constant."""
PEOPLE = ["flite:kal16", "flite:awb", "flite:rms", "flite:slt", "speech_jfk.flac"]
"""Voices of people. No constant was fitted to them, but their figures were known when the threshold was chosen."""
_STRETCHES = ((0.2, 2.3), (3.2, 4.5), (5.3, 7.8), (8.1, 10.7))
"""Start and end, in seconds, of stretches of the real clip between two pauses."""

SHORT = [
    "Yes.",
    "I agree with that.",
    "That sounds right to me.",
    "No, not at all.",
    "Could you say that again, please?",
]
SENTENCES = """The committee met on Tuesday and decided to postpone the vote until the budget is known.
I had expected the figures to be lower, but the third quarter was better than anyone thought.
We should write to the supplier before the end of the week.
My sister moved to the coast last year, and she says that the winters are milder there.
When the train finally arrived, most of the passengers had already given up and gone home.
Who is going to pay for the repairs?
It depends on the weather, on the price of fuel, and on how many people decide to come along.
Let me show you the plan, because a picture explains it better than I can.
The old bridge was closed in March and nobody knows when it will open again.
I would rather begin with the simple cases and leave the difficult ones for tomorrow morning.
There were seven boxes in the cellar, and every one of them was full of letters.
Thank you, that was very kind of you.
Perhaps we could ask the neighbours whether they have seen the dog.
The doctor told him to rest for a week and to drink plenty of water.
After lunch we walked along the river as far as the mill and came back through the forest.
What time does the museum close on Sundays?
Nobody had told me that the meeting was cancelled.
He speaks four languages, but he cannot read a map to save his life.
They planted apple trees on both sides of the road, and in spring the whole valley is white.""".splitlines()

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Conversation:
    samples: Samples
    turns: Sequence[SpeakerTurn]


def converse(voices: Sequence[str], seed: int, *, minutes: float, noise_db: float = -64) -> Conversation:
    """Return a conversation: each voice speaks once, then voices follow at random. A voice speaks one to three
    sentences at a time, with pauses of 0.1 to 2.5 s. A quarter of the sentences are short. A voice is up to 6 dB louder
    or softer than the mean of -24 dB of full scale. `noise_db` is the level of white noise, relative to full scale."""
    choose = random.Random(seed)
    gains = {voice: 10 ** (choose.uniform(-6, 6) / 20) for voice in voices}
    parts = [np.zeros(RATE // 2, np.float32)]
    turns: list[SpeakerTurn] = []
    position, waiting, last = RATE // 2, list(voices), ""
    while position < minutes * 60 * RATE or waiting:
        voice = waiting.pop(0) if waiting else choose.choice([v for v in voices if v != last] or list(voices))
        for _ in range(choose.choice((1, 1, 2, 3))):
            spoken = say(voice, choose.choice(SHORT if choose.random() < 0.25 else SENTENCES)) * gains[voice]
            turns.append(SpeakerTurn(position / RATE, (position + len(spoken)) / RATE, voices.index(voice)))
            pause = choose.uniform(0.1, 0.9) if choose.random() < 0.85 else choose.uniform(0.9, 2.5)
            parts += [spoken.astype(np.float32), np.zeros(int(pause * RATE), np.float32)]
            position += len(parts[-2]) + len(parts[-1])
        last = voice
    samples = np.concatenate(parts)
    noise = np.random.default_rng(seed).normal(0, 10 ** (noise_db / 20), len(samples))
    return Conversation((samples + noise).astype(np.float32), turns)


@functools.cache
def say(voice: str, text: str) -> Samples:
    """Return `text` as speech, at -24 dB of full scale and without silence at the ends; for the real clip, one of its
    stretches."""
    if voice.startswith("flite:"):
        command = ["flite", "-voice", voice.removeprefix("flite:"), "-t", text, "-o", "/dev/stdout"]
    elif "/" in voice:
        name, pitch, pace = voice.split("/")
        command = ["espeak-ng", "-v", name, "-p", pitch, "-s", pace, "--stdout", text]
    else:
        start, end = _STRETCHES[len(text) % len(_STRETCHES)]
        return _levelled(decode(SHARED / "samples" / voice)[int(start * RATE) : int(end * RATE)])
    sound = decode(subprocess.run(command, check=True, capture_output=True).stdout)
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return _levelled(sound[max(0, loud[0] - 400) : loud[-1] + 400])


def _levelled(sound: Samples) -> Samples:
    levelled: Samples = sound / np.sqrt(np.mean(np.square(sound))) * np.float32(0.063)
    return levelled


def decode(data: bytes | Path) -> Samples:
    """Return the sound of an audio file, mono, 16 kHz."""
    resampler = av.AudioResampler("fltp", "mono", RATE)
    with av.open(str(data) if isinstance(data, Path) else io.BytesIO(data)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def has_voices_of_people() -> bool:
    return shutil.which("flite") is not None and SHARED.is_dir()
