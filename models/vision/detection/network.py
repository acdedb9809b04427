"""Detection networks in ONNX files, on onnxruntime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.base import EngineUnavailable

Tensors = Mapping[str, NDArray[Any]]


class Network:
    """A loaded network; may be called from several threads."""

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        """`device` is "cpu", "cuda" or "cuda:1"; `threads` of the CPU, 0: as many as onnxruntime sees fit."""
        ort.disable_telemetry_events()
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads that spin take the cores from the other engines.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = ort.InferenceSession(path, options, providers=_providers(device))
        self._names = [output.name for output in self._session.get_outputs()]
        self.inputs: dict[str, list[int | str | None]] = {one.name: one.shape for one in self._session.get_inputs()}
        """By name, the shape of each; a size that may vary is a name or None."""
        self.outputs: dict[str, list[int | str | None]] = {one.name: one.shape for one in self._session.get_outputs()}

    def run(self, feeds: Tensors) -> dict[str, NDArray[Any]]:
        return dict(zip(self._names, self._session.run(None, dict(feeds)), strict=True))


def side_of(shape: list[int | str | None], otherwise: int) -> int:
    """Height of the pictures that an input of `shape` (batch × 3 × height × width) takes."""
    return shape[2] if isinstance(shape[2], int) else otherwise


def batches(shape: list[int | str | None]) -> bool:
    """Whether an input of `shape` takes any number of pictures at a time."""
    return not isinstance(shape[0], int)


def planes(
    picture: NDArray[np.uint8], mean: NDArray[np.float32], deviation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """3 × height × width of 0 to 1, less `mean`, divided by `deviation`."""
    scaled = picture.astype(np.float32)
    scaled *= 1 / (255 * deviation)
    scaled -= mean / deviation
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _providers(device: str) -> list[Any]:
    if device == "cpu":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        # onnxruntime itself would go on with the CPU.
        raise EngineUnavailable(
            "object_detection",
            f"OPENFAZE_DEVICE={device} needs the package 'onnxruntime-gpu' in the place of 'onnxruntime'.",
        )
    index = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": index}), "CPUExecutionProvider"]
