"""The shape of the network, and which runtime computes it."""

from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.speech.resemblyzer.checkpoint import Tensors

LAYERS = 3
WIDTH = 256
TINY = 1e-12
"""Least length that a vector is divided by."""


class Network(Protocol):
    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, frames, 40] to [n, 256], rows of length 1 and nowhere negative."""


def build_network(weights: Tensors, *, threads: int) -> Network:
    """On OpenVINO; on NumPy where there is no OpenVINO. `threads` 0: as many as OpenVINO sees fit."""
    if find_spec("openvino") is not None:
        from models.speech.resemblyzer.openvino_network import OpenVinoNetwork

        return OpenVinoNetwork(weights, threads=threads)
    from models.speech.resemblyzer.numpy_network import NumpyNetwork

    return NumpyNetwork(weights)
