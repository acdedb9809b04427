"""Words as phrases that one can read along with: cut at the ends of sentences and at pauses, 0.3 to 6 s long.

Between the parts of a transcript stands one space, and none where the script has none:

>>> joined_text(["Good morning.", " Who?"])
'Good morning. Who?'
>>> joined_text(["你好。", "再见。"])
'你好。再见。'
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import itemgetter

from models.speech.transcriber import SpokenWord

# Thai, Lao, Tibetan, Burmese, Khmer; Chinese and Japanese with their punctuation, full-width signs.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)


def separator(before: str, after: str) -> str:
    """What stands between two texts that are said one after the other."""
    first, second = before.rstrip(), after.lstrip()
    if not first or not second or _UNSPACED.match(first[-1]) or _UNSPACED.match(second[0]):
        return ""
    return " "


def spaced(parts: Iterable[str]) -> Iterator[str]:
    """Each of `parts` without the white space around it, and with what separates it from the one before: joined by
    nothing, they are the text."""
    last = ""
    for part in parts:
        text = part.strip()
        yield separator(last, text) + text
        last = text or last


def joined_text(parts: Iterable[str]) -> str:
    return "".join(spaced(parts))


_LONGEST_S = 6.0
_SHORTEST_S = 0.3
_PAUSE_S = 0.7
"""Ends a phrase, sentence or not."""
_SENTENCE_ENDS = tuple(".!?。！？…؟।")
_CLAUSE_ENDS = tuple(",;:，、；：،–—")
_CLAUSE_S = 0.5
"""What a comma is worth as a place to cut, in seconds of pause."""
_OFF_CENTRE_S = 1.0
"""What a cut at the very end of a phrase costs against one in its middle."""
_ABBREVIATIONS = frozenset(
    ("mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "e.g", "i.e", "bzw", "z.b", "usw", "sra", "dra")
)
_INITIAL = re.compile(r"[^\W\d_]\.")
"""Several in a row are a name that is spelled."""


@dataclass(frozen=True, slots=True)
class Phrase:
    words: list[SpokenWord]
    """At least one."""
    speaker: str | None = None

    @property
    def start(self) -> float:
        """Seconds of the recording."""
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def place(self) -> tuple[float, float]:
        """Start and end as a client sees them, by which phrases are put in order."""
        return round(self.start, 2), round(self.end, 2)

    @property
    def text(self) -> str:
        """Without white space around it."""
        return joined_text(word.text for word in self.words)

    def by_word(self) -> list["Phrase"]:
        return [Phrase([word], self.speaker) for word in self.words]


class Phrasing:
    """Makes phrases of one speaker's words as they come: each as soon as none that follows can change it."""

    def __init__(self, speaker: str | None = None) -> None:
        self._speaker = speaker
        self._sentence: list[SpokenWord] = []
        """What has not ended yet, and may still be cut elsewhere."""
        self._last: list[SpokenWord] = []
        """What the next part may still join."""

    def add(self, words: Iterable[SpokenWord]) -> Iterator[Phrase]:
        """In order of time, as the words are."""
        for word in words:
            if self._sentence and _ends(self._sentence[-1], word):
                yield from self._end_of_sentence()
            self._sentence.append(word)

    def finish(self) -> Iterator[Phrase]:
        if self._sentence:
            yield from self._end_of_sentence()
        if self._last:
            yield Phrase(self._last, self._speaker)
            self._last = []

    @property
    def open_from(self) -> float | None:
        """Where the first word begins that is in no phrase yet."""
        waiting = self._last or self._sentence
        return waiting[0].start if waiting else None

    def _end_of_sentence(self) -> Iterator[Phrase]:
        sentence, self._sentence = self._sentence, []
        for part in _split(sentence):
            if self._last and _belong_together(self._last, part):
                self._last = [*self._last, *part]
                continue
            if self._last:
                yield Phrase(self._last, self._speaker)
            self._last = part


def phrases(words: Sequence[SpokenWord], speakers: Sequence[str] | None = None) -> list[Phrase]:
    """All of `words`, in order of time. With `speakers`, one for each word, a phrase is one speaker's."""
    found: list[Phrase] = []
    for speaker, turn in groupby(zip(words, speakers or repeat(None), strict=False), key=itemgetter(1)):
        phrasing = Phrasing(speaker)
        found += [*phrasing.add(word for word, _ in turn), *phrasing.finish()]
    return found


def _ends(word: SpokenWord, following: SpokenWord) -> bool:
    if following.start - word.end >= _PAUSE_S:
        return True
    text = word.text.strip().rstrip("\"'”’)]»")
    if _INITIAL.fullmatch(text) and _INITIAL.fullmatch(following.text.strip()):
        return False
    return text.endswith(_SENTENCE_ENDS) and text.rstrip(".").lower() not in _ABBREVIATIONS


def _split(words: list[SpokenWord]) -> list[list[SpokenWord]]:
    """In halves at the best place until no part is too long, or is a single word."""
    seconds = words[-1].end - words[0].start
    if seconds <= _LONGEST_S or len(words) == 1:
        return [words]
    middle = (words[0].start + words[-1].end) / 2

    def worth(index: int) -> float:
        before, after = words[index - 1], words[index]
        clause = _CLAUSE_S if before.text.rstrip().endswith(_CLAUSE_ENDS) else 0.0
        return after.start - before.end + clause - _OFF_CENTRE_S * abs(after.start - middle) / seconds

    best = max(range(1, len(words)), key=worth)
    return [*_split(words[:best]), *_split(words[best:])]


def _belong_together(before: Sequence[SpokenWord], part: Sequence[SpokenWord]) -> bool:
    """What is too short to be read joins its neighbour, as long as both fit and no pause is between them."""
    return (
        (_is_shred(part) or _is_shred(before))
        and part[-1].end - before[0].start <= _LONGEST_S
        and part[0].start - before[-1].end < _PAUSE_S
    )


def _is_shred(words: Sequence[SpokenWord]) -> bool:
    return words[-1].end - words[0].start < _SHORTEST_S
