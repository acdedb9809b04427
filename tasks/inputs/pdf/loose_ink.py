"""Finds the numbers of a PDF page beside which something is drawn that may be a character, but is none.

A file may draw a part of a number as a path, a picture or a field of a form: its text layer then has only the rest.
Rules, frames and larger drawings are not taken for characters, nor are dots that form a line.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.inputs.pdf.shown import PageView
from tasks.inputs.pdf.words import PdfWord

_REACHES = (0.15, 1.5), (0.35, 0.8)
"""Pairs of numbers of em: what is at most the first before or after a number, and has at most the second in width and
in height, may be a part of it. A space has 0.28 em, and figures are 0.75 em high; most icons before telephone numbers
and boxes to tick are larger."""
_BAND = 0.05, 0.7
"""Characters of numbers are seen in this range above the baseline, in em. Underlines and forms' lines are below it."""
_DOT, _DOT_GAP, _DOTTED = 0.35, 1.0, 3.0
"""Dots have at most the first number of em. They form a line if they are at most the second number of em apart, over at
least the third."""
_LARGEST_EM = 48
"""Lines of dots are searched for as those beside text of at most this many pixels."""
_MOST_OVERLAP = 8
"""The places of numbers may have this many times the size of the page together. Otherwise, none of them is certain."""
_EDGE = np.ones((3, 3), np.uint8)
_EDGES = 2
"""Number of pixels by which the edges of what is drawn are wider and higher than itself."""

Mask = NDArray[np.uint8]
"""A picture whose pixels are 0 or 1."""
Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns of pixels."""
_Edges = NDArray[np.intp]
"""The left, upper, right and lower edges of boxes in a picture: an array of 4 x boxes."""


def edges_in(picture: NDArray[np.uint8], contrast: int) -> Mask:
    """Return a mask of the pixels beside which the picture's colour changes by at least `contrast`, of 255."""
    change = cv2.cvtColor(cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, _EDGE), cv2.COLOR_RGB2GRAY)
    return np.asarray((change >= contrast).view(np.uint8))


def numbers_beside(ink: Mask, words: Sequence[PdfWord], view: PageView, centres: Pixels) -> set[int]:
    """Return the indices of the words with a figure beside or in which a part of `ink` may be a character.

    `ink` shows the edges of everything but the glyphs, whose `centres` lie within their frames.
    """
    numbers = [index for index, word in enumerate(words) if _has_figure(word)]
    if not numbers or not ink.any():
        return set()
    chosen = [words[index] for index in numbers]
    reaches = [(_zones(chosen, view, gap), size) for gap, size in _REACHES]
    left, top, right, bottom = reaches[-1][0]
    near = np.flatnonzero(_counts(ink, reaches[-1][0]))
    if ((right - left) * (bottom - top))[near].sum() > _MOST_OVERLAP * ink.size:
        return set(numbers)
    if not len(near):
        return set()
    em = np.array([word.em for word in chosen]) * math.dist(view.pixel(0, 0), view.pixel(0, 1))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(ink)
    sizes = _sizes(parts, stats, centres, min(float(np.median(em)), _LARGEST_EM))
    found = set()
    for zones, largest in reaches:
        for place, (x, y, end, low) in zip(near.tolist(), zones.T[near].tolist(), strict=True):
            if (sizes[parts[y:low, x:end]] <= largest * em[place]).any():
                found.add(numbers[place])
    return found


def _has_figure(word: PdfWord) -> bool:
    return any(glyph.text.isdecimal() for glyph in word.glyphs)


def _zones(words: Sequence[PdfWord], view: PageView, gap: float) -> _Edges:
    """Return the boxes in which the characters of the words are, and those at most `gap` em before or after them."""
    start, end = np.array([word.u for word in words]).T
    dx, dy = np.array([word.direction for word in words]).T
    baseline, em = np.array([(word.baseline, word.em) for word in words]).T
    along = start - gap * em, end + gap * em
    across = [baseline + share * em for share in _BAND]
    x, y = zip(*(view.pixel(u * dx - v * dy, u * dy + v * dx) for u in along for v in across), strict=True)
    edges = np.array([np.floor(np.min(x, 0)), np.floor(np.min(y, 0)), np.ceil(np.max(x, 0)), np.ceil(np.max(y, 0))])
    limits = np.array([[view.width], [view.height]] * 2)
    return np.asarray(np.clip(edges, 0, limits).astype(np.intp))


def _sizes(parts: NDArray[np.int32], stats: NDArray[np.int32], centres: Pixels, em: float) -> NDArray[np.float64]:
    """Return the larger side of each part of the ink in pixels, by its number in `parts`; infinity if it cannot be a
    character. `em` is that of most numbers."""
    left, top, width, height = stats[:, : cv2.CC_STAT_AREA].T
    sizes = np.maximum(width, height) - float(_EDGES)
    held = np.zeros(parts.shape, np.uint8)
    held[centres] = 1
    sizes[_counts(held, np.array([left, top, left + width, top + height])) > 0] = np.inf
    sizes[0] = np.inf
    if (sizes <= _DOT * em).any():
        dots = (sizes <= _DOT * em)[parts].view(np.uint8)
        for side in (0, 1):
            sizes[parts[_dotted_lines(dots, em, side)]] = np.inf
    return np.asarray(sizes)


def _dotted_lines(dots: Mask, em: float, side: int) -> NDArray[np.bool_]:
    """Return a mask of the dots that form level (0) or upright (1) lines."""

    def stroke(length: float) -> Mask:
        return np.ones(np.roll((1, math.ceil(length * em)), side), np.uint8)

    joined = cv2.morphologyEx(dots, cv2.MORPH_CLOSE, stroke(_DOT_GAP))
    return np.asarray((cv2.morphologyEx(joined, cv2.MORPH_OPEN, stroke(_DOTTED)) & dots) > 0)


def _counts(mask: Mask, boxes: _Edges) -> NDArray[np.int32]:
    """Return how many pixels of the mask each of the boxes has."""
    sums = cv2.integral(mask)
    left, top, right, bottom = boxes
    return np.asarray(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
