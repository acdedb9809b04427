"""The network that determines which boxes of a screen are elements, and of which types."""

from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.elements import TYPES
from models.vision.gui.regions import Floats

WEIGHTS = Path(str(files("models.vision.gui"))) / "network.npz"


class ScreenNetwork:
    """An ensemble of multilayer perceptrons of one shape, whose probabilities are averaged. Raises ValueError for
    weights with a different number of classes."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._mean, self._spread = (arrays[name].astype(np.float32) for name in ("mean", "spread"))
            count = sum(name.startswith("weight") for name in arrays.files)
            self._layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = [
                (arrays[f"weight{index}"].astype(np.float32), arrays[f"bias{index}"].astype(np.float32))
                for index in range(count)
            ]
        outputs = self._layers[-1][1].shape[1]
        if outputs != len(TYPES) + 1:
            raise ValueError(f"the network has {outputs} classes instead of {len(TYPES) + 1}")

    def probabilities(self, features: Floats) -> Floats:
        """Return the probabilities of the types, N × TYPES. The difference between 1 and the sum of a row is the
        probability that the box is not an element."""
        values: Floats = np.clip((features - self._mean) / self._spread, -8, 8)[None]
        for weight, bias in self._layers[:-1]:
            values = np.maximum(values @ weight + bias[:, None], 0)
        weight, bias = self._layers[-1]
        scores = values @ weight + bias[:, None]
        powers = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities: Floats = (powers / powers.sum(axis=2, keepdims=True)).mean(axis=0)[:, 1:]
        return probabilities
