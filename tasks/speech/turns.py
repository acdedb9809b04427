"""Determines the turns of speakers and the speaker of each word, and sends phrases while a recording is transcribed."""

import bisect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from operator import itemgetter

from models.speech.transcriber import SpokenWord
from tasks.speech.cutter import Stretch
from tasks.speech.phrases import Phrase, Phrasing

_UNSETTLED_S = 2.0
"""The words in this many seconds at the end of a stretch may still change, because the next stretch can overlap
them."""
PAUSE = 0.5
"""A silence within a turn lasts at most this many seconds."""


@dataclass(slots=True)
class _PhraseTrack:
    words: Sequence[SpokenWord] = ()
    taken: int = 0
    """Number of `words` that are already in phrases."""
    phrasing: Phrasing = field(default_factory=Phrasing)

    def settle(self, until: float) -> list[Phrase]:
        """Return the phrases of the words that end by `until`."""
        begin = self.taken
        while self.taken < len(self.words) and self.words[self.taken].end <= until:
            self.taken += 1
        return list(self.phrasing.add(self.words[begin : self.taken]))

    def finish(self) -> list[Phrase]:
        return [*self.settle(inf), *self.phrasing.finish()]

    @property
    def open_from(self) -> float:
        """Earliest time at which another phrase of this track can begin, according to the words so far."""
        if self.phrasing.open_from is not None:
            return self.phrasing.open_from
        return self.words[self.taken].start if self.taken < len(self.words) else inf


class PhraseEmitter:
    """Sends phrases in order of their start. A phrase is sent as soon as no later speech can change it or come before
    it."""

    def __init__(self, tell: Callable[[Phrase], None]) -> None:
        """`tell` receives each phrase."""
        self._tell = tell
        self._tracks: dict[int | None, _PhraseTrack] = {}
        self._waiting: list[tuple[tuple[float, float], int, Phrase]] = []
        """Waiting phrases with place and track number, by which they are sorted."""

    def add(self, stretch: Stretch, words: Sequence[SpokenWord]) -> None:
        """Update the words of the stretch's channel; `words` are all that have been heard on it."""
        if words:
            self._tracks.setdefault(stretch.channel, _PhraseTrack()).words = words
        for channel, track in self._tracks.items():
            if channel == stretch.channel:
                self._wait(channel, track.settle(stretch.end - _UNSETTLED_S))
            elif channel is None:  # the mixed track has been split into two channels
                self._wait(channel, track.finish())
        ready = self._ready(min([stretch.next_start, *(track.open_from for track in self._tracks.values())]))
        del self._waiting[: len(ready)]
        self._tell_all(ready)

    def finish(self) -> None:
        """Send the remaining phrases."""
        for channel, track in self._tracks.items():
            self._wait(channel, track.finish())
        self._tell_all(self._ready(inf))
        self._waiting.clear()

    def _wait(self, channel: int | None, found: Sequence[Phrase]) -> None:
        index = list(self._tracks).index(channel)
        self._waiting += [(phrase.place, index, phrase) for phrase in found]
        self._waiting.sort(key=itemgetter(0, 1))

    def _ready(self, until: float) -> list[Phrase]:
        return [phrase for (start, _), _, phrase in self._waiting if start < round(until, 2)]

    def _tell_all(self, phrases: Sequence[Phrase]) -> None:
        for phrase in phrases:
            self._tell(phrase)


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """A turn of `speaker` from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    speaker: int


def speaker_label(speaker: int) -> str:
    return f"SPEAKER_{speaker:02d}"


def in_order(turns: Iterable[SpeakerTurn]) -> list[SpeakerTurn]:
    """Sort turns by time, join those of one speaker across short pauses, and number speakers by first appearance."""
    joined: list[SpeakerTurn] = []
    numbers: dict[int, int] = {}
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        own = replace(turn, speaker=numbers.setdefault(turn.speaker, len(numbers)))
        if joined and own.speaker == joined[-1].speaker and own.start - joined[-1].end <= PAUSE:
            joined[-1] = replace(joined[-1], end=max(own.end, joined[-1].end))
        else:
            joined.append(own)
    return joined


def label_words(words: Sequence[SpokenWord], turns: Sequence[SpeakerTurn]) -> list[int]:
    """Return the speaker of each word: the one whose turns overlap it most, or else the one with the nearest turn.
    `turns` are in order of time. If there are no turns, all words have speaker 0."""
    ends = [turn.end for turn in turns]
    return [_speaker_of(word.start, word.end, turns, bisect.bisect_right(ends, word.start)) for word in words]


def _speaker_of(start: float, end: float, turns: Sequence[SpeakerTurn], first: int) -> int:
    """Return the speaker whose turns cover most of the time from `start` to `end`. `first` is the index of the first
    turn that ends after `start`."""
    shares: dict[int, float] = {}
    for index in range(first, len(turns)):
        turn = turns[index]
        if turn.start >= end:
            break
        share = min(end, turn.end) - max(start, turn.start)
        shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
    if shares:
        return max(shares, key=shares.__getitem__)
    nearby_turns = turns[max(0, first - 1) : first + 1]
    return min(nearby_turns, key=lambda turn: max(turn.start - end, start - turn.end)).speaker if nearby_turns else 0
