"""Prepares sound for transcription: detects stereo channels with one speaker each, and amplifies faint speech.

In speech below -42 dB of full scale, the engine misses words that it
recognises if the speech is amplified. There is no denoising: spectral gating and RNNoise cost more words than they
save.
"""

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAME = 0.1
"""Length in seconds of the frames whose level is measured."""

_SAMPLES = int(SAMPLE_RATE * FRAME)
_UNLIKE = 0.5
"""Two channels are separate lines if the correlation of their levels over time is below this. The levels of microphones
in one room rise and fall together, regardless of their distance and phase (0.9 with strong echoes). The levels of the
two lines of a call do not (0.35 if both people talk all the time, below 0 if they take turns)."""
_LEAKED = 10 ** (-25 / 20)
"""Level, relative to the louder channel, below which the other channel contains only cross-talk."""
_LEAST_FRAMES = 20
TARGET = 10 ** (-24 / 20)
"""Root mean square to which faint speech is amplified: -24 dB of full scale, the level of ordinary recordings."""
FAINT = 10 ** (-42 / 20)
"""Speech with at least this root mean square is left unchanged."""
SILENT = 10 ** (-88 / 20)
"""Root mean square below which sound is not speech: the rounding of 16-bit samples alone is as loud."""
_LOUD = 95
"""Percentile of the frames' loudness that counts as the level of speech, because there are pauses."""
_RAMP = SAMPLE_RATE // 10
"""Number of samples over which the gain changes."""


def _frame_levels(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the root mean square of each whole frame per channel."""
    frames = block.shape[1] // _SAMPLES
    whole = block[:, : frames * _SAMPLES].reshape(len(block), frames, _SAMPLES)
    levels: NDArray[np.float32] = np.sqrt(np.mean(np.square(whole), axis=2))
    return levels


def are_apart(block: NDArray[np.float32]) -> bool:
    """True if the channels of `block` (float32 [2, n] at 16 kHz) are separate lines. The result is False if one of them
    is silent, because mixing them then loses nothing, and for a block that is too short to tell."""
    levels = _frame_levels(block)
    if levels.shape[1] < _LEAST_FRAMES:
        return False
    loud = np.percentile(levels, 95, axis=1)
    if loud.min() <= _LEAKED * loud.max():
        return False
    active = (levels > _LEAKED * loud[:, None]).any(axis=0)
    first, second = np.log10(np.maximum(levels[:, active], _LEAKED * loud.max()))
    return len(first) >= _LEAST_FRAMES and float(np.corrcoef(first, second)[0, 1]) < _UNLIKE


class FaintSpeech:
    """Amplifies a recording block by block, with the gain that brings its loudest block so far to TARGET, if that block
    is faint.

    >>> faint = FaintSpeech()
    >>> quiet = np.full((1, 16_000), 0.001, np.float32)
    >>> round(float(faint.raised(quiet)[0, -1]), 3)
    0.063
    """

    def __init__(self) -> None:
        self._loudest = 0.0
        self._gain = 1.0

    def raised(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Amplify the next block, float32 [channels, n] at 16 kHz, to at most ±1. If nothing changes, the array itself
        is returned."""
        self._loudest = max(self._loudest, _loudness(block))
        earlier_gain, self._gain = self._gain, TARGET / self._loudest if SILENT < self._loudest < FAINT else 1.0
        if earlier_gain == self._gain == 1:
            return block
        gains = np.full(block.shape[1], self._gain, np.float32)
        if earlier_gain != 1:
            ramp = min(_RAMP, len(gains))
            gains[:ramp] = np.linspace(earlier_gain, self._gain, ramp)
        louder: NDArray[np.float32] = np.clip(block * gains, -1, 1)
        return louder


def _loudness(block: NDArray[np.float32]) -> float:
    """Return the root mean square of the loud frames of the louder channel."""
    if block.shape[1] < _SAMPLES:
        return float(np.sqrt(np.mean(np.square(block)))) if block.size else 0.0
    return float(np.percentile(_frame_levels(block).max(axis=0), _LOUD))
