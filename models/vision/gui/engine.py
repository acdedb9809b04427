"""The engine that needs no more than the picture and its text: contours, flat areas and OCR lines, put together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.base import Parts, Unfinished, next_part
from models.vision.gui.elements import INTERACTIVE, TYPES, Found, GuiElement, Screen
from models.vision.gui.features import described
from models.vision.gui.lettering import pieces_of
from models.vision.gui.question import views_of, whole_in
from models.vision.gui.regions import Boxes, Floats, as_boxes, differences, proposed
from models.vision.gui.writing import texts_beside, texts_in
from models.vision.text import Image, TextLine

WEIGHTS = Path(str(files("models.vision.gui"))) / "network.npz"


class Network:
    """The mean of a few perceptrons with the same layers. Raises ValueError for weights of another shape."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        with np.load(path, allow_pickle=False) as arrays:
            self._mean, self._spread = (arrays[name].astype(np.float32) for name in ("mean", "spread"))
            count = sum(name.startswith("weight") for name in arrays.files)
            self._layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = [
                (arrays[f"weight{number}"].astype(np.float32), arrays[f"bias{number}"].astype(np.float32))
                for number in range(count)
            ]
        outputs = self._layers[-1][1].shape[1]
        if outputs != len(TYPES) + 1:
            raise ValueError(f"the network tells {outputs} things apart, and there are {len(TYPES) + 1}")

    def probabilities(self, features: Floats) -> Floats:
        """N × TYPES; what is missing to 1 is the probability of no element."""
        values: Floats = np.clip((features - self._mean) / self._spread, -8, 8)[None]
        for weight, bias in self._layers[:-1]:
            values = np.maximum(values @ weight + bias[:, None], 0)
        weight, bias = self._layers[-1]
        scores = values @ weight + bias[:, None]
        powers = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities: Floats = (powers / powers.sum(axis=2, keepdims=True)).mean(axis=0)[:, 1:]
        return probabilities


LEAST = 0.2
"""Probability of being something to click, from which on a box is; pictures need half. On pages that the
network had not learnt from, in the styles of those that it had, 0.2 finds 94 % with 89 % right, and 0.5 finds 91 % with
96 % right; below it little more is found."""
_IMAGE = TYPES.index("image")
_SAME = 0.4
"""Common over joint area from which on two boxes are of one element."""
_INSIDE = 0.75
"""Share of the smaller box from which on it lies in the larger one."""
MOST_ELEMENTS = 2_000
"""Of one picture: a screen full of controls has some 300."""
_MOST_CHOSEN_FROM = 20_000
"""Boxes of one picture, the most probable ones, each of which is compared with what is found already: a texture of 64
megapixels has 140,000."""


@dataclass(frozen=True, slots=True)
class Chosen:
    index: int
    type: str
    score: float


def chosen(boxes: Boxes, probabilities: Floats, least: float = LEAST) -> list[Chosen]:
    """The elements among `boxes` but for texts, the most probable first. `probabilities`: N × TYPES.

    What lies in an interactive element is a part of it; pictures may contain elements, but not pictures.
    """
    clickable = probabilities[:, : len(INTERACTIVE)]
    interactive = clickable.sum(axis=1) >= least
    pictures = probabilities[:, _IMAGE]
    kinds = np.where(interactive, clickable.argmax(axis=1), _IMAGE)
    score = np.where(interactive, clickable.sum(axis=1), pictures)
    # What can be clicked is decided first: a picture that it covers belongs to it.
    order = np.lexsort((np.arange(len(boxes)), -score, ~interactive))
    enough = interactive | (score >= 0.5)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for number in order[enough[order]][:_MOST_CHOSEN_FROM]:
        if not (kept and _is_taken(int(number), kept, boxes, area, interactive, kinds)):
            kept.append(int(number))
        if len(kept) == MOST_ELEMENTS:
            break
    kept.sort(key=lambda number: (-score[number], number))
    return [Chosen(number, TYPES[kinds[number]], float(min(1.0, score[number]))) for number in kept]


