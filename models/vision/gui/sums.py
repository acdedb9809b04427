"""Means over many boxes of one picture at once, by integral images."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Sums:
    """Means of a picture's channels (8 bits each) over boxes, in constant time each."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._table = cv2.integral(picture, sdepth=cv2.CV_32S)
        if self._table.ndim == 2:
            self._table = self._table[:, :, None]
        self._height, self._width = picture.shape[:2]

    def means(self, x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
        """Per box and channel. A box is moved inside the picture, and is a pixel large at least."""
        left = np.clip(np.round(x0), 0, self._width - 1).astype(np.int64)
        top = np.clip(np.round(y0), 0, self._height - 1).astype(np.int64)
        right = np.clip(np.round(x1).astype(np.int64), left + 1, self._width)
        bottom = np.clip(np.round(y1).astype(np.int64), top + 1, self._height)
        table = self._table
        # Sums in the table wrap around at 2³¹; the differences of boxes that are smaller come out right.
        total = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        means: Floats = (total / ((right - left) * (bottom - top))[:, None]).astype(np.float32)
        return means
