"""What is done to sound before it is heard: faint speech is raised, and nothing else.

`tests/bench/denoise.py` has the figures. Speech below -42 dB of full scale loses words that the same speech, raised,
does not. No denoising is done: spectral gating and RNNoise cost more words than they save.
"""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
TARGET = 10 ** (-24 / 20)
"""Root mean square that faint speech is raised to: -24 dB of full scale, the level of ordinary recordings."""
FAINT = 10 ** (-42 / 20)
"""Speech that is louder stays as it is."""
SILENT = 10 ** (-88 / 20)
"""What is softer is no speech: the rounding of 16-bit samples alone is as loud."""

_FRAME = SAMPLE_RATE // 10
_LOUD = 95
"""Percentile of the frames' loudness that speech, pauses between, is taken to have."""
_RAMP = SAMPLE_RATE // 10
"""Samples over which the gain changes."""


class FaintSpeech:
    """Raises a recording, block by block, by as much as the loudest block so far asks for.

    >>> faint = FaintSpeech()
    >>> quiet = np.full((1, 16_000), 0.001, np.float32)
    >>> float(faint.raised(quiet)[0, -1].round(3))
    0.063
    """

    def __init__(self) -> None:
        self._loudest = 0.0
        self._gain = 1.0

    def raised(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The recording's next block, float32 [channels, n] at 16 kHz, at most ±1; the very array where nothing is
        to be done."""
        self._loudest = max(self._loudest, _loudness(block))
        before, self._gain = self._gain, self._wanted()
        if before == self._gain == 1:
            return block
        gains = np.full(block.shape[1], self._gain, np.float32)
        if before != 1:
            ramp = min(_RAMP, len(gains))
            gains[:ramp] = np.linspace(before, self._gain, ramp)
        louder: NDArray[np.float32] = np.clip(block * gains, -1, 1)
        return louder

    def _wanted(self) -> float:
        return TARGET / self._loudest if SILENT < self._loudest < FAINT else 1.0


def _loudness(block: NDArray[np.float32]) -> float:
    """Root mean square of the loud frames of the louder channel."""
    frames = block.shape[1] // _FRAME
    if not frames:
        return float(np.sqrt(np.mean(np.square(block)))) if block.size else 0.0
    whole = block[:, : frames * _FRAME].reshape(len(block), frames, _FRAME)
    levels = np.sqrt(np.mean(np.square(whole), axis=2)).max(axis=0)
    return float(np.percentile(levels, _LOUD))