def _is_taken(
    number: int,
    kept: Sequence[int],
    boxes: Boxes,
    area: Floats,
    interactive: NDArray[np.bool_],
    kinds: NDArray[np.int64],
) -> bool:
    others = boxes[kept]
    wide = np.minimum(others[:, 2], boxes[number, 2]) - np.maximum(others[:, 0], boxes[number, 0])
    tall = np.minimum(others[:, 3], boxes[number, 3]) - np.maximum(others[:, 1], boxes[number, 1])
    common = np.maximum(wide, 0) * np.maximum(tall, 0)
    same = common > _SAME * (area[kept] + area[number] - common)
    inside = common > _INSIDE * np.minimum(area[kept], area[number])
    # The one that would contain the other: a thing to click contains nothing else, and none lies twice in a place.
    outer = np.where(area[number] < area[kept], interactive[kept], interactive[number])
    return bool((same | (inside & (outer | (kinds[kept] == kinds[number])))).any())


LEAST_SIDE = 16
"""Pixels; smaller pictures show no user interface."""
_BLOCK, _STILL, _DRAWN = 16, 2, 0.15
"""A screen is flat in most places: of its blocks of 16 × 16 pixels, at least so many have no neighbours that differ by
more than 2. Screenshots measure 0.35 to 1, also as JPEG; the photos tried 0 to 0.19, most of them under 0.05."""
_CERTAIN = 0.9
"""Score that one element at least has where there is a user interface."""


class ContourEngine:
    """Implements `Engine[Screen, Found]`. A large screen is looked at in several parts."""

    def __init__(self) -> None:
        self._network: Network | None = None

    def load(self) -> None:
        self._network = Network()

    def run(self, batch: Sequence[Screen | Parts[Found]]) -> Sequence[Found | Unfinished]:
        assert self._network is not None
        return [next_part(found_in(one, self._network) if isinstance(one, Screen) else one) for one in batch]

    def close(self) -> None:
        self._network = None


def found_in(screen: Screen, network: Network) -> Parts[Found]:
    """The elements of `screen`, from top to bottom and left to right; none where nothing of it can be clicked."""
    shapes = yield from shapes_in(screen, network)
    return with_texts(shapes, screen) if shapes else ()


def shapes_in(screen: Screen, network: Network) -> Parts[list[GuiElement]]:
    """The elements of `screen` but for texts, without what is written in them, the most probable first."""
    if min(screen.image.shape[:2]) < LEAST_SIDE or _flat_share(screen.image) < _DRAWN:
        return []
    boxes, probabilities = yield from judged(screen.image, screen.lines, network)
    picked = chosen(boxes, probabilities)
    if not any(one.type in INTERACTIVE and one.score >= _CERTAIN for one in picked):
        return []
    return [GuiElement(one.type, one.score, _box(boxes[one.index])) for one in picked]


def with_texts(shapes: Sequence[GuiElement], screen: Screen) -> Found:
    """`shapes` with what is written in them, and the texts beside them, from top to bottom and left to right."""
    pieces = pieces_of(screen.image, screen.lines)
    places = as_boxes([one.box for one in shapes])
    texts = texts_in(places, pieces)
    elements = [replace(one, text=text) for one, text in zip(shapes, texts, strict=True)]
    clickable = places[[one.type in INTERACTIVE for one in shapes]]
    elements += [GuiElement("text", one.confidence, one.box, one.text) for one in texts_beside(clickable, pieces)]
    return tuple(sorted(elements, key=lambda element: (element.box[1], element.box[0])))


def _flat_share(image: Image) -> float:
    """The share of blocks of `image` in which nothing changes."""
    rows, columns = (side // _BLOCK for side in image.shape[:2])
    strongest = np.maximum(*differences(image[: rows * _BLOCK, : columns * _BLOCK]))
    blocks = strongest.reshape(rows, _BLOCK, columns, _BLOCK).max(axis=(1, 3))
    return float((blocks <= _STILL).mean())


def judged(image: Image, lines: Sequence[TextLine], network: Network) -> Parts[tuple[Boxes, Floats]]:
    """Every proposed box in pixels of `image`, and the probabilities of what it is."""
    boxes, probabilities = [np.zeros((0, 4), np.float32)], [np.zeros((0, 14), np.float32)]
    for number, view in enumerate(views_of(image, lines)):
        if number:
            yield
        proposals = proposed(view.right, view.below, view.pieces)
        if not len(proposals.boxes):
            continue
        whole = whole_in(view, proposals.boxes)
        corner = np.array([*view.corner, *view.corner], np.float32)
        boxes.append(((proposals.boxes + corner) / view.scale)[whole])
        probabilities.append(network.probabilities(described(view, proposals))[whole])
    return np.concatenate(boxes), np.concatenate(probabilities)


def _box(place: Boxes) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(side) for side in place)
    return left, top, right, bottom
