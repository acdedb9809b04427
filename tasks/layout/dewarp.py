"""The bend that all lines of a photographed page share, taken out of their boxes."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from tasks.layout.reading_order import LineBox

_BANDS = 8
"""Vertical bands of the page, in each of which the lines run at one slope."""
_FEWEST = 5
"""Lines that show the slope of a band."""
_LONG = 4
"""Length of a line whose slope can be relied on, in heights."""
_BENT = 0.4
"""Rise of the page, in heights of a line, from which it counts as bent. Less is no trouble to those who make rows."""


def straightened(boxes: Sequence[LineBox]) -> Sequence[LineBox]:
    """`boxes`, moved up and down as if the page lay flat; as they are if it does.

    A sheet bends about an upright axis as a rule: lines above each other run at one slope, and the slopes along a
    row add up to its curve.
    """
    long = [box for box in boxes if box.right - box.left >= _LONG * box.height]
    if len(long) < 2 * _FEWEST:
        return boxes
    edges = np.linspace(min(box.left for box in boxes), max(box.right for box in boxes), _BANDS + 1)
    bands: list[list[LineBox]] = [[] for _ in range(_BANDS)]
    for box, place in zip(long, np.searchsorted(edges[1:-1], [box.centre for box in long]).tolist(), strict=True):
        bands[place].append(box)
    known = [band for band in bands if len(band) >= _FEWEST]
    if len(known) < 2:
        return boxes
    centres = [median(box.centre for box in band) for band in known]
    slopes = [median(box.slope for box in band) for band in known]
    rises = np.interp((edges[1:] + edges[:-1]) / 2, centres, slopes) * np.diff(edges)
    curve = np.concatenate([[0], rises.cumsum()])
    if np.ptp(curve) < _BENT * median(box.height for box in boxes):
        return boxes
    drops = np.interp([box.centre for box in boxes], edges, curve).tolist()
    return [replace(box, top=box.top - drop, bottom=box.bottom - drop) for box, drop in zip(boxes, drops, strict=True)]
