"""Interface and sizes of Resemblyzer's LSTM."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LAYERS = 3

WIDTH = 256

EPSILON = 1e-12
"""When a vector is normalised, it is divided by at least this, so that a vector of length 0 causes no error."""


class VoiceNetwork(Protocol):
    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return voices, float32 [n, 256], for spectrograms, float32 [n, frames, 40]. Rows have length 1 and no
        negative element."""
