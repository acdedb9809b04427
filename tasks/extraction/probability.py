"""Computes the probability that a field of an answer is right, from the network's scores to the number that clients
see.

1. The network (`models/extraction/network.py`) scores every span of what was read as the field's value. One more
   score is for the case that no span is the value. `rules.py` and `wholes.py` add knowledge about the field that the
   network lacks. The sums are the logits of `FieldScores`.
2. Softmax turns a field's logits into probabilities. The probabilities of all spans with the field's value are added
   up (`FieldScores.place`). In a list, which has many values, each span is right or wrong by itself.
3. Evidence adds how well the words agree with the value, and whether the label beside the words names this field or
   another (`CalibrationInput`).
4. A logistic regression calibrates all of these on documents that nothing else was fitted to (`probability`;
   `training/extraction/calibrate.py` fits it, after Platt, "Probabilistic outputs for support vector machines", 1999).
   Those documents are kinder than others, which lowers the odds of copied fields (`KINDER`).
"""

import json
import math
from collections.abc import Collection, Mapping, Sequence
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
from tasks.read_table import ReadCell
from tasks.schema.paths import JsonPath

MISWRITTEN = 0.1
"""Factor on the probability of a code with wrong check digits. Either it was misread, or it is wrong on the page."""
EVEN = 0.5
"""Probability at which a value in a list is worth as much as no value, when two ways to fill the list are compared."""
FILE = Path(__file__).with_name("calibration.json")
KINDER = 1.0
"""Amount by which the log-odds of copied fields are lowered, because the documents of the calibration are easier than
other papers. Measured on 46 papers from other sources, of 100 fields at 0.9 and above, 7 were wrong without it, and 5
are with it; the calibration error fell from 0.10 to 0.07."""
UNPRINTED = 1.0
"""Amount by which the log-odds of a cell are lowered if its row was built from entries or sentences. The header of such
a table is the field's own name, which fits better than any printed header, and the calibration contains no such
table. Such a cell claims 0.85; of 248 on 93 papers of other people, 0.87 are right."""
_SUREST = 0.9999


class CellOfField(NamedTuple):
    """The cell of a table from which a value was copied, and the evidence for it."""

    entry: Entry
    cell: ReadCell
    header: str
    """Text of the column's header; empty without one."""
    likeness: float
    """Weight of the header as a name of the field (`table_lists`)."""
    fit: float
    """Share of the column's cells that have a value for the field."""
    is_read: bool = True
    """False if the cell is missing, empty or unreadable. In this case, the value is the emptiest one allowed."""
    is_printed: bool = True
    """False if the table was built from entries or sentences, so that its header is not printed."""
    chance: float | None = None
    """The calibrated probability, if what found the cell knows it."""

    @property
    def signs(self) -> tuple[float, ...]:
        """The input of the calibration."""
        sure = float(self.cell.place.get("confidence", 1.0))
        return min(self.likeness, 2.0), float(self.likeness > 0), self.fit, sure


class CellOfItem(NamedTuple):
    """The place of a value in an object of a list that the network filled, and the evidence for it."""

    span: int
    """Index of the span in the candidates."""
    signs: tuple[float, ...]
    """The input of the calibration (`object_lists`)."""


class ValuePlace(NamedTuple):
    """The place of a value according to the extractor, with its probability before calibration."""

    probability: float
    entry: Entry | None = None
    pointer: str = ""
    """JSON pointer of the line in which the value begins."""
    words: frozenset[int] = frozenset()
    """Indices of the value's words in their passage."""
    copied: bool = False
    """True if the value is the answer of the extractor, False if it is the answer of an LLM."""
    cell: CellOfField | None = None
    """Cell of a table that contains the value, if it is known. No other place is then searched for."""
    is_calibrated: bool = False
    """True if the probability has already been calibrated."""
    is_by_example: bool = False
    """True if an example has the field at this place."""


