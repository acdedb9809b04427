"""Detects words that a speech engine hallucinates or repeats in a loop."""

from collections.abc import Sequence
from statistics import fmean, median

MAX_COMPRESSION = 2.4
"""Largest compression ratio (bytes of a text per byte of its compressed form) of a text without loops, according to
Whisper's authors."""

_LEAST_REPETITIONS = 3
"""A phrase in a loop is repeated at least this many times in a row."""

_LONGEST_PHRASE = 16
"""Phrases with at most this many words are searched for."""

_LEAST_PROBABILITY = 0.7

_LEAST_WORD_S = 0.12


def is_made_up(probabilities: Sequence[float], durations: Sequence[float]) -> bool:
    """Return True if the words of a loop were probably not spoken, because they are improbable or have almost no
    duration. `probabilities` are those of the words without the repetitions, which are always probable. `durations` are
    those of all words, in seconds."""
    return fmean(probabilities) < _LEAST_PROBABILITY or median(durations) < _LEAST_WORD_S


def without_loops(words: Sequence[str]) -> list[int]:
    """Return the indices of `words` to keep: only the first occurrence of a phrase that occurs at least three times in
    a row.

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


def _loop(words: Sequence[str], position: int) -> tuple[int, int]:
    """Return the number of words of the phrase that is repeated from `position`, and the number of its occurrences; 1
    and 1 if there is no loop."""
    for length in range(1, min(_LONGEST_PHRASE, (len(words) - position) // _LEAST_REPETITIONS) + 1):
        phrase, times = words[position : position + length], 1
        while words[position + times * length : position + (times + 1) * length] == phrase:
            times += 1
        if times >= _LEAST_REPETITIONS:
            return length, times
    return 1, 1
