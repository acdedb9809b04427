"""The folder of an image classifier in transformers' format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.base import EngineUnavailable
from models.safety.images import CAPABILITY
from models.safety.images.labels import meaning_of
from models.safety.images.preprocessing import FILE, Preprocessing, UnknownStep, preprocessing_of

_CONFIG = "config.json"

_NETWORKS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
"""Paths at which Optimum and the hubs put exports, beginning with the most exact one."""

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")

_LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierFolder:
    path: Path
    labels: tuple[str, ...]
    """Names of the network's outputs."""
    meaning: Mapping[str, Mapping[str, float]]
    """Labels that mean each code, each with weight 1. Never empty."""
    exclusive: bool
    """True if the labels share one certainty (a softmax), False if each label has its own (a sigmoid)."""
    preprocessing: Preprocessing

    @property
    def network(self) -> Path | None:
        """Path of the ONNX file in the folder; None if there is none."""
        return next((self.path / name for name in _NETWORKS if (self.path / name).is_file()), None)

    @property
    def has_weights(self) -> bool:
        """True if PyTorch can load weights from the folder. Pickled weights, which run code when they are loaded, do
        not count."""
        return any((self.path / name).is_file() for name in _WEIGHTS)


def classifier_in(path: Path, name: str) -> ClassifierFolder:
    """Return the classifier in the folder `path`. Only its configuration is read. Raises EngineUnavailable, with a
    message that calls the folder `name`."""
    config = _json(path / _CONFIG, name)
    labels = _labels(config.get("id2label"), name)
    meaning = meaning_of(labels)
    if not meaning:
        raise _unfit(name, f"none of its labels ({', '.join(labels[:8])}) says nudity, not safe for work or gore")
    try:
        preprocessing = preprocessing_of(_json(path / FILE, name))
    except UnknownStep as error:
        raise _unfit(name, f"in {FILE}, {error}") from error
    exclusive = len(labels) > 1 and config.get("problem_type") != "multi_label_classification"
    return ClassifierFolder(path, labels, meaning, exclusive, preprocessing)


def _json(file: Path, name: str) -> Mapping[str, Any]:
    if not file.is_file():
        raise _unfit(name, f"it has no {file.name}")
    try:
        with file.open("rb") as stream:
            content = json.loads(stream.read(_LARGEST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        raise _unfit(name, f"its {file.name} cannot be read") from error
    if not isinstance(content, dict):
        raise _unfit(name, f"its {file.name} is not a JSON object")
    return content


def _labels(named: object, name: str) -> tuple[str, ...]:
    """Return the labels in `id2label` in the order of their numbers, which must begin at 0 and have no gaps."""
    if not isinstance(named, Mapping) or set(named) != {str(index) for index in range(len(named))} or not named:
        raise _unfit(name, f"its {_CONFIG} has no 'id2label' with a label for each output")
    return tuple(str(named[str(index)]) for index in range(len(named)))


def _unfit(name: str, why: str) -> EngineUnavailable:
    return EngineUnavailable(CAPABILITY, f"The folder {name} does not hold an image classifier of transformers: {why}.")
