"""The two networks of PP-OCR as functions of 8-bit RGB pictures, whichever runtime computes them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.device import onnx_session

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
    return OnnxSession(path, recognition=recognition, device=device, threads=threads, streams=streams)


class OnnxSession:
    """Implements `Session` on onnxruntime: where OpenVINO does not install, and on CUDA."""

    def __init__(self, path: Path, *, recognition: bool, device: str, threads: int, streams: int) -> None:
        self._session = onnx_session(path, "ocr", device=device, threads=max(1, threads // streams))
        self._input = self._session.get_inputs()[0].name
        self._recognition = recognition
        self._pool = ThreadPoolExecutor(streams)

    def characters(self) -> str:
        return str(self._session.get_modelmeta().custom_metadata_map["character"]) if self._recognition else ""

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        return list(self._pool.map(self._infer, batches))

    def _infer(self, batch: Pictures) -> tuple[NDArray[Any], ...]:
        # PP-OCR wants BGR, channels first, in [-1, 1].
        planes = np.ascontiguousarray(batch[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        planes -= 127.5
        planes /= 127.5
        (output,) = self._session.run(None, {self._input: planes})
        if not self._recognition:
            return (output[:, 0],)
        return output.argmax(2).astype(np.int32), output.max(2)
