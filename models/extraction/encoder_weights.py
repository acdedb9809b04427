"""The file with the weights of the encoder of pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]


def read_weights(file: Path) -> Weights:
    """Return the weights. Matrices are stored in int8 with a scale for each row."""
    with np.load(file) as stored:
        arrays = dict(stored)
    found = {}
    for name, array in arrays.items():
        if name.endswith(".scale"):
            continue
        scale = arrays.get(f"{name}.scale")
        found[name] = array.astype(np.float32) * (scale[:, np.newaxis].astype(np.float32) if scale is not None else 1)
    return found


def write_weights(file: Path, weights: Weights) -> None:
    """Write the weights: large matrices in int8 with a scale for each row, everything else in float16."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, array in weights.items():
        if array.ndim == 2 and name.startswith(("layers.", "of_")):
            scale = np.maximum(np.abs(array).max(axis=1), 1e-8) / 127
            arrays[name] = np.rint(array / scale[:, np.newaxis]).astype(np.int8)
            arrays[f"{name}.scale"] = scale.astype(np.float32)
        else:
            arrays[name] = array.astype(np.float16)
    np.savez_compressed(file, **arrays)
