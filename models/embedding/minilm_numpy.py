"""The BERT encoder of all-MiniLM-L6-v2 in NumPy, for machines without OpenVINO."""

import numpy as np
from numpy.typing import NDArray

from models.embedding.minilm_network import HEAD_WIDTH, HEADS, LAYER_NORM_EPSILON, LAYERS, WIDTH, States
from models.embedding.minilm_weights import Tensors

_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


class NumpyMiniLm:
    """Implementation of MiniLmNetwork in NumPy."""

    def __init__(self, weights: Tensors) -> None:
        self._weights = weights

    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        x = self._layer_norm(states, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            attended = self._dense(self._attend(x, mask, f"{name}.attention.self"), f"{name}.attention.output.dense")
            x = self._layer_norm(x + attended, f"{name}.attention.output.LayerNorm")
            inner = self._dense(_gelu(self._dense(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
            x = self._layer_norm(x + inner, f"{name}.output.LayerNorm")
        return x

    def _attend(self, x: States, mask: NDArray[np.float32], name: str) -> States:
        query, key, value = (
            self._dense(x, f"{name}.{part}").reshape(*x.shape[:2], HEADS, HEAD_WIDTH).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores: States = query @ key.transpose(0, 1, 3, 2)
        scores *= np.float32(HEAD_WIDTH**-0.5)
        scores += mask[:, None, None, :]
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        joined: States = (scores @ value).transpose(0, 2, 1, 3).reshape(*x.shape[:2], WIDTH)
        return joined

    def _dense(self, x: States, name: str) -> States:
        product = x @ self._weights[f"{name}.weight"].T
        product += self._weights[f"{name}.bias"]
        return product

    def _layer_norm(self, x: States, name: str) -> States:
        centred: States = x - x.mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        centred /= np.sqrt(variance + np.float32(LAYER_NORM_EPSILON))
        centred *= self._weights[f"{name}.weight"]
        centred += self._weights[f"{name}.bias"]
        return centred


def _gelu(x: States) -> States:
    """Return x·Φ(x). The error function is formula 7.1.26 of Abramowitz & Stegun, whose error is below 1.5e-7."""
    magnitude = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * magnitude)
    series = np.zeros_like(t)
    for coefficient in _ERF:
        series += np.float32(coefficient)
        series *= t
    series *= np.exp(-np.square(magnitude))
    half: States = np.float32(0.5) * x
    return half + half * np.copysign(1 - series, x)
