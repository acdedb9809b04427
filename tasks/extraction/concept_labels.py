"""Prefers places whose labels name the concept of a field, and numbers right beside the field's own name.

The network learned the weight of such a label on documents that were made for its training. On real documents such a
label deserves more weight, above all if it follows the value: `3 bedrooms`, `96 m² construidos`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from models.fair_executor import Slices, all_of
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import TYPES, FieldText, Matrix
from tasks.extraction.folding import fold

CONCEPT_BONUS = 2.0
"""Bonus on the logit of a place with a label of the field's concept. If there is such a place, the logit that nothing
answers the field is lowered by the same amount. On 55 documents that nothing was tuned on, 337 instead of 329 of the
713 fields outside lists are right with the bonus."""
LONGEST_LABEL = 80
"""At most this many characters at the beginning of a label are looked up."""
MAX_AFTER = 3
"""At most this many words before or after a number may name it."""
NAME_BESIDE_WEIGHT = 2.0
"""Weight of the field's own name right beside a number, in units of `CONCEPT_BONUS`."""
_APPROXIMATION_WORDS = frozenset(
    ("ca", "circa", "about", "etwa", "env", "environ", "approx", "ongeveer", "około", "cirka")
)
_PAUSES = tuple(",;.!?")
_DATES = TYPES.index("date"), TYPES.index("iso")

Meanings = frozenset[frozenset[str]]
"""The concepts that each label of a place names."""


class ConceptLabels:
    """The meanings of the labels around each candidate."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates

    def prefer(self, logits: Matrix, field: FieldText) -> None:
        """Raise the logits of places of the field's type with a label of the field's concept, and of numbers beside the
        field's name."""
        is_date = any(field.types[index] for index in _DATES)
        kind = "number" if field.is_number else "day" if is_date else None
        own = set(field.names.own) if field.is_number else set()
        named = np.zeros(len(self._candidates.spans), np.float32)
        for index, (span, meanings) in enumerate(zip(self._candidates.spans, self._meanings, strict=True)):
            if kind not in (None, span.kind):
                continue
            is_beside_own = not own.isdisjoint(self._beside[index])
            named[index] = NAME_BESIDE_WEIGHT * is_beside_own + (bool(field.concepts) and field.concepts in meanings)
        if named.any():
            logits[:-1] += CONCEPT_BONUS * named
            logits[-1] -= CONCEPT_BONUS

    def prepare(self) -> Slices[None]:
        """Compute in slices the meanings and words that all fields need. Without this call, they are computed in one
        step for the first field."""
        self.__dict__["_meanings"] = yield from self._find_meanings()
        self.__dict__["_beside"] = yield from self._find_beside()

    @cached_property
    def _meanings(self) -> list[Meanings]:
        return all_of(self._find_meanings())

    def _find_meanings(self) -> Slices[list[Meanings]]:
        known: dict[str, frozenset[str]] = {}

        def meaning_of(label: str) -> frozenset[str]:
            if label not in known:
                known[label] = concepts_of(tuple(fold(label)))
            return known[label]

        found: list[Meanings] = []
        for span, labels in zip(self._candidates.spans, self._candidates.labels_beside, strict=True):
            if len(found) % SPANS_AT_ONCE == 0:
                yield
            # Beside or above a value, a text with figures is another value with a label of its own.
            names = (text for slot, text in labels.items() if slot == "own" or not any(map(str.isdigit, text)))
            meanings = {meaning_of(name[:LONGEST_LABEL]) for name in names}
            if span.kind == "number":
                meanings.add(next(filter(None, map(meaning_of, self._after(span))), frozenset()))
            found.append(frozenset(meanings))
        return found

    @cached_property
    def _beside(self) -> list[set[tuple[str, ...]]]:
        """The texts of one to MAX_AFTER words right after each number and right before it."""
        return all_of(self._find_beside())

    def _find_beside(self) -> Slices[list[set[tuple[str, ...]]]]:
        found: list[set[tuple[str, ...]]] = []
        for span in self._candidates.spans:
            if len(found) % SPANS_AT_ONCE == 0:
                yield
            words = set()
            if span.kind == "number":
                texts = [*self._before(span)]
                if not span.passage.words[span.words[-1]].endswith(_PAUSES):
                    texts += self._after(span)
                words = {tuple(fold(text)) for text in texts}
            found.append(words)
        return found

    def _before(self, span: CandidateSpan) -> Iterator[str]:
        """Yield the texts of one to MAX_AFTER words right before a number in its line, the shortest first. A word such
        as `about` before the number is skipped."""
        segment = self._candidates.segments[span.first]
        end = bisect_left(segment.words, span.words[0])
        words = [segment.passage.words[word] for word in segment.words[max(0, end - MAX_AFTER - 1) : end]]
        if words and words[-1].strip(".").casefold() in _APPROXIMATION_WORDS:
            words.pop()
        if words and words[-1].endswith(_PAUSES):
            return
        for count in range(1, min(MAX_AFTER, len(words)) + 1):
            yield " ".join(words[-count:])

    def _after(self, span: CandidateSpan) -> Iterator[str]:
        """Yield the texts of one to MAX_AFTER words right after a number in its line, the longest first."""
        segment = self._candidates.segments[span.last]
        next_word = bisect_right(segment.words, span.words[-1])
        words = [segment.passage.words[word] for word in segment.words[next_word : next_word + MAX_AFTER]]
        for count in range(len(words), 0, -1):
            yield " ".join(words[:count])
