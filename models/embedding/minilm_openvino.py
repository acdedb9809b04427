"""The BERT encoder of all-MiniLM-L6-v2 as an OpenVINO graph, built directly from the checkpoint's tensors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.embedding.minilm_network import HEAD_WIDTH, HEADS, LAYER_NORM_EPSILON, LAYERS, WIDTH, States
from models.embedding.minilm_weights import Tensors
from models.openvino_graphs import ops, ov, request_for


class OpenVinoMiniLm:
    """Implementation of MiniLmNetwork on OpenVINO."""

    def __init__(self, weights: Tensors, *, threads: int) -> None:
        self._request = request_for(_graph(weights), threads=threads)

    def encode(self, states: States, mask: NDArray[np.float32]) -> States:
        encoded: States = self._request.infer([states, mask])[0]
        return encoded


def _graph(weights: Tensors) -> Any:
    states = ops.parameter([-1, -1, WIDTH], np.float32)
    mask = ops.parameter([-1, -1], np.float32)
    each_head_and_query = ops.unsqueeze(mask, ops.constant([1, 2]))
    x = _layer_norm(states, weights, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            _split_heads(_dense(x, weights, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        attended = _join_heads(ops.scaled_dot_product_attention(query, key, value, each_head_and_query))
        attended = _dense(attended, weights, f"{name}.attention.output.dense")
        x = _layer_norm(ops.add(x, attended), weights, f"{name}.attention.output.LayerNorm")
        inner = ops.gelu(_dense(x, weights, f"{name}.intermediate.dense"), "ERF")
        x = _layer_norm(ops.add(x, _dense(inner, weights, f"{name}.output.dense")), weights, f"{name}.output.LayerNorm")
    return ov.Model([x], [states, mask], "minilm")


def _dense(x: Any, weights: Tensors, name: str) -> Any:
    product = ops.matmul(x, ops.constant(weights[f"{name}.weight"]), False, True)
    return ops.add(product, ops.constant(weights[f"{name}.bias"]))


def _layer_norm(x: Any, weights: Tensors, name: str) -> Any:
    normed = ops.mvn(x, ops.constant([2]), True, LAYER_NORM_EPSILON, "inside_sqrt")
    scaled = ops.multiply(normed, ops.constant(weights[f"{name}.weight"]))
    return ops.add(scaled, ops.constant(weights[f"{name}.bias"]))


def _split_heads(x: Any) -> Any:
    apart = ops.reshape(x, ops.constant([0, 0, HEADS, HEAD_WIDTH]), True)
    return ops.transpose(apart, ops.constant([0, 2, 1, 3]))


def _join_heads(x: Any) -> Any:
    return ops.reshape(ops.transpose(x, ops.constant([0, 2, 1, 3])), ops.constant([0, 0, WIDTH]), True)
