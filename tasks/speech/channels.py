"""Stereo recordings of calls and interviews, in which each channel is one speaker's."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.speech.turns import Turn

SAMPLE_RATE = 16_000
FRAME = 0.1
"""Seconds over which levels are taken."""

_SAMPLES = int(SAMPLE_RATE * FRAME)
_FLOOR = 1e-4
"""Root mean square, -80 dB of full scale: below, everything is silence."""
_ACTIVE = 10 ** (-30 / 20)
"""Of the loud frames' level: quieter ones are nobody's speech."""
_APART = 10 ** (10 / 20)
"""How many times as loud one channel must be for a frame to be its own: 10 dB, which cross-talk on a line does not
reach, and neither do two microphones of one recorder."""
_MOSTLY = 0.7
"""Of the active frames, the share that must be one channel's own. Speakers who talk at once make up the rest."""
_LEAST_SHARE = 0.03
"""Of the active frames, the share that must be each channel's own, for both to be somebody's."""
_SMOOTHED = 5
"""Frames on both sides whose levels count for a frame: a gap between two words of one is no turn of the other."""


class ChannelLevels:
    """The levels of the two channels of a recording, collected as its blocks come by."""

    def __init__(self) -> None:
        self._levels: list[NDArray[np.float32]] = []
        self._rest = np.empty((2, 0), np.float32)

    def add(self, block: NDArray[np.float32]) -> None:
        """The next block, float32 [2, n] at 16 kHz."""
        samples = np.concatenate([self._rest, block], axis=1)
        frames = samples.shape[1] // _SAMPLES
        whole = samples[:, : frames * _SAMPLES].reshape(2, frames, _SAMPLES)
        self._levels.append(np.sqrt(np.mean(np.square(whole), axis=2)))
        self._rest = samples[:, frames * _SAMPLES :].copy()

    @property
    def are_speakers(self) -> bool:
        """Whether nearly all that is loud is loud on one channel, now the one and now the other."""
        levels = self._all()
        loudest = levels.max(axis=0, initial=0)
        active = loudest > max(_FLOOR, _ACTIVE * float(np.percentile(loudest, 95)) if loudest.size else 0)
        first, second = np.maximum(levels[:, active], _FLOOR / _APART)
        own = np.array([np.mean(first > _APART * second), np.mean(second > _APART * first)]) if first.size else [0, 0]
        return min(own) >= _LEAST_SHARE and sum(own) >= _MOSTLY

    def turns(self, regions: Sequence[tuple[float, float]]) -> list[Turn]:
        """Within `regions` of speech (start, end in seconds), whose channel is the louder."""
        kernel = np.ones(2 * _SMOOTHED + 1)
        power = np.stack([np.convolve(np.square(row), kernel, "same") for row in self._all()])
        louder = power.argmax(axis=0)
        turns = []
        for start, end in regions:
            begin = min(int(start / FRAME), len(louder) - 1)
            part = louder[begin : max(begin + 1, round(end / FRAME))]
            cuts = [0, *(np.flatnonzero(np.diff(part)) + 1)]
            edges = [start, *((begin + cut) * FRAME for cut in cuts[1:]), end]
            turns += [Turn(edges[i], edges[i + 1], int(part[cut])) for i, cut in enumerate(cuts)]
        return turns

    def _all(self) -> NDArray[np.float32]:
        return np.concatenate([np.empty((2, 0), np.float32), *self._levels], axis=1)
