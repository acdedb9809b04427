"""Compares a printed label, such as the header of a column, with the names of a field: by their words, by the table of
concepts, by the model of labels and by the meanings of both."""

from collections.abc import Collection
from functools import lru_cache
from math import fsum
from typing import Final, NamedTuple

import numpy as np

from models.extraction.labels import Matrix as Vectors
from models.extraction.labels import label_model
from tasks.extraction.concepts import CONCEPTS, concepts_of, may_be_same
from tasks.extraction.features import Matrix
from tasks.extraction.folding import fold
from tasks.extraction.names import Names, spelt_out
from tasks.extraction.word_likeness import word_likeness

SAME_NAME: Final = 3.0
"""Likeness of a label that is a name of the field."""
SAME_CONCEPT: Final = 2.0
"""Likeness of a label that has the field's concept."""
NEAR_CONCEPT: Final = 0.9
"""Likeness of a label that has only a weak concept of the field, or a concept that may mean the same value."""
SIMILAR: Final = 1.5
"""Likeness of a label with the same embedding as the field. Words in common weigh up to 1."""
LEAST_COSINE: Final = 0.45
"""A label and a field are alike in meaning if the cosine of their embeddings is at least this."""
LEAST_LIKENESS: Final = 0.6
"""A label names a field only if its likeness is at least this."""
OTHER_CONCEPT: Final = 0.3
"""A label with several concepts loses this much likeness for each concept that the field does not have."""
MOST_WORDS: Final = 8
"""Concepts are searched for only in labels of at most this many words."""


class _Label(NamedTuple):
    """The words of a label, as they are compared with the names of many fields."""

    words: tuple[str, ...]
    joined: str
    concepts: frozenset[str]
    spelt_out: frozenset[str]


@lru_cache(maxsize=1024)
def _label_of(text: str) -> _Label:
    words = tuple(fold(text))
    concepts = concepts_of(words) if len(words) <= MOST_WORDS else frozenset[str]()
    return _Label(words, "".join(words), concepts, frozenset(spelt_out(words)))


def likeness_by_words(names: Names, text: str) -> float:
    """Return how well a label matches a field by its words and by the table of concepts."""
    return _likeness(names, text, 0.0)


def likeness_of_label(names: Names, text: str) -> float:
    """Return how well a label matches a field by its words or by the model of labels, and by the table of concepts."""
    return _likeness(names, text, label_probability(names.phrase, text))


def _likeness(names: Names, text: str, probability: float) -> float:
    label = _label_of(text)
    if not label.words:
        return 0.0
    if label.words in names.own or label.joined in names.joined:
        return SAME_NAME
    by_words = max((_share_of_words(label.spelt_out, own) for own in names.word_sets), default=0.0)
    alike = max(by_words, _share_of_beginning(label, names), probability)
    return _likeness_of_concepts(label.concepts, names.concepts) + alike


@lru_cache(maxsize=8192)
def label_probability(phrase: str, text: str) -> float:
    """Return the probability that a text is the label of a field with this phrase, by the model of labels."""
    return label_model().probability(float(_vector(phrase) @ _vector(text)))


@lru_cache(maxsize=4096)
def _vector(text: str) -> Vectors:
    vector: Vectors = label_model().vectors([text])[0]
    return vector


def names_another_text(names: Names, text: str) -> bool:
    """True if a field and a label have concepts of texts, and those of the label cannot mean the field's value: an
    article is not a customer. Amounts and days may have many names."""
    own, concepts = names.concepts, _label_of(text).concepts
    are_texts = all(CONCEPTS[name].kind == "text" for name in own | concepts)
    return bool(own and concepts) and are_texts and own.isdisjoint(concepts) and not may_be_same(own, concepts)


def _likeness_of_concepts(first: frozenset[str], second: frozenset[str]) -> float:
    common = first & second
    if any(not CONCEPTS[name].weak for name in common):
        return SAME_CONCEPT - OTHER_CONCEPT * (len(first | second) - 1)
    return NEAR_CONCEPT if common or (first and second and may_be_same(first, second)) else 0.0


def _share_of_beginning(label: _Label, names: Names) -> float:
    """Return the shorter length as a share of the longer one, if the label begins with a name of the field, or a name
    begins with the label."""
    own = label.joined
    return max(
        (
            min(len(own), len(name)) / max(len(own), len(name))
            for name in names.joined
            if min(len(own), len(name)) > 2 and (name.startswith(own) or own.startswith(name))
        ),
        default=0.0,
    )


def _share_of_words(label_words: Collection[str], name_words: Collection[str]) -> float:
    """Return the share of words that a label and a name have in common. Synonyms count nearly as much as equal
    words."""
    common = fsum(max((word_likeness(one, word) for one in label_words), default=0.0) for word in name_words)
    return common / max(len(name_words), len(label_words))


def likeness_by_meaning(matches: Matrix) -> Matrix:
    """Return how well labels match fields by their meanings, given the result of `label_matches`."""
    cosines = np.maximum(matches[:, :, 4], matches[:, :, 10])
    is_nearest = matches[:, :, 6] >= 0
    letters = np.sqrt(matches[:, :, 8] * matches[:, :, 9])
    found: Matrix = np.maximum(np.where(cosines >= LEAST_COSINE, SIMILAR * cosines, 0.0), letters)
    return found + 0.1 * is_nearest * (cosines >= LEAST_COSINE)
