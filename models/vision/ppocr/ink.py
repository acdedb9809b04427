"""Finds the ink of a line of text, and the gaps in it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.vision.text import Image

Ink = NDArray[np.bool_]

_CONTRAST = 0.35
"""Ink differs from the paper by more than this, relative to the 98th percentile of the differences in the line."""

_LEAST_DIFFERENCE = 12.0
"""Ink differs from the paper by more than this many grey levels."""

_MAX_BLANK_ROWS = 3
"""At most this many successive rows inside a line, of its 48, are blank, such as those below the dot of an i."""


def ink_of(picture: Image) -> Ink:
    """Return a mask, height × width, of the pixels that differ from the paper, whether they are darker or lighter."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    paper = _quantile(grey, 0.5)
    difference = cv2.absdiff(grey, np.full_like(grey, paper))
    least = max(_LEAST_DIFFERENCE, _CONTRAST * _quantile(difference, 0.98))
    return np.asarray(difference > least, np.bool_)


def _quantile(levels: NDArray[np.uint8], share: float) -> int:
    """Return the grey level below which `share` of the pixels are. Counting the levels takes a tenth of the time of
    sorting."""
    counts = np.bincount(levels.ravel(), minlength=256).cumsum()
    return int(counts.searchsorted(share * levels.size))


def body_rows(ink: Ink) -> tuple[int, int]:
    """Return the first row of the line's ink and the row after the last one. Ink that reaches in from other lines is
    ignored."""
    rows = ink.sum(1)
    if not rows.any():
        return 0, len(rows)
    inked = np.flatnonzero(rows >= max(1, round(0.01 * float(rows.max()))))
    runs = np.split(inked, np.flatnonzero(np.diff(inked) > _MAX_BLANK_ROWS) + 1)
    body = max(runs, key=lambda run: int(rows[run].sum()))
    return int(body[0]), int(body[-1]) + 1


def inked_columns(ink: Ink, rows: tuple[int, int]) -> Ink:
    """Return a mask of the columns that have ink between the two `rows`."""
    return np.asarray(ink[rows[0] : rows[1]].any(0), np.bool_)


def widest_gap(inked: Ink, start: float, stop: float) -> tuple[int, int]:
    """Return the longest run of columns without ink between two positions; an empty run in the middle if there is
    none."""
    first = int(start)
    # Each word takes two calls, on a dozen columns. NumPy would take eight times as long.
    columns = inked[first : int(stop) + 1].tobytes()
    gap = max(columns.split(b"\1"), key=len)
    if not gap:
        middle = round((start + stop) / 2)
        return middle, middle
    first += columns.index(gap)
    return first, first + len(gap)
