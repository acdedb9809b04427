"""Finds values in sentences without labels, by words of a field's name that occur in the same sentence.

`The contract ends upon thirty (30) days' notice` states the notice period, though the number has no label. A value is
likelier the more words of the field's name are in its sentence, and the nearer they are to the value.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from models.fair_executor import Slices, in_slices
from tasks.extraction.candidates import Candidates
from tasks.extraction.features import TYPES, FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.own_words import COMMON, content_of, is_form_of
from tasks.extraction.passages import Passage
from tasks.extraction.units import UNITS

NAME_BONUS: Final = 3.0
"""Bonus on the logit of a value that stands next to all words of the field's name in one sentence."""
HALF_WEIGHT_DISTANCE: Final = 8
"""A word of the name counts half if it is this many words away from the value."""
FEWEST_WORDS: Final = 8
"""A sentence has at least this many words. Fewer words are often a label with its value."""
LOWER: Final = 0.5
"""At least this share of a sentence's words begin with a lower-case letter."""
MAX_WORDS: Final = 20_000
"""Sentences are searched for only in passages with at most this many words."""
SHORTEST: Final = 4
"""Only words with at least this many letters are searched for in sentences."""
CODE_KINDS: Final = ("day", "time", "email", "uri")
"""Kinds of candidates that a text field may take from a sentence. They include days, because a document number may look
like a day."""
_DATES: Final = TYPES.index("date"), TYPES.index("iso")
_END = re.compile(r".*[^\W\d_]{3}[.!?:;]['\"”»)]*|.*[!?;]|\S*\d{4}[.;]|\S*[)”»\"][.;]")
"""Pattern of the last word of a sentence. An abbreviation or an ordinal number does not end a sentence."""


class Clauses:
    """The sentences of all passages, and the folded words of each passage."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._sentences: dict[int, Mapping[int, tuple[int, int]]] = {}
        self._words: dict[int, list[list[str]]] = {}
        self._found: dict[tuple[int, str], list[int]] = {}

    def read(self) -> Slices[None]:
        """Find the sentences. This is called once, before any other method."""
        for passage in self._candidates.passages:
            yield
            self._sentences[id(passage)] = _sentences_of(passage)
            if self._sentences[id(passage)]:
                yield
                self._words[id(passage)] = yield from in_slices(
                    lambda word: [without_accents(one) for one in fold(word)], passage.words
                )

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Raise the logits of values in sentences that contain words of the field's name."""
        names = [
            words for name in field.names.own if (words := _content_words(name) or _content_words(field.names.around))
        ]
        is_date = any(field.types[index] for index in _DATES)
        kinds = ("number",) if field.is_number else ("day",) if is_date else CODE_KINDS
        if not names or not any(self._sentences.values()):
            return
        found = np.zeros(len(self._candidates.spans), np.float32)
        for index, span in enumerate(self._candidates.spans):
            if span.kind in kinds and (bounds := self._sentence_of(span.passage, span.words[0])) is not None:
                found[index] = max(self._share(span.passage, bounds, span.words, name) for name in names)
        logits[:-1] += NAME_BONUS * found

    def _sentence_of(self, passage: Passage, word: int) -> tuple[int, int] | None:
        return self._sentences[id(passage)].get(word)

    def _share(self, passage: Passage, bounds: tuple[int, int], own: Sequence[int], name: Sequence[str]) -> float:
        total = 0.0
        for word in name:
            places = self._places(passage, word)
            inside = places[bisect_left(places, bounds[0]) : bisect_left(places, bounds[1])]
            distance = min((max(own[0] - at, at - own[-1]) for at in inside if at not in own), default=None)
            if distance is not None:
                total += HALF_WEIGHT_DISTANCE / (HALF_WEIGHT_DISTANCE + distance)
        return total / len(name)

    def _places(self, passage: Passage, word: str) -> list[int]:
        key = id(passage), word
        if key not in self._found:
            words = self._words[id(passage)]
            self._found[key] = [index for index, own in enumerate(words) if any(is_form_of(word, one) for one in own)]
        return self._found[key]


def _content_words(name: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words of a name that may occur in a sentence, without units and words such as `number` or `date`."""
    words = (word for word in content_of(name) if len(word) >= SHORTEST and word not in UNITS)
    return tuple(word for word in words if word not in COMMON)


def _sentences_of(passage: Passage) -> Mapping[int, tuple[int, int]]:
    """Return, for each word in a sentence, the bounds of its sentence."""
    if len(passage.words) > MAX_WORDS:
        return {}
    found: dict[int, tuple[int, int]] = {}
    start = 0
    for index, word in enumerate(passage.words):
        if _END.fullmatch(word) or index + 1 == len(passage.words):
            words = passage.words[start : index + 1]
            lower = sum(one[:1].islower() for one in words)
            if len(words) >= FEWEST_WORDS and lower >= LOWER * len(words):
                found |= dict.fromkeys(range(start, index + 1), (start, index + 1))
            start = index + 1
    return found
