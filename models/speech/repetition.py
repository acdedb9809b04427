"""Words that a speech engine made up, or repeats in a loop."""

from collections.abc import Sequence
from statistics import fmean, median

LOOPS_ABOVE = 2.4
"""Bytes of a text by bytes of it compressed: beyond this, Whisper's authors take it to be looping."""

_TIMES = 3
"""How often in a row a phrase comes in a loop at least."""

_LONGEST = 16
"""Words of the longest phrase that is looked for."""

_CLEAR = 0.7

_UNHURRIED_S = 0.12


def is_made_up(probabilities: Sequence[float], durations: Sequence[float]) -> bool:
    """Whether words that come in a loop were not said: they are unlikely, or have no time of their own. `probabilities`
    are those of the phrase's first time, since what follows it is always likely; `durations` are in seconds."""
    return fmean(probabilities) < _CLEAR or median(durations) < _UNHURRIED_S


def without_loops(words: Sequence[str]) -> list[int]:
    """The indices of `words` to keep: of a phrase that comes three times in a row or more, once.

    >>> without_loops("I see I see I see it".split())
    [0, 1, 6]
    """
    plain = [word.strip(" .,!?;:…").lower() for word in words]
    kept: list[int] = []
    at = 0
    while at < len(plain):
        length, times = _loop(plain, at)
        kept += range(at, at + length)
        at += length * times
    return kept


def _loop(words: Sequence[str], at: int) -> tuple[int, int]:
    """Words of the phrase that loops from here, and how often; one word, once, where none does."""
    for length in range(1, min(_LONGEST, (len(words) - at) // _TIMES) + 1):
        phrase, times = words[at : at + length], 1
        while words[at + times * length : at + (times + 1) * length] == phrase:
            times += 1
        if times >= _TIMES:
            return length, times
    return 1, 1
