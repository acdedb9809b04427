"""Choice of the scales at which a picture must be searched for text.

The detector finds lines whose letters are between about 6 and 400 px high at its input (measured on rendered text:
all lines found from a font size of 8 px up). A picture of moderate area serves for nearly every page; only where
its words would become too small is the picture searched again, finer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Parts
from models.vision.ppocr.contours import is_large
from models.vision.text import Image

_COARSE_AREA = 0.65e6
"""Pixels of the first search: an A4 page at 960 × 680."""

_SMALLEST_SURE = 9.0
"""Height of a line of text in the first search, in its pixels, below which it may be missed."""

_FINE_HEIGHT = 12.0
"""Height that the fine search gives to the smallest lines."""

_LEAST_HEIGHT = 5
"""Least height of a line, in the picture's own pixels; lower lines cannot be read anyway."""

_SLENDER = 4.0
"""Width over height from which a bar may be a line of text."""

_TEXT_THAT_MATTERS = 6.0
"""Width of all small lines together, over their height: a word of ten letters."""

_EDGE = 40
"""Least difference of ink and paper, in grey levels."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Factors from the picture's pixels to the detector's."""

    coarse: float
    fine: float | None
    """The factor of the fine search; None when the coarse one sees everything."""


_BAND = 4_000_000
"""Pixels of a large picture that are looked at for bars in one part: it takes ten times their memory."""


def choose_scales(image: Image) -> Parts[Scales]:
    height, width = image.shape[:2]
    coarse = min(1.0, (_COARSE_AREA / (height * width)) ** 0.5)
    if coarse > 0.9:
        return Scales(coarse, None)
    limit = _SMALLEST_SURE / coarse
    across, down = [], []
    rows = max(1, _BAND // width) if is_large(image) else height
    for top in range(0, height, rows):
        if top:
            yield
        grey = cv2.cvtColor(image[top : top + rows], cv2.COLOR_RGB2GRAY)
        across.append(_bars(grey, limit))
        down.append(_bars(np.ascontiguousarray(grey.T), limit))
    # Letters that happen to stand above each other look like a few short lines running down.
    bars = max(_Bars.of_all(across), _Bars.of_all(down), key=lambda bars: bars.lengths.sum())
    small = bars.lower_than(limit)
    if small.lengths.sum() < _TEXT_THAT_MATTERS:
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
        """The height up to which a fifth of the text goes."""
        order = self.heights.argsort()
        share = self.lengths[order].cumsum() / self.lengths.sum()
        return float(self.heights[order][int(share.searchsorted(0.2))])


def _bars(grey: NDArray[np.uint8], limit: float) -> _Bars:
    """Upright strokes joined along x over the gaps between the words of lines up to about `limit` pixels high."""
    # The edges of upright strokes suffice to find text; rules and the outlines of large letters have few of them.
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((1, 2), np.uint8))
    ink = (edges > _EDGE).astype(np.uint8)
    # Upright rules of a table would join its rows to one tall blob.
    ink -= cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((round(2 * limit), 1), np.uint8))
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, max(3, round(limit))), np.uint8))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    columns = (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    width, height, area = (blobs[1:, column].astype(np.float64) for column in columns)
    bars = (height >= _LEAST_HEIGHT) & (width >= _SLENDER * height) & (area > 0.5 * width * height)
    return _Bars(height[bars], width[bars] / height[bars])
