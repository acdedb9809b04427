"""Who speaks when, and which word is whose."""

import bisect
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from tasks.speech.spacing import separator

PAUSE = 0.5
"""Seconds of silence that a turn may hold."""

_SPELLED_PAUSE = 0.7
"""Seconds of silence between two letters of a word that is spelled."""
_SPELLED_FROM = 3
"""Letters or digits in a row that are spelled and not words, as "I" and "a" are."""
_LEAST_TURN = 1.6
"""Seconds of letters in which a voice can be told: the encoder's window. Within a word that is spelled, a shorter turn
is none."""
_SPELLED = re.compile(r"\W*(?:[^\W_](?:[-.]|\b))+\W*")


@dataclass(frozen=True, slots=True)
class Turn:
    """`speaker` speaks from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    speaker: int


class TimedWord(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def speaker_label(speaker: int) -> str:
    return f"SPEAKER_{speaker:02d}"


def in_order(turns: Iterable[Turn]) -> list[Turn]:
    """`turns` by time, those of one speaker joined over short pauses, the speakers numbered as they begin to speak."""
    joined: list[Turn] = []
    numbers: dict[int, int] = {}
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        own = replace(turn, speaker=numbers.setdefault(turn.speaker, len(numbers)))
        if joined and own.speaker == joined[-1].speaker and own.start - joined[-1].end <= PAUSE:
            joined[-1] = replace(joined[-1], end=max(own.end, joined[-1].end))
        else:
            joined.append(own)
    return joined


def label_words(words: Sequence[TimedWord], turns: Sequence[Turn]) -> list[int]:
    """The speaker of each word: whose turns overlap it longest, and outside all turns, whose turn is nearest in time.
    What is spelled is not cut into turns too short to tell a voice in. `turns` are in order of time; without any,
    everything is one speaker's."""
    ends = [turn.end for turn in turns]

    def speaker_of(start: float, end: float) -> int:
        return _speaker_of(start, end, turns, bisect.bisect_right(ends, start))

    speakers = [speaker_of(word.start, word.end) for word in words]
    for first, last in _spelled(words):
        at = first
        whose = speaker_of(words[first].start, words[last - 1].end)
        for _, same in groupby(speakers[first:last]):
            begin, at = at, at + len(list(same))
            if words[at - 1].end - words[begin].start < _LEAST_TURN:
                speakers[begin:at] = [whose] * (at - begin)
    return speakers


def _spelled(words: Sequence[TimedWord]) -> Iterator[tuple[int, int]]:
    """The first of letters and digits that are said one by one, and the first word after them."""
    first = 0
    for index in range(len(words) + 1):
        goes_on = index < len(words) and _is_spelled(words[index].text)
        if goes_on and index > first and words[index].start - words[index - 1].end < _SPELLED_PAUSE:
            continue
        if sum(map(str.isalnum, "".join(word.text for word in words[first:index]))) >= _SPELLED_FROM:
            yield first, index
        first = index if goes_on else index + 1


def _is_spelled(text: str) -> bool:
    """Whether it is a single letter or digit, or several with hyphens between; not in scripts without spaces, in which
    that is a word."""
    return _SPELLED.fullmatch(text) is not None and separator("a", text) != ""


def _speaker_of(start: float, end: float, turns: Sequence[Turn], first: int) -> int:
    """Whose turns hold most of the time between. `first` is the first turn that ends after `start`."""
    shares: dict[int, float] = {}
    for index in range(first, len(turns)):
        turn = turns[index]
        if turn.start >= end:
            break
        share = min(end, turn.end) - max(start, turn.start)
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
    if shares:
        return max(shares, key=shares.__getitem__)
    near = turns[max(0, first - 1) : first + 1]
    return min(near, key=lambda turn: max(turn.start - end, start - turn.end)).speaker if near else 0
