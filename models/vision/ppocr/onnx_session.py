"""PP-OCR networks on onnxruntime."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.onnx_sessions import onnx_session
from models.vision.ppocr.session import Pictures


class OnnxSession:
    """Implementation of OcrSession on onnxruntime, for CUDA, and for machines without OpenVINO."""

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
        # PP-OCR expects BGR, channels first, in [-1, 1].
        planes = np.ascontiguousarray(batch[..., ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
        planes -= 127.5
        planes /= 127.5
        (output,) = self._session.run(None, {self._input: planes})
        if not self._recognition:
            return (output[:, 0],)
        return output.argmax(2).astype(np.int32), output.max(2)
