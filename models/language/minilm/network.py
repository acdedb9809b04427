"""The shape of the network, and what a runtime makes of it."""

from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.language.minilm.weights import Tensors

LAYERS = 6
HEADS = 12
WIDTH = 384
HEAD_WIDTH = WIDTH // HEADS
LAYER_NORM_EPSILON = 1e-12
MASKED = -1e9
"""Added to the attention that padding would get: its softmax is 0."""

States = NDArray[np.float32]
"""Sentences × tokens × 384."""


class Network(Protocol):
    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        """The last hidden states. `states` are the sums of the embeddings before their normalisation; `mask`, of
        sentences × tokens, is 0 for a token and MASKED for padding."""


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO, which is five to twenty times as fast as NumPy; on NumPy where there is no OpenVINO."""
    if find_spec("openvino") is not None:
        from models.language.minilm.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.language.minilm.numpy_network import NumpyNetwork

    return NumpyNetwork(weights)
