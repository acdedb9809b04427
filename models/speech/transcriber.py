"""What writes speech down: the seam between those who have sound and the engines that hear words in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
class SpokenWord:
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

    words: tuple[SpokenWord, ...]
    language: str
    """ISO 639-1."""
    language_probability: float | None
    """Probability that `language` is spoken; 1.0 where it was given, None where the engine has one and cannot tell
    it from others."""
    no_speech: float
    """Probability that nobody speaks."""
    mean_logprob: float
    """The mean over the tokens: natural logarithm, at most 0."""
    compression_ratio: float
    """Compression ratio of the text before repetitions were taken out; far above 2 where an engine loops."""


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
