"""Computes the affinity of a match to a field: a score for how close words that name the field stand to the match.

Such words are, for example, "TOTAL" to the left of an amount, or the heading of a column.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import chain

from tasks.extraction.boxes import box_of, same_row
from tasks.extraction.folding import fold, look_alike
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.extraction.word_likeness import word_likeness
from tasks.result import Box

PARENT_WEIGHT = 0.3
"""Weight of the words in the name of the object around a field. The field's own words have weight 1."""
REACH = 12
"""A heading names the values in its column that begin less than this distance below it, in heights of the value."""

MAX_LABELS = 32
"""At most this many occurrences of a label are compared with one match."""


def affinity(passage: Passage, words: Sequence[int], names: Names) -> float:
    """Return the affinity of `words` to the field with these names, from 0 to about 1.3."""
    value = _ValueOnPage(passage, words)
    nearest: dict[str, float] = {}
    for label in dict.fromkeys(chain(*names.own, names.around)):
        nearest[label] = _nearest(value, label)

    def relation(labels: Sequence[str]) -> float:
        """Return how close the value is, on average, to the nearest occurrence of each label. Other words in the
        label's line lower the result."""
        return sum(nearest[label] for label in labels) / len(labels) if labels else 0.0

    return max(map(relation, names.own), default=0.0) + PARENT_WEIGHT * relation(names.around)


class _ValueOnPage:
    """The words of a match, with the properties that each comparison with a label needs."""

    def __init__(self, passage: Passage, words: Sequence[int]) -> None:
        self.passage = passage
        self.words = words
        self.line = passage.line_at(words[0])
        self.line_words = passage.line_words(self.line)

    @cached_property
    def box(self) -> Box | None:
        return box_of(self.passage, self.words)

    @cached_property
    def pointer(self) -> Sequence[str]:
        return fold(self.passage.lines[self.line].pointer)


def _nearest(value: _ValueOnPage, label: str) -> float:
    if label in value.pointer:
        return 1.0
    best = 0.0
    for occurrence, weight in _occurrences_around(value.passage, label, value.words[0]):
        # `_between` is 1 at most, so a place with a smaller weight cannot be better.
        if weight > best and occurrence not in value.words:
            best = max(best, weight * _between(value, occurrence))
    return best


def _occurrences_around(passage: Passage, label: str, word: int) -> Sequence[tuple[int, float]]:
    """Return the indices of words that mean `label`, each with a weight.

    If the passage has more than MAX_LABELS such words, only the words nearest to `word` in reading order are returned.
    """
    known = passage.labels.get(label)
    if known is None:
        forms, form = passage.token_forms, look_alike(label)
        known = passage.labels[label] = sorted(
            (place, weight)
            for token, places in passage.vocabulary.items()
            if (weight := word_likeness(token, label, (forms[token], form))) > 0
            for place in places
        )
    if len(known) <= MAX_LABELS:
        return known
    first = bisect_left(known, (word, 0.0)) - MAX_LABELS // 2
    return known[max(0, first) : max(0, first) + MAX_LABELS]


def _between(value: _ValueOnPage, label: int) -> float:
    passage, first = value.passage, value.words[0]
    if label in value.line_words:
        return (1.0 if label < first else 0.6) * _purity(passage, label, first)
    value_box, label_box = value.box, passage.boxes[label] if label in passage.boxes else _box_of_label(passage, label)
    if value_box is None or label_box is None:
        return {1: 0.5, 2: 0.3}.get(value.line - passage.line_at(label), 0.0)
    if same_row(value_box, label_box):
        return (1.0 if label_box[0] < value_box[0] else 0.6) * _purity(passage, label, first)
    height = max(1, value_box[3] - value_box[1])
    below = (value_box[1] - label_box[3]) / height
    overlap = min(value_box[2], label_box[2]) - max(value_box[0], label_box[0])
    if -0.5 <= below < REACH and overlap > 0:
        return 0.7 * (1 - max(0.0, below) / REACH)
    if -0.5 <= below < 2:
        return 0.3
    return 0.0


def _box_of_label(passage: Passage, label: int) -> Box | None:
    box = passage.boxes[label] = box_of(passage, [label])
    return box


def _purity(passage: Passage, label: int, match: int) -> float:
    """Return a factor that is below 1 if the label's line has further words: "TOTAL QTY" is not the total."""
    line = passage.line_at(label)
    words = passage.long_words.get(line)
    if words is None:
        words = passage.long_words[line] = frozenset(
            word for word in passage.line_words(line) if passage.words[word].isalpha() and len(passage.words[word]) > 2
        )
    other_words = len(words) - (label in words) - (match in words and match != label)
    return 1 / (1 + 0.15 * min(other_words, 6))
