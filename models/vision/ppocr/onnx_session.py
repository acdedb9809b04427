"""PP-OCR networks on onnxruntime."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.devices.device import CPU
from models.devices.onnx_sessions import onnx_session
from models.vision.ppocr.best_class import BEST_CLASS, PROBABILITY, with_best_class
from models.vision.ppocr.session import Pictures

Shape = tuple[int, int, int]
"""Number, height and width of the pictures of one inference."""


class OnnxSession:
    """Implementation of OcrSession on the CPU, for machines without OpenVINO."""

    def __init__(self, path: Path, *, recognition: bool, threads: int, streams: int) -> None:
        file = with_best_class(path) if recognition else path
        self._network = _Network(file, recognition=recognition, threads=max(1, threads // streams))
        self._pool = ThreadPoolExecutor(streams)

    def characters(self) -> str:
        return self._network.characters()

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        return list(self._pool.map(self._network.infer, batches))


class CardSession:
    """Implementation of OcrSession on a card, with a session of onnxruntime for each shape of the input.

    Whenever the shape of an input differs from that of the previous input, onnxruntime plans all convolutions again
    (github.com/microsoft/onnxruntime/issues/23006). On an H100, this took 0.3 to 2 s for networks that compute in 5 ms.
    Each session therefore keeps one shape, which it plans when it is opened.
    """

    def __init__(self, path: Path, *, recognition: bool, device: str, shapes: Sequence[Shape]) -> None:
        file = with_best_class(path) if recognition else path
        self._networks: Mapping[Shape, _Network] = {
            shape: _Network(file, recognition=recognition, device=device) for shape in shapes
        }
        for shape, network in self._networks.items():
            network.infer(np.zeros((*shape, 3), np.uint8))

    def characters(self) -> str:
        return next(iter(self._networks.values())).characters()

    def infer(self, batches: Sequence[Pictures]) -> list[tuple[NDArray[Any], ...]]:
        return [self._networks[batch.shape[:3]].infer(batch) for batch in batches]


class _Network:
    """A network in one session of onnxruntime."""

    def __init__(self, file: Path | bytes, *, recognition: bool, device: str = CPU, threads: int = 0) -> None:
        self._session = onnx_session(file, "ocr", device=device, threads=threads)
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
        classes, probabilities = self._session.run([BEST_CLASS, PROBABILITY], {self._input: planes})
        return classes[..., 0].astype(np.int32), probabilities[..., 0]
