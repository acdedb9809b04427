"""The LSTM of Resemblyzer: its sizes, and what computes it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LAYERS = 3

WIDTH = 256

TINY = 1e-12
"""Least length that a vector is divided by."""


class VoiceNetwork(Protocol):
    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, frames, 40] to [n, 256], rows of length 1 and nowhere negative."""
