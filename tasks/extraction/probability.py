"""Computes the probability that a field of an answer is right. There are four steps from the network's scores to the
number that clients see.

1. For each span of the texts that were read, the network (`models/extraction/network.py`) scores how likely the span
   is the field's value. One more score is for the case that no span is the value. `rules.py` and `wholes.py` add
   knowledge about the field that the network lacks. The sums are the logits of `FieldScores`.
2. Softmax turns a field's logits into probabilities. The probabilities of all spans with the field's value are added
   up (`FieldScores.place`). In a list, which has many values, each span is right or wrong by itself.
3. The evidence adds two features: whether the label beside the value's words names this field or another, and the
   engine's confidence in the words. For a cell of a table or of records, and for an object of a list that the network
   found, other features are used.
4. A logistic regression turns the features into a probability (after Platt, "Probabilistic outputs for support vector
   machines", 1999). Each kind of `CalibrationInput` has a regression of its own (`training/extraction/fit.py`).
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeVar

import numpy as np

from tasks.extraction.agreement import NOT_COMPARED, Agreement, agreements
from tasks.extraction.candidates import Candidates
from tasks.extraction.doubts import DOUBTFUL, is_doubtful
from tasks.extraction.features import Matrix, types_of, wants_iso
from tasks.extraction.fields import WantedField, without_items
from tasks.extraction.labelled_values import Label
from tasks.extraction.passages import Passage, is_text
from tasks.extraction.text_lists import TextList
from tasks.extraction.values import is_miswritten, key_of, values_in_span
from tasks.extraction.weights import logistic, weighted, weights_of
from tasks.precontext import Entry
from tasks.read_table import ReadCell
from tasks.schema.paths import JsonPath

MISWRITTEN = 0.1
"""Factor on the probability of a code with wrong check digits. Either it was misread, or it is wrong on the page."""
IN_DOUBT = 0.9
"""Factor on the probability of a value in a list that lacks rows or contradicts a sum. Of such lists in 46 papers, most
values were right."""
_SUREST = 0.9999
_SEPARATORS = frozenset(",;/()·")
"""Characters that separate the values of a cell with several values."""
_HIGHEST_LIKENESS = 2.0
"""The calibration does not distinguish likenesses of headers above this."""
_MANY_WORDS = 8
"""The calibration does not distinguish texts with this many words or more in a cell."""
_SMOOTHING = 1e-4
"""Number that is added to a probability before its logarithm is taken."""
_HIGHEST = 10.0
"""The calibration does not distinguish logits above this."""


class Choice(NamedTuple):
    """The numbers that decide among the ways to fill a list."""

    break_even: float
    """Probability at which a value in a list is worth as much as no value."""
    clearly_more: float
    """Records fill a list instead of a table if their worth is more than this many times the worth of the table."""
    least_probability: float
    """Least mean probability of the values of records that fill a list."""
    least_of_full: float
    """Least mean probability of the values of full records, which have columns for nearly all fields of the list."""
    rival_share: float
    """A table competes with the best table for a list if its assignment is worth at least this share of the best one.
    Of the competing tables, the one whose rows are worth most fills the list."""


CHOICE: Final = weights_of("choice", Choice)


class CopiedFeatures(NamedTuple):
    """Features of a copied value, or the weights of these features in its calibration."""

    chance: float
    """Logit of the probability before calibration."""
    own: float
    """1 if the label beside the value names the field."""
    other: float
    """1 if the label beside the value names another field, or the field's label stands elsewhere."""
    confidence: float
    """The engine's confidence in the words."""
    highest: float
    """Highest logit of the field, up to 10."""
    none: float
    """Logarithm of the probability that no span is the value."""
    rival: float
    """Highest probability of another field for the same place."""
    text: float
    """1 if the value is a text, and neither a number nor a day."""
    goes_on: float
    """1 if the line continues after the value."""
    doubted: float
    """1 if words there speak against the value."""
    bias: float = 1.0


class WrittenFeatures(NamedTuple):
    """Features of a value that an LLM wrote, or the weights of these features in its calibration."""

    chance: float
    score: float
    """Score of the match of the value and the words at its place, from 0 to 1."""
    own: float
    other: float
    bias: float = 1.0


