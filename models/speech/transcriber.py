"""The interface between callers that have sound and engines that transcribe it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.hosts.host import EngineHost

RATE = 16_000
"""Samples per second of all sound for engines."""

LONGEST_S = 30.0
"""A window lasts at most this many seconds."""

PROMPT_CHARS = 4000
"""At most this many characters at the end of a prompt are read. They have more than the 223 tokens that Whisper
uses."""

Samples = NDArray[np.float32]
"""float32[n] in -1…1, one channel at RATE."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeechWindow:
    """Sound of at most LONGEST_S seconds for one transcription."""

    samples: Samples = field(repr=False)
    language: str | None = None
    """Spoken language, as an ISO 639-1 code; None: the engine detects it."""
    translate: bool = False
    """True to translate any language into English."""
    prompt: str | None = None
    """Text that may precede the window, with names and preferred spellings. Only its last PROMPT_CHARS characters
    count."""


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word with its times. `text` includes punctuation, and begins with a space if the language separates words."""

    text: str
    start: float
    """Seconds from the beginning of the window; never after `end`."""
    end: float
    probability: float
    """Probability according to the engine, 0–1."""
    tokens: tuple[int, ...] = ()
    """Tokens of the word in the engine's vocabulary, if it has one."""


@dataclass(frozen=True, slots=True)
class WindowText:
    """Transcript of a window. It has no words for silence, noise, and speech that the engine does not recognise."""

    words: tuple[SpokenWord, ...]
    language: str
    """ISO 639-1 code."""
    language_probability: float | None
    """Probability that `language` is spoken: 1.0 if the caller named it; None if the engine knows one language only and
    cannot distinguish it from others."""
    no_speech: float
    """Probability that nobody speaks."""
    mean_logprob: float
    """Mean natural logarithm of the tokens' probabilities, at most 0."""
    compression_ratio: float
    """Compression ratio of the text before repetitions were removed. It is far above 2 if the engine was looping."""


class Transcriber(Protocol):
    name: str
    """Name of the engine, for messages."""
    languages: frozenset[str] | None
    """ISO 639-1 codes of the languages that the engine recognises; None: about a hundred languages."""
    can_translate: bool
    window_s: float
    """Best length of windows for the engine, in seconds, at most LONGEST_S."""

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        """Return the transcript of `window`. If the queue is full, the call waits if `wait` is true, and raises
        EngineOverloaded if not. Raises ModelError."""


class HostedTranscriber:
    """A speech engine that runs in an EngineHost."""

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

    async def transcribe(self, window: SpeechWindow, *, wait: bool = True) -> WindowText:
        return await self._host.run(window, wait=wait)
