"""Cutting the lines that the detector found out of the picture, the way their text runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.ppocr.detector import Quads
from models.vision.ppocr.recognizer import LINE_HEIGHT, fitted
from models.vision.text import Image

Corners = NDArray[np.float32]
"""4 × 2: top left, top right, bottom right, bottom left, in pixels of the picture."""

_TALL = 1.5
"""Height over width from which text is taken to run sideways."""
_TOWER = 3.0
"""Height over width up to which a tall box may hold one or two upright characters."""
_SLOPE = 0.06
"""Rise of an edge, over the height of the line, that is not worth straightening."""
_NEARLY = 0.25
"""Part of a pixel at the edge of a box that is left away."""


@dataclass(frozen=True, slots=True)
class Crop:
    """One line, assumed to run along the upper edge of `corners`."""

    corners: Corners
    picture: Image
    """LINE_HEIGHT pixels high."""

    def upside_down(self) -> "Crop":
        return Crop(np.roll(self.corners, 2, 0), np.ascontiguousarray(self.picture[::-1, ::-1]))


def ways_to_read(image: Image, quads: Quads) -> list[list[Crop]]:
    """For each of `quads` (as they lie in `image`) the crops one of which is the right way up, likeliest first.

    On a page whose text runs level that is one crop for a wide box; a tall one may run up or down, or be a single
    character. Where most text stands in tall boxes the page itself is turned, and wide boxes are the odd ones.
    """
    sizes = [_sides(quad) for quad in quads]
    level = sum(width for width, height in sizes if height <= _TALL * width)
    sideways = sum(height for width, height in sizes if height > _TALL * width)
    page_turn = 1 if sideways > level else 0
    return [[_cut(image, _turned(quad, turn)) for turn in _turns(quad, page_turn)] for quad in quads]


def _turns(quad: Corners, page_turn: int) -> Sequence[int]:
    """Quarter turns, clockwise, at which the text of `quad` may run."""
    width, height = _sides(_turned(quad, page_turn))
    if height <= _TALL * width:
        return (page_turn,)
    across = (page_turn + 1, page_turn + 3)
    return across if height > _TOWER * width else (page_turn, *across)


def _turned(quad: Corners, quarters: int) -> Corners:
    """The same box with the corner first at which text begins that runs `quarters` quarter turns clockwise."""
    return np.roll(quad, -quarters, 0)


def _sides(quad: Corners) -> tuple[float, float]:
    """Width and height, the longer of the two opposite sides each."""
    lengths = np.linalg.norm(quad - np.roll(quad, -1, 0), axis=1)
    return float(max(lengths[0], lengths[2])), float(max(lengths[1], lengths[3]))


def _cut(image: Image, corners: Corners) -> Crop:
    bounds = np.array(image.shape[1::-1])
    low = np.floor(corners.min(0) + _NEARLY).astype(int).clip(0, bounds - 1)
    high = np.ceil(corners.max(0) - _NEARLY).astype(int).clip(low + 1, bounds)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    part = image[top:bottom, left:right]
    quarters = _quarters(corners)
    if quarters is None:
        return Crop(corners, _straightened(part, corners - np.array((left, top), np.float32)))
    box = np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float32)
    return Crop(_turned(box, quarters), fitted(np.rot90(part, quarters)))


def _quarters(corners: Corners) -> int | None:
    """The quarter turns, clockwise, at which the text runs; None when it is tilted."""
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    rise = _SLOPE * _sides(corners)[1]
    if max(abs(along[1]), abs(across[0])) <= rise:
        return 0 if along[0] > 0 else 2
    if max(abs(along[0]), abs(across[1])) <= rise:
        return 1 if along[1] > 0 else 3
    return None


def _straightened(part: Image, corners: Corners) -> Image:
    """The inside of `corners` as a level line of LINE_HEIGHT."""
    width, height = _sides(corners)
    scale = LINE_HEIGHT / max(height, 1.0)
    if scale < 0.5:
        # A warp looks at four pixels for each point: shrink by area first, so that no stroke falls through.
        tall, wide = part.shape[:2]
        smaller = (max(1, round(2 * scale * wide)), max(1, round(2 * scale * tall)))
        part = np.asarray(cv2.resize(part, smaller, interpolation=cv2.INTER_AREA), np.uint8)
        corners = corners * np.array((smaller[0] / wide, smaller[1] / tall), np.float32)
    size = (max(1, round(width * scale)), LINE_HEIGHT)
    # Corners lie on the edges of pixels, the warp counts from their centres.
    target = np.array(((0, 0), (size[0], 0), size, (0, size[1])), np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(np.ascontiguousarray(corners - 0.5, np.float32), target)
    smooth = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpPerspective(part, warp, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE), np.uint8)
