"""Resemblyzer's LSTM as an OpenVINO graph, built directly from the checkpoint's tensors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.openvino_graphs import inference_request, ops, ov
from models.diarization.mel_spectrogram import CHANNELS
from models.diarization.resemblyzer_weights import Tensors

_LAYERS, _WIDTH = 3, 256

_EPSILON = 1e-12
"""When a vector is normalised, it is divided by at least this, so that a vector of length 0 causes no error."""


class VoiceNetwork:
    """The network, on OpenVINO."""

    def __init__(self, weights: Tensors, *, threads: int) -> None:
        self._request = inference_request(_graph(weights), threads=threads)

    def encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return voices, float32 [n, 256], for spectrograms, float32 [n, frames, 40]. Rows have length 1 and no
        negative element."""
        silence = np.zeros((len(mels), 1, _WIDTH), np.float32)
        lengths = np.full(len(mels), mels.shape[1], np.int64)
        # The result is copied, because the runtime writes the next one to the same memory.
        vectors: NDArray[np.float32] = self._request.infer([mels, silence, lengths])[0].copy()
        return vectors


def _graph(weights: Tensors) -> Any:
    mels = ops.parameter([-1, -1, CHANNELS], np.float32)
    silence = ops.parameter([-1, 1, _WIDTH], np.float32)
    lengths = ops.parameter([-1], np.int64)
    x = mels
    for layer in range(_LAYERS):
        from_input, from_state = (_gates(weights[f"lstm.weight_{part}_l{layer}"]) for part in ("ih", "hh"))
        bias = _gates(weights[f"lstm.bias_ih_l{layer}"] + weights[f"lstm.bias_hh_l{layer}"])
        cell = ops.lstm_sequence(x, silence, silence, lengths, from_input, from_state, bias, _WIDTH, "FORWARD")
        x = ops.squeeze(cell.output(0), ops.constant([1]))
        state = cell.output(1)
    last = ops.squeeze(state, ops.constant([1]))
    projected = ops.matmul(last, ops.constant(weights["linear.weight"]), False, True)
    raised = ops.relu(ops.add(projected, ops.constant(weights["linear.bias"])))
    length = ops.maximum(ops.reduce_l2(raised, ops.constant([1]), True), ops.constant(np.float32(_EPSILON)))
    return ov.Model([ops.divide(raised, length)], [mels, silence, lengths], "resemblyzer")


def _gates(tensor: NDArray[np.float32]) -> Any:
    """Convert torch's order of gates (input, forget, cell, output) into OpenVINO's (forget, input, cell, output)."""
    entering, kept, cell, leaving = np.split(tensor, 4)
    return ops.constant(np.concatenate([kept, entering, cell, leaving])[None])
