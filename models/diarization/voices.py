"""The interface between callers that have sound and engines that distinguish voices."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.hosts.host import EngineHost
from models.speech.transcriber import Samples

WINDOW = 25_600
"""Number of samples in a VoiceEncoder's window: 1.6 s, as in its training (`hparams.py` of Resemblyzer)."""

DIMENSIONS = 256
"""Number of elements in a Voice."""

Voice = NDArray[np.float32]
"""Vector of a voice, float32[256] of length 1: the cosine similarity of two voices is the dot product of their
vectors."""


@runtime_checkable
class VoiceEncoder(Protocol):
    """An engine that turns windows of speech into vectors, from which the caller computes who speaks when."""

    async def embed(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        """Return an array of n × 256 with a row of length 1 for each of `windows`, in order. A window has at most 1.6
        s; a shorter one is repeated up to this length. The loudness of a window does not matter. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """A speaker's turn, from `start` to `end` in seconds of the recording."""

    start: float
    end: float
    speaker: str
    """Engine's name of the speaker."""


@runtime_checkable
class Diarizer(Protocol):
    """An engine that computes by itself who speaks when."""

    async def diarize(self, recording: Path, speakers: int | None) -> Sequence[VoiceTurn]:
        """Return the turns in order of time. `recording` is the path of a file that contains only float32 samples,
        mono, 16 kHz; `speakers` is the number of speakers, None if unknown. Raises ModelError."""


class HostedVoiceEncoder:
    """A VoiceEncoder whose engine runs in an EngineHost. The items of a long list wait for room in the queue instead of
    being refused."""

    def __init__(self, host: EngineHost[Samples, Voice]) -> None:
        self._host = host

    async def embed(self, windows: Sequence[Samples]) -> NDArray[np.float32]:
        vectors = await self._host.run_many(windows, wait=True)
        return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)
