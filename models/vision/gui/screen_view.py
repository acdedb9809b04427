"""Divides a screenshot into parts in which elements are detected, scaled so that the type has the same size in all
screenshots."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.gui.regions import Boxes, differences
from models.vision.gui.text_pieces import TextPiece, box_of, pieces_of
from models.vision.text import Image, TextLine

USUAL_LINE_HEIGHT = 12.5
"""Height, in pixels, that OCR measures for the letters of a line in type of 16 pixels."""

_KEPT_SCALE = 0.77
"""A screenshot is shrunk only if the scale would be below this. Shrinking it a little would gain nothing, and blur thin
borders."""

_SIDE_WITHOUT_TEXT = 1000
"""Shorter side, in pixels, to which a screenshot without text is shrunk, if it is shrunk at all."""

_PART_SIDE, _OVERLAP = 1800, 300
"""Largest side of a part, which bounds the memory, and the overlap of neighbouring parts, both in pixels."""

_CUT_MARGIN = 3
"""A box that ends less than this many pixels from a side at which the screenshot was cut belongs to the neighbouring
part."""


@dataclass(frozen=True, slots=True, eq=False)
class ScreenView:
    """A part of a screenshot, with all data from which features are calculated."""

    image: Image
    right: NDArray[np.uint8]
    below: NDArray[np.uint8]
    """Difference between each pixel and its lower neighbour. Together with `right`, it is the result of
    `regions.differences`."""
    pieces: Sequence[TextPiece]
    """Texts that lie completely in the view, with boxes in its pixels."""
    line: float
    """Height of a line's letters in pixels."""
    scale: float
    """Scale from the screenshot to the view."""
    corner: tuple[int, int]
    """Left and top of the view in the shrunk screenshot."""
    cut: tuple[bool, bool, bool, bool]
    """Flags for the sides (left, top, right, bottom); True if the screenshot continues beyond the side."""


def views_of(image: Image, lines: Sequence[TextLine]) -> Iterator[ScreenView]:
    """Yield the parts of `image`, in which OCR read `lines`."""
    scale = _scale(image, lines)
    pieces = pieces_of(image, lines)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
        shrunk = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        pieces = [replace(piece, box=_scaled(piece.box, scale)) for piece in pieces]
    else:
        shrunk = image
    heights = [piece.box[3] - piece.box[1] for piece in pieces]
    line = float(np.clip(np.median(heights), 7, 25)) if heights else USUAL_LINE_HEIGHT
    height, width = shrunk.shape[:2]
    for top, bottom in _parts(height):
        for left, right in _parts(width):
            part = np.ascontiguousarray(shrunk[top:bottom, left:right])
            part_pieces = [
                replace(piece, box=(piece.box[0] - left, piece.box[1] - top, piece.box[2] - left, piece.box[3] - top))
                for piece in pieces
                if piece.box[0] >= left - 4 and piece.box[2] <= right + 4
                if piece.box[1] >= top - 4 and piece.box[3] <= bottom + 4
            ]
            cut = (left > 0, top > 0, right < width, bottom < height)
            yield ScreenView(part, *differences(part), part_pieces, line, scale, (left, top), cut)


def is_whole(view: ScreenView, boxes: Boxes) -> NDArray[np.bool_]:
    """Return a mask of `boxes`, which are in pixels of the view: True for boxes that the sides of the view do not cut
    off. The neighbouring view shows the other boxes completely, unless they are larger than the overlap."""
    height, width = view.right.shape
    ends = np.array([0, 0, width, height], np.float32)
    whole: NDArray[np.bool_] = ~((np.abs(boxes - ends) < _CUT_MARGIN) & np.array(view.cut)).any(axis=1)
    return whole


def _scale(image: Image, lines: Sequence[TextLine]) -> float:
    boxes = [box_of(line.quad) for line in lines]
    heights = [bottom - top for left, top, right, bottom in boxes if right - left > 1.5 * (bottom - top)]
    scale = (
        USUAL_LINE_HEIGHT / max(1.0, float(np.median(heights)))
        if heights
        else _SIDE_WITHOUT_TEXT / min(image.shape[:2])
    )
    return scale if scale < _KEPT_SCALE else 1.0


def _scaled(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float, float]:
    return box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale


def _parts(length: int) -> Iterator[tuple[int, int]]:
    start = 0
    while length - start > _PART_SIDE:
        yield start, start + _PART_SIDE
        start += _PART_SIDE - _OVERLAP
    yield start, length
