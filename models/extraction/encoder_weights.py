"""File with the weights of the encoder of pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).with_name("page_encoder.npz")
LARGEST = 127
"""Largest absolute value of an int8 that is used."""
_SCALE = ".scale"

Weights = Mapping[str, NDArray[np.float32]]


def read_weights(file: Path = FILE) -> Weights:
    """Return the weights in float32, by their names in the training."""
    with np.load(file) as stored:
        arrays = {name: array.astype(np.float32) for name, array in stored.items()}
    return {
        name: array * arrays[f"{name}{_SCALE}"][:, np.newaxis] if f"{name}{_SCALE}" in arrays else array
        for name, array in arrays.items()
        if not name.endswith(_SCALE)
    }


def write_weights(file: Path, weights: Weights) -> None:
    """Write the matrices of layers in int8, with a scale for each row, and everything else in float16."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, array in weights.items():
        if array.ndim == 2 and name.startswith(("layers.", "of_")):
            scale = np.maximum(np.abs(array).max(axis=1), 1e-8) / LARGEST
            arrays[name] = np.rint(array / scale[:, np.newaxis]).astype(np.int8)
            arrays[f"{name}{_SCALE}"] = scale.astype(np.float32)
        else:
            arrays[name] = array.astype(np.float16)
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
