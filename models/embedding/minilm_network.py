"""The BERT encoder of all-MiniLM-L6-v2: its sizes, and what computes it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LAYERS = 6

HEADS = 12

WIDTH = 384

HEAD_WIDTH = WIDTH // HEADS

LAYER_NORM_EPSILON = 1e-12

MASKED = -1e9
"""Added to the attention that padding would get: its softmax is 0."""

States = NDArray[np.float32]
"""Sentences × tokens × 384."""


class MiniLmNetwork(Protocol):
    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        """The last hidden states. `states` are the sums of the embeddings before their normalisation; `mask`, of
        sentences × tokens, is 0 for a token and MASKED for padding."""
