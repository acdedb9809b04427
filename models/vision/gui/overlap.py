"""Areas of many boxes at once."""

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
