"""Interface of PP-OCR's two networks, as functions of 8-bit RGB pictures, and the choice of the runtime that computes
them."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from models.devices.device import CPU
from models.vision.ppocr.onnx_session import CardSession, OnnxSession, Pictures, Shape


class OcrSession(Protocol):
    """A compiled network. Several threads may call it."""

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        """Return the outputs for each batch, in order; batches may be computed at the same time. A session on a card
        takes the shapes for which it was opened, and no others.

        Detection: (probability of text, float32, batch × height × width), for sides that are multiples of 32.
        Recognition: (most likely class, int32, batch × columns; its probability, float32, batch × columns), for
        pictures 48 px high; a column is 8 px wide.
        """

    def characters(self) -> str:
        """Return the recogniser's alphabet from its file, one character per line; empty for a detector."""


def open_session(
    path: Path, *, recognition: bool, device: str = CPU, threads: int, streams: int, card_shapes: Sequence[Shape] = ()
) -> OcrSession:
    """Compile the ONNX file at `path` for `device` ("cpu", "cuda", "cuda:1").

    `threads` is the total of CPU threads, shared by `streams` inferences that run side by side. On the CPU, OpenVINO is
    twice as fast as onnxruntime. On CUDA, and if OpenVINO is not installed, onnxruntime is used. A session on a card
    computes inputs of `card_shapes` and no others.
    """
    if device != CPU:
        return CardSession(path, recognition=recognition, device=device, shapes=card_shapes)
    if find_spec("openvino") is not None:
        from models.vision.ppocr.openvino_session import OpenVinoSession

        return OpenVinoSession(path, recognition=recognition, threads=threads, streams=streams)
    return OnnxSession(path, recognition=recognition, threads=threads, streams=streams)
