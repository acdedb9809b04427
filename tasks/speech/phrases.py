"""Groups words into phrases that can be read along with the sound: cut at ends of sentences and at pauses, usually 0.3
to 6 s long.

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

# Scripts without spaces: Thai, Lao, Tibetan, Burmese and Khmer; Chinese and Japanese with punctuation and full-width
# signs.
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)
_LONGEST_S = 6.0
_SHORTEST_S = 0.3
_PAUSE_S = 0.7
"""A pause of at least this many seconds ends a phrase even within a sentence."""
_SENTENCE_ENDS = tuple(".!?。！？…؟।")
_CLAUSE_ENDS = tuple(",;:，、；：،–—")
_CLAUSE_S = 0.5
"""The end of a clause, such as a comma, adds this many seconds to the pause after it when the best place to cut is
chosen."""
_OFF_CENTRE_S = 1.0
"""The cost of a cut, in seconds of pause, is this times its distance from the middle as a share of the length."""
_ABBREVIATIONS = frozenset(
    ("mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "etc", "e.g", "i.e", "bzw", "z.b", "usw", "sra", "dra")
)
_INITIAL = re.compile(r"[^\W\d_]\.")
"""Pattern of an initial. Several initials in a row are a spelled name."""


def separator(text_before: str, text_after: str) -> str:
    """Return the separator between two texts that follow each other."""
    first, second = text_before.rstrip(), text_after.lstrip()
    if not first or not second or _UNSPACED.match(first[-1]) or _UNSPACED.match(second[0]):
        return ""
    return " "


def spaced(parts: Iterable[str]) -> Iterator[str]:
    """Yield each of `parts` stripped, with the separator from the previous one in front, so that their concatenation is
    the text."""
    last = ""
    for part in parts:
        text = part.strip()
        yield separator(last, text) + text
        last = text or last


def joined_text(parts: Iterable[str]) -> str:
    return "".join(spaced(parts))


@dataclass(frozen=True, slots=True)
class Phrase:
    words: list[SpokenWord]
    """Words of the phrase, at least one."""
    speaker: str | None = None

    @property
    def start(self) -> float:
        """Start in seconds of the recording."""
        return self.words[0].start

    @property
    def end(self) -> float:
        return self.words[-1].end

    @property
    def place(self) -> tuple[float, float]:
        """Start and end as clients see them. Phrases are sorted by them."""
        return round(self.start, 2), round(self.end, 2)

    @property
    def text(self) -> str:
        """Text without surrounding white space."""
        return joined_text(word.text for word in self.words)

    def by_word(self) -> list["Phrase"]:
        return [Phrase([word], self.speaker) for word in self.words]


class Phrasing:
    """Groups one speaker's words as they arrive. A phrase is yielded as soon as no later word can change it."""

    def __init__(self, speaker: str | None = None) -> None:
        self._speaker = speaker
        self._sentence: list[SpokenWord] = []
        """Words of the unfinished sentence, which may still be cut elsewhere."""
        self._last: list[SpokenWord] = []
        """Words of the last part, which the next part may still join."""

    def add(self, words: Iterable[SpokenWord]) -> Iterator[Phrase]:
        """Add words in order of time, and yield the finished phrases."""
        for word in words:
            if self._sentence and _ends_sentence(self._sentence[-1], word):
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
        """Start of the first word that is in no phrase yet; None if there is no such word."""
        waiting = self._last or self._sentence
        return waiting[0].start if waiting else None

    def _end_of_sentence(self) -> Iterator[Phrase]:
        sentence, self._sentence = self._sentence, []
        for part in _split_long(sentence):
            if self._last and _belong_together(self._last, part):
                self._last = [*self._last, *part]
                continue
            if self._last:
                yield Phrase(self._last, self._speaker)
            self._last = part


def phrases(words: Sequence[SpokenWord], speakers: Sequence[str] | None = None) -> list[Phrase]:
    """Group all of `words`, which are in order of time. With `speakers`, one per word, a phrase has one speaker."""
    found: list[Phrase] = []
    for speaker, turn in groupby(zip(words, speakers or repeat(None), strict=False), key=itemgetter(1)):
        phrasing = Phrasing(speaker)
        found += [*phrasing.add(word for word, _ in turn), *phrasing.finish()]
    return found


def _ends_sentence(word: SpokenWord, following: SpokenWord) -> bool:
    if following.start - word.end >= _PAUSE_S:
        return True
    text = word.text.strip().rstrip("\"'”’)]»")
    if _INITIAL.fullmatch(text) and _INITIAL.fullmatch(following.text.strip()):
        return False
    return text.endswith(_SENTENCE_ENDS) and text.rstrip(".").lower() not in _ABBREVIATIONS


def _split_long(words: list[SpokenWord]) -> list[list[SpokenWord]]:
    """Split the words in two at the best place, and each part again until it is short enough or a single word."""
    seconds = words[-1].end - words[0].start
    if seconds <= _LONGEST_S or len(words) == 1:
        return [words]
    middle = (words[0].start + words[-1].end) / 2

    def worth(index: int) -> float:
        before, after = words[index - 1], words[index]
        clause = _CLAUSE_S if before.text.rstrip().endswith(_CLAUSE_ENDS) else 0.0
        return after.start - before.end + clause - _OFF_CENTRE_S * abs(after.start - middle) / seconds

    best = max(range(1, len(words)), key=worth)
    return [*_split_long(words[:best]), *_split_long(words[best:])]


def _belong_together(words_before: Sequence[SpokenWord], part: Sequence[SpokenWord]) -> bool:
    """True if one of two parts is too short to be read, both fit into one phrase, and no pause separates them."""
    return (
        (_is_shred(part) or _is_shred(words_before))
        and part[-1].end - words_before[0].start <= _LONGEST_S
        and part[0].start - words_before[-1].end < _PAUSE_S
    )


def _is_shred(words: Sequence[SpokenWord]) -> bool:
    return words[-1].end - words[0].start < _SHORTEST_S
