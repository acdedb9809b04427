"""Who speaks when, and which word is whose."""

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
"""At the end of a stretch: as much as a cut in mid-speech lets the next one hear again."""


@dataclass(slots=True)
class _PhraseTrack:
    words: Sequence[SpokenWord] = ()
    taken: int = 0
    """How many of `words` are phrased."""
    phrasing: Phrasing = field(default_factory=Phrasing)

    def settle(self, until: float) -> list[Phrase]:
        """Phrases of the words that end by then."""
        begin = self.taken
        while self.taken < len(self.words) and self.words[self.taken].end <= until:
            self.taken += 1
        return list(self.phrasing.add(self.words[begin : self.taken]))

    def finish(self) -> list[Phrase]:
        return [*self.settle(inf), *self.phrasing.finish()]

    @property
    def open_from(self) -> float:
        """Before it, no phrase of this track can begin any more, as far as it has been heard."""
        if self.phrasing.open_from is not None:
            return self.phrasing.open_from
        return self.words[self.taken].start if self.taken < len(self.words) else inf


class PhraseEmitter:
    """Tells the phrases in the order in which they begin: each once nothing that is still to be heard can change it, or
    comes before it; and only while the words so far are clear enough that they are believed."""

    def __init__(self, tell: Callable[[Phrase], None], believes: Callable[[float, int], bool]) -> None:
        """`believes` is asked with the mean probability of words and their number."""
        self._tell = tell
        self._believes = believes
        self._tracks: dict[int | None, _PhraseTrack] = {}
        self._waiting: list[tuple[tuple[float, float], int, Phrase]] = []
        """Place and number of the track with each."""
        self._probability = 0.0
        self._count = 0
        """Sum over the words that are told, and their number."""

    def add(self, stretch: Stretch, words: Sequence[SpokenWord]) -> None:
        """`words` are all that have been heard on the channel of `stretch`, which was heard last."""
        if words:
            self._tracks.setdefault(stretch.channel, _PhraseTrack()).words = words
        for channel, track in self._tracks.items():
            if channel == stretch.channel:
                self._wait(channel, track.settle(stretch.end - _UNSETTLED_S))
            elif channel is None:  # what was one track has come apart into two
                self._wait(channel, track.finish())
        ready = self._ready(min([stretch.then, *(track.open_from for track in self._tracks.values())]))
        probabilities = [word.probability for phrase in ready for word in phrase.words]
        total, count = self._probability + sum(probabilities), self._count + len(probabilities)
        if ready and self._believes(total / count, count):
            self._probability, self._count = total, count
            del self._waiting[: len(ready)]
            self._tell_all(ready)

    def finish(self) -> None:
        """Tells the rest. To be called once the whole recording is believed."""
        for channel, track in self._tracks.items():
            self._wait(channel, track.finish())
        self._tell_all(self._ready(inf))
        self._waiting.clear()

    def _wait(self, channel: int | None, found: Sequence[Phrase]) -> None:
        number = list(self._tracks).index(channel)
        self._waiting += [(phrase.place, number, phrase) for phrase in found]
        self._waiting.sort(key=itemgetter(0, 1))

    def _ready(self, until: float) -> list[Phrase]:
        return [phrase for (start, _), _, phrase in self._waiting if start < round(until, 2)]

    def _tell_all(self, phrases: Sequence[Phrase]) -> None:
        for phrase in phrases:
            self._tell(phrase)


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
class SpeakerTurn:
    """`speaker` speaks from `start` to `end`, in seconds of the recording."""

    start: float
    end: float
    speaker: int


def speaker_label(speaker: int) -> str:
    return f"SPEAKER_{speaker:02d}"


def in_order(turns: Iterable[SpeakerTurn]) -> list[SpeakerTurn]:
    """`turns` by time, those of one speaker joined over short pauses, the speakers numbered as they begin to speak."""
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


def _spelled(words: Sequence[SpokenWord]) -> Iterator[tuple[int, int]]:
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


def _speaker_of(start: float, end: float, turns: Sequence[SpeakerTurn], first: int) -> int:
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
