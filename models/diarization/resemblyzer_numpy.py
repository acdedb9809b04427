"""Resemblyzer's LSTM in NumPy, for machines without OpenVINO."""

import numpy as np
from numpy.typing import NDArray

from models.diarization.resemblyzer_network import EPSILON, LAYERS, WIDTH
from models.diarization.torch_checkpoint import Tensors


class NumpyVoiceNetwork:
    """Implementation of VoiceNetwork in NumPy."""

    def __init__(self, weights: Tensors) -> None:
        self._layers = [
            (
                # Weights of input and state side by side, so that a step takes one product.
                np.concatenate(
                    [weights[f"lstm.weight_ih_l{layer}"], weights[f"lstm.weight_hh_l{layer}"]], axis=1
                ).T.copy(),
                weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"],
            )
            for layer in range(LAYERS)
        ]
        self._projection, self._bias = weights["linear.weight"].T, weights["linear.bias"]

    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = np.ascontiguousarray(mels.transpose(1, 0, 2))
        for weight, bias in self._layers:
            steps = _lstm(steps, weight, bias)
        raised = np.maximum(0, steps[-1] @ self._projection + self._bias)
        vectors: NDArray[np.float32] = raised / np.maximum(np.linalg.norm(raised, axis=1, keepdims=True), EPSILON)
        return vectors


def _lstm(steps: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the states of one layer at every step. The gates are in torch's order: input, forget, cell, output."""
    count, batch, width = steps.shape
    states = np.empty((count, batch, WIDTH), np.float32)
    joined = np.zeros((batch, width + WIDTH), np.float32)
    cell = np.zeros((batch, WIDTH), np.float32)
    gates = np.empty((batch, 4 * WIDTH), np.float32)
    for step in range(count):
        joined[:, :width] = steps[step]
        np.matmul(joined, weight, out=gates)
        gates += bias
        entering, kept, leaving = (_sigmoid(gates[:, part * WIDTH : (part + 1) * WIDTH]) for part in (0, 1, 3))
        cell *= kept
        cell += entering * np.tanh(gates[:, 2 * WIDTH : 3 * WIDTH])
        np.multiply(leaving, np.tanh(cell), out=states[step])
        joined[:, width:] = states[step]
    return states


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # The sigmoid is computed from tanh, which never overflows.
    sigmoid: NDArray[np.float32] = np.float32(0.5) * np.tanh(np.float32(0.5) * x) + np.float32(0.5)
    return sigmoid
