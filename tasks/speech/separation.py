"""Whether the two channels of a recording are two microphones in one room, or two lines of a call."""

import numpy as np
from numpy.typing import NDArray

from models.speech.transcriber import RATE

_FRAME = RATE // 10
_UNLIKE = 0.5
"""Correlation of the channels' levels over time. Microphones in one room rise and fall together, whatever their
distance and phase (0.9 with strong echoes); lines of a call do not (0.35 where both talk all the time, below 0 where
they take turns)."""
_FAINT = 10 ** (-25 / 20)
"""Of the louder channel's level: below, the other holds nothing but what leaks into it."""
_LEAST_FRAMES = 20


def are_apart(block: NDArray[np.float32]) -> bool:
    """`block` is float32 [2, n] at 16 kHz. False where one channel is silent: mixing them loses nothing then."""
    frames = block.shape[1] // _FRAME
    if frames < _LEAST_FRAMES:
        return False
    levels = np.sqrt(np.mean(np.square(block[:, : frames * _FRAME].reshape(2, frames, _FRAME)), axis=2))
    loud = np.percentile(levels, 95, axis=1)
    if loud.min() <= _FAINT * loud.max():
        return False
    active = (levels > _FAINT * loud[:, None]).any(axis=0)
    first, second = np.log10(np.maximum(levels[:, active], _FAINT * loud.max()))
    return len(first) >= _LEAST_FRAMES and float(np.corrcoef(first, second)[0, 1]) < _UNLIKE