class CellFeatures(NamedTuple):
    """Features of a cell of a table or of records, or the weights of these features in its calibration."""

    likeness: float
    """Weight of the header as a name of the field."""
    text: float
    words: float
    """Number of words of a text: one with several parts may contain more than the value."""
    separators: float
    """1 if a text has separators: one with several parts may contain more than the value."""
    answered: float
    """Share of the list's fields that have a column."""
    only: float
    """1 if the list has no other row."""
    records: float
    """1 if the cell is in records."""
    chance: float
    """Logit of the probability that the group of records gives; 0 for a cell of a table."""
    unsure: float
    """The engine's lack of confidence in the words."""
    compared: float
    """Number of other ways that fill the list (`agreement`)."""
    agreed: float
    """Number of them that give the value to the field."""
    elsewhere: float
    """Number of them that give the value to other fields alone."""
    bias: float = 1.0


class ItemFeatures(NamedTuple):
    """Features of a value in an object of a list that the network filled, or the weights of these features in its
    calibration. In a real table most rows have most cells, the cells stand in columns, and each cell is likely."""

    odds: float
    """Log-odds of the cell by the network."""
    mean: float
    """Mean probability of the list's cells."""
    likely: float
    """Mean probability of the cells of the field."""
    filled: float
    """Share of the list's cells that are filled."""
    column: float
    """Share of the items that have the field."""
    item: float
    """Share of the fields that the item has."""
    aligned: float
    """1 if the cell stands in the column of the field."""
    length: float
    """Number of items, up to `LONG_LIST_ITEMS`, as a share of these."""
    compared: float = 0.0
    """Number of other ways that fill the list (`agreement`)."""
    agreed: float = 0.0
    """Number of them that give the value to the field."""
    elsewhere: float = 0.0
    """Number of them that give the value to other fields alone."""
    bias: float = 1.0


class CellOfField(NamedTuple):
    """The cell of a table or of records from which a value was copied, and the evidence for it."""

    entry: Entry
    cell: ReadCell
    header: str
    """Text of the column's header; empty if there is none."""
    likeness: float
    """Weight of the header as a name of the field (`table_lists`)."""
    answered: float = 1.0
    """Share of the list's fields that have a column."""
    is_read: bool = True
    """False if the cell is missing, empty or unreadable. The value is then the emptiest value that the schema
    permits."""
    is_text: bool = False
    """True if the field's value is a text, and neither a number nor a day."""
    is_only: bool = False
    """True if the list has no other row."""
    found_in: Literal["file", "page", "records"] = "page"
    """The source of the cell: the table of a file, a table printed with its header, or records."""
    chance: float = 0.5
    """Probability of the value, estimated from the group of similar records (a `Run`) in which it stands
    (`RecordFilling.probability`); 0.5 for a cell of a table."""
    is_named: bool = False
    """True if a heading above the table or the records names the list."""
    is_in_doubt: bool = False
    """True if the list lacks rows that its table has, or contradicts a sum."""
    agreement: Agreement = NOT_COMPARED
    """Agreement of the list filled in other ways with the value."""

    @property
    def features(self) -> CellFeatures:
        """The input of the calibration."""
        words = min(len(self.cell.text.split()), _MANY_WORDS) / _MANY_WORDS if self.is_text else 0.0
        has_separators = not _SEPARATORS.isdisjoint(self.cell.text) and any(map(str.isalpha, self.cell.text))
        confidence = self.cell.place.get("confidence")
        return CellFeatures(
            likeness=min(self.likeness, _HIGHEST_LIKENESS),
            text=float(self.is_text),
            words=words,
            separators=float(self.is_text and has_separators),
            answered=self.answered,
            only=float(self.is_only),
            records=float(self.found_in == "records"),
            chance=_logit(self.chance),
            unsure=0.0 if confidence is None else 1.0 - float(confidence),
            compared=float(self.agreement.compared),
            agreed=float(self.agreement.agreed),
            elsewhere=float(self.agreement.elsewhere),
        )

    def with_agreement(self, agreement: Agreement) -> "CellOfField":
        return self._replace(agreement=agreement)


