"""What tells voices apart: the seam between those who have sound and the engines that know who speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.host import EngineHost
from models.speech.transcriber import Samples

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
    """The name that the engine gives the speaker."""


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
