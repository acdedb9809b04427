"""What an engine says about the stretches of a recording as a whole."""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

_LEAST = 1e-4
"""Of a probability, and of what it lacks to 1: nothing is surer."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch, as an engine heard it; its numbers are those of `WindowText`."""

    start: float
    """Seconds of the recording."""
    no_speech: float
    mean_logprob: float
    compression_ratio: float


def window_at(windows: Sequence[Window], second: float) -> Window:
    """The last that begins before `second`, or then. `windows` are in order, and there is one."""
    return windows[max(0, bisect.bisect_right(windows, second, key=attrgetter("start")) - 1)]


def pooled(found: Iterable[tuple[float, float]]) -> float | None:
    """One probability for several, each with its weight: by their log odds. None without any."""
    odds = [(math.log(p / (1 - p)), weight) for p, weight in ((min(max(p, _LEAST), 1 - _LEAST), w) for p, w in found)]
    total = sum(weight for _, weight in odds)
    return 1 / (1 + math.exp(-sum(odd * weight for odd, weight in odds) / total)) if total else None
