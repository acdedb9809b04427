"""Finds the connected components of a large mask in bands, so that other work has its turn between them."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Parts

Stats = NDArray[np.int32]
"""Array of N × 5, as OpenCV returns it: left, top, width, height and area of each component."""
_NONE = -1


def component_stats(bands: Iterable[NDArray[np.uint8]]) -> Parts[Stats]:
    """Return the statistics of the components of a mask, which are connected along rows and columns. The order of the
    components is undefined.

    `bands` are the mask's rows from top to bottom; each of them is one part of the work. A component that spans several
    bands counts as one.
    """
    found = [np.zeros((0, 5), np.int32)]
    seams = [np.zeros((2, 0), np.int64)]
    count = top = 0
    above: NDArray[np.int64] | None = None
    for band in bands:
        if above is not None:
            yield
        _, labels, stats, _ = cv2.connectedComponentsWithStats(band, connectivity=4)
        first, last = (np.where(row > 0, row.astype(np.int64) - 1 + count, _NONE) for row in (labels[0], labels[-1]))
        if above is not None:
            touching = (above != _NONE) & (first != _NONE)
            seams.append(np.unique(np.stack((above[touching], first[touching])), axis=1))
        stats[:, cv2.CC_STAT_TOP] += top
        found.append(stats[1:])
        count, top, above = count + len(stats) - 1, top + len(band), last
    return _joined(np.concatenate(found), np.concatenate(seams, axis=1))


def _joined(stats: Stats, seams: NDArray[np.int64]) -> Stats:
    """Return `stats` with one row for all components that `seams`, 2 × M, connects."""
    if not seams.size:
        return stats
    roots = _roots(len(stats), seams)
    ends = stats[:, :2] + stats[:, 2:4]
    joined = stats.copy()
    np.minimum.at(joined[:, 0], roots, stats[:, 0])
    np.minimum.at(joined[:, 1], roots, stats[:, 1])
    far = ends.copy()
    np.maximum.at(far[:, 0], roots, ends[:, 0])
    np.maximum.at(far[:, 1], roots, ends[:, 1])
    joined[:, 2:4] = far - joined[:, :2]
    joined[:, cv2.CC_STAT_AREA] = np.bincount(roots, stats[:, cv2.CC_STAT_AREA], len(stats)).astype(np.int32)
    return np.asarray(joined[roots == np.arange(len(stats))], np.int32)


def _roots(count: int, seams: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each of `count` components, the smallest number of those with which it is connected."""
    roots = np.arange(count)
    while True:
        one, other = roots[seams]
        low, high = np.minimum(one, other), np.maximum(one, other)
        if (low == high).all():
            return roots
        np.minimum.at(roots, high, low)
        while not np.array_equal(nearer := roots[roots], roots):
            roots = nearer
