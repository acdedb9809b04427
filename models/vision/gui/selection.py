"""Selects the elements among boxes that overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.elements import INTERACTIVE, TYPES
from models.vision.gui.regions import Boxes, Floats

LEAST_PROBABILITY = 0.2
"""An interactive element counts if its probability is at least this; a picture needs 0.5. Measured on new pages in the
styles of the training pages: with 0.2, 94 % of the elements are found and 89 % of the results are right; with 0.5, 91 %
are found and 96 % are right. Below 0.2, hardly any more elements are found."""

_IMAGE = TYPES.index("image")

_SAME_OVERLAP = 0.4
"""Two boxes belong to one element if their intersection over union is more than this."""

_INSIDE_SHARE = 0.75
"""A smaller box counts as inside a larger one if more than this share of it is inside."""

MAX_ELEMENTS = 2_000
"""A picture has at most this many elements. A screen full of controls has about 300."""

_MAX_CHOSEN_FROM = 20_000
"""At most this many boxes of one picture are considered: interactive elements before pictures, and the most probable
first. Each is compared with all elements found so far, and a texture of 64 megapixels has 140,000 boxes."""


@dataclass(frozen=True, slots=True)
class ChosenBox:
    index: int
    type: str
    score: float


def choose_boxes(boxes: Boxes, probabilities: Floats, least: float = LEAST_PROBABILITY) -> list[ChosenBox]:
    """Return the elements among `boxes` except texts, the most probable first. `probabilities`: N × TYPES.

    A box inside an interactive element is a part of that element. Pictures may contain elements, but no other pictures.
    """
    clickable = probabilities[:, : len(INTERACTIVE)]
    interactive = clickable.sum(axis=1) >= least
    pictures = probabilities[:, _IMAGE]
    kinds = np.where(interactive, clickable.argmax(axis=1), _IMAGE)
    score = np.where(interactive, clickable.sum(axis=1), pictures)
    # Interactive elements are decided first, because a picture that one of them covers is a part of it.
    order = np.lexsort((np.arange(len(boxes)), -score, ~interactive))
    enough = interactive | (score >= 0.5)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for number in order[enough[order]][:_MAX_CHOSEN_FROM]:
        if not (kept and _is_taken(int(number), kept, boxes, area, interactive, kinds)):
            kept.append(int(number))
        if len(kept) == MAX_ELEMENTS:
            break
    kept.sort(key=lambda number: (-score[number], number))
    return [ChosenBox(number, TYPES[kinds[number]], float(min(1.0, score[number]))) for number in kept]


def _is_taken(
    number: int,
    kept: Sequence[int],
    boxes: Boxes,
    area: Floats,
    interactive: NDArray[np.bool_],
    kinds: NDArray[np.int64],
) -> bool:
    kept_boxes = boxes[kept]
    widths = np.minimum(kept_boxes[:, 2], boxes[number, 2]) - np.maximum(kept_boxes[:, 0], boxes[number, 0])
    heights = np.minimum(kept_boxes[:, 3], boxes[number, 3]) - np.maximum(kept_boxes[:, 1], boxes[number, 1])
    common = np.maximum(widths, 0) * np.maximum(heights, 0)
    same = common > _SAME_OVERLAP * (area[kept] + area[number] - common)
    inside = common > _INSIDE_SHARE * np.minimum(area[kept], area[number])
    # An interactive element contains no other element, and no element contains another of its kind.
    outer = np.where(area[number] < area[kept], interactive[kept], interactive[number])
    return bool((same | (inside & (outer | (kinds[kept] == kinds[number])))).any())
