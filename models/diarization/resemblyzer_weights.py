"""The weights of Resemblyzer.

The package `resemblyzer` has them, whose own code needs torch, librosa and webrtcvad.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineSpec, EngineUnavailable
from models.weights.files import WEIGHT_SETS

WEIGHTS = WEIGHT_SETS["resemblyzer"]
SPEC = EngineSpec(WEIGHTS.name, "diarization", WEIGHTS.licence, WEIGHTS.comes_from)

Tensors = Mapping[str, NDArray[np.float32]]
"""Tensors by their names in the checkpoint."""


def voice_weights(root: Path = Path("weights")) -> Path:
    """Return the path of the checkpoint, below the weights directory `root` or in its package. Raises
    EngineUnavailable."""
    [path] = WEIGHTS.paths(root, SPEC.capability)
    return path


def voice_remedy(root: Path) -> str | None:
    """Return a sentence on what is missing for the network; None if nothing is. Nothing is loaded."""
    return WEIGHTS.remedy(root) or (None if find_spec("openvino") else "Install the package 'openvino'.")


def read_weights(path: Path) -> Tensors:
    """Return the tensors of the checkpoint. Raises EngineUnavailable for any file but the published one.

    torch before version 1.6 saved five pickles (a magic number, the protocol's version, the writer's byte order, the
    object, the keys of the storages), and then each storage: its number of elements as a little-endian int64, and the
    elements (`torch.serialization._legacy_save`).
    """
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != WEIGHTS.files[0].sha256:
        remedy = f"Run `openfaze pull {WEIGHTS.name}`."
        raise EngineUnavailable(SPEC.capability, f"The file {path.name} is not that of resemblyzer 0.1.4. {remedy}")
    file = io.BytesIO(data)
    *_, checkpoint, keys = (_Unpickler(file).load() for _ in range(5))
    storages: dict[str, NDArray[np.float32]] = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(data, np.float32, count, file.tell())
        file.seek(4 * count, io.SEEK_CUR)
    # The tensors are copied, so that the rest of the file (the optimizer's state) need not stay in memory.
    return {
        name: storages[key][offset:][: int(np.prod(shape))].reshape(shape).copy()
        for name, (key, offset, shape) in checkpoint["model_state"].items()
    }


class _Unpickler(pickle.Unpickler):
    """Unpickler of ordered dictionaries and of contiguous tensors, each as its storage, its offset and its shape."""

    def find_class(self, module: str, name: str) -> Any:
        known = {"OrderedDict": OrderedDict, "_rebuild_tensor_v2": lambda *tensor: tensor[:3], "FloatStorage": None}
        if name not in known:
            raise pickle.UnpicklingError(f"the checkpoint holds no {module}.{name}")
        return known[name]

    def persistent_load(self, pid: Any) -> str:
        """Return the key in `pid`, which is ("storage", type, key, location, elements, view)."""
        return str(pid[2])
