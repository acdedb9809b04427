"""Detection head for RF-DETR, a network that returns a list of objects, each once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.vision.detection.boxes import from_centres
from models.vision.detection.detector import NAMES, SPARSE_NAMES, Detection, Mask, Query
from models.vision.detection.onnx_detector import (
    OnnxNetwork,
    Tensors,
    is_wanted,
    masks_in_boxes,
    planes,
    resized,
    side_of,
)
from models.vision.text import Image

_LEAST_SCORE = 0.5
"""A detection counts if its score is at least this, which is the default of RFDETR.predict (rfdetr/detr.py)."""

_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
"""Mean and deviation of ImageNet's colours, by which pictures are normalised."""

_PICTURE, _CLASSES, _BOXES, _MASKS = "input", "labels", "dets", "masks"
"""Names of the input and the outputs in rfdetr's own export (rfdetr/export/_onnx). The classes are logits, and the
boxes are centres and sizes relative to the picture."""

_SIDE = 560
"""Side of pictures in pixels, if the file leaves it open."""


class DetrHead:
    """Implementation of `models.vision.detection.onnx_detector.DetectionHead` for RF-DETR, with independent scores per
    class (sigmoid)."""

    def __init__(self, network: OnnxNetwork, labels: Sequence[str] = NAMES) -> None:
        """`labels` are the names of the classes; with COCO's names, a network of 91 classes numbers them by category
        id. Raises EngineUnavailable if the file is not an export of RF-DETR, or if its classes do not match
        `labels`."""
        if _PICTURE not in network.inputs or not {_CLASSES, _BOXES} <= set(network.outputs):
            raise EngineUnavailable(
                "object_detection",
                f"The network that OPENFAZE_OBJECT_DETECTION_MODEL names has the inputs {_joined(network.inputs)} and "
                f"the outputs {_joined(network.outputs)}. It must be an export of RF-DETR (docs/object-detection.md).",
            )
        self._side = side_of(network.inputs[_PICTURE], _SIDE)
        width = network.outputs[_CLASSES][-1]
        self._labels = _labels(width if isinstance(width, int) else len(labels), labels)

    def feeds(self, images: Sequence[Image]) -> Tensors:
        pictures = [planes(resized(image, self._side, self._side), _MEAN, _DEVIATION) for image in images]
        return {_PICTURE: np.stack(pictures)}

    def detections(self, outputs: dict[str, NDArray[Any]], index: int, query: Query) -> list[Detection]:
        height, width = query.image.shape[:2]
        logits = outputs[_CLASSES][index].astype(np.float32)
        table = 1 / (1 + np.exp(-logits.clip(-88, 88)))
        # Each of the network's object queries (not `query`, the caller's request) may have several classes above the
        # threshold. The class with the highest score becomes the label.
        table[:, ~is_wanted(self._labels, query)] = 0
        best = table.argmax(1)
        queries = np.flatnonzero(table.max(1) >= _LEAST_SCORE)
        scores, classes = table[queries, best[queries]], best[queries]
        boxes = from_centres(outputs[_BOXES][index].astype(np.float32))[queries]
        boxes *= np.array([width, height] * 2, np.float32)
        masks: Sequence[Mask | None] = [None] * len(queries)
        if query.masks and _MASKS in outputs:
            masks = masks_in_boxes(outputs[_MASKS][index][queries], boxes, scores, width, height)
        return [
            Detection(str(self._labels[kind]), float(score), tuple(box.tolist()), mask)
            for box, kind, score, mask in zip(boxes, classes, scores, masks, strict=True)
        ]


def _joined(names: Mapping[str, object]) -> str:
    return ", ".join(names)


def _labels(count: int, labels: Sequence[str]) -> Sequence[str | None]:
    """Return the label of each of `count` classes; None for a class that is not an object."""
    if count == len(labels):
        return list(labels)
    if count == len(SPARSE_NAMES) and tuple(labels) == NAMES:
        return SPARSE_NAMES
    if count == len(labels) + 1:
        # rfdetr reserves the last class for "no object" if it was trained on categories numbered from 0.
        return [*labels, None]
    raise EngineUnavailable(
        "object_detection",
        f"The network that OPENFAZE_OBJECT_DETECTION_MODEL names has {count} classes, but {len(labels)} "
        "names are known. Put one name a line into 'labels.txt' in the folder of the network.",
    )
