"""Cuts a streamed recording into stretches for a speech engine. Cuts are made at pauses, preferably long ones. If there
are none, a cut is made at the quietest place, with an overlap of a second on each side."""

import bisect
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from operator import attrgetter

import numpy as np

from models.speech.transcriber import LONGEST_S, RATE, Samples
from models.speech.voice_activity import FRAME, FRAME_S, Probabilities

_PROBABILITY_MARGIN = 1e-4
"""Probabilities are kept at least this far from 0 and 1, so that their log odds are finite."""
_SPEECH_FROM = 0.5
_SPEECH_TO = 0.35
"""Thresholds of the probability of speech, with Silero's values. Speech begins with a frame that reaches the first and
lasts until a frame falls below the second."""
_LEAST_SPEECH = 3
_LEAST_PAUSE = 4
"""Speech has at least the first number of frames, and a pause the second. Shorter sounds are clicks, and shorter pauses
belong to consonants."""
_MARGIN = 10
"""At most this many frames of silence are kept at each end of a stretch: 0.32 s."""
_LONG_PAUSE = 62
"""A pause of at least this many frames ends a stretch immediately: 2 s."""
_LONG_PAUSE_OF_FULL = 109
"""A pause of at least this many frames ends a stretch for an engine that takes equally long for every stretch: 3.5
s."""
_OVERLAP = 31
"""The stretches at a cut within speech overlap by this many frames on each side of the cut: 1 s."""
_LONGEST = int(LONGEST_S * RATE) // FRAME - 2 * _MARGIN
_EARLIEST = 0.4
"""A pause is used only after at least this share of the desired length, because short parts are heard with less
context."""


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch as an engine heard it. The numbers are those of `WindowText`."""

    start: float
    """Start in seconds of the recording."""
    no_speech: float
    mean_logprob: float
    compression_ratio: float


def window_at(windows: Sequence[Window], second: float) -> Window:
    """Return the last of the ordered `windows` that begins at or before `second`, or the first if all begin later.
    There must be at least one window."""
    return windows[max(0, bisect.bisect_right(windows, second, key=attrgetter("start")) - 1)]


def pooled(found: Iterable[tuple[float, float]]) -> float | None:
    """Combine weighted probabilities by their log odds. Return None if there are none."""
    odds = [
        (math.log(p / (1 - p)), weight)
        for p, weight in ((min(max(p, _PROBABILITY_MARGIN), 1 - _PROBABILITY_MARGIN), w) for p, w in found)
    ]
    total = sum(weight for _, weight in odds)
    return 1 / (1 + math.exp(-sum(odd * weight for odd, weight in odds) / total)) if total else None


Span = tuple[float, float]
"""Start and end in seconds of the recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A part of a recording of at most LONGEST_S, with the speech in it."""

    samples: Samples = field(repr=False)
    start: float
    """Start in seconds of the recording."""
    speech: tuple[Span, ...]
    cut: float | None = None
    """Time of a cut within speech, around which this stretch and the previous one overlap; None without such a cut."""
    channel: int | None = None
    """Channel on which the stretch was heard; None for all channels."""
    next_start: float = 0.0
    """Time, in seconds of the recording, before which no later stretch on any channel begins."""

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / RATE


class Cutter:
    """Cuts a stream. A cutter rarely holds more than one stretch and the samples that were added last."""

    def __init__(self, length_s: float, *, start_s: float = 0.0, channel: int | None = None) -> None:
        """Set the desired length. A stretch grows up to LONGEST_S to avoid a cut within speech. `start_s` is the
        position of the first sample in the recording."""
        self._start_s = start_s
        self._channel = channel
        self._long_pause = _LONG_PAUSE if length_s < LONGEST_S else _LONG_PAUSE_OF_FULL
        self._length = min(_LONGEST, int(length_s / FRAME_S) - 2 * _MARGIN)
        self._samples: Samples = np.empty(0, np.float32)
        self._speaks: Probabilities = np.empty(0, np.float32)
        self._origin = 0
        """Number of frames of the recording before the first frame that is held here."""
        self._cut: int | None = None

    def add(self, samples: Samples, probabilities: Probabilities) -> Iterator[Stretch]:
        """Add samples, and yield the stretches that are complete. `probabilities` may lag behind `samples` by less than
        a frame."""
        self._samples = np.concatenate([self._samples, samples])
        self._speaks = np.concatenate([self._speaks, probabilities])
        return iter(lambda: self._next(final=False), None)

    def finish(self) -> Iterator[Stretch]:
        return iter(lambda: self._next(final=True), None)

    @property
    def cut_until(self) -> float:
        """Time, in seconds of the recording, before which everything has been cut."""
        return self._start_s + self._origin * FRAME_S

    def _next(self, *, final: bool) -> Stretch | None:
        runs = speech_runs(self._speaks)
        if not runs:
            # Speech may be about to begin in the last frames.
            self._drop(max(0, len(self._speaks) - _MARGIN - _LEAST_SPEECH))
            self._cut = None
            return None
        begin = 0 if self._cut is not None else max(0, runs[0][0] - _MARGIN)
        count = self._runs_together(runs, begin)
        if count is None:
            silence = len(self._speaks) - runs[-1][1]
            if not final and silence < self._long_pause and len(self._speaks) - begin <= _LONGEST:
                return None
            count = len(runs)
        if count == 0:
            return self._cut_in_speech(runs, begin)
        following = runs[count][0] if count < len(runs) else len(self._speaks)
        speech_end = runs[count - 1][1]
        end = min(speech_end + _MARGIN, (speech_end + following + 1) // 2 if count < len(runs) else following)
        stretch = self._stretch(begin, end, runs[:count])
        self._cut = None
        self._drop(end)
        return stretch

    def _runs_together(self, runs: Sequence[tuple[int, int]], begin: int) -> int | None:
        """Return how many of `runs` form the next stretch: 0 if no run ends in time, None if more samples are
        needed."""
        best, longest = 0, 0
        for index, (before, after) in enumerate(pairwise(runs), start=1):
            pause = after[0] - before[1]
            if pause >= self._long_pause:
                return index
            if before[1] - begin > self._length:
                return index if before[1] - begin <= _LONGEST else best or index - 1
            if before[1] - begin >= self._length * _EARLIEST and pause >= longest:
                best, longest = index, pause
            if after[1] - begin > self._length and best:
                return best
        last = runs[-1][1]
        if last - begin <= _LONGEST:
            return None
        # If one run alone is too long, the runs before it form the next stretch, however short they are.
        return len(runs) - 1

    def _cut_in_speech(self, runs: Sequence[tuple[int, int]], begin: int) -> Stretch:
        latest = begin + _LONGEST - _OVERLAP
        earliest = begin + _LONGEST * 3 // 5
        at = earliest + int(np.argmin(self._loudness(earliest, latest)))
        end = at + _OVERLAP
        spoken = [(first, min(last, end)) for first, last in runs if first < end]
        stretch = self._stretch(begin, end, spoken)
        self._drop(at - _OVERLAP)
        self._cut = _OVERLAP
        return stretch

    def _loudness(self, first: int, last: int) -> Samples:
        """Return the loudness of frames, smoothed over about 0.1 s, because dips within a word are shorter than dips
        between words."""
        frames = self._samples[first * FRAME : last * FRAME].reshape(-1, FRAME)
        energy = np.sqrt(np.mean(frames**2, axis=1))
        smooth: Samples = np.convolve(np.pad(energy, 1, mode="edge"), np.full(3, 1 / 3), mode="valid")
        return smooth

    def _stretch(self, begin: int, end: int, runs: Sequence[tuple[int, int]]) -> Stretch:
        def seconds(frame: int) -> float:
            return self._start_s + (self._origin + frame) * FRAME_S

        speech = tuple((seconds(first), seconds(last)) for first, last in runs)
        cut = None if self._cut is None else seconds(self._cut)
        samples = self._samples[begin * FRAME : end * FRAME].copy()
        return Stretch(samples, seconds(begin), speech, cut, self._channel)

    def _drop(self, frames: int) -> None:
        self._samples = self._samples[frames * FRAME :]
        self._speaks = self._speaks[frames:]
        self._origin += frames


def speech_runs(probabilities: Probabilities) -> list[tuple[int, int]]:
    """Return the runs of frames with speech in ascending order, separated by pauses."""
    runs: list[tuple[int, int]] = []
    begin: int | None = None
    for frame, probability in enumerate(probabilities.tolist()):
        if begin is None and probability >= _SPEECH_FROM:
            begin = frame
        elif begin is not None and probability < _SPEECH_TO:
            runs.append((begin, frame))
            begin = None
    if begin is not None:
        runs.append((begin, len(probabilities)))
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] < _LEAST_PAUSE:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return [run for run in joined if run[1] - run[0] >= _LEAST_SPEECH]