class CellOfItem(NamedTuple):
    """The place of a value in an object of a list that the network filled, and the evidence for it."""

    span: int
    """Index of the span in the candidates."""
    features: ItemFeatures
    """The input of the calibration (`object_lists`)."""
    is_in_doubt: bool = False
    """True if the list contradicts a sum."""

    def with_agreement(self, agreement: Agreement) -> "CellOfItem":
        compared, agreed, elsewhere = map(float, agreement)
        return self._replace(features=self.features._replace(compared=compared, agreed=agreed, elsewhere=elsewhere))


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
    cell: CellOfField | CellOfItem | None = None
    """The cell of a table, or the item of a list, that contains the value, if it is known."""
    features: tuple[float, ...] = ()
    """Further input of the calibration for a copied field, from its scores (`FieldScores`)."""
    is_by_example: bool = False
    """True if an example has the field at this place."""
    is_read: bool = False
    """True if the scores are those of the network and the encoder of pages together."""


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
    by_words_alone: int = 0
    """Number of labels and lines whose meanings are not compared with the fields, because there are too many."""
    is_read: bool = False
    """True if the encoder of pages has read the texts, so that the logits are larger."""

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
    def rows(self) -> Mapping[JsonPath, int]:
        return {field.path: row for row, field in enumerate(self.fields)}

    def place(self, path: JsonPath, value: Any, *, copied: bool = True) -> ValuePlace | None:
        """Return the most likely place of `value` for the field at `path`. The probability is that of all places with
        this value together or, in a list, that of this place alone.

        Return None if the field was not wanted. `copied` is True if the value is the answer of the extractor, False if
        it is the answer of an LLM.
        """
        row = self.rows.get(without_items(path))
        if row is None:
            return None
        if copied and (cell := self.cells.get(path)) is not None:
            span = self.candidates.spans[cell.span]
            return self._place(span.passage, span.words, probability_of_cell(cell), copied)._replace(cell=cell)
        if (whole := self.lists.get(self.fields[row].path)) and isinstance(index := path[-1], int):
            # All items come from the same place, so each of them is right if that place is the right one for the list.
            found = self._place(whole.passage, whole.items[index].words, whole.probability, copied)
            best = int(self.logits[row, :-1].argmax())
            return found._replace(features=self._features_of(row, best, whole.passage, found.words))
        saying = self.spans_with(value)
        if not saying:
            return ValuePlace(0.0, copied=copied)
        best = max(saying, key=lambda index: self.logits[row, index])
        if self.fields[row].in_list:
            # A list has many values, each of which is right or wrong independently.
            chance = float(1 / (1 + np.exp(self.logits[row, -1] - self.logits[row, best])))
        else:
            chance = float(self.probabilities[row, saying].sum())
        if is_miswritten(value, self.fields[row].names):
            chance *= MISWRITTEN
        span = self.candidates.spans[best]
        found = self._place(span.passage, span.words, chance, copied)
        is_by_example = best in self.by_example.get(row, ())
        features = self._features_of(row, best, span.passage, found.words)
        return found._replace(is_by_example=is_by_example, features=features)

    def spans_with(self, value: Any) -> list[int]:
        """Return the indices of the candidates that have `value`."""
        return self._spans_by_value.get(key_of(value), [])

    def _features_of(self, row: int, best: int, passage: Passage, words: Collection[int]) -> tuple[float, ...]:
        """Return the input of the calibration for `words` of a passage as a field's value: the scores of the field's
        best candidate, the probability that another field has it, whether the line continues after the words, and
        whether words there speak against the value."""
        others = [other for other, one in enumerate(self.fields) if other != row and not one.in_list]
        rival = max((float(self.probabilities[other, best]) for other in others), default=0.0)
        none = math.log(float(self.probabilities[row, -1]) + _SMOOTHING)
        goes_on = max(words) + 1 < passage.line_words(passage.line_at(max(words))).stop
        field, span = self.fields[row], self.candidates.spans[best]
        is_text = "string" in types_of(field.schema) and not wants_iso(field.schema)
        is_doubted = not field.in_list and is_doubtful(field, span, self.candidates)
        highest = min(float(self.logits[row].max()), _HIGHEST)
        return highest, none, rival, float(is_text), float(goes_on), float(is_doubted)

    def _place(self, passage: Passage, words: Sequence[int], chance: float, copied: bool) -> ValuePlace:
        line = passage.lines[passage.line_at(words[0])]
        return ValuePlace(
            chance, self.entries[passage.entry], line.pointer, frozenset(words), copied, is_read=self.is_read
        )

    @cached_property
    def _spans_by_value(self) -> Mapping[Any, list[int]]:
        """The indices of the candidates with each value, by its key."""
        found: dict[Any, list[int]] = {}
        for index, span in enumerate(self.candidates.spans):
            for key in set(map(key_of, values_in_span(span, self.candidates.has_days_first))):
                found.setdefault(key, []).append(index)
        return found


Source = Literal["copied", "unread", "llm", "file", "cell", "item"]
"""The source of a value: the extractor, with or without the encoder of pages, an LLM, a cell of a file's table, one of
a printed table or of records, an item of a list that the network found."""
Features = CopiedFeatures | WrittenFeatures | CellFeatures | ItemFeatures


class CalibrationInput(NamedTuple):
    """The input of the calibration of one value."""

    by: Source
    features: Features


