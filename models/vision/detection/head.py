"""What a family of networks wants to be fed with, and what its outputs mean."""

from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.detection.boxes import Boxes
from models.vision.detection.detector import Detection, Mask, Query
from models.vision.detection.network import Tensors
from models.vision.text import Image


class Head(Protocol):
    def feeds(self, images: Sequence[Image]) -> Tensors:
        """The inputs for these pictures."""

    def detections(self, outputs: dict[str, NDArray[Any]], index: int, query: Query) -> list[Detection]:
        """What the network found in the picture at `index`."""


def resized(image: Image, width: int, height: int) -> Image:
    """Stretched to `width` × `height`, as these networks are trained: letterboxed, FastestDet sees the passengers of
    a bus as people and places boxes worse."""
    shrinks = image.shape[1] > 2 * width or image.shape[0] > 2 * height
    # Averages where linear interpolation would skip pixels; ten times as slow where it would not.
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    stretched: Image = cv2.resize(image, (width, height), interpolation=method)
    return stretched


def is_wanted(labels: Sequence[str | None], query: Query) -> NDArray[np.bool_]:
    """Of each class, whether it has a label that the query asks for."""
    return np.array([label is not None and (query.labels is None or label in query.labels) for label in labels])


def mask_in_box(logits: NDArray[np.float32], box: Boxes, width: int, height: int) -> Mask | None:
    """The part of a low-resolution map of the whole picture (a pixel belongs to the object above 0) inside `box`, in
    the picture's own pixels. None for a box that has none."""
    x0, y0 = np.floor(np.maximum(box[:2], 0)).astype(int)
    x1, y1 = np.ceil(np.minimum(box[2:], (width, height))).astype(int)
    if x1 <= x0 or y1 <= y0:
        return None
    rows, columns = logits.shape
    # Where the centre of each pixel of the box lies in the map; only the box is enlarged.
    across = (np.arange(x0, x1, dtype=np.float32) + 0.5) * columns / width - 0.5
    down = (np.arange(y0, y1, dtype=np.float32) + 0.5) * rows / height - 0.5
    grid = np.meshgrid(across, down)
    enlarged = cv2.remap(logits.astype(np.float32), grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Mask(int(x0), int(y0), enlarged > 0)
