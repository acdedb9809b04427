"""Interface and sizes of the BERT encoder of all-MiniLM-L6-v2."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LAYERS = 6

HEADS = 12

WIDTH = 384

HEAD_WIDTH = WIDTH // HEADS

LAYER_NORM_EPSILON = 1e-12

MASKED = -1e9
"""Number that is added to the attention scores of padding, so that their softmax is 0."""

States = NDArray[np.float32]
"""Array of texts × tokens × 384."""


class MiniLmNetwork(Protocol):
    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        """Return the last hidden states. `states` are the sums of the embeddings before their normalisation; `mask`, of
        texts × tokens, is 0 for a token and MASKED for padding."""
