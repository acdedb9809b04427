"""Which frames of a video are looked at: evenly spread over its time, and where the scene changes."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_CHANGE = 0.02
"""Mean difference of two small pictures, of the whole range of grey, that is more than noise: a page of text in place
of another one makes 0.03 and more, a cut nearly always over 0.1."""


def grid(begin: float, end: float, count: int) -> list[float]:
    """`count` times in the middle of equal parts of the time from `begin` to `end`."""
    return [begin + (end - begin) * (part + 0.5) / count for part in range(count)]


def scene_changes(pictures: Sequence[NDArray[np.uint8]], most: int) -> list[int]:
    """Indices, ascending, of at most `most` pictures that differ most from those before them. All have one shape."""
    changes = [
        (float(np.abs(after.astype(np.int16) - before).mean()) / 255, index)
        for index, (before, after) in enumerate(pairwise(pictures), start=1)
    ]
    changes = sorted((change for change in changes if change[0] > _CHANGE), key=lambda change: (-change[0], change[1]))
    return sorted(index for _, index in changes[:most])


def spread(anchors: Sequence[float], end: float, count: int) -> list[float]:
    """`count` times, ascending: the anchors, which are ascending and not more, and others between them, and up to
    `end`, that leave no long time without one."""
    lengths = [after - before for before, after in zip(anchors, [*anchors[1:], end], strict=True)]
    added = [0] * len(anchors)
    for _ in range(count - len(anchors)):
        longest = max(range(len(anchors)), key=lambda index: lengths[index] / (added[index] + 1))
        added[longest] += 1
    return [
        start + length * part / (more + 1)
        for start, length, more in zip(anchors, lengths, added, strict=True)
        for part in range(more + 1)
    ]


def at_or_before(times: Sequence[float], time: float) -> int:
    """Index into ascending `times` of the last one that is not after `time`, or of the first."""
    return max(0, bisect_right(times, time) - 1)
