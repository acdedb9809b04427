"""How probable it is that a field of an answer is right, from the network's scores to the number that clients see.

1. The network (`models/extraction/network.py`) scores every span of what was read as the field's value, and one score
   more says that none of them is. `rules.py` and `wholes.py` add what is known of the field whatever the network makes
   of it. These are the logits of `FieldScores`.
2. Softmax makes probabilities of a field's logits. Those of all spans that say the field's value are added up
   (`FieldScores.place`); in a list, where there are many values, each span is right or wrong by itself.
3. What evidence says for the value or against it: how well the words agree with it, and whether a label beside
   them names this field or another one (`CalibrationInput`).
4. A logistic regression calibrates all that on documents that nothing else was fitted to (`probability`;
   `training/extraction/calibrate.py` fits it, after Platt, "Probabilistic outputs for support vector machines", 1999).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tasks.extraction.candidates import Candidates
from tasks.extraction.claims import Label
from tasks.extraction.features import Matrix
from tasks.extraction.fields import WantedField, without_items
from tasks.extraction.passages import Passage, is_text
from tasks.extraction.text_lists import TextList
from tasks.extraction.values import has_days_first, is_miswritten, key_of, sayings
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath

MISWRITTEN = 0.1
"""Factor on the probability of a code whose check digits are wrong: it was misread, or is wrong on the page."""
FILE = Path(__file__).with_name("calibration.json")
_SUREST = 0.9999


class ValuePlace(NamedTuple):
    """The place where the extractor sees a value, with the probability before calibration."""

    probability: float
    entry: Entry | None = None
    pointer: str = ""
    """JSON pointer of the line in which it begins."""
    words: frozenset[int] = frozenset()
    """Indices of the words in their passage."""
    copied: bool = False
    """Whether the value is the extractor's own answer."""


@dataclass(frozen=True)
class FieldScores:
    """The candidates in what was read, and the score of each as the value of each field."""

    candidates: Candidates
    fields: Sequence[WantedField]
    logits: Matrix
    """Fields × (spans + 1); the last score says that no span answers the field."""
    entries: Sequence[Entry] = ()
    """The task results that the passages were cut from."""
    lists: Mapping[JsonPath, TextList] = field(default_factory=dict)
    """The lists of texts that were copied, by the field's path."""

    @cached_property
    def probabilities(self) -> Matrix:
        scores = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        found: Matrix = scores / scores.sum(axis=1, keepdims=True)
        return found

    @property
    def document(self) -> Entry | None:
        """The request's own text, where that was read; else None."""
        return next((entry for entry in self.entries if not is_text(entry)), None)

    @cached_property
    def days_first(self) -> bool:
        return has_days_first(self.candidates)

    @cached_property
    def rows(self) -> Mapping[JsonPath, int]:
        return {field.path: row for row, field in enumerate(self.fields)}

    def place(self, path: JsonPath, value: Any, *, copied: bool = True) -> ValuePlace | None:
        """The likeliest place of `value` for the field at `path`, with the probability of all its places; None where
        the field was not wanted. `copied`: the value is the extractor's answer, no LLM's."""
        row = self.rows.get(without_items(path))
        if row is None:
            return None
        if (whole := self.lists.get(self.fields[row].path)) and isinstance(at := path[-1], int):
            # One piece has all items: each is right where that is.
            return self._place(whole.passage, whole.items[at].words, whole.probability, copied)
        key = key_of(value)
        saying = [at for at, said in enumerate(self._values_said) if key in said]
        if not saying:
            return ValuePlace(0.0, copied=copied)
        best = max(saying, key=lambda at: self.logits[row, at])
        if self.fields[row].in_list:
            # There are many of it: each is right or not by itself.
            chance = float(1 / (1 + np.exp(self.logits[row, -1] - self.logits[row, best])))
        else:
            chance = float(self.probabilities[row, saying].sum())
        if is_miswritten(value, self.fields[row].names):
            chance *= MISWRITTEN
        span = self.candidates.spans[best]
        return self._place(span.passage, span.words, chance, copied)

    def _place(self, passage: Passage, words: Sequence[int], chance: float, copied: bool) -> ValuePlace:
        line = passage.lines[passage.line_at(words[0])]
        return ValuePlace(chance, self.entries[passage.entry], line.pointer, frozenset(words), copied)

    @cached_property
    def _values_said(self) -> list[set[Any]]:
        return [set(map(key_of, sayings(span, self.days_first))) for span in self.candidates.spans]


class CalibrationInput(NamedTuple):
    """All that calibration goes by."""

    probability: float
    """The probability by the network and the rules."""
    score: float
    """How well value and text agree, 0 to 1."""
    own: bool
    """Whether a label beside it names the field."""
    other: bool
    """Whether labels speak against it."""
    copied: bool
    """Whether the extractor answered; else an LLM did, which may be right where the network sees nothing."""

    @property
    def features(self) -> tuple[float, ...]:
        return _logit(self.probability), self.score, float(self.own), float(self.other)


def calibration_input(place: ValuePlace, score: float, label: Label) -> CalibrationInput:
    """The input for a value that the extractor sees at `place` and evidence finds with this score and label."""
    return CalibrationInput(place.probability, score, label == "own", label in ("other", "elsewhere"), place.copied)


def _logit(chance: float) -> float:
    sure = min(max(chance, 1 - _SUREST), _SUREST)
    return math.log(sure / (1 - sure))


@cache
def _weights() -> dict[str, tuple[tuple[float, ...], float]]:
    table = json.loads(FILE.read_text("utf-8"))
    return {by: (tuple(fitted["weights"]), float(fitted["bias"])) for by, fitted in table.items()}


def probability(signs: CalibrationInput) -> float:
    """The calibrated probability that a field is right, 0 to 1."""
    weights, bias = _weights()["copied" if signs.copied else "llm"]
    return 1 / (1 + math.exp(-bias - sum(weight * one for weight, one in zip(weights, signs.features, strict=True))))
