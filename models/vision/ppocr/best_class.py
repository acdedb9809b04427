"""Adds the choice of the most likely class to a recogniser's ONNX file, without the package `onnx`."""

from pathlib import Path

from models.devices.onnx_sessions import onnx_session

BEST_CLASS = "best_class"
"""Output of the most likely class of each column: int64, batch × columns × 1."""

PROBABILITY = "best_probability"
"""Output of this class's probability: float32, batch × columns × 1."""


def with_best_class(path: Path) -> bytes:
    """Return the ONNX file at `path`, whose output is batch × columns × classes, with the outputs BEST_CLASS and
    PROBABILITY added to its graph. If only these two are requested, two numbers for each column are copied from a card,
    instead of 18,710 probabilities.

    Two concatenated protocol buffers are one message with the entries of both
    (protobuf.dev/programming-guides/encoding, "Last One Wins"), so the additions are appended to the file. The numbers
    of the fields are those of onnx.proto (github.com/onnx/onnx). ArgMax and GatherElements have been compatible since
    version 11 of ONNX's operators.
    """
    [probabilities] = [output.name for output in onnx_session(path, "ocr").get_outputs()]
    float32, int64 = 1, 7
    graph = [
        _field(1, _node("ArgMax", [probabilities], BEST_CLASS)),
        _field(1, _node("GatherElements", [probabilities, BEST_CLASS], PROBABILITY)),
        _field(12, _output(BEST_CLASS, int64)),
        _field(12, _output(PROBABILITY, float32)),
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
