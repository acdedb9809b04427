"""PP-OCR's networks on a card, by onnxruntime."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.onnx_sessions import onnx_session
from models.vision.ppocr.session import Pictures, Shape

_BEST_CLASS = "best_class"
"""Output of the most likely class of each column: int64, batch × columns × 1."""

_PROBABILITY = "best_probability"
"""Output of this class's probability: float32, batch × columns × 1."""


class CardSession:
    """Implementation of OcrSession on a card, with a session of onnxruntime for each shape of the input.

    Whenever the shape of an input differs from that of the previous input, onnxruntime plans all convolutions again
    (github.com/microsoft/onnxruntime/issues/23006). On an H100, this took 0.3 to 2 s for networks that compute in 5 ms.
    Each session therefore keeps one shape, which it plans when it is opened. Each has weights and working memory of its
    own, so the shapes are few.
    """

    def __init__(
        self, path: Path, *, recognition: bool, device: str, shapes: Sequence[Shape], card_mb: int | None
    ) -> None:
        file = _with_best_class(path) if recognition else path
        self._networks: Mapping[Shape, _Network] = {
            shape: _Network(file, recognition=recognition, device=device, card_mb=card_mb) for shape in shapes
        }
        for shape, network in self._networks.items():
            network.infer(np.zeros((*shape, 3), np.uint8))

    def characters(self) -> str:
        return next(iter(self._networks.values())).characters()

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        return [self._networks[batch.shape[:3]].infer(batch) for batch in batches]


class _Network:
    """A network in one session of onnxruntime."""

    def __init__(self, file: Path | bytes, *, recognition: bool, device: str, card_mb: int | None) -> None:
        self._session = onnx_session(file, "ocr", device=device, card_mb=card_mb)
        self._input = self._session.get_inputs()[0].name
        self._recognition = recognition

    def characters(self) -> str:
        return str(self._session.get_modelmeta().custom_metadata_map["character"]) if self._recognition else ""

    def infer(self, batch: Pictures) -> tuple[NDArray[Any], ...]:
        # PP-OCR expects BGR, channels first, in [-1, 1].
        planes = np.ascontiguousarray(batch[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        planes -= 127.5
        planes /= 127.5
        if not self._recognition:
            (output,) = self._session.run(None, {self._input: planes})
            return (output[:, 0],)
        classes, probabilities = self._session.run([_BEST_CLASS, _PROBABILITY], {self._input: planes})
        return classes[..., 0].astype(np.int32), probabilities[..., 0]


def _with_best_class(path: Path) -> bytes:
    """Return the ONNX file at `path`, whose output is batch × columns × classes, with the outputs _BEST_CLASS and
    _PROBABILITY added to its graph, without the package `onnx`. If only these two are requested, two numbers for each
    column are copied from a card, instead of 18,710 probabilities.

    Two concatenated protocol buffers are one message with the entries of both
    (protobuf.dev/programming-guides/encoding, "Last One Wins"), so the additions are appended to the file. The numbers
    of the fields are those of onnx.proto (github.com/onnx/onnx). ArgMax and GatherElements have been compatible since
    version 11 of ONNX's operators.
    """
    [probabilities] = [output.name for output in onnx_session(path, "ocr").get_outputs()]
    float32, int64 = 1, 7
    graph = [
        _field(1, _node("ArgMax", [probabilities], _BEST_CLASS)),
        _field(1, _node("GatherElements", [probabilities, _BEST_CLASS], _PROBABILITY)),
        _field(12, _output(_BEST_CLASS, int64)),
        _field(12, _output(_PROBABILITY, float32)),
    ]
    return path.read_bytes() + _field(7, b"".join(graph))


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    """Return a NodeProto that works along the last of three axes."""
    axis = _field(1, b"axis") + _field(3, 2) + _field(20, 2)
    names = b"".join(_field(1, name.encode()) for name in inputs)
    return names + _field(2, output.encode()) + _field(4, operator.encode()) + _field(5, axis)


def _output(name: str, element: int) -> bytes:
    """Return a ValueInfoProto."""
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, element)))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
