"""The BERT encoder of all-MiniLM-L6-v2 as an OpenVINO graph, built directly from the checkpoint's tensors."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.openvino_graphs import inference_request, ops, ov
from models.embedding.minilm_weights import HEADS, LAYERS, WIDTH, Tensors

INT8_MAX = 127

_LAYER_NORM_EPSILON = 1e-12

INT8_GROUP = 64
"""Number of elements of a token's state that share a scale when they are rounded to int8. No group has elements of two
tokens, so that a token is rounded alike in every batch. The states have a few elements that are far larger than the
others, which would all become 0 with a scale for the whole state."""

MakeConstant = Callable[[NDArray[np.float32]], Any]
"""Function that puts the weights of a dense layer (outputs × inputs) into a graph."""


States = NDArray[np.float32]
"""Array of texts × tokens × 384."""


class MiniLmNetwork:
    """The network, whose dense layers multiply float32, or int8 if `is_int8`. For int8, each row of the weights is
    quantised with its own scale, and so is each group of INT8_GROUP elements of the states, at inference."""

    def __init__(self, weights: Tensors, *, threads: int, is_int8: bool = False) -> None:
        constant, options = (
            (_int8_constant, {"DYNAMIC_QUANTIZATION_GROUP_SIZE": INT8_GROUP}) if is_int8 else (_float32_constant, None)
        )
        self._request = inference_request(_graph(weights, constant), threads=threads, options=options)

    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        """Return the last hidden states. `states` are the sums of the embeddings before their normalisation; `mask`, of
        texts × tokens, is 0 for a token and MASKED for padding."""
        encoded: States = self._request.infer([states, mask])[0]
        return encoded


def _float32_constant(weight: NDArray[np.float32]) -> Any:
    return ops.constant(weight)


def _int8_constant(weight: NDArray[np.float32]) -> Any:
    scales = np.abs(weight).max(axis=1, keepdims=True) / INT8_MAX
    rounded = np.rint(weight / scales).astype(np.int8)
    return ops.multiply(ops.convert(ops.constant(rounded), np.float32), ops.constant(scales))


def _graph(weights: Tensors, constant: MakeConstant) -> Any:
    def dense(x: Any, name: str) -> Any:
        product = ops.matmul(x, constant(weights[f"{name}.weight"]), False, True)
        return ops.add(product, ops.constant(weights[f"{name}.bias"]))

    states = ops.parameter([-1, -1, WIDTH], np.float32)
    mask = ops.parameter([-1, -1], np.float32)
    each_head_and_query = ops.unsqueeze(mask, ops.constant([1, 2]))
    x = _layer_norm(states, weights, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            _split_heads(dense(x, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        attended = _join_heads(ops.scaled_dot_product_attention(query, key, value, each_head_and_query))
        attended = dense(attended, f"{name}.attention.output.dense")
        x = _layer_norm(ops.add(x, attended), weights, f"{name}.attention.output.LayerNorm")
        inner = ops.gelu(dense(x, f"{name}.intermediate.dense"), "ERF")
        x = _layer_norm(ops.add(x, dense(inner, f"{name}.output.dense")), weights, f"{name}.output.LayerNorm")
    return ov.Model([x], [states, mask], "minilm")


def _layer_norm(x: Any, weights: Tensors, name: str) -> Any:
    normed = ops.mvn(x, ops.constant([2]), True, _LAYER_NORM_EPSILON, "inside_sqrt")
    scaled = ops.multiply(normed, ops.constant(weights[f"{name}.weight"]))
    return ops.add(scaled, ops.constant(weights[f"{name}.bias"]))


def _split_heads(x: Any) -> Any:
    apart = ops.reshape(x, ops.constant([0, 0, HEADS, WIDTH // HEADS]), True)
    return ops.transpose(apart, ops.constant([0, 2, 1, 3]))


def _join_heads(x: Any) -> Any:
    return ops.reshape(ops.transpose(x, ops.constant([0, 2, 1, 3])), ops.constant([0, 0, WIDTH]), True)
