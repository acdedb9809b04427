"""Divides a page into blocks for a second reading, given the lines that an OCR engine has found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image, Quad, TextLine

_MAX_LINES, _MAX_LETTERS = 40, 800
"""At most the first number of lines, and the second number of letters, are read at a time, unless a single line has
more letters. Larger blocks are read in parts."""

_MAX_LINE_GAP = 0.8
"""Two lines are joined into a block only if they are at most this far apart vertically, in heights of the smaller
line."""
_MAX_SIDE_GAP = 1.5
"""Two lines beside each other are joined into a block only if they are at most this far apart, in heights of the
smaller line."""
_SIZE_RATIO = 2.0
"""Two lines belong to different blocks if the ratio of their heights is at least this."""
_MARGIN = 0.3
"""Margin, in line heights, that is cut out together with a block."""
_MAX_ASPECT_RATIO = 100.0
"""A block is left out if the ratio of its sides is at least this. The network accepts ratios up to 200."""
Boxes = NDArray[np.float64]
"""Array of n × 4: left, top, right, bottom."""


@dataclass(frozen=True, slots=True, eq=False)
class TextRegion:
    """Lines that are read together."""

    picture: Image
    """Picture of the lines in the direction of their text: a view of the page, not a copy."""
    lines: tuple[int, ...]
    """Indexes of the lines, in reading order."""
    letters: int
    """Number of letters that the first reading found."""


def regions_of(image: Image, lines: Sequence[TextLine]) -> list[TextRegion]:
    """Return blocks of lines that are close together and have the same direction, each turned so that its text is
    level."""
    turns = [_quarters(line.quad) for line in lines]
    regions = []
    for turn in sorted(set(turns)):
        numbers = [number for number, its in enumerate(turns) if its == turn]
        page = np.rot90(image, turn)
        boxes = _boxes([lines[number].quad for number in numbers], turn, image.shape[1], image.shape[0])
        for block in _blocks(boxes):
            for part in _parts(block, [len(without_white_space(lines[number].text)) for number in numbers]):
                picture = _cut_out(page, boxes[part])
                if max(picture.shape[:2]) < _MAX_ASPECT_RATIO * min(picture.shape[:2]):
                    letters = sum(len(without_white_space(lines[numbers[index]].text)) for index in part)
                    regions.append(TextRegion(picture, tuple(numbers[index] for index in part), letters))
    return regions


def _quarters(quad: Quad) -> int:
    """Return the number of quarter turns, anticlockwise, that make the text level."""
    (x, y), (end_x, end_y) = quad[0], quad[1]
    return round(float(np.arctan2(end_y - y, end_x - x)) / (np.pi / 2)) % 4


def _boxes(quads: Sequence[Quad], turn: int, width: int, height: int) -> Boxes:
    """Return the upright rectangles around `quads` in a picture that was turned by `turn` quarters."""
    corners = np.array(quads, np.float64)
    x, y = corners[..., 0], corners[..., 1]
    x, y = ((x, y), (y, width - x), (width - x, height - y), (height - y, x))[turn]
    return np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], 1)


def _blocks(boxes: Boxes) -> list[list[int]]:
    """Return the blocks of `boxes` that are close together, each as indexes in reading order."""
    order = np.argsort(boxes[:, 1], kind="stable")
    left, top, right, bottom = boxes[order].T
    height = np.maximum(bottom - top, 1.0)
    root = list(range(len(order)))

    def found(one: int) -> int:
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    for one in range(len(order)):
        # Only lines that begin lower are compared with this line. Lines that begin higher have already been compared
        # with it.
        below = np.arange(
            one + 1, np.searchsorted(top, bottom[one] + _MAX_LINE_GAP * height[one] * _SIZE_RATIO, "right")
        )
        lower = np.minimum(height[below], height[one])
        gaps = np.maximum(left[below], left[one]) - np.minimum(right[below], right[one])
        level = top[below] + height[below] / 2 < bottom[one]
        is_near = np.where(
            level, gaps <= _MAX_SIDE_GAP * lower, (top[below] - bottom[one] <= _MAX_LINE_GAP * lower) & (gaps < 0)
        )
        has_same_size = np.maximum(height[below], height[one]) < _SIZE_RATIO * lower
        for other in below[is_near & has_same_size].tolist():
            root[found(other)] = found(one)
    blocks: dict[int, list[int]] = {}
    for one in range(len(order)):
        blocks.setdefault(found(one), []).append(int(order[one]))
    return [_in_order(block, boxes) for block in blocks.values()]


def _in_order(block: Sequence[int], boxes: Boxes) -> list[int]:
    """Return `block` row by row, each row from the left."""
    rows: list[list[int]] = []
    for one in block:
        middle = (boxes[one, 1] + boxes[one, 3]) / 2
        if rows and middle < boxes[rows[-1][0], 3]:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda one: float(boxes[one, 0]))]


def _parts(block: Sequence[int], letters: Sequence[int]) -> Iterator[list[int]]:
    part: list[int] = []
    for one in block:
        if part and (len(part) == _MAX_LINES or sum(letters[index] for index in [*part, one]) > _MAX_LETTERS):
            yield part
            part = []
        part.append(one)
    yield part


def _cut_out(page: Image, boxes: Boxes) -> Image:
    margin = max(2.0, _MARGIN * float(np.median(boxes[:, 3] - boxes[:, 1])))
    height, width = page.shape[:2]
    left, top = np.clip(np.floor(boxes[:, :2].min(0) - margin), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(boxes[:, 2:].max(0) + margin), (left + 1, top + 1), (width, height)).astype(int)
    return page[top:bottom, left:right]


def without_white_space(text: str) -> str:
    return "".join(text.split())
