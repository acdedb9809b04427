"""Places of things in the sample photos, read by eye with a grid of 20 pixels over the photos."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

BUS: Box = (47, 81, 592, 422)
"""Bus in photo_bus.jpg, without its mirrors."""

THREE_PEOPLE: Sequence[Box] = ((79, 91, 267, 475), (252, 64, 336, 371), (361, 53, 489, 430))
"""People in photo_people.jpg, 640 × 480: the woman with her outstretched hand, the man in blue, and the man in green.

A fourth person stands behind the woman.
"""


def photo(shared: Path, name: str) -> NDArray[np.uint8]:
    return np.asarray(PIL.Image.open(shared / "samples" / f"photo_{name}.jpg").convert("RGB"))


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    buffer = BytesIO()
    PIL.Image.fromarray(picture).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def iou(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def box_of(shown: Any) -> Box:
    """Return the box spanned by the bounds of a DetectedObject."""
    first, last = shown["bounds"]["top_left"], shown["bounds"]["bottom_right"]
    return first["x"], first["y"], last["x"], last["y"]


def best_iou(truth: Box, boxes: Sequence[Box]) -> float:
    return max((iou(truth, box) for box in boxes), default=0.0)