def calibration_input(place: ValuePlace, score: float, label: Label, confidence: float = 1.0) -> CalibrationInput:
    """Return the input for a value with the extractor's `place`, the score and label of its evidence, and the engine's
    confidence in its words."""
    if place.cell is not None:
        return _input_of_cell(place.cell)
    chance, own, other = _logit(place.probability), float(label == "own"), float(label in ("other", "elsewhere"))
    if not place.copied or not place.features:
        return CalibrationInput("llm", WrittenFeatures(chance, score, own, other))
    by: Literal["copied", "unread"] = "copied" if place.is_read else "unread"
    return CalibrationInput(by, CopiedFeatures(chance, own, other, confidence, *place.features))


def _input_of_cell(cell: CellOfField | CellOfItem) -> CalibrationInput:
    if isinstance(cell, CellOfItem):
        return CalibrationInput("item", cell.features)
    return CalibrationInput("file" if cell.found_in == "file" else "cell", cell.features)


def _logit(chance: float) -> float:
    bounded_chance = min(max(chance, 1 - _SUREST), _SUREST)
    return math.log(bounded_chance / (1 - bounded_chance))


CALIBRATIONS: Final[Mapping[Source, type[Features]]] = {
    "copied": CopiedFeatures,
    "unread": CopiedFeatures,
    "llm": WrittenFeatures,
    "file": CellFeatures,
    "cell": CellFeatures,
    "item": ItemFeatures,
}
"""The features of each calibration."""
_WEIGHTS: Final[Mapping[str, Features]] = {by: weights_of(by, features) for by, features in CALIBRATIONS.items()}


WORTHS: Final[Mapping[Source, str]] = {"file": "file", "cell": "cell_worth", "item": "item_worth"}
"""The model of the probabilities by which the ways to fill a list are compared, by the source of the values."""
_WORTHS: Final[Mapping[str, Features]] = {by: weights_of(model, CALIBRATIONS[by]) for by, model in WORTHS.items()}


def calibration_terms(given: CalibrationInput) -> list[tuple[str, float, float]]:
    """Return the name of each input of the calibration, its value, and what it adds to the log-odds."""
    weights, features = _WEIGHTS[given.by], given.features
    return [
        (name, value, weight * value) for name, value, weight in zip(features._fields, features, weights, strict=True)
    ]


def probability(given: CalibrationInput) -> float:
    """Return the calibrated probability that a field is right, 0 to 1."""
    chance = logistic(weighted(_WEIGHTS[given.by], given.features))
    is_doubted = isinstance(given.features, CopiedFeatures) and given.features.doubted > 0
    return min(chance, DOUBTFUL) if is_doubted else chance


def probability_of_cell(cell: CellOfField | CellOfItem) -> float:
    """Return the calibrated probability that a value in a list is right, 0 to 1."""
    if isinstance(cell, CellOfField) and not cell.is_read:
        return 0.0
    return probability(_input_of_cell(cell)) * (IN_DOUBT if cell.is_in_doubt else 1)


CellT = TypeVar("CellT", CellOfField, CellOfItem)


def in_doubt(cells: Mapping[JsonPath, CellT], lists: Collection[JsonPath]) -> dict[JsonPath, CellT]:
    """Return the cells, those in the lists at the paths `lists` in doubt."""
    return {path: one._replace(is_in_doubt=True) if path[:-2] in lists else one for path, one in cells.items()}


def with_agreement(
    cells: Mapping[JsonPath, CellT], rows: Sequence[Mapping[str, Any]], others: Collection[Sequence[Mapping[str, Any]]]
) -> dict[JsonPath, CellT]:
    """Return the cells of a list with how it agrees with `others`, the same list filled in other ways. `rows` has the
    list's values."""
    found = agreements(rows, others)
    return {
        path: cell.with_agreement(found[int(path[-2])].get(str(path[-1]), NOT_COMPARED)) for path, cell in cells.items()
    }


def worth_of(cells: Iterable[CellOfField | CellOfItem]) -> float:
    """Return the worth of a way to fill a list: the sum of the probabilities of the values that were read by `WORTHS`,
    each reduced by `Choice.break_even`. The sum is rounded, because small differences between two ways mean nothing."""
    total = 0.0
    for cell in cells:
        if isinstance(cell, CellOfItem) or cell.is_read:
            given = _input_of_cell(cell)
            chance = logistic(weighted(_WORTHS[given.by], given.features))
            total += chance * (IN_DOUBT if cell.is_in_doubt else 1) - CHOICE.break_even
    return round(total, 1)
