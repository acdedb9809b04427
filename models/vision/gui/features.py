"""What each proposed box looks like, and what is around it, as numbers. Lengths are in heights of a line of text."""

import numpy as np

from models.vision.gui.borders import borders_of, texture_of
from models.vision.gui.neighbour_features import company_of
from models.vision.gui.regions import SOURCES, Boxes, Proposals
from models.vision.gui.sums import Floats
from models.vision.gui.views import View
from models.vision.gui.writing import Writing

_COPIED = np.r_[0:3, len(SOURCES) + 8 : len(SOURCES) + 8 + 10]
"""Features that a box takes over from the one around it: its size and how its borders look."""


def described(view: View, proposals: Proposals) -> Floats:
    """N × the number of features: the same for the same boxes, whatever order they come in."""
    boxes = proposals.boxes
    height, width = view.image.shape[:2]
    borders, fill = borders_of(view, boxes)
    columns = [
        _shape(boxes, view.line, width, height),
        np.eye(len(SOURCES), dtype=np.float32)[proposals.sources],
        borders,
        texture_of(view, boxes),
        Writing(view, boxes).features(proposals.piece),
    ]
    own = np.concatenate(columns, axis=1)
    return np.concatenate([own, company_of(boxes, own[:, _COPIED], fill, view.line), _page(view, len(boxes))], axis=1)


def _shape(boxes: Boxes, line: float, width: int, height: int) -> Floats:
    wide, tall = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    columns = [
        np.log2(wide / line + 0.05),
        np.log2(tall / line + 0.05),
        np.log2((wide + 1) / (tall + 1)),
        wide / width,
        tall / height,
        boxes[:, 0] / width,
        boxes[:, 1] / height,
        (width - boxes[:, 2]) / width,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _page(view: View, count: int) -> Floats:
    """What the whole picture is like: photos are nowhere flat, screens nearly everywhere."""
    strongest = np.maximum(view.right, view.below)
    flat = float((strongest <= 2).mean())
    sharp = float((strongest > 60).mean())
    dark = float(np.median(view.image[::8, ::8])) / 255
    busy = min(4.0, len(view.pieces) / (strongest.size / 40_000))
    return np.tile(np.array([flat, sharp * 5, dark, busy], np.float32), (count, 1))
