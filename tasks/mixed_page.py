"""Pages of which a part is text and a part is a picture of text."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.vision.text import TextLine, Word


def combined(layer: Sequence[TextLine], read: Sequence[TextLine]) -> list[TextLine]:
    """The lines of a page's text layer, and of the lines `read` from its picture what the layer lacks.

    A word that was read is dropped if words of the layer on its own level cover half of its width: the layer is
    the text itself, the reading is only as good as the engine.
    """
    if not layer:
        return list(read)
    words = [word for line in read for word in line.words]
    lacking = iter(_uncovered(words, [word for line in layer for word in line.words]))
    rest = [[word for word in line.words if next(lacking)] for line in read]
    return [*layer, *(_part(line, kept) for line, kept in zip(read, rest, strict=True) if kept)]


def _part(line: TextLine, kept: list[Word]) -> TextLine:
    if len(kept) == len(line.words):
        return line
    first, last = kept[0].quad, kept[-1].quad
    return TextLine(tuple(kept), (first[0], last[1], last[2], first[3]))


def _uncovered(words: Sequence[Word], layer: Sequence[Word]) -> list[bool]:
    left, top, right, bottom = _boxes(words)[:, :, None]
    layer_left, layer_top, layer_right, layer_bottom = _boxes(layer)[:, None, :]
    middle, layer_middle = (top + bottom) / 2, (layer_top + layer_bottom) / 2
    # Either middle in the other's height: the layer's boxes are tight, a detector's are generous.
    level = ((layer_top <= middle) & (middle <= layer_bottom)) | ((top <= layer_middle) & (layer_middle <= bottom))
    shared = np.minimum(right, layer_right) - np.maximum(left, layer_left)
    covered = np.where(level, shared.clip(min=0), 0).sum(axis=1)
    uncovered: list[bool] = (2 * covered < (right - left)[:, 0]).tolist()
    return uncovered


def _boxes(words: Iterable[Word]) -> NDArray[np.float64]:
    """4 × n: left, top, right, bottom of the upright rectangles around the words."""
    corners = np.array([word.quad for word in words], np.float64).reshape(-1, 4, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).T
