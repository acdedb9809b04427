"""Finds labels that use the words of a field's own name, in any language: `Nr księgi głównej: 3107/2025` for
`numer_ksiegi`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, Slot
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.units import UNITS

NAMED = 4.0
"""Bonus on the logit of a place whose label consists of exactly the words of the field's name."""
LEAST_AGREEMENT = 0.6
"""A label names a field only if it agrees with the field's name by at least this, from 0 to 1."""
LONGEST = 8
"""At most this many words at the end of a label are compared."""
_MAX_CHARS = 80
"""A label has at most this many characters."""
STEM = 4
"""Two inflected forms of one word have at least this many letters in common at the beginning."""
LEAST_SHARED_LETTERS = 0.6
"""Two inflected forms of one word begin with the same letters, which are at least this share of the longer form's
letters."""
SLOTS: Mapping[Slot, float] = {"own": 1.0, "left": 1.0, "above": 0.85}
"""Weight of a label by its place."""
COMMON_WORD_WEIGHT = 0.25
"""Weight of a word such as `number` or `date`, which many names contain."""

SHORTEST_CUT = 3
"""An abbreviation has at least this many letters."""
_CUT = re.compile(rf"[^\W\d_]{{{SHORTEST_CUT},}}(?=\.)")
"""Pattern of an abbreviated word, which ends with a point."""

_GLUE = frozenset(
    fold(
        "of the a an and in on at to for by from with is de la le les l du des d del dos das do da di dell della dei al"
        " au aux el los las y e et und der die das dem den des im am vom zum zur von van het een en voor ter op med och"
        " av til for fra på i og na w z do od o ze per pro"
    )
)
COMMON = frozenset(
    fold(
        "no nr n num number numero número numer nummer nombre date datum fecha data dato dag amount betrag montant"
        " importe importo valor bedrag belopp beløb kwota name nom nome nombre naam namn navn nazwa code id total"
    )
)


class OwnLabels:
    """The labels beside all candidates, by their words. They have to be read (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._words: list[tuple[str, ...]] = []
        self._labels_of: dict[str, list[int]] = {}
        self._forms: dict[object, list[str]] = {}
        """Words of labels, grouped by keys: forms of one word share at least one key."""

    def read(self) -> Slices[None]:
        candidates = self._candidates
        places: dict[str, int] = {}
        self._places = np.full((len(SLOTS), len(candidates.spans)), -1)
        """Index in `_words` of each label of each span. It is −1 for a missing label, which selects the last, empty
        entry."""
        for at, labels in enumerate(candidates.labels_beside):
            for slot, kind in enumerate(SLOTS):
                if kind in labels:
                    self._places[slot, at] = places.setdefault(labels[kind], len(places))
        for index, label in enumerate(places):
            if index % SPANS_AT_ONCE == 0:
                yield
            words = _words_of_label(label)
            self._words.append(words)
            for word in dict.fromkeys(words):
                if word not in self._labels_of:
                    for key in _keys_of(word):
                        self._forms.setdefault(key, []).append(word)
                self._labels_of.setdefault(word, []).append(index)

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Raise the logits of places whose labels have the words of the field's name."""
        names, context_words = _names_of(field)
        like = np.zeros(len(self._words) + 1)
        for name in names:
            for label in self._labels_with(name):
                like[label] = max(like[label], _likeness(self._words[label], name, context_words))
        if like.any():
            weights = np.array([*SLOTS.values()])
            found = (weights[:, None] * like[self._places]).max(axis=0).astype(np.float32)
            logits[:-1] += NAMED * np.where(found >= LEAST_AGREEMENT, found, 0.0)

    def _labels_with(self, name: Sequence[str]) -> set[int]:
        """Return the labels that have a form of any word of `name`."""
        words = {one for word in name for key in _keys_of(word) for one in self._forms.get(key, ())}
        return {label for word in words for label in self._labels_of[word]}


def likeness_of_label(label: str, field: FieldText) -> float:
    """Return the agreement of a label with the field's own names, 0 to 1."""
    names, context_words = _names_of(field)
    words = _words_of_label(label)
    return max((_likeness(words, name, context_words) for name in names), default=0.0) if words else 0.0


def _words_of_label(label: str) -> tuple[str, ...]:
    """Return the last words of a label. Abbreviated words keep their point: `Matr. n.` → matr., n."""
    if len(label) > _MAX_CHARS:
        return ()
    cut = {without_accents(word) for found in _CUT.findall(label) for word in fold(found)}
    return tuple(f"{word}." if word in cut else word for word in content_of(tuple(fold(label)))[-LONGEST:])


def _names_of(field: FieldText) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Return the words of each of the field's names for the comparison with labels, and the words of the name of the
    object around the field."""
    context_words = content_of(field.names.around)
    names = [words for name in field.names.own if (words := content_of(name))]
    # Every page has dates, numbers and names. For a field with such a name, the label must also name the object around
    # it.
    names = [(*context_words, *words) if len(words) == 1 and words[0] in COMMON else words for words in names]
    return [words for words in names if len(words) > 1 or words[0] not in COMMON], context_words


def _keys_of(word: str) -> Iterator[object]:
    """Yield the keys of a word. Words that are forms of each other (`is_form_of`) share at least one key."""
    word = word.rstrip(".")
    yield word if len(word) < STEM else word[:STEM]
    if len(word) >= SHORTEST_CUT:
        yield word[:SHORTEST_CUT], "cut"
    if word in COMMON:
        yield True
    if meaning := concepts_of((word,)):
        yield meaning


def _likeness(words: tuple[str, ...], name: tuple[str, ...], context_words: tuple[str, ...]) -> float:
    """Return the agreement of a label's words with the name of a field, 0 to 1."""
    own = _share(name, words)
    if own < 0.5:
        return 0.0
    share_around = _share(words, (*name, *context_words))
    return own * (0.5 + 0.5 * share_around)


def _share(these: Sequence[str], those: Sequence[str]) -> float:
    """Return the share of the words in `these`, by weight, of which a form is in `those`."""
    weights = {word: COMMON_WORD_WEIGHT if word.rstrip(".") in COMMON else 1.0 for word in these}
    found = sum(weight for word, weight in weights.items() if any(is_form_of(word, one) for one in those))
    return found / sum(weights.values())


@lru_cache(maxsize=65_536)
def is_form_of(first: str, second: str) -> bool:
    """True if two words are equal, forms of one word, synonyms such as `phone` and `telephone`, or a word and its
    abbreviation with a point."""
    cut, word = (first, second) if first.endswith(".") else (second, first)
    first, second = first.rstrip("."), second.rstrip(".")
    if first == second or (cut.endswith(".") and word.startswith(cut[:-1])):
        return True
    if first in COMMON and second in COMMON:
        return True
    if (meaning := concepts_of((first,))) and meaning == concepts_of((second,)):
        return True
    same = next(
        (index for index, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
    return same >= STEM and same >= LEAST_SHARED_LETTERS * max(len(first), len(second))


@lru_cache(maxsize=65_536)
def content_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that carry meaning, without accents. A unit at the end of a name is left out."""
    plain = tuple(without_accents(word) for word in words)
    if len(plain) > 1 and plain[-1] in UNITS and len(plain[-1]) > 1:
        plain = plain[:-1]
    # The last letter of `tax_a` is not a preposition.
    return tuple(word for word in plain if word not in _GLUE or (len(word) == 1 and word is plain[-1])) or plain
