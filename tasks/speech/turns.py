"""Who speaks when, and which word is whose."""

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

PAUSE = 0.5
"""Seconds of silence that a turn may hold."""


@dataclass(frozen=True, slots=True)
class Turn:
    """`speaker` speaks from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    speaker: int


class TimedWord(Protocol):
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
    `turns` are in order of time; without any, everything is one speaker's."""
    ends = [turn.end for turn in turns]
    return [_speaker_of(word, turns, bisect.bisect_right(ends, word.start)) for word in words]


def _speaker_of(word: TimedWord, turns: Sequence[Turn], first: int) -> int:
    """`first` is the first turn that ends after the word begins."""
    shares: dict[int, float] = {}
    for index in range(first, len(turns)):
        turn = turns[index]
        if turn.start >= word.end:
            break
        share = min(word.end, turn.end) - max(word.start, turn.start)
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
    if shares:
        return max(shares, key=shares.__getitem__)
    near = turns[max(0, first - 1) : first + 1]
    return min(near, key=lambda turn: max(turn.start - word.end, word.start - turn.end)).speaker if near else 0
