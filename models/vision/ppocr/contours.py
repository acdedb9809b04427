"""From the detector's probability map to quadrilaterals: the post-processing of Differentiable Binarization.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), section 3.4. A text region
of the map is a shrunken text line; it is fitted by a rectangle that is grown back by area × ratio / perimeter.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Quads = NDArray[np.float32]
"""N × 4 × 2: x, y of the top left, top right, bottom right and bottom left corner."""

_TEXT_THRESHOLD = 0.3
_SMALLEST_REGION = 3.0
_SMALLEST_BOX = 5.0
_MOST_REGIONS = 3000


def text_quads(
    probability: NDArray[np.float32], *, least_score: float, grow: float
) -> tuple[Quads, NDArray[np.float32]]:
    """Quadrilaterals in pixels of `probability` (height × width) and the mean probability inside each.

    `least_score`: regions less probable in the mean are left out. `grow`: the ratio in the formula above.
    """
    # The dilation joins regions that touch at a corner.
    mask = cv2.dilate((probability > _TEXT_THRESHOLD).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads, scores = [], []
    for contour in _largest(contours):
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _SMALLEST_REGION:
            continue
        score = _mean_inside(probability, cv2.boxPoints((centre, (width, height), angle)))
        if score < least_score:
            continue
        margin = 2 * grow * width * height / (2 * (width + height))
        if min(width, height) + margin < _SMALLEST_BOX:
            continue
        quads.append(_ordered(cv2.boxPoints((centre, (width + margin, height + margin), angle))))
        scores.append(score)
    return np.array(quads, np.float32).reshape(-1, 4, 2), np.array(scores, np.float32)


def _largest(contours: Sequence[NDArray[np.int32]]) -> list[NDArray[np.int32]]:
    """Texture, and letters far too large for the search, leave thousands of specks; text is larger than those."""
    boxes = ((cv2.boundingRect(contour), contour) for contour in contours)
    sized = [(w * h, contour) for (_, _, w, h), contour in boxes if min(w, h) >= _SMALLEST_REGION]
    if len(sized) > _MOST_REGIONS:
        sized = sorted(sized, key=lambda one: one[0], reverse=True)[:_MOST_REGIONS]
    return [contour for _, contour in sized]


def _mean_inside(probability: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    height, width = probability.shape
    left, top = np.floor(corners.min(0)).astype(int).clip(0, (width - 1, height - 1))
    right, bottom = np.ceil(corners.max(0)).astype(int).clip(0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0])


def _ordered(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clockwise, starting with the corner whose outgoing edge points most to the right."""
    edges = np.roll(corners, -1, 0) - corners
    directions = edges[:, 0] / np.maximum(np.hypot(edges[:, 0], edges[:, 1]), 1e-6)
    return np.roll(corners, -int(directions.argmax()), 0)
