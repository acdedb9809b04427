"""Chooses the scales at which a picture is searched for text.

The detector finds lines whose letters are between about 6 and 400 px high at its input (measured on rendered text: all
lines were found from a font size of 8 px up). A search at a moderate scale suffices for nearly every page. The picture
is searched again, at a finer scale, only if some words are too small in the first search.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image

_COARSE_AREA = 0.65e6
"""Number of pixels of the picture in the first search: an A4 page has 960 × 680."""

_RELIABLE_HEIGHT = 9.0
"""The first search may miss lines that are lower than this, in pixels of this search."""

_FINE_HEIGHT = 12.0
"""Height of the smallest lines in the fine search, in pixels."""

_LEAST_HEIGHT = 5
"""Lines that are lower than this, in pixels of the picture, do not count, because they are illegible at any scale."""

_SLENDER = 4.0
"""A bar may be a line of text if the ratio of width to height is at least this."""

_LEAST_SMALL_TEXT = 6.0
"""A fine search is made only if all small lines together have at least this width, relative to their height. This is
the width of a word of about ten letters."""

_LEAST_CONTRAST = 40
"""Ink differs from the paper by more than this many grey levels."""
_BAND_PIXELS = 4_000_000
"""Bars are searched for in at most this many pixels of a picture of more than _WHOLE_PIXELS at a time, because the
search takes ten times their memory."""
_WHOLE_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class Scales:
    """Scale factors from the picture to the detector's input."""

    coarse: float
    fine: float | None
    """Factor of the fine search; None if the coarse search suffices."""


def choose_scales(image: Image) -> Scales:
    height, width = image.shape[:2]
    coarse = min(1.0, (_COARSE_AREA / (height * width)) ** 0.5)
    if coarse > 0.9:
        return Scales(coarse, None)
    limit = _RELIABLE_HEIGHT / coarse
    across, down = [], []
    rows = max(1, _BAND_PIXELS // width) if height * width > _WHOLE_PIXELS else height
    for top in range(0, height, rows):
        grey = cv2.cvtColor(image[top : top + rows], cv2.COLOR_RGB2GRAY)
        across.append(_bars(grey, limit))
        down.append(_bars(np.asarray(cv2.transpose(grey), np.uint8), limit))
    # Letters that happen to be aligned vertically look like a few short vertical lines.
    bars = max(_Bars.of_all(across), _Bars.of_all(down), key=lambda bars: bars.lengths.sum())
    small = bars.lower_than(limit)
    if small.lengths.sum() < _LEAST_SMALL_TEXT:
        return Scales(coarse, None)
    return Scales(coarse, min(1.0, max(_FINE_HEIGHT / small.low_height(), 1.25 * coarse)))


@dataclass(frozen=True, slots=True)
class _Bars:
    """Shapes in a picture that look like lines of text."""

    heights: NDArray[np.float64]
    """Heights in pixels."""
    lengths: NDArray[np.float64]
    """Widths in units of the height."""

    @classmethod
    def of_all(cls, bands: Sequence["_Bars"]) -> "_Bars":
        return cls(np.concatenate([band.heights for band in bands]), np.concatenate([band.lengths for band in bands]))

    def lower_than(self, limit: float) -> "_Bars":
        low = self.heights < limit
        return _Bars(self.heights[low], self.lengths[low])

    def low_height(self) -> float:
        """Return the height below which a fifth of the text is."""
        order = self.heights.argsort()
        share = self.lengths[order].cumsum() / self.lengths.sum()
        return float(self.heights[order][int(share.searchsorted(0.2))])


def _bars(grey: NDArray[np.uint8], limit: float) -> _Bars:
    """Return the bars of lines up to about `limit` pixels high: their upright strokes, joined along x across the gaps
    between words."""
    # The edges of upright strokes suffice to find text. Rules and outlines of large letters have few of them.
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((1, 2), np.uint8))
    ink = (edges > _LEAST_CONTRAST).astype(np.uint8)
    # A table's upright rules are removed, because they would join its rows.
    ink -= cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(2 * limit), 1), np.uint8))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(3, round(limit))), np.uint8))
    blobs = cv2.connectedComponentsWithStats(joined, connectivity=4)[2][1:]
    wanted = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    width, height, area = (blobs[:, column].astype(np.float64) for column in wanted)
    bars = (height >= _LEAST_HEIGHT) & (width >= _SLENDER * height) & (area > 0.5 * width * height)
    return _Bars(height[bars], width[bars] / height[bars])
