"""Operations on boxes: their overlaps, and the selection of the best among boxes that overlap."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""Array of n × 4: left, top, right, bottom."""


def from_centres(boxes: NDArray[np.float32]) -> Boxes:
    """Convert boxes given by centre x, centre y, width and height."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def overlaps(boxes: Boxes, others: Boxes, *, of_smaller: bool = False) -> NDArray[np.float32]:
    """Return the n × m intersections of boxes, divided by the area of the union (IoU) or, with `of_smaller`, by the
    area of the smaller box (IoS)."""
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    intersection = np.prod(np.maximum(opposite - corner, 0), axis=2)
    areas, other_areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.prod(others[:, 2:] - others[:, :2], axis=1)
    if of_smaller:
        whole = np.minimum(areas[:, None], other_areas[None])
    else:
        whole = areas[:, None] + other_areas[None] - intersection
    part: NDArray[np.float32] = intersection / np.maximum(whole, 1e-6)
    return part


def suppressed(
    boxes: Boxes, scores: NDArray[np.float32], classes: NDArray[np.intp], *, most: float, of_smaller: bool = False
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, the best first. No kept box overlaps a better kept box of its class by
    more than `most`."""
    # A stable sort keeps the order of the network's output for equal scores.
    order = np.argsort(-scores, kind="stable")
    boxes, classes = boxes[order], classes[order]
    stays = np.ones(len(order), bool)
    # One row of overlaps at a time, because those of all pairs may take gigabytes.
    for index in range(len(order)):
        if stays[index]:
            rest = slice(index + 1, None)
            overlapping = overlaps(boxes[index : index + 1], boxes[rest], of_smaller=of_smaller)[0] > most
            stays[rest] &= ~(overlapping & (classes[rest] == classes[index]))
    return order[stays]
