"""What stands beside, in and around boxes: elements come in rows, and labels in frames."""

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.overlap import area_of, common_area
from models.vision.gui.regions import Boxes
from models.vision.gui.sums import Floats

_AT_ONCE = 512
"""Boxes that are compared with all others at a time: it bounds the memory."""


def company_of(boxes: Boxes, copied: Floats, fill: Floats, line: float) -> Floats:
    """How many boxes of the same size stand in the same row and column, what lies in the box, and the smallest box
    around it."""
    size, middle = boxes[:, 2:] - boxes[:, :2], (boxes[:, :2] + boxes[:, 2:]) / 2
    area = area_of(boxes)
    columns = []
    for first in range(0, len(boxes), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        common = common_area(boxes[part], boxes)
        same_height = np.abs(size[part, None, 1] - size[None, :, 1]) < 0.12 * size[part, None, 1] + 1
        same_width = np.abs(size[part, None, 0] - size[None, :, 0]) < 0.12 * size[part, None, 0] + 1
        row = (np.abs(middle[part, None, 1] - middle[None, :, 1]) < 0.15 * line) & same_height & (common == 0)
        column = (np.abs(boxes[part, None, 0] - boxes[None, :, 0]) < 0.15 * line) & same_height & (common == 0)
        twin = same_width & same_height & (common == 0)
        within = (common > 0.9 * area[None]) & (area[None] < 0.7 * area[part, None])
        around = (common > 0.9 * area[part, None]) & (area[None] > 1.3 * area[part, None])
        smallest = np.where(around, area[None], np.inf).argmin(axis=1)
        has: NDArray[np.bool_] = np.any(around, axis=1)
        wrapped = np.where(has[:, None], copied[smallest], 0)
        ratio = np.where(has, np.log2(area[part] / area[smallest]), -12)
        place = np.where(has[:, None], (boxes[part, :2] - boxes[smallest, :2]) / np.maximum(size[smallest], 1), 0)
        unlike = np.where(has, np.log1p(np.abs(fill[part] - fill[smallest]).max(axis=1)) / 5, 0)
        columns.append(
            np.concatenate(
                [
                    np.minimum(np.stack([one.sum(axis=1) for one in (row, column, twin, within, around)], axis=1), 16)
                    / 4,
                    np.stack([np.maximum(ratio, -12), unlike], axis=1),
                    place,
                    wrapped,
                ],
                axis=1,
            )
        )
    return np.concatenate(columns).astype(np.float32)
