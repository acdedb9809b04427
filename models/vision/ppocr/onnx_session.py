"""PP-OCR networks on onnxruntime: where OpenVINO does not install, and on CUDA."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.vision.ppocr.session import Pictures


class OnnxSession:
    """Implements `Session`."""

    def __init__(self, path: Path, *, recognition: bool, device: str, threads: int, streams: int) -> None:
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = max(1, threads // streams)
        options.inter_op_num_threads = 1
        # Idle threads that spin take the cores from the other engines.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(path, options, providers=_providers(device))
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


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        # onnxruntime itself would go on with the CPU.
        raise EngineUnavailable(
            "ocr", f"OPENFAZE_DEVICE={device} needs the package 'onnxruntime-gpu' in the place of 'onnxruntime'."
        )
    index = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]
