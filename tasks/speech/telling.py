"""Phrases of a recording that is still being listened to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from operator import itemgetter

from models.speech.transcriber import Word
from tasks.speech.cutter import Stretch
from tasks.speech.phrases import Phrase, Phrasing

_UNSETTLED_S = 2.0
"""At the end of a stretch: as much as a cut in mid-speech lets the next one hear again."""


@dataclass(slots=True)
class _Track:
    words: Sequence[Word] = ()
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


class Teller:
    """Tells the phrases in the order in which they begin: each once nothing that is still to be heard can change it, or
    comes before it; and only while the words so far are clear enough that they are believed."""

    def __init__(self, tell: Callable[[Phrase], None], believes: Callable[[float, int], bool]) -> None:
        """`believes` is asked with the mean probability of words and their number."""
        self._tell = tell
        self._believes = believes
        self._tracks: dict[int | None, _Track] = {}
        self._waiting: list[tuple[tuple[float, float], int, Phrase]] = []
        """Place and number of the track with each."""
        self._probability = 0.0
        self._count = 0
        """Sum over the words that are told, and their number."""

    def add(self, stretch: Stretch, words: Sequence[Word]) -> None:
        """`words` are all that have been heard on the channel of `stretch`, which was heard last."""
        if words:
            self._tracks.setdefault(stretch.channel, _Track()).words = words
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
