"""The network that an operator brings: the file or folder that a setting names."""

import json
from collections.abc import Sequence
from pathlib import Path

from models.base import EngineUnavailable
from models.vision.detection.detector import NAMES

SETTING = "OPENFAZE_OBJECT_DETECTION_MODEL"


def own_file(model: Path | None, *endings: str, setting: str = SETTING, capability: str = "object_detection") -> Path:
    """`model`, a file with one of `endings`, which `setting` is to name. Raises EngineUnavailable."""
    if model is None or model.suffix not in endings:
        raise EngineUnavailable(capability, f"Set {setting} to a network's file ({' or '.join(endings)}).")
    if not model.is_file():
        raise EngineUnavailable(capability, f"The file that {setting} names is not there.")
    return model


def labels_beside(model: Path) -> Sequence[str]:
    """What the classes of `model` are called: a line each in `labels.txt`, or `id2label` in `config.json`, in its
    folder; COCO's 80 where there is neither."""
    listed, config = model.parent / "labels.txt", model.parent / "config.json"
    if listed.is_file():
        return [line.strip() for line in listed.read_text("utf-8").splitlines() if line.strip()]
    if config.is_file():
        named: dict[str, str] = json.loads(config.read_text("utf-8")).get("id2label", {})
        # The names that transformers makes up where nobody gave any.
        if named and not all(name.startswith("LABEL_") for name in named.values()):
            return [named[number] for number in sorted(named, key=int)]
    return NAMES
