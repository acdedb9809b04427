"""Detection heads for RF-DETR, D-FINE and other DETRs: networks that return a list of objects, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import EngineUnavailable
from models.vision.detection.boxes import from_centres
from models.vision.detection.coco import NAMES, SPARSE_NAMES
from models.vision.detection.detector import Detection, Mask, Query
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
"""A detection counts if its score is at least this, which is the default of RFDETR.predict (rfdetr/detr.py) and of
transformers' post-processing."""

_IMAGENET = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_NO_NORMALISATION = np.zeros(3, np.float32), np.ones(3, np.float32)


@dataclass(frozen=True, slots=True)
class Convention:
    """Names of inputs and outputs in the ONNX files of an export tool, and the steps that these files leave to the
    caller."""

    picture: str
    classes: str
    boxes: str
    scores: str | None = None
    """Name of the scores if the file itself picks the best classes and gives boxes in pixels of the picture. If None,
    `classes` are logits, and boxes are centres and sizes relative to the picture."""
    sizes: str | None = None
    normalised: bool = False
    """True if pictures are normalised by the mean and deviation of ImageNet's colours."""
    side: int = 640
    """Side of pictures in pixels, if the file leaves it open."""


CONVENTIONS = (
    # rfdetr's own export (rfdetr/export/_onnx)
    Convention("input", "labels", "dets", normalised=True, side=560),
    # D-FINE's and RT-DETR's own export (tools/deployment/export_onnx.py)
    Convention("images", "labels", "boxes", scores="scores", sizes="orig_target_sizes"),
    # Optimum's export of the networks in transformers
    Convention("pixel_values", "logits", "pred_boxes"),
)


class DetrHead:
    """Implementation of `models.vision.detection.onnx_detector.DetectionHead` for DETRs, with independent scores per
    class (sigmoid)."""

    def __init__(self, network: OnnxNetwork, labels: Sequence[str] = NAMES, *, normalised: bool | None = None) -> None:
        """`labels` are the names of the classes; with COCO's names, a network of 91 classes numbers them by category
        id. `normalised` overrides the convention. Raises EngineUnavailable if the file's inputs and outputs match none
        of CONVENTIONS, or its classes do not match `labels`."""
        self._convention = _convention(network)
        self._side = side_of(network.inputs[self._convention.picture], self._convention.side)
        self._colours = _IMAGENET if _or(normalised, self._convention.normalised) else _NO_NORMALISATION
        width = network.outputs[self._convention.classes][-1]
        # A file that returns scores gives only the index of each object's class, so its number of classes is unknown.
        count = width if isinstance(width, int) and self._convention.scores is None else len(labels)
        self._labels = _labels(count, labels)

    def feeds(self, images: Sequence[Image]) -> Tensors:
        mean, deviation = self._colours
        pictures = [planes(resized(image, self._side, self._side), mean, deviation) for image in images]
        feeds: dict[str, NDArray[Any]] = {self._convention.picture: np.stack(pictures)}
        if self._convention.sizes is not None:
            feeds[self._convention.sizes] = np.array([image.shape[1::-1] for image in images], np.int64)
        return feeds

    def detections(self, outputs: dict[str, NDArray[Any]], index: int, query: Query) -> list[Detection]:
        height, width = query.image.shape[:2]
        wanted = is_wanted(self._labels, query)
        if self._convention.scores is not None:
            scores = outputs[self._convention.scores][index]
            classes = outputs[self._convention.classes][index].astype(int)
            boxes = outputs[self._convention.boxes][index].astype(np.float32)
            queries = np.flatnonzero((scores >= _LEAST_SCORE) & wanted[classes])
            scores, classes = scores[queries], classes[queries]
        else:
            logits = outputs[self._convention.classes][index].astype(np.float32)
            table = 1 / (1 + np.exp(-logits.clip(-88, 88)))
            # Each of the network's object queries (not `query`, the caller's request) may have several classes above
            # the threshold. The class with the highest score becomes the label.
            table[:, ~wanted] = 0
            best = table.argmax(1)
            queries = np.flatnonzero(table.max(1) >= _LEAST_SCORE)
            scores, classes = table[queries, best[queries]], best[queries]
            boxes = from_centres(outputs[self._convention.boxes][index].astype(np.float32))
            boxes *= np.array([width, height] * 2, np.float32)
        masks: Sequence[Mask | None] = [None] * len(queries)
        if query.masks and "masks" in outputs:
            masks = masks_in_boxes(outputs["masks"][index][queries], boxes[queries], scores, width, height)
        return [
            Detection(
                str(self._labels[kind]),
                float(score),
                tuple(boxes[at].tolist()),
                mask,
            )
            for at, kind, score, mask in zip(queries, classes, scores, masks, strict=True)
        ]


def _or(given: bool | None, otherwise: bool) -> bool:
    return otherwise if given is None else given


def _convention(network: OnnxNetwork) -> Convention:
    for convention in CONVENTIONS:
        outputs = {convention.classes, convention.boxes} | ({convention.scores} if convention.scores else set())
        if convention.picture in network.inputs and outputs <= set(network.outputs):
            return convention
    raise EngineUnavailable(
        "object_detection",
        f"The network that OPENFAZE_OBJECT_DETECTION_MODEL names has the inputs {_joined(network.inputs)} and the "
        f"outputs {_joined(network.outputs)}. It must be an export of RF-DETR or D-FINE (docs/object-detection.md).",
    )


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
