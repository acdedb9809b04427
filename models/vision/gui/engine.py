"""Detects the elements of a screen by their contours and a small network."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.vision.gui.element_texts import texts_beside, texts_in
from models.vision.gui.elements import INTERACTIVE, Found, GuiElement, Screen
from models.vision.gui.features import describe_boxes
from models.vision.gui.network import ScreenNetwork
from models.vision.gui.regions import Box, Boxes, Floats, as_boxes, differences, propose_boxes
from models.vision.gui.screen_view import is_whole, views_of
from models.vision.gui.selection import choose_boxes
from models.vision.gui.text_pieces import pieces_of
from models.vision.text import Image, TextLine

LEAST_SIDE = 16
"""A picture with a side shorter than this, in pixels, counts as having no user interface."""

_BLOCK_SIDE, _FLAT_DIFFERENCE, _FLAT_SHARE = 16, 2, 0.15
"""Side of a block in pixels, largest difference of neighbouring pixels in a flat block, and least share of flat blocks
in a screenshot. Screenshots measure 0.35 to 1, also as JPEG; the photos tried measure 0 to 0.19, most of them under
0.05."""

_PART_PIXELS = 2_000_000
"""The share of flat blocks is determined for about this many pixels at a time, because it takes several times their
memory."""

_CERTAIN_SCORE = 0.9
"""A picture shows a user interface only if the score of its most probable interactive element is at least this."""


class ContourEngine:
    """Implementation of `models.base.Engine` from screens to their elements."""

    def __init__(self) -> None:
        self._network: ScreenNetwork | None = None

    def load(self) -> None:
        self._network = ScreenNetwork()

    def run(self, batch: Sequence[Screen]) -> Sequence[Found]:
        assert self._network is not None
        return [found_in(one, self._network) for one in batch]

    def close(self) -> None:
        self._network = None


def found_in(screen: Screen, network: ScreenNetwork) -> Found:
    """Return the elements of `screen`, from top to bottom and left to right; none if it shows no user interface."""
    shapes = shapes_in(screen, network)
    return with_texts(shapes, screen) if shapes else ()


def shapes_in(screen: Screen, network: ScreenNetwork) -> list[GuiElement]:
    """Return the elements of `screen` except texts, the most probable first. Their texts are not filled in."""
    if min(screen.image.shape[:2]) < LEAST_SIDE:
        return []
    flat_share = _flat_share(screen.image)
    if flat_share < _FLAT_SHARE:
        return []
    boxes, probabilities = judge_boxes(screen.image, screen.lines, network)
    picked = choose_boxes(boxes, probabilities)
    if not any(one.type in INTERACTIVE and one.score >= _CERTAIN_SCORE for one in picked):
        return []
    return [GuiElement(one.type, one.score, _box(boxes[one.index])) for one in picked]


def with_texts(shapes: Sequence[GuiElement], screen: Screen) -> Found:
    """Return `shapes` with their texts, and the texts outside interactive shapes as elements. The order is from top to
    bottom and left to right."""
    pieces = pieces_of(screen.image, screen.lines)
    places = as_boxes([one.box for one in shapes])
    texts = texts_in(places, pieces)
    elements = [replace(one, text=text) for one, text in zip(shapes, texts, strict=True)]
    clickable = places[[one.type in INTERACTIVE for one in shapes]]
    elements += [GuiElement("text", one.confidence, one.box, one.text) for one in texts_beside(clickable, pieces)]
    return tuple(sorted(elements, key=lambda element: (element.box[1], element.box[0])))


def _flat_share(image: Image) -> float:
    """Return the share of flat blocks in `image`."""
    rows, columns = (side // _BLOCK_SIDE for side in image.shape[:2])
    image = image[: rows * _BLOCK_SIDE, : columns * _BLOCK_SIDE]
    step = max(1, _PART_PIXELS // (_BLOCK_SIDE * image.shape[1]))
    flat = 0
    for top in range(0, rows, step):
        bottom = min(rows, top + step)
        # The row below the part belongs to the differences of the part's last row.
        right, below = differences(image[top * _BLOCK_SIDE : bottom * _BLOCK_SIDE + 1])
        strongest = np.maximum(right, below)[: (bottom - top) * _BLOCK_SIDE]
        # One axis after the other takes an eighth of the time of both at once.
        across = strongest.reshape(bottom - top, _BLOCK_SIDE, columns * _BLOCK_SIDE).max(axis=1)
        blocks = across.reshape(bottom - top, columns, _BLOCK_SIDE).max(axis=2)
        flat += int((blocks <= _FLAT_DIFFERENCE).sum())
    return float(flat / (rows * columns))


def judge_boxes(image: Image, lines: Sequence[TextLine], network: ScreenNetwork) -> tuple[Boxes, Floats]:
    """Return the proposed boxes that no cut between parts of the picture divides, in pixels of `image`, and the
    probabilities of their types."""
    boxes, probabilities = [np.zeros((0, 4), np.float32)], [np.zeros((0, 14), np.float32)]
    for view in views_of(image, lines):
        proposals = propose_boxes(view.right, view.below, view.pieces)
        if not len(proposals.boxes):
            continue
        whole = is_whole(view, proposals.boxes)
        corner = np.array([*view.corner, *view.corner], np.float32)
        boxes.append(((proposals.boxes + corner) / view.scale)[whole])
        probabilities.append(network.probabilities(describe_boxes(view, proposals))[whole])
    return np.concatenate(boxes), np.concatenate(probabilities)


def _box(place: Box) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(side) for side in place)
    return left, top, right, bottom
