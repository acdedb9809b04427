"""Writes `models/speech/voice_activity.onnx`: Silero's voice activity detector from faster-whisper's package, with its
convolutions replaced by matrix products.

    .venv/bin/python -m training.speech.voice_activity

The weights are the same. A frame has only four spectra. Convolutions over so few positions are computed frame by frame,
while a matrix product takes all frames at once, in less than a third of the time.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.speech.voice_activity import NETWORK

ORIGINAL = "assets/silero_vad_v6.onnx"
"""Path of the original network within faster-whisper."""
_SIGHT = 576
"""Number of samples in the network's input for a frame, including samples before the frame."""
_STATE = 128
_WINDOW, _HOP, _SPECTRA = 256, 128, 4
_ENCODER = "encoder.conv_layers"
_LSTM = ("onnx::LSTM_209", "onnx::LSTM_210", "onnx::LSTM_211")

Weights = dict[str, NDArray[np.float32]]


class _Graph:
    def __init__(self, weights: Weights) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self._weights = weights

    def add(self, kind: str, *inputs: str, outputs: int = 1, named: str = "", **how: Any) -> list[str]:
        names = [named or f"{kind}{len(self.nodes)}.{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **how))
        return names

    def constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def slice(self, name: str, first: int, last: int) -> str:
        bounds = [self.constant(f"at {bound}", np.array([bound])) for bound in (first, last, 1)]
        return self.add("Slice", name, *bounds)[0]

    def convolved(self, number: int, places: list[str], stride: int) -> list[str]:
        """Add a convolution over three positions and a ReLU. Positions before the first and after the last count as
        0."""
        kernel = self._weights[f"{_ENCODER}.{number}.weight"]  # out × in × 3
        rows = self.constant(f"kernel {number}", kernel.transpose(0, 2, 1).reshape(len(kernel), -1))
        bias = self.constant(f"bias {number}", self._weights[f"{_ENCODER}.{number}.bias"])
        made: list[str] = []
        for middle in range(0, len(places), stride):
            seen = [tap for tap in range(3) if 0 <= middle + tap - 1 < len(places)]
            taps = self.slice(rows, seen[0] * kernel.shape[1], (seen[-1] + 1) * kernel.shape[1])
            [beside] = self.add("Concat", *(places[middle + tap - 1] for tap in seen), axis=1)
            made += self.add("Relu", *self.add("Gemm", beside, taps, bias, transB=1))
        return made


def built(weights: Weights) -> onnx.ModelProto:
    graph = _Graph(weights)
    pads = graph.constant("pads", np.array([0, 0, 0, (_SPECTRA - 1) * _HOP + _WINDOW - _SIGHT]))
    [padded] = graph.add("Pad", "input", pads, mode="reflect")
    basis = graph.constant("basis", weights["encoder.feature_extractor.forward_basis_buffer"][:, 0].T)
    spectra: list[str] = []
    for first in range(0, _SPECTRA * _HOP, _HOP):
        waves = graph.add("MatMul", graph.slice(padded, first, first + _WINDOW), basis)
        parts = graph.add("Split", *waves, outputs=2, axis=1, num_outputs=2)
        squares = [graph.add("Mul", part, part)[0] for part in parts]
        spectra += graph.add("Sqrt", *graph.add("Add", *squares))
    places = spectra
    for number, stride in enumerate((1, 2, 2, 1)):
        places = graph.convolved(number, places, stride)
    one = graph.constant("at 1", np.array([1]))
    steps = graph.add("Unsqueeze", *places, one)
    lstm = [graph.constant(name, weights[name]) for name in _LSTM]
    graph.nodes.append(
        helper.make_node("LSTM", [*steps, *lstm, "", "h", "c"], ["states", "hn", "cn"], hidden_size=_STATE)
    )
    rows = graph.add("Relu", *graph.add("Reshape", "states", graph.constant("rows", np.array([-1, _STATE]))))
    last = graph.constant("last", weights["decoder.conv1d.weight"][0])
    odds = graph.add("Gemm", *rows, last, graph.constant("last bias", weights["decoder.conv1d.bias"]))
    graph.add("Sigmoid", *graph.add("Reshape", *odds, graph.constant("all", np.array([-1]))), named="speech")

    def tensor(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    memory = [tensor(name, 1, 1, _STATE) for name in ("h", "c", "hn", "cn")]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "Silero VAD 6",
            [tensor("input", "frames", _SIGHT), *memory[:2]],
            [tensor("speech", "frames"), *memory[2:]],
            list(graph.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    return model


def original() -> Weights:
    spec = find_spec("faster_whisper")
    assert spec is not None
    assert spec.origin is not None
    stored = onnx.load(str(Path(spec.origin).parent / ORIGINAL)).graph.initializer
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in stored}


def main() -> None:
    NETWORK.write_bytes(built(original()).SerializeToString())


if __name__ == "__main__":
    main()
