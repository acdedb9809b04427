"""How near a match stands to words that name its field: the "TOTAL" left of an amount, a column's heading."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz.fuzz import ratio

from app.chat.evidence.concepts import FIELD_WORDS, LAST_WORDS, PHRASES, are_synonyms, concepts_of_field
from app.chat.evidence.passages import Box, Passage, fold, look_alike
from tasks.result import CORNERS, Bounds

ALIKE = 85
"""rapidfuzz's ratio from which a word is taken for a misread label."""
SYNONYM_WEIGHT = 0.8
PARENT_WEIGHT = 0.3
"""What the words of the object around a field count beside its own."""
REACH = 12
"""Line heights below which a heading still heads a column; measured in heights of the match."""

LONGEST_NAME = 8
"""Words of a description that is a name; a longer one explains."""

MAX_LABELS = 32
"""Occurrences of a label that are compared with one match."""

SHORTEST_PART = 3
"""Letters of a word that may be written together with another one."""
LONGEST_PAIR = 40
"""Letters of two such words: every cut of a longer one would be tried."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_ABBREVIATIONS: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("abbreviations.toml").read_text("utf-8"))


@lru_cache(maxsize=1024)
def words_of_key(key: str) -> tuple[str, ...]:
    """`invoiceNumber`, `invoice_number` → invoice, number."""
    return tuple(fold(_CAMEL.sub(" ", key).replace("_", " ")))


def _spelt_out(words: Sequence[str]) -> tuple[str, ...]:
    """`cust`, `addr` → customer, address; `duedate` → due, date."""
    if tuple(words) in PHRASES:
        return tuple(words)
    return tuple(
        part
        for word in words
        for part in (_ABBREVIATIONS.get(word, "").split() or ((word,) if word in FIELD_WORDS else _parted(word)))
    )


def _parted(word: str) -> Sequence[str]:
    """The two words of names that are written together in `word`."""
    if len(word) > LONGEST_PAIR:
        return (word,)
    cuts = range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
    parts = ((word[:cut], word[cut:]) for cut in cuts)
    return next((part for part in parts if part[0] in FIELD_WORDS and part[1] in LAST_WORDS), (word,))


@dataclass(frozen=True, slots=True)
class Names:
    """What a field is called."""

    own: tuple[tuple[str, ...], ...] = ()
    """Its key spelt out and as it is, its title, a short description: the words of each."""
    around: tuple[str, ...] = ()
    """The words of the object that it is a part of."""

    @property
    def concepts(self) -> frozenset[str]:
        """By the first of them that the table knows."""
        return next(filter(None, (concepts_of_field(name, self.around) for name in self.own)), frozenset())


def names_of(path: Sequence[str | int], schema: Mapping[str, Any]) -> Names:
    """The names of the field at `path` in an answer; its `schema` may add to them."""
    keys = [step for step in path if isinstance(step, str)]
    if not keys:
        return Names()
    told = [schema.get(word) for word in ("title", "description")]
    said = [words for text in told if isinstance(text, str) and 0 < len(words := words_of_key(text)) <= LONGEST_NAME]
    key = words_of_key(keys[-1])
    own = tuple(dict.fromkeys([_spelt_out(key), key, *said]))
    return Names(own, _spelt_out(words_of_key(keys[-2])) if len(keys) > 1 else ())


def affinity(passage: Passage, words: Sequence[int], names: Names) -> float:
    """0 to about 1.3: how much the surroundings of `words` speak of the field with these names."""
    own = max((_relation(passage, words, name) for name in names.own), default=0.0)
    return own + PARENT_WEIGHT * _relation(passage, words, names.around)


def _relation(passage: Passage, words: Sequence[int], labels: Sequence[str]) -> float:
    """The mean over `labels` of the nearest occurrence of each, lessened by strangers in the label's line."""
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
    """Words that mean `label`, and how surely: on a page full of them those next to `word` in reading order."""
    known = passage.labels.get(label)
    if known is None:
        known = passage.labels[label] = sorted(
            (place, weight)
            for token, places in passage.vocabulary.items()
            if (weight := _likeness(token, label)) > 0
            for place in places
        )
    if len(known) <= MAX_LABELS:
        return known
    first = bisect_left(known, (word, 0.0)) - MAX_LABELS // 2
    return known[max(0, first) : max(0, first) + MAX_LABELS]


def _likeness(token: str, label: str) -> float:
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
    """Less than 1 where the label's line says more than the label: "TOTAL QTY" is not the total."""
    others = sum(
        1
        for word in passage.line_words(passage.line_at(label))
        if word not in (label, match) and passage.words[word].isalpha() and len(passage.words[word]) > 2
    )
    return 1 / (1 + 0.15 * min(others, 6))


def box_of(passage: Passage, words: Sequence[int]) -> Box | None:
    """The upright rectangle around `words`: in pixels where they have bounds, else on the grid of their text."""
    found = [bounds for word in words if (bounds := bounds_of_word(passage, word)) is not None]
    if not found:
        return _hull([passage.grid[word] for word in words]) if words and passage.grid else None
    corners = [bounds[corner] for bounds in found for corner in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _hull(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def bounds_of_word(passage: Passage, word: int) -> Bounds | None:
    index = passage.line_at(word)
    line = passage.lines[index]
    if line.bounds:
        return line.bounds[word - passage.line_words(index).start]
    whole: Bounds | None = line.place.get("bounds")
    return whole


def same_row(one: Box, other: Box) -> bool:
    """Whether half of the lower one is beside the other."""
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    return overlap > 0.5 * min(one[3] - one[1], other[3] - other[1])
