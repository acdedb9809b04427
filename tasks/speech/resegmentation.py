"""Where, within a stretch of speech, one voice ends and the next begins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.speech.turns import Turn

FRAME = 0.05
"""Seconds: how finely turns are cut."""

_CHANGE = 0.6
"""What a change of speaker costs, in cosine × frames: a voice must be nearer by 0.1 for 0.3 s."""
_CHANGE_IN_PAUSE = 0.25
_PAUSE_LEVEL = 0.15
"""Of the median loudness of a region: quieter frames are pauses, where a change costs less."""


@dataclass(frozen=True, slots=True)
class Region:
    """An unbroken stretch of speech, as it was heard."""

    start: float
    end: float
    """Seconds of the recording."""
    centres: NDArray[np.float64]
    """Seconds of the recording, of each of its windows."""
    voices: NDArray[np.float32]
    """n × 256: the voice in each."""
    loudness: NDArray[np.float32]
    """Root mean square of each frame."""


def turns_in(region: Region, speakers: NDArray[np.float32]) -> list[Turn]:
    """The turns in `region` of the `speakers`, whose mean voices are given.

    Each frame is as near to a speaker as the windows on both sides of it, in proportion; Viterbi's path through the
    frames weighs that against the cost of changes.
    """
    frames = len(region.loudness)
    times = region.start + (np.arange(frames) + 0.5) * FRAME
    likeness = region.voices @ speakers.T
    gains = np.stack([np.interp(times, region.centres, column) for column in likeness.T], axis=1)
    pauses = region.loudness < _PAUSE_LEVEL * np.median(region.loudness)
    path = _best_path(gains, np.where(pauses, _CHANGE_IN_PAUSE, _CHANGE))
    begins = [0, *(np.flatnonzero(np.diff(path)) + 1), frames]
    edges = [region.start + FRAME * begin for begin in begins[:-1]] + [region.end]
    return [
        Turn(start, end, int(path[begin])) for start, end, begin in zip(edges[:-1], edges[1:], begins[:-1], strict=True)
    ]


def _best_path(gains: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """The speaker of each frame. `gains` is frames × speakers; `costs` is what a change into each frame costs."""
    frames, speakers = gains.shape
    stay = np.arange(speakers)
    came_from = np.empty((frames, speakers), np.int64)
    totals = gains[0].copy()
    for frame in range(1, frames):
        best = totals.argmax()
        changed = totals[best] - costs[frame]
        came_from[frame] = np.where(totals >= changed, stay, best)
        totals = np.maximum(totals, changed) + gains[frame]
    path = np.empty(frames, np.int64)
    path[-1] = totals.argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = came_from[frame, path[frame]]
    return path
