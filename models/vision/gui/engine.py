"""Detects the elements of a screen by their contours and a small network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.elements import INTERACTIVE, TYPES, Found, GuiElement, Screen
from models.vision.gui.features import describe_boxes
from models.vision.gui.regions import (
    Box,
    Boxes,
    Floats,
    area_of,
    as_boxes,
    differences,
    intersection_area,
    propose_boxes,
)
from models.vision.gui.screen_view import is_whole, views_of
from models.vision.gui.text_pieces import TextPiece, pieces_of
from models.vision.text import Image, TextLine

_TEXT_INSIDE_SHARE = 0.6
"""A piece of text belongs to an element if more than this share of it is inside the element."""
_TAKEN_SHARE = 0.4
"""A piece of text counts as a separate text unless at least this share of it is inside elements."""
_SLACK_PIXELS = 2
"""A part may extend beyond its line by at most this many pixels."""
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
WEIGHTS = Path(str(files("models.vision.gui"))) / "network.npz"
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


@dataclass(frozen=True, slots=True)
class ChosenBox:
    index: int
    type: str
    score: float


class ScreenNetwork:
    """An ensemble of multilayer perceptrons of one shape, whose probabilities are averaged. Raises ValueError for
    weights with a different number of classes."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._mean, self._spread = (arrays[name].astype(np.float32) for name in ("mean", "spread"))
            count = sum(name.startswith("weight") for name in arrays.files)
            self._layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = [
                (arrays[f"weight{index}"].astype(np.float32), arrays[f"bias{index}"].astype(np.float32))
                for index in range(count)
            ]
        outputs = self._layers[-1][1].shape[1]
        if outputs != len(TYPES) + 1:
            raise ValueError(f"the network has {outputs} classes instead of {len(TYPES) + 1}")

    def probabilities(self, features: Floats) -> Floats:
        """Return the probabilities of the types, N × TYPES. The difference between 1 and the sum of a row is the
        probability that the box is not an element."""
        values: Floats = np.clip((features - self._mean) / self._spread, -8, 8)[None]
        for weight, bias in self._layers[:-1]:
            values = np.maximum(values @ weight + bias[:, None], 0)
        weight, bias = self._layers[-1]
        scores = values @ weight + bias[:, None]
        powers = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities: Floats = (powers / powers.sum(axis=2, keepdims=True)).mean(axis=0)[:, 1:]
        return probabilities


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


def texts_in(places: Boxes, pieces: Sequence[TextPiece]) -> list[str]:
    """Return the text in each of `places`. A piece belongs to the smallest place in which it lies."""
    owned: list[list[TextPiece]] = [[] for _ in places]
    if len(places) and pieces:
        share, area = _shares(places, pieces), area_of(places)
        for piece, inside in zip(pieces, share > _TEXT_INSIDE_SHARE, strict=True):
            if inside.any():
                owned[int(np.where(inside, area, np.inf).argmin())].append(piece)
    return [" ".join(piece.text for piece in _in_order(_without_parts(inside))) for inside in owned]


def texts_beside(places: Boxes, pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return the pieces of text that are in none of `places`: whole lines if possible, else their parts."""
    if not len(places):
        return _without_parts(pieces)
    taken = _shares(places, pieces).sum(axis=1) if pieces else np.zeros(0)
    return _without_parts([piece for piece, share in zip(pieces, taken, strict=True) if share < _TAKEN_SHARE])


def _shares(places: Boxes, pieces: Sequence[TextPiece]) -> NDArray[np.float32]:
    """Return the share of each piece's area that lies in each place, as an array of pieces × places."""
    boxes = np.array([piece.box for piece in pieces], np.float32)
    return (intersection_area(boxes, places) / np.maximum(area_of(boxes), 1)[:, None]).astype(np.float32)


def _without_parts(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return `pieces` without the pieces that lie inside another piece. A line of two colours, for example, is among
    `pieces` as a whole and in parts."""
    kept: list[TextPiece] = []
    outer = np.zeros((4, len(pieces)))
    slack = np.array([-_SLACK_PIXELS, -_SLACK_PIXELS, _SLACK_PIXELS, _SLACK_PIXELS])
    for piece in sorted(pieces, key=lambda one: one.box[0] - one.box[2]):
        left, top, right, bottom = outer[:, : len(kept)]
        within = (left <= piece.box[0]) & (top <= piece.box[1]) & (right >= piece.box[2]) & (bottom >= piece.box[3])
        if not within.any():
            outer[:, len(kept)] = np.array(piece.box) + slack
            kept.append(piece)
    return kept


def _in_order(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return `pieces` line by line, each line from left to right."""
    if not pieces:
        return []
    text_height = float(np.median([piece.box[3] - piece.box[1] for piece in pieces])) or 1.0
    return sorted(pieces, key=lambda one: (round((one.box[1] + one.box[3]) / 2 / text_height), one.box[0]))
