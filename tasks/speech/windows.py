"""What an engine says about the stretches of a recording as a whole."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter


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
