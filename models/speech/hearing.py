"""What engines hear in sound, and who offers it: its words (speech to text), and its voices as numbers
(diarization)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.host import EngineHost

RATE = 16_000
"""Samples a second of all sound that engines hear."""
LONGEST_S = 30.0
"""Seconds that one window may have."""

Samples = NDArray[np.float32]
"""float32[n] in -1…1, one channel at RATE."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeechWindow:
    """A stretch of at most LONGEST_S."""

    samples: Samples = field(repr=False)
    language: str | None = None
    """Spoken in it, as an ISO 639-1 code; None: to be detected."""
    translate: bool = False
    """Write English, whatever is spoken."""
    prompt: str | None = None
    """Text that may come before: names and a spelling to prefer."""


@dataclass(frozen=True, slots=True)
class Word:
    """`text` begins with a space where the language puts one before it; punctuation is part of it."""

    text: str
    start: float
    """Seconds from the beginning of the window; never after `end`."""
    end: float
    probability: float
    """The engine's own, 0–1."""
    tokens: tuple[int, ...] = ()
    """By the engine's own vocabulary, where it has one."""


@dataclass(frozen=True, slots=True)
class WindowText:
    """What was heard; no words where that is silence, noise or beyond the engine."""

    words: tuple[Word, ...]
    language: str
    """ISO 639-1."""
    language_probability: float | None
    """That `language` is spoken; 1.0 where it was given, None where the engine has one and cannot tell it from
    others."""
    no_speech: float
    """Probability that nobody speaks."""
    mean_logprob: float
    """The mean over the tokens: natural logarithm, at most 0."""
    compression_ratio: float
    """That of the text before repetitions were taken out; far above 2 where an engine loops."""


class Transcriber(Protocol):
    name: str
    """The engine's, for messages."""
    languages: frozenset[str] | None
    """ISO 639-1; None: about a hundred."""
    can_translate: bool
    window_s: float
    """The length of window that it is best at, at most LONGEST_S."""

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True, urgent: bool = False) -> WindowText:
        """With `wait`, waits for room in a full queue; without, raises EngineOverloaded. An `urgent` window goes before
        others. Raises ModelError."""


class HostedTranscriber:
    """An engine behind its host."""

    def __init__(
        self,
        host: EngineHost[SpeechWindow, WindowText],
        *,
        languages: Sequence[str] | None,
        can_translate: bool,
        window_s: float,
    ) -> None:
        self.name = host.spec.name
        self.languages = None if languages is None else frozenset(languages)
        self.can_translate = can_translate
        self.window_s = window_s
        self._host = host

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True, urgent: bool = False) -> WindowText:
        return await self._host.run(window, wait=wait, urgent=urgent)


WINDOW = 25_600
"""Samples of a VoiceEncoder's window, 1.6 s: what it was trained on."""
DIMENSIONS = 256
"""Numbers of a Voice."""


Voice = NDArray[np.float32]
"""float32[256] of length 1: the cosine of two voices is the dot product of their vectors."""


@runtime_checkable
class VoiceEncoder(Protocol):
    """An engine that tells voices apart; who speaks when is worked out from its vectors."""

    async def embed(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """n × 256, rows of length 1 in the order of `windows`: at most 1.6 s each; a shorter one is repeated until it
        is as long. How loud a window is makes no difference. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """Somebody speaks from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    speaker: str
    """As the engine names its speakers."""


@runtime_checkable
class Diarizer(Protocol):
    """An engine that works out by itself who speaks when."""

    async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
        """Turns in order of time. `recording` is a file of nothing but float32 samples, mono, 16 kHz; `speakers` is
        their number where it is known. Raises ModelError."""


class HostedVoiceEncoder:
    """An embedding engine behind its host. A long list waits for room in the queue instead of being refused."""

    def __init__(self, host: EngineHost[Samples, Voice]) -> None:
        self._host = host

    async def embed(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        vectors = await self._host.run_many(windows, wait=True)
        return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