@dataclass(frozen=True)
class FieldScores:
    """The candidates in the texts that were read, and the score of each candidate as the value of each field."""

    candidates: Candidates
    fields: Sequence[WantedField]
    logits: Matrix
    """Matrix of fields × (spans + 1); the last column scores the case that no span answers the field."""
    entries: Sequence[Entry] = ()
    """The task results that the passages were cut from."""
    lists: Mapping[JsonPath, TextList] = field(default_factory=dict)
    """The lists of texts that were copied, by the field's path."""
    cells: Mapping[JsonPath, CellOfItem] = field(default_factory=dict)
    """The places of the values in lists of objects, by the value's path."""
    by_example: Mapping[int, Collection[int]] = field(default_factory=dict)
    """Indices of the candidates in places where examples have a field, by the field's row."""

    @cached_property
    def probabilities(self) -> Matrix:
        scores = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        found: Matrix = scores / scores.sum(axis=1, keepdims=True)
        return found

    @property
    def document(self) -> Entry | None:
        """The request's own text if the extractor read it, or else None."""
        return next((entry for entry in self.entries if not is_text(entry)), None)

    @cached_property
    def days_first(self) -> bool:
        return has_days_first(self.candidates)

    @cached_property
    def rows(self) -> Mapping[JsonPath, int]:
        return {field.path: row for row, field in enumerate(self.fields)}

    def place(self, path: JsonPath, value: Any, *, copied: bool = True) -> ValuePlace | None:
        """Return the most likely place of `value` for the field at `path`, with the probability of all its places
        together.

        None if the field was not wanted. `copied` is True if the value is the answer of the extractor, False if it is
        that of an LLM.
        """
        row = self.rows.get(without_items(path))
        if row is None:
            return None
        if copied and (cell := self.cells.get(path)) is not None:
            span = self.candidates.spans[cell.span]
            found = self._place(span.passage, span.words, probability_in_list(cell), copied)
            return found._replace(is_calibrated=True)
        if (whole := self.lists.get(self.fields[row].path)) and isinstance(at := path[-1], int):
            # All items come from one piece of text, so each is right if the piece is.
            return self._place(whole.passage, whole.items[at].words, whole.probability, copied)
        key = key_of(value)
        saying = [at for at, said in enumerate(self._values_said) if key in said]
        if not saying:
            return ValuePlace(0.0, copied=copied)
        best = max(saying, key=lambda at: self.logits[row, at])
        if self.fields[row].in_list:
            # A list has many values, each of which is right or wrong independently.
            chance = float(1 / (1 + np.exp(self.logits[row, -1] - self.logits[row, best])))
        else:
            chance = float(self.probabilities[row, saying].sum())
        if is_miswritten(value, self.fields[row].names):
            chance *= MISWRITTEN
        span = self.candidates.spans[best]
        found = self._place(span.passage, span.words, chance, copied)
        return found._replace(is_by_example=best in self.by_example.get(row, ()))

    def _place(self, passage: Passage, words: Sequence[int], chance: float, copied: bool) -> ValuePlace:
        line = passage.lines[passage.line_at(words[0])]
        return ValuePlace(chance, self.entries[passage.entry], line.pointer, frozenset(words), copied)

    @cached_property
    def _values_said(self) -> list[set[Any]]:
        return [set(map(key_of, sayings(span, self.days_first))) for span in self.candidates.spans]


class CalibrationInput(NamedTuple):
    """The input of the calibration of one value."""

    probability: float
    """Probability according to the network and the rules."""
    score: float
    """Agreement of value and text, 0 to 1."""
    own: bool
    """True if a label beside the value names the field."""
    other: bool
    """True if labels contradict the value."""
    copied: bool
    """True if the value is the extractor's answer. An answer of the LLM may be right even if the network finds
    nothing."""

    @property
    def features(self) -> tuple[float, ...]:
        return _logit(self.probability), self.score, float(self.own), float(self.other)


def calibration_input(place: ValuePlace, score: float, label: Label) -> CalibrationInput:
    """Return the input for a value with the extractor's `place` and the score and label of its evidence."""
    return CalibrationInput(place.probability, score, label == "own", label in ("other", "elsewhere"), place.copied)


def _logit(chance: float) -> float:
    sure = min(max(chance, 1 - _SUREST), _SUREST)
    return math.log(sure / (1 - sure))


@cache
def _weights() -> dict[str, tuple[tuple[float, ...], float]]:
    table = json.loads(FILE.read_text("utf-8"))
    return {by: (tuple(fitted["weights"]), float(fitted["bias"])) for by, fitted in table.items()}


def probability(signs: CalibrationInput) -> float:
    """Return the calibrated probability that a field is right, 0 to 1."""
    return calibrated("copied", signs.features, -KINDER) if signs.copied else calibrated("llm", signs.features)


def probability_of_cell(cell: CellOfField) -> float:
    """Return the calibrated probability that a value copied from a table's cell is right, 0 to 1."""
    if not cell.is_read:
        return 0.0
    if cell.chance is not None:
        return cell.chance
    return calibrated("table", cell.signs, 0.0 if cell.is_printed else -UNPRINTED)


def probability_in_list(cell: CellOfItem) -> float:
    """Return the calibrated probability that a value in a list that the network filled is right, 0 to 1."""
    return calibrated("list", cell.signs)


def calibrated(by: str, features: Sequence[float], shift: float = 0.0) -> float:
    """Return the probability for the input of one of the calibrations in FILE, with its log-odds shifted."""
    weights, bias = _weights()[by]
    return 1 / (1 + math.exp(-bias - shift - sum(weight * one for weight, one in zip(weights, features, strict=True))))
