"""NudeNet: a YOLOv8 that finds parts of bodies. Only its ONNX file is used: the package and the weights are AGPL-3.0.

The classes have the order in which the file's own metadata lists them (`names`). Input and outputs are YOLOv8's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.safety.images import CAPABILITY
from models.safety.images.classifier import LabelScores
from models.vision.detection.boxes import from_centres, suppressed
from models.vision.detection.detector import Box
from models.vision.text import Image

CLASSES = (
    "FEMALE_GENITALIA_COVERED",
    "FACE_FEMALE",
    "BUTTOCKS_EXPOSED",
    "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED",
    "MALE_BREAST_EXPOSED",
    "ANUS_EXPOSED",
    "FEET_EXPOSED",
    "BELLY_COVERED",
    "FEET_COVERED",
    "ARMPITS_COVERED",
    "ARMPITS_EXPOSED",
    "FACE_MALE",
    "BELLY_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
    "ANUS_COVERED",
    "FEMALE_BREAST_COVERED",
    "BUTTOCKS_COVERED",
)

_NUDITY = {
    "ANUS_EXPOSED": 1.0,
    "BUTTOCKS_EXPOSED": 1.0,
    "FEMALE_BREAST_EXPOSED": 1.0,
    "FEMALE_GENITALIA_EXPOSED": 1.0,
    "MALE_GENITALIA_EXPOSED": 1.0,
}
_SUGGESTIVE = {
    "ANUS_COVERED": 0.45,
    "FEMALE_GENITALIA_COVERED": 0.45,
    "BUTTOCKS_COVERED": 0.4,
    "MALE_BREAST_EXPOSED": 0.4,
    "BELLY_EXPOSED": 0.3,
    "FEMALE_BREAST_COVERED": 0.3,
}
"""Weights below THRESHOLD. Swimwear, sports and everyday clothes do not justify refusing a picture, unless the operator
lowers the threshold."""

MEANING: Mapping[str, Mapping[str, float]] = {"S12_IMAGE": _NUDITY, "S15_IMAGE": _NUDITY | _SUGGESTIVE}
"""Weight of each class's score for each code. Faces, feet, armpits and covered bellies have no weight."""

THRESHOLD = 0.5
_SIDE = 320
_LEAST_SCORE = 0.25
_MAX_OVERLAP = 0.45
"""A box counts if its score is above _LEAST_SCORE. If boxes overlap by more than _MAX_OVERLAP, only the best of them is
kept, regardless of their classes. Both numbers are the defaults of the package's detector."""
_MAX_INTERPOLATED_SIDE = 2 * _SIDE
"""A picture whose longer side has more pixels than this is shrunk to this size by averaging before it is resized by
linear interpolation, which alone would skip pixels."""


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A part of a body that was found."""

    label: str
    """Name of the part, from CLASSES."""
    score: float
    box: Box


class NudeNet:
    """The detector as an engine: from pictures to the score of the most certain box of each class. Implements
    `models.base.Engine`."""

    def __init__(self, locate: Callable[[], Path], *, device: str = "cpu", threads: int = 0) -> None:
        """`locate` returns the path of 320n.onnx, or raises EngineUnavailable. `device` and `threads` are those of an
        `OnnxNetwork`."""
        self._locate = locate
        self._device = device
        self._threads = threads
        self._loaded: tuple[Any, str] | None = None

    def load(self) -> None:
        from models.vision.detection.onnx_detector import OnnxNetwork

        network = OnnxNetwork(self._locate(), CAPABILITY, device=self._device, threads=self._threads)
        shapes = [*network.inputs.values(), *network.outputs.values()]
        if [len(shape) for shape in shapes] != [4, 3] or shapes[1][1] != 4 + len(CLASSES):
            raise EngineUnavailable(
                CAPABILITY, f"The network's file is not NudeNet: it does not answer with {len(CLASSES)} classes."
            )
        self._loaded = network, next(iter(network.inputs))

    def run(self, batch: Sequence[Image]) -> Sequence[LabelScores | Exception]:
        found: list[LabelScores | Exception] = []
        for picture in batch:
            best: dict[str, float] = {}
            for part in self.parts(picture):
                best.setdefault(part.label, part.score)
            found.append(best)
        return found

    def parts(self, picture: Image) -> list[BodyPart]:
        """Return all body parts found, the most certain first."""
        assert self._loaded is not None, "load() comes first"
        network, pictures = self._loaded
        [answer] = network.run({pictures: _planes(picture)[None]}).values()
        return _body_parts_in(answer[0], max(picture.shape[:2]) / _SIDE, picture.shape[1], picture.shape[0])

    def close(self) -> None:
        self._loaded = None


def _planes(picture: Image) -> NDArray[np.float32]:
    """Return 3 × 320 × 320 values of 0 to 1: the picture in RGB, in the top left corner of a black square.

    The package swaps the channels of files twice and thus shows the network BGR. YOLOv8 learns in RGB, and with RGB the
    network is more certain of the parts that it finds.
    """
    height, width = picture.shape[:2]
    shrinking = max(height, width) / _MAX_INTERPOLATED_SIDE
    if shrinking > 1:
        size = (max(1, round(width / shrinking)), max(1, round(height / shrinking)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        height, width = picture.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    square[:height, :width] = picture
    resized = cv2.resize(square, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized.transpose(2, 0, 1), np.float32) / np.float32(255)


def _body_parts_in(answer: NDArray[np.float32], enlarging: float, width: int, height: int) -> list[BodyPart]:
    """Return the body parts in `answer`: 4 + 18 rows (centre, size, scores) and a column per box, in the network's
    pixels."""
    kinds, scores = answer[4:].argmax(0), answer[4:].max(0)
    if not np.isfinite(answer).all():
        raise ValueError("the network's output contains a value that is not finite")
    kept = np.flatnonzero(scores > _LEAST_SCORE)
    boxes = from_centres(answer[:4, kept].T * np.float32(enlarging))
    np.clip(boxes, 0, np.array([width, height] * 2, np.float32), out=boxes)
    one_class = np.zeros(len(kept), np.intp)
    best = suppressed(boxes, scores[kept], one_class, most=_MAX_OVERLAP)
    return [
        BodyPart(CLASSES[kinds[index]], min(1.0, float(scores[index])), tuple(box.tolist()))
        for index, box in zip(kept[best], boxes[best], strict=True)
    ]
