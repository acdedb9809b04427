"""Determines the turns of speakers and the speaker of each word, and sends phrases while a recording is transcribed."""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import inf
from operator import itemgetter

from models.speech.transcriber import SpokenWord
from tasks.speech.cutter import Stretch
from tasks.speech.phrases import Phrase, Phrasing, separator

_UNSETTLED_S = 2.0
"""The words in this many seconds at the end of a stretch may still change, because the next stretch can overlap
them."""
PAUSE = 0.5
"""A silence within a turn lasts at most this many seconds."""
_SPELLED_PAUSE = 0.7
"""A silence between two letters of a spelled word lasts less than this many seconds."""
_SPELLED_FROM = 3
"""At least this many successive single letters or digits count as a spelled-out word."""
_LEAST_TURN = 1.6
"""A voice can be recognised in letters only if they last at least this long, in seconds, which is the length of the
encoder's window. A shorter turn within a spelled word is ignored."""
_SPELLED = re.compile(r"\W*(?:[^\W_](?:[-.]|\b))+\W*")


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
    """Return the speaker of each word: the one whose turns overlap it most, or else the one with the nearest turn. A
    spelled word is not divided by turns that are too short to recognise a voice. `turns` are in order of time. If there
    are no turns, all words have speaker 0."""
    ends = [turn.end for turn in turns]

    def speaker_of(start: float, end: float) -> int:
        return _speaker_of(start, end, turns, bisect.bisect_right(ends, start))

    speakers = [speaker_of(word.start, word.end) for word in words]
    for first, last in _spelled_sequences(words):
        at = first
        whose = speaker_of(words[first].start, words[last - 1].end)
        for _, same in groupby(speakers[first:last]):
            begin, at = at, at + len(list(same))
            if words[at - 1].end - words[begin].start < _LEAST_TURN:
                speakers[begin:at] = [whose] * (at - begin)
    return speakers


def _spelled_sequences(words: Sequence[SpokenWord]) -> Iterator[tuple[int, int]]:
    """Yield the index of the first word of each spelled sequence, and the index after its last."""
    first = 0
    for index in range(len(words) + 1):
        goes_on = index < len(words) and _is_spelled(words[index].text)
        if goes_on and index > first and words[index].start - words[index - 1].end < _SPELLED_PAUSE:
            continue
        if sum(map(str.isalnum, "".join(word.text for word in words[first:index]))) >= _SPELLED_FROM:
            yield first, index
        first = index if goes_on else index + 1


def _is_spelled(text: str) -> bool:
    """True for a single letter or digit, and for several joined by hyphens or points. The result is False in scripts
    without spaces, in which a single character may be a word."""
    return _SPELLED.fullmatch(text) is not None and separator("a", text) != ""


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
