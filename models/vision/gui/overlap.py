"""Areas of many boxes at once."""

from collections.abc import Sequence

import numpy as np

from models.vision.gui.regions import Boxes
from models.vision.gui.sums import Floats


def common_area(boxes: Boxes, others: Boxes) -> Floats:
    """N × M: what each of `boxes` has in common with each of `others`."""
    wide = np.minimum(boxes[:, None, 2], others[None, :, 2]) - np.maximum(boxes[:, None, 0], others[None, :, 0])
    tall = np.minimum(boxes[:, None, 3], others[None, :, 3]) - np.maximum(boxes[:, None, 1], others[None, :, 1])
    common: Floats = np.maximum(wide, 0) * np.maximum(tall, 0)
    return common


def area_of(boxes: Boxes) -> Floats:
    area: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area


def common_share(boxes: Boxes, others: Boxes) -> Floats:
    """N × M: common over joint area (intersection over union)."""
    common = common_area(boxes, others)
    share: Floats = common / np.maximum(area_of(boxes)[:, None] + area_of(others)[None] - common, 1e-6)
    return share


def as_boxes(places: Sequence[tuple[float, float, float, float]]) -> Boxes:
    """N × 4, also where there are none."""
    return np.array(places, np.float32).reshape(-1, 4)
