"""The two networks of PP-OCR as functions of 8-bit RGB pictures, whichever runtime computes them."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.uint8]
"""Batch × height × width × 3, RGB."""


class Session(Protocol):
    """A compiled network; may be called from several threads."""

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        """The outputs for each batch, in order; batches may run side by side.

        Detection: (probability of text, float32, batch × height × width), sides multiples of 32.
        Recognition: (most likely class, int32, batch × columns; its probability, float32, batch × columns),
        for pictures 48 px high; a column is 8 px wide.
        """

    def characters(self) -> str:
        """The recogniser's alphabet as its file states it, one character a line; empty for a detector."""


def open_session(path: Path, *, recognition: bool, device: str = "cpu", threads: int, streams: int) -> Session:
    """Compile the ONNX file at `path` for `device` ("cpu", "cuda", "cuda:1").

    `threads` is the total of CPU threads, shared by `streams` inferences that run side by side. On the CPU
    OpenVINO is twice as fast as onnxruntime, which serves where there is no OpenVINO, and on CUDA.
    """
    if device == "cpu" and find_spec("openvino") is not None:
        from models.vision.ppocr.openvino_session import OpenVinoSession

        return OpenVinoSession(path, recognition=recognition, threads=threads, streams=streams)
    from models.vision.ppocr.onnx_session import OnnxSession

    return OnnxSession(path, recognition=recognition, device=device, threads=threads, streams=streams)
