"""Pages of which a part is text and a part is a picture of text."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.vision.text import TextLine, Word

_AT_ONCE = 64
"""Words compared with the layer at a time: they stand on a few lines, and only the layer's words there matter."""


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


def _uncovered(words: Sequence[Word], layer: Sequence[Word]) -> NDArray[np.bool_]:
    read, typed = _boxes(words), _boxes(layer)
    typed = typed[:, typed[1].argsort()]
    reach = np.maximum.accumulate(typed[3])
    uncovered = np.zeros(len(words), np.bool_)
    order = read[1].argsort()
    for start in range(0, len(words), _AT_ONCE):
        some = order[start : start + _AT_ONCE]
        left, top, right, bottom = read[:, some]
        level = slice(np.searchsorted(reach, top.min()), np.searchsorted(typed[1], bottom.max(), "right"))
        uncovered[some] = 2 * _covered(read[:, some], typed[:, level]) < right - left
    return uncovered


def _covered(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the width of each of the boxes `read` is covered by the boxes `typed` on its level."""
    left, top, right, bottom = read[:, :, None]
    typed_left, typed_top, typed_right, typed_bottom = typed[:, None, :]
    middle, typed_middle = (top + bottom) / 2, (typed_top + typed_bottom) / 2
    # Either middle in the other's height: the layer's boxes are tight, a detector's are generous.
    level = ((typed_top <= middle) & (middle <= typed_bottom)) | ((top <= typed_middle) & (typed_middle <= bottom))
    shared = np.minimum(right, typed_right) - np.maximum(left, typed_left)
    covered: NDArray[np.float64] = np.where(level, shared.clip(min=0), 0).sum(axis=1)
    return covered


def _boxes(words: Iterable[Word]) -> NDArray[np.float64]:
    """4 × n: left, top, right, bottom of the upright rectangles around the words."""
    corners = np.array([word.quad for word in words], np.float64).reshape(-1, 4, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).T
