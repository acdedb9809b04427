"""Finds values whose labels say the opposite of what a field asks for: `Max. flow temperature: 75` for
`min_flow_temperature`.

The other words of such a label agree with the field's name, so that the label would speak for the value.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, folded_words, without_accents

OPPOSITE = 25.0
"""Penalty on the logit of a place whose label says the opposite. It exceeds what other rules may add."""
_MAX_CHARS = 80
"""A label has at most this many characters."""
_ANY_LETTERS = "~"
_OWN_LABEL = re.compile(r"[^\d:：]*[^\W\d_][^\d:：]*(?=[\d:：])")
"""Pattern of a label at the beginning of a text that contains its value, too."""


class Side(NamedTuple):
    """One side of a pair of opposites."""

    pair: str
    is_first: bool

    @property
    def opposite(self) -> "Side":
        return Side(self.pair, not self.is_first)


def _read_table() -> tuple[dict[tuple[str, ...], Side], dict[str, Side]]:
    phrases, beginnings = {}, {}
    for pair, sides in tomllib.loads(Path(__file__).with_name("opposites.toml").read_text("utf-8")).items():
        for key, text in sides.items():
            for phrase in without_accents(" ".join(text.split())).split(", "):
                side = Side(pair, key == "one")
                if phrase.endswith(_ANY_LETTERS) and " " not in phrase:
                    beginnings[phrase.rstrip(_ANY_LETTERS)] = side
                else:
                    phrases[tuple(phrase.rstrip(_ANY_LETTERS).split())] = side
    return phrases, beginnings


_PHRASES, _BEGINNINGS = _read_table()
_LONGEST_PHRASE = max(map(len, _PHRASES))
_SHORTEST_BEGINNING, _LONGEST_BEGINNING = min(map(len, _BEGINNINGS)), max(map(len, _BEGINNINGS))


class Opposites:
    """The sides of opposites that the labels of all candidates name. They have to be read (`read`) before a field is
    compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._places: dict[frozenset[Side], list[int]] = {}
        """Indices of the spans whose label names these sides."""

    def read(self) -> Slices[None]:
        for index, (span, labels) in enumerate(
            zip(self._candidates.spans, self._candidates.labels_beside, strict=True)
        ):
            if index % SPANS_AT_ONCE == 0:
                yield
            label = span.label or _label_within(span) or labels.get("left") or labels.get("above") or ""
            sides = sides_of(folded_words(label)) if len(label) <= _MAX_CHARS else frozenset()
            if sides:
                self._places.setdefault(sides, []).append(index)

    def avoid(self, logits: Matrix, field: FieldText) -> None:
        """Lower the logits of places whose labels name the opposite of what the field asks for, unless they name both
        sides."""
        opposites = opposites_of(field)
        for sides, places in self._places.items() if opposites else ():
            if any(side.opposite not in sides for side in sides & opposites):
                logits[places] -= OPPOSITE


def _label_within(span: CandidateSpan) -> str:
    found = _OWN_LABEL.match(span.text[: _MAX_CHARS + 1])
    return found[0] if found else ""


def opposites_of(field: FieldText) -> frozenset[Side]:
    """Return the opposites of what the names of a field say, without those that its names or description mention, too:
    none for `min_or_max`."""
    names = [*field.names.own, field.names.around]
    sides = frozenset(side for name in names for side in sides_of(tuple(name)))
    mentioned = sides | sides_of(tuple(fold(field.full)))
    return frozenset(side.opposite for side in sides) - mentioned


@lru_cache(maxsize=4096)
def sides_of(words: tuple[str, ...]) -> frozenset[Side]:
    """Return the sides that folded words name. Of two phrases at the same word, the longer one counts: `non-current`
    is not `current`."""
    plain = tuple(map(without_accents, words))
    found, start = set(), 0
    while start < len(plain):
        side, size = _side_at(plain, start)
        if side:
            found.add(side)
        start += size
    return frozenset(found)


def _side_at(words: Sequence[str], start: int) -> tuple[Side | None, int]:
    """Return the side that the words from `start` on name, and the number of these words."""
    for size in range(min(_LONGEST_PHRASE, len(words) - start), 0, -1):
        if side := _PHRASES.get(tuple(words[start : start + size])):
            return side, size
    word = words[start]
    sizes = range(min(_LONGEST_BEGINNING, len(word)), _SHORTEST_BEGINNING - 1, -1)
    return next((side for size in sizes if (side := _BEGINNINGS.get(word[:size]))), None), 1
