"""Computes the affinity of a match to the words around it that name its field: "TOTAL" to the left of an amount, or a
column's heading."""

from bisect import bisect_left
from collections.abc import Sequence

from rapidfuzz.fuzz import ratio

from tasks.extraction.boxes import box_of, same_row
from tasks.extraction.concepts import are_synonyms
from tasks.extraction.folding import fold, look_alike
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage

ALIKE = 85
"""Smallest ratio of rapidfuzz, 0 to 100, at which a word counts as a misread label."""
SYNONYM_WEIGHT = 0.8
PARENT_WEIGHT = 0.3
"""Weight of the words in the name of the object around a field. The field's own words have weight 1."""
REACH = 12
"""Largest distance of a heading from a value in its column, in heights of the match."""

MAX_LABELS = 32
"""Largest number of occurrences of a label that are compared with one match."""


def affinity(passage: Passage, words: Sequence[int], names: Names) -> float:
    """Return the affinity of `words` to the field with these names, judged by the words around them: 0 to about 1.3."""
    own = max((_relation(passage, words, name) for name in names.own), default=0.0)
    return own + PARENT_WEIGHT * _relation(passage, words, names.around)


def _relation(passage: Passage, words: Sequence[int], labels: Sequence[str]) -> float:
    """Return how close `words` are, on average, to the nearest occurrence of each label. Other words in the label's
    line lower it."""
    if not labels:
        return 0.0
    return sum(_nearest(passage, words, label) for label in labels) / len(labels)


def _nearest(passage: Passage, words: Sequence[int], label: str) -> float:
    if label in fold(passage.lines[passage.line_at(words[0])].pointer):
        return 1.0
    own = set(words)
    relations = [
        weight * _between(passage, occurrence, words)
        for occurrence, weight in _occurrences_around(passage, label, words[0])
        if occurrence not in own
    ]
    return max(relations, default=0.0)


def _occurrences_around(passage: Passage, label: str, word: int) -> Sequence[tuple[int, float]]:
    """Return the indices of words that mean `label`, each with a weight.

    If the passage has more than MAX_LABELS of them, only those nearest to `word` in reading order are returned.
    """
    known = passage.labels.get(label)
    if known is None:
        known = passage.labels[label] = sorted(
            (place, weight)
            for token, places in passage.vocabulary.items()
            if (weight := likeness(token, label)) > 0
            for place in places
        )
    if len(known) <= MAX_LABELS:
        return known
    first = bisect_left(known, (word, 0.0)) - MAX_LABELS // 2
    return known[max(0, first) : max(0, first) + MAX_LABELS]


def likeness(token: str, label: str) -> float:
    if token == label or (len(label) > 3 and token.startswith(label)):
        return 1.0
    if len(label) > 4 and abs(len(token) - len(label)) < 2 and ratio(look_alike(token), look_alike(label)) >= ALIKE:
        return 1.0
    return SYNONYM_WEIGHT if are_synonyms(token, label) else 0.0


def _between(passage: Passage, label: int, words: Sequence[int]) -> float:
    label_line, line = passage.line_at(label), passage.line_at(words[0])
    if label_line == line:
        return (1.0 if label < words[0] else 0.6) * _purity(passage, label, words[0])
    here, there = box_of(passage, words), box_of(passage, [label])
    if here is None or there is None:
        return {1: 0.5, 2: 0.3}.get(line - label_line, 0.0)
    if same_row(here, there):
        return (1.0 if there[0] < here[0] else 0.6) * _purity(passage, label, words[0])
    height = max(1, here[3] - here[1])
    below = (here[1] - there[3]) / height
    overlap = min(here[2], there[2]) - max(here[0], there[0])
    if -0.5 <= below < REACH and overlap > 0:
        return 0.7 * (1 - max(0.0, below) / REACH)
    if -0.5 <= below < 2:
        return 0.3
    return 0.0


def _purity(passage: Passage, label: int, match: int) -> float:
    """Return a factor that is below 1 if the label's line has further words: "TOTAL QTY" is not the total."""
    others = sum(
        1
        for word in passage.line_words(passage.line_at(label))
        if word not in (label, match) and passage.words[word].isalpha() and len(passage.words[word]) > 2
    )
    return 1 / (1 + 0.15 * min(others, 6))
