"""Fills a list from the records of one run, with the probability of each value."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from statistics import median
from typing import Any, Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.column_values import NO_VALUE, emptiest_value, is_read
from tasks.extraction.concepts import PHRASES
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import folded_words
from tasks.extraction.records.assignment import LEAST_SCORE, assign_slots
from tasks.extraction.records.extension import extend_slots
from tasks.extraction.records.list_fields import ListToFill
from tasks.extraction.records.matches import Match, Pairing, SlotMatcher, read_values, texts_for
from tasks.extraction.records.runs import Run
from tasks.extraction.records.slots import Slot
from tasks.extraction.records.templates import RecordTemplate
from tasks.extraction.records.topics import has_other_topic
from tasks.extraction.sum_rows import is_sum_row

FULL_ENOUGH: Final = 0.6
"""Least number of values of an item, as a share of the values of a typical record."""
MAX_LINES_COUNTED: Final = 8
"""Largest number of lines of a record that counts in the score of a run."""
MAX_SCORE_COUNTED: Final = 4.0
"""Largest score of a match that counts in the score of a run."""


class RunFeatures(NamedTuple):
    """Features of a run whose records are the items of a list, or the weights of these features in the run's score."""

    scores: float
    """Mean score of the fields' matches, as a share of `MAX_SCORE_COUNTED`; 0 for a field without a slot."""
    heading: float
    """Likeness of the headings above the run and the list's name, from 0 to 1; -1 if they name another list."""
    filled: float
    """Share of the fields that have a slot."""
    regularity: float
    """Regularity of the records, from 0 to 1 (`RecordTemplate`)."""
    log_count: float
    """Logarithm of the number of items, up to 2."""
    apart: float
    """Gaps above records compared with the gaps within records, from -1 to 1 (`Run`)."""
    single: float
    """1 if there is only one item."""
    explained: float
    """Share of the items' pieces that fill fields."""
    full: float
    """Share of the items' values that are read, among the required fields or, if there is none, all."""
    labels: float
    """Share of the items' texts that look like labels."""
    typed: float
    """Number of slots whose kind is not a text, as a share of the number of fields."""
    lines: float
    """Mean number of lines of a record, as a share of `MAX_LINES_COUNTED`."""
    item_share: float
    """Share of the records that are items."""


RUN_WEIGHTS: Final = RunFeatures(
    scores=7.2,
    heading=3.84,
    filled=3.49,
    regularity=2.55,
    log_count=2.19,
    apart=0.67,
    single=-1.0,
    explained=1.99,
    full=3.01,
    labels=-1.34,
    typed=0.22,
    lines=-0.14,
    item_share=0.97,
)


class ValueFeatures(NamedTuple):
    """Features of a value, or the weights of these features in the logistic regression for its probability."""

    run_score: float
    """A tenth of the score of the run."""
    match_score: float
    """A quarter of the score of the field's match."""
    regularity: float
    """Regularity of the records, from 0 to 1 (`RecordTemplate`)."""
    heading: float
    """Likeness of the headings above the run and the list's name, from 0 to 1; -1 if they name another list."""
    log_count: float
    """Logarithm of the number of items, up to 2."""
    intercept: float = 1.0
    """The constant feature, whose weight is the intercept."""


VALUE_WEIGHTS: Final = ValueFeatures(
    run_score=1.54, match_score=1.05, regularity=0.75, heading=0.12, log_count=-0.82, intercept=-3.34
)


class RecordFilling(NamedTuple):
    """The values that records give the fields of a list. Fields are named by their index in the list."""

    template: RecordTemplate
    slots: Mapping[int, Slot]
    """The slot of each field that has a slot."""
    values: Mapping[int, Sequence[Any]]
    """The value of each record for each field that has a slot."""
    match_scores: Mapping[int, float]
    """Score of the match of each field that has a slot."""
    items: Sequence[int]
    """Indices of the records that are items of the list."""
    features: RunFeatures

    @property
    def score(self) -> float:
        """Score of the records as the items of the list."""
        return sum(weight * feature for weight, feature in zip(RUN_WEIGHTS, self.features, strict=True))

    def probability(self, field: int) -> float:
        """Return the calibrated probability that a value of a field is right."""
        features = ValueFeatures(
            run_score=self.score / 10,
            match_score=self.match_scores[field] / 4,
            regularity=self.features.regularity,
            heading=self.features.heading,
            log_count=self.features.log_count,
        )
        log_odds = sum(weight * feature for weight, feature in zip(VALUE_WEIGHTS, features, strict=True))
        return 1 / (1 + math.exp(-log_odds))

    @property
    def mean_probability(self) -> float:
        return sum(map(self.probability, self.slots)) / len(self.slots)


def find_filling(
    template: RecordTemplate, wanted: ListToFill, *, is_rough: bool = False
) -> Slices[RecordFilling | None]:
    """Fill a list from the records of a template. Return None if no slot suits a field, or if no record is an item of
    the list.

    With `is_rough`, each text counts as a value. Such a filling takes less time and is enough to compare runs.
    """
    matches = yield from _matches(template, wanted, is_rough=is_rough)
    chosen = yield from assign_slots(matches, template)
    if not chosen:
        return None
    values = {pairing.field: matches[pairing].values for pairing in chosen}
    yield
    items = _items(template.run, wanted, values)
    yield
    if not items:
        return None
    slots = {pairing.field: template.slots[pairing.slot] for pairing in chosen}
    if not is_rough:
        extended = yield from extend_slots(template.run, wanted.fields, slots)
        for index, slot in extended.items():
            yield
            if slot is not slots[index]:
                field = wanted.fields[index]
                values[index] = read_values(field, texts_for(field, slot), template)
        slots = extended
    scores = {pairing.field: matches[pairing].score for pairing in chosen}
    features = yield from _features(template, wanted, slots=slots, values=values, scores=scores, items=items)
    return RecordFilling(template, slots=slots, values=values, match_scores=scores, items=items, features=features)


