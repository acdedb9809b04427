"""Labels for the proposed boxes of a labelled page, which the network learns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.elements import TYPES
from models.vision.gui.features import describe_boxes
from models.vision.gui.regions import Boxes, BoxMethod, Floats, area_of, intersection_area, propose_boxes
from models.vision.gui.screen_view import views_of
from models.vision.text import Image, TextLine
from training.gui.truth import TrueElement

NOTHING, UNSURE = 0, -1
_GOOD, _LEAST, _BAD = 0.72, 0.5, 0.42
"""Intersection over union with an element: least value of a right box, least value of the best box if no box is right,
and largest value of a wrong box."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    features: Floats
    labels: NDArray[np.int64]
    """Label of each box: NOTHING, or 1 + an index in TYPES."""


def examples_of(image: Image, lines: Sequence[TextLine], truth: Sequence[TrueElement] | None) -> Examples | None:
    """Return the boxes of a picture that are certainly right or wrong, or None if no box is proposed.

    `truth` is None for a photo, in which nothing is an element.
    """
    features, labels = [], []
    for view in views_of(image, lines):
        proposals = propose_boxes(view.right, view.below, view.pieces)
        if not len(proposals.boxes):
            continue
        corner = np.array([*view.corner, *view.corner], np.float32)
        boxes = (proposals.boxes + corner) / view.scale
        found = np.zeros(len(boxes), np.int64)
        if truth is not None:
            found = _labelled(boxes, proposals.methods == BoxMethod.TEXT, truth)
        known = found != UNSURE
        features.append(describe_boxes(view, proposals)[known])
        labels.append(found[known])
    if not features:
        return None
    return Examples(np.concatenate(features), np.concatenate(labels))


def _labelled(boxes: Boxes, written: NDArray[np.bool_], truth: Sequence[TrueElement]) -> NDArray[np.int64]:
    labels = np.zeros(len(boxes), np.int64)
    elements = [one for one in truth if one.type != "text"]
    if elements:
        places = np.array([one.box for one in elements], np.float32)
        common = intersection_area(places, boxes)
        area, own = area_of(boxes), area_of(places)
        alike = common / (own[:, None] + area[None] - common)
        nearest, likeness = alike.argmax(axis=0), alike.max(axis=0)
        for number, (element, best) in enumerate(zip(elements, alike.max(axis=1), strict=True)):
            if best >= _LEAST:
                good = (nearest == number) & (likeness >= min(_GOOD, best - 0.02))
                labels[good] = 1 + TYPES.index(element.type)
        labels[(labels == NOTHING) & (likeness > _BAD)] = UNSURE
        covering = np.array([one.type != "image" for one in elements])
        covered = (common[covering] > 0.4 * area[None]).any(axis=0)
    else:
        covered = np.zeros(len(boxes), np.bool_)
    labels[written & ~covered & (labels <= NOTHING)] = 1 + TYPES.index("text")
    return labels
