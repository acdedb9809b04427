"""Generated speech for fitting and for measuring: sentences in many languages, spoken by espeak-ng's voices, with the
effects of microphones, rooms and telephones.

espeak-ng also speaks English with the sounds of other languages. Such clips represent accents, and count as English.
"""

import json
import random
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from tests.kit.audio.speech import RATE, decoded, in_a_row, pause

Samples = NDArray[np.float32]

SENTENCES: dict[str, list[str]] = json.loads(Path(__file__).with_name("sentences.json").read_text(encoding="utf-8"))
"""Sentences by espeak-ng's name of their language."""
ENGLISH = ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc")
ACCENTS = ("de", "fr", "es", "pl", "hi", "pt", "sv", "tr", "ro", "nl", "el", "id")
VARIANTS = (
    *("", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+m8", "+f1", "+f2", "+f3", "+f4", "+f5"),
    *("+klatt", "+klatt2", "+klatt3", "+croak"),
)
CONDITIONS = (
    *("clean",) * 6,
    *("telephone",) * 3,
    *("room", "faint"),
    *("white 20", "white 10", "white 5", "pink 15", "pink 8", "babble 15", "babble 8"),
)
LONGEST_S = 28.0
_SHORT = 0.25
"""Share of the clips that end after a second or two, because a short length must not indicate a language."""


@dataclass(frozen=True, eq=False)
class Clip:
    samples: Samples
    is_english: bool
    language: str
    """Code of the clip's language; for English with an accent, `en/` and the code of the accent."""


def clips(english: int, accents: int, each: int, seed: int) -> Iterator[Clip]:
    """Return clips of English, of English with the sounds of other languages, and of each other language."""
    choose = random.Random(seed)
    for _ in range(english):
        voice = choose.choice(ENGLISH)
        yield Clip(_recorded("en", voice, choose), True, "en")
    for _ in range(accents):
        voice = choose.choice(ACCENTS)
        yield Clip(_recorded("en", voice, choose, accent=True), True, f"en/{voice}")
    for language in SENTENCES:
        for _ in range(each if language != "en" else 0):
            yield Clip(_recorded(language, language, choose), False, language)


def _recorded(language: str, voice: str, choose: random.Random, *, accent: bool = False) -> Samples:
    """Return one to four sentences with pauses. A tenth of the sentences are only numbers."""
    voice += choose.choice(VARIANTS if not accent else VARIANTS[:14])
    speed, pitch = choose.choice((120, 140, 150, 165, 180, 200)), choose.choice((30, 40, 50, 60, 70))
    parts: list[Samples] = [pause(choose.uniform(0.05, 0.4))]
    for _ in range(choose.choice((1, 1, 1, 2, 2, 3, 4))):
        text = choose.choice(SENTENCES[language])
        if choose.random() < 0.1:
            text = " ".join(str(choose.randint(1, 9999)) for _ in range(choose.randint(2, 6)))
        parts += [say(text, voice, speed, pitch, accent=accent), pause(choose.choice((0.1, 0.3, 0.6, 1.2)))]
    seconds = choose.uniform(0.6, 2.5) if choose.random() < _SHORT else LONGEST_S
    samples = in_a_row(parts)[: int(seconds * RATE)]
    return recorded(samples, choose.choice(CONDITIONS), np.random.default_rng(choose.getrandbits(32)))


def say(text: str, voice: str, speed: int = 150, pitch: int = 50, *, accent: bool = False) -> Samples:
    """Return `text` as speech; with `accent`, English text with the sounds of the voice's language."""
    if accent:
        text = f"[[{_phonemes(text)}]]"
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    return decoded(_output(command))


@cache
def _phonemes(text: str) -> str:
    command = ["espeak-ng", "-v", "en-us", "-x", "-q", text]
    return " ".join(_output(command).decode().split())


def _output(command: Sequence[str]) -> bytes:
    return subprocess.run(command, check=True, capture_output=True).stdout


def recorded(samples: Samples, condition: str, rng: np.random.Generator) -> Samples:
    """Return `samples` as recorded in a condition: one of CONDITIONS, or a noise and its decibels below the speech."""
    match condition.split():
        case ["clean"]:
            return samples
        case ["telephone"]:
            return telephone(samples)
        case ["faint"]:
            return (samples * 0.05).astype(np.float32)
        case ["room"]:
            return _in_a_room(samples, rng)
        case [noise, decibels]:
            return _noisy(samples, _noise(noise, len(samples), rng), float(decibels))
    raise ValueError(condition)


def telephone(samples: Samples) -> Samples:
    """Return `samples` as transmitted by telephone: 8 kHz, µ-law with 8 bits (ITU-T G.711)."""
    narrow = signal.resample_poly(samples, 1, 2).clip(-1, 1)
    level = np.round(127 * np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)) / 127
    heard = np.sign(level) * np.expm1(np.abs(level) * np.log(256)) / 255
    return signal.resample_poly(heard, 2, 1).astype(np.float32)


def _in_a_room(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return `samples` with an echo that fades by 60 dB in 0.4 s."""
    count = int(0.4 * RATE)
    echo = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    echo[0] = 8.0
    heard = signal.fftconvolve(samples, echo)[: len(samples)]
    return (heard / np.abs(heard).max() * np.abs(samples).max()).astype(np.float32)


def _noise(name: str, count: int, rng: np.random.Generator) -> Samples:
    if name == "babble":
        start = rng.integers(0, len(_babble()))
        return np.resize(np.roll(_babble(), -start), count)
    white = rng.normal(0, 1, count)
    if name == "white":
        return white.astype(np.float32)
    spectrum = np.fft.rfft(white)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), count).astype(np.float32)


def _noisy(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return the sum of `samples` and `noise`. If the sum would clip, it is scaled down, as a recorder's level control
    does."""
    loudness = np.sqrt(np.mean(samples**2))
    both = samples + noise / np.sqrt(np.mean(noise**2)) * loudness * 10 ** (-snr_db / 20)
    return (both / max(1.0, np.abs(both).max())).astype(np.float32)


@cache
def _babble() -> Samples:
    """Return forty seconds of six voices that talk at once."""
    voices: Sequence[str] = ("en-us+m1", "en-gb+f3", "en-gb-scotland+m4", "en-us+f2", "en-029+m2", "en-gb-x-rp+f1")
    talk = [
        np.resize(in_a_row([say(text, voice) for text in SENTENCES["en"][9 * number : 9 * number + 9]]), 40 * RATE)
        for number, voice in enumerate(voices)
    ]
    return np.sum([one / np.sqrt(np.mean(one**2)) for one in talk], axis=0).astype(np.float32)
