"""Proposes boxes that differ from their surroundings: flat areas, outlines, and edges that lie close together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.gui.text_pieces import TextPiece, box_with_em_height
from models.vision.text import Image

Floats = NDArray[np.float32]

Boxes = NDArray[np.float32]
"""Array of N × 4 pixels: left, top, right, bottom."""
Box = NDArray[np.float32]
"""Array of four pixels: left, top, right, bottom."""
Mask = NDArray[np.uint8]
"""Array of height × width, 1 or 0."""
STEPS = (4, 12, 32)
"""Thresholds of three passes: neighbouring pixels form an edge if they differ by more than the threshold. The first
pass finds faint borders; the last one ignores the noise of JPEG."""


class BoxMethod(IntEnum):
    """Methods that propose boxes. The values are indices of features of the model that judges the boxes."""

    FLAT = 0
    OUTLINE = 1
    CLOSE = 2
    NEAR = 3
    TEXT = 4
    JOINED = 5
    SQUARE = 6


_LEAST_SIDE = 5
"""The sides of a box have at least this length, in pixels of a picture whose letters are about 12 pixels high."""
_LARGEST_ICON = 48
_SCREEN_WIDTH_SHARE, _SCREEN_HEIGHT_SHARE = 0.97, 0.6
"""A box that covers at least these shares of the screen's width and height is the screen itself or a window, and not an
element."""
_MAX_BOXES = 4_000
"""A part of a screen (1,800 × 1,800 pixels) has at most this many boxes, because each is compared with all others. A
window of 1,440 × 900 full of controls has 2,000. If there are more, as in a texture, the smallest are left out."""
_STROKE_GAP, _PART_GAP = 3, 7
"""Largest gaps, in pixels, between strokes of one icon and between parts of one picture."""


class BoxMeans:
    """Means of a picture's channels (8 bits each) over boxes, in constant time each."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._table = cv2.integral(picture, sdepth=cv2.CV_32S)
        if self._table.ndim == 2:
            self._table = self._table[:, :, None]
        self._height, self._width = picture.shape[:2]

    def means(self, x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
        """Return the mean per box and channel. Boxes are cut to the picture, and count as at least one pixel wide and
        high."""
        left = np.clip(np.round(x0), 0, self._width - 1).astype(np.int64)
        top = np.clip(np.round(y0), 0, self._height - 1).astype(np.int64)
        right = np.clip(np.round(x1).astype(np.int64), left + 1, self._width)
        bottom = np.clip(np.round(y1).astype(np.int64), top + 1, self._height)
        table = self._table
        # Sums in the table wrap around at 2³¹, but the differences are right for boxes whose own sum is smaller.
        total = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        means: Floats = (total / ((right - left) * (bottom - top))[:, None]).astype(np.float32)
        return means


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    boxes: Boxes
    methods: NDArray[np.int64]
    """The `BoxMethod` that proposed each box."""
    pieces: NDArray[np.int64]
    """Index of the piece of text from which each box was made; -1 for other boxes."""


def differences(image: Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the differences between each pixel and its right and lower neighbours, in the channel that differs
    most."""
    right, below = np.zeros(image.shape[:2], np.uint8), np.zeros(image.shape[:2], np.uint8)
    right[:, :-1] = _strongest_channel(cv2.absdiff(image[:, 1:], image[:, :-1]))
    below[:-1] = _strongest_channel(cv2.absdiff(image[1:], image[:-1]))
    return right, below


def _strongest_channel(image: Image) -> NDArray[np.uint8]:
    # Twenty times as fast as `max(axis=2)`, which looks at the three numbers of each pixel by themselves.
    return np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2])


def propose_boxes(right: NDArray[np.uint8], below: NDArray[np.uint8], pieces: Sequence[TextPiece]) -> Proposals:
    """Return all boxes that may be elements, proposed from the results of `differences` and the text. Most of them are
    not elements."""
    found: list[tuple[Boxes, BoxMethod]] = []
    strongest = np.maximum(right, below)
    height, width = strongest.shape
    outside_words = np.ones((height, width), np.uint8)
    for piece in pieces:
        if len(piece.text) > 2:
            x0, y0, x1, y1 = (round(side) for side in piece.box)
            outside_words[max(0, y0 + 1) : max(0, y1 - 1), max(0, x0 + 1) : max(0, x1 - 1)] = 0
    for step in STEPS:
        edges = (strongest > step).astype(np.uint8)
        found.append((_flat_boxes(1 - edges), BoxMethod.FLAT))
        found.append((_outline_boxes(edges), BoxMethod.OUTLINE))
        if step > STEPS[0]:
            found += [
                (_grown_boxes(edges, _STROKE_GAP), BoxMethod.CLOSE),
                (_grown_boxes(edges & outside_words, _STROKE_GAP), BoxMethod.CLOSE),
                (_grown_boxes(edges & outside_words, _PART_GAP), BoxMethod.NEAR),
            ]
    small = np.concatenate([part for part, method in found if method in (BoxMethod.OUTLINE, BoxMethod.CLOSE)])
    texts = np.array([box_with_em_height(piece) for piece in pieces], np.float32).reshape(-1, 4)
    joined, joined_pieces = _joined_boxes(texts, small)
    found = [(texts, BoxMethod.TEXT), (joined, BoxMethod.JOINED), *found, (_square_boxes(small), BoxMethod.SQUARE)]
    boxes = np.concatenate([part for part, _ in found])
    methods = np.concatenate([np.full(len(part), method.value) for part, method in found])
    pieces_used = np.full(len(boxes), -1)
    pieces_used[: len(texts)] = np.arange(len(texts))
    pieces_used[len(texts) : len(texts) + len(joined)] = joined_pieces
    boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    # If boxes differ by about a pixel, only one of them is kept.
    _, first = np.unique(np.round(boxes / 1.5).astype(np.int32), axis=0, return_index=True)
    if len(first) > _MAX_BOXES:
        first = first[np.argsort(-area_of(boxes[first]), kind="stable")[:_MAX_BOXES]]
    first.sort()
    return Proposals(boxes[first], methods[first], pieces_used[first])


def _flat_boxes(areas: Mask) -> Boxes:
    """Return boxes around connected areas of one colour. A connected area ends a pixel before the visible edge, because
    the pixels of an edge are in no area, so the boxes are enlarged."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(areas, connectivity=4)
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= 16]
    return _plausible_boxes(stats, areas.shape, (-0.5, -0.5, 1.5, 1.5))


def _outline_boxes(edges: Mask) -> Boxes:
    """Return boxes around connected edges: borders, and the strokes of letters and icons."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    return _plausible_boxes(stats[1:], edges.shape, (1, 1, 0, 0))


def _grown_boxes(edges: Mask, gap: int) -> Boxes:
    """Return boxes around edges that are at most `gap` pixels apart."""
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    return _outline_boxes(joined)


def _plausible_boxes(
    stats: NDArray[np.int32], shape: tuple[int, ...], margins: tuple[float, float, float, float]
) -> Boxes:
    """Return the boxes of the components in `stats`, enlarged by `margins`. Boxes that are too small for an element, or
    that cover almost the whole screen, are left out."""
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    width, height = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    covers_screen = (width >= _SCREEN_WIDTH_SHARE * shape[1]) & (height >= _SCREEN_HEIGHT_SHARE * shape[0])
    kept = (width >= _LEAST_SIDE) & (height >= _LEAST_SIDE) & ~covers_screen
    boxes = np.stack([left, top, left + width, top + height], axis=1)[kept].astype(np.float32)
    return boxes + np.array(margins, np.float32)


def _square_boxes(small: Boxes) -> Boxes:
    """Return squares around small boxes, because an icon's box is square even if only dots or a bar of it are
    visible."""
    size = small[:, 2:] - small[:, :2]
    side = size.max(axis=1) + 2
    fits = (side >= 10) & (side <= _LARGEST_ICON) & (size.min(axis=1) < 0.9 * side)
    middle = (small[fits, :2] + small[fits, 2:]) / 2
    half = side[fits, None] / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def _joined_boxes(texts: Boxes, small: Boxes) -> tuple[Boxes, NDArray[np.int64]]:
    """Return boxes around two stacked lines, and boxes around a text or two stacked lines together with an icon to the
    left, to the right or above. The second array has the index of each box's piece of text; for two lines, that of the
    upper one."""
    found: list[Box] = []
    used: list[int] = []
    size = small[:, 2:] - small[:, :2]
    icons = small[(size < _LARGEST_ICON).all(axis=1) & (size > 6).all(axis=1)]
    pairs = list(_stacked_lines(texts))
    for index, box in pairs:
        found.append(box)
        used.append(index)
    for index, box in [*enumerate(texts), *pairs]:
        for icon in _icons_beside(box, icons):
            found.append(_box_around(box, icon))
            used.append(index)
    return np.array(found, np.float32).reshape(-1, 4), np.array(used, np.int64)


def _stacked_lines(texts: Boxes) -> Iterator[tuple[int, Box]]:
    """Yield the index of each line that has an aligned line directly below, and the box around both."""
    for index, box in enumerate(texts):
        text_height = box[3] - box[1]
        below = (
            (np.abs(texts[:, 0] - box[0]) < 0.5 * text_height)
            & (texts[:, 1] > box[3] - 0.3 * text_height)
            & (texts[:, 1] < box[3] + 1.0 * text_height)
        )
        if below.any():
            yield index, _box_around(box, texts[int(np.where(below, texts[:, 1], np.inf).argmin())])


def _icons_beside(box: Box, icons: Boxes) -> Iterator[Box]:
    """Yield the nearest icon on each side of the text in `box`, and the nearest one above."""
    text_height = box[3] - box[1]
    icon_heights = icons[:, 3] - icons[:, 1]
    middle_y, middle_x = (icons[:, 1] + icons[:, 3]) / 2, (icons[:, 0] + icons[:, 2]) / 2
    level = (np.abs(middle_y - (box[1] + box[3]) / 2) < 0.35 * text_height) & (icon_heights < 3.5 * text_height)
    centred = (np.abs(middle_x - (box[0] + box[2]) / 2) < 0.6 * text_height) & (icon_heights > 0.6 * text_height)
    for fits, gap in (
        (level, box[0] - icons[:, 2]),
        (level, icons[:, 0] - box[2]),
        (centred, box[1] - icons[:, 3]),
    ):
        is_near = fits & (gap > -3) & (gap < 1.2 * text_height)
        if is_near.any():
            # Of boxes within a few pixels of the nearest one, the largest is an icon and not just a stroke of it.
            close = is_near & (gap < gap[is_near].min() + 6)
            area = np.where(close, (icons[:, 2] - icons[:, 0]) * icon_heights, -1)
            yield icons[int(area.argmax())]


def _box_around(first: Box, second: Box) -> Box:
    return np.concatenate([np.minimum(first[:2], second[:2]), np.maximum(first[2:], second[2:])])


def intersection_area(boxes: Boxes, others: Boxes) -> Floats:
    """Return the area that each of `boxes` has in common with each of `others`, N × M."""
    widths = np.minimum(boxes[:, None, 2], others[None, :, 2]) - np.maximum(boxes[:, None, 0], others[None, :, 0])
    heights = np.minimum(boxes[:, None, 3], others[None, :, 3]) - np.maximum(boxes[:, None, 1], others[None, :, 1])
    common: Floats = np.maximum(widths, 0) * np.maximum(heights, 0)
    return common


def area_of(boxes: Boxes) -> Floats:
    area: Floats = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return area


def intersection_over_union(boxes: Boxes, others: Boxes) -> Floats:
    """Return the intersection over union of each of `boxes` with each of `others`, N × M."""
    common = intersection_area(boxes, others)
    share: Floats = common / np.maximum(area_of(boxes)[:, None] + area_of(others)[None] - common, 1e-6)
    return share


def as_boxes(places: Sequence[tuple[float, float, float, float]]) -> Boxes:
    """Return `places` as an array of N × 4, even if there are none."""
    return np.array(places, np.float32).reshape(-1, 4)