def _matches(template: RecordTemplate, wanted: ListToFill, *, is_rough: bool) -> Slices[Mapping[Pairing, Match]]:
    """Return the matches of all fields with the slots that may fill them. Other requests get a turn between two
    fields and, because it takes time to read texts, between two matches that are not rough."""
    matcher = SlotMatcher(template, wanted, is_rough=is_rough)
    matches: dict[Pairing, Match] = {}
    for field in range(len(wanted.fields)):
        yield
        for slot in range(len(template.slots)):
            pairing = Pairing(field, slot)
            match = matcher.match(pairing)
            if match is None:
                continue
            matches[pairing] = match
            if not is_rough:
                yield
    return matches


def _items(run: Run, wanted: ListToFill, values: Mapping[int, Sequence[Any]]) -> list[int]:
    """Return the indices of the records that are items of a list. `values` has the values of all records, by field."""
    required = [column for index, column in values.items() if wanted.fields[index].is_required]
    counts = [sum(is_read(column[number]) for column in values.values()) for number in range(len(run.records))]
    counts_of_required = [sum(is_read(column[number]) for column in required) for number in range(len(run.records))]
    likely = [
        number
        for number in range(len(run.records))
        if counts[number] > 0 and 2 * counts_of_required[number] >= len(required) and _has_topic(run, wanted, number)
    ]
    typical_count = median([counts[number] for number in likely] or [0])
    full = {number for number in likely if counts[number] >= FULL_ENOUGH * typical_count}
    if required and all(record[0].mark for record in run.records):
        # A numbered or bulleted record with few values is an item, too, if it has all required values.
        full |= {number for number in likely if counts_of_required[number] == len(required)}
    end = _end_of_items(run, first=min(likely, default=0))
    return [number for number in likely if number < end and number in full]


def _has_topic(run: Run, wanted: ListToFill, number: int) -> bool:
    """True unless the heading above a record names only topics that are not the list's."""
    section = run.sections[number] if run.sections else None
    return section is None or not has_other_topic(wanted.names, section.text)


def _end_of_items(run: Run, *, first: int) -> int:
    """Return the number of records before the first sum below the first line of the first item, whose index is `first`.
    A sum that is not the first line of its record ends the list after that record."""
    return min(
        (
            record_number + (line_number > 0)
            for record_number, record in enumerate(run.records)
            for line_number, line in enumerate(record)
            if (record_number, line_number) > (first, 0) and _is_total(line.text)
        ),
        default=len(run.records),
    )


@lru_cache(maxsize=1024)
def _is_total(line: str) -> bool:
    return is_sum_row(line.split("\t"))


def _features(
    template: RecordTemplate,
    wanted: ListToFill,
    *,
    slots: Mapping[int, Slot],
    values: Mapping[int, Sequence[Any]],
    scores: Mapping[int, float],
    items: Sequence[int],
) -> Slices[RunFeatures]:
    """Return the features of a run. The arguments mean the same as in `RecordFilling`; `scores` are the scores of the
    matches."""
    run, field_count = template.run, len(wanted.fields)
    texts = 0
    labels = 0
    for slot in slots.values():
        yield
        own = [cell.text for number in items if (cell := slot.cells[number])]
        texts += len(own)
        labels += sum(map(_is_like_label, own))
    yield
    required = [column for index, column in values.items() if wanted.fields[index].is_required] or [*values.values()]
    count_of_read = sum(is_read(column[number]) for column in required for number in items)
    yield
    sum_of_scores = sum(max(LEAST_SCORE, min(score, MAX_SCORE_COUNTED)) for score in scores.values())
    return RunFeatures(
        scores=sum_of_scores / field_count / MAX_SCORE_COUNTED,
        heading=wanted.heading_likeness(run),
        filled=len(slots) / field_count,
        regularity=template.regularity,
        log_count=min(math.log(len(items)), 2.0),
        apart=run.apart,
        single=float(len(items) == 1),
        explained=_explained_share(run, slots.values(), items),
        full=count_of_read / len(required) / len(items),
        labels=labels / max(1, texts),
        typed=sum("text" not in slot.kind for slot in slots.values()) / field_count,
        lines=min(run.lines / len(run.records), MAX_LINES_COUNTED) / MAX_LINES_COUNTED,
        item_share=len(items) / len(run.records),
    )


def _explained_share(run: Run, slots: Collection[Slot], items: Sequence[int]) -> float:
    """Return the share of the items' pieces, including marks of lines, that are in slots."""
    used = sum(len(frozenset().union(*(slot.pieces[number] for slot in slots))) for number in items)
    total = sum(len(line.pieces) + bool(line.mark) for number in items for line in run.records[number])
    return min(1.0, used / max(1, total))


def _is_like_label(text: str) -> bool:
    return folded_words(text) in PHRASES or text.endswith(":")


def item_of(filling: RecordFilling, fields: Sequence[WantedField], record_number: int) -> dict[int, Any] | None:
    """Return the values of a record by field; None if a required value is missing."""
    item: dict[int, Any] = {}
    for index, field in enumerate(fields):
        value = filling.values[index][record_number] if index in filling.values else None
        if is_read(value):
            item[index] = value
            continue
        empty_value = emptiest_value(field)
        if empty_value is NO_VALUE:
            if not field.may_be_left_out:
                return None
        elif empty_value is None or not field.may_be_left_out:
            item[index] = empty_value
    return item
