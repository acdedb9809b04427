"""Chooses a value for each field among the places that the extractor scored."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tasks.extraction.candidates import CandidateSpan
from tasks.extraction.features import types_of
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores
from tasks.extraction.values import ValueForm, key_of, says_nothing
from tasks.schema.emptiness import may_be_empty
from tasks.schema.paths import JsonPath

MAX_VALUES = 48
"""At most this many different values that fit a field's schema are kept, the most likely first."""
DEMANDED = 0.03
"""Factor on the probability that nothing answers a required field. It is applied twice if only one value is possible
and has a format in `ADDRESSES`."""
ADDRESSES = ("email", "uri", "url")
"""Formats of which a page often contains only one value. If a page has only one, this value is probably right, whatever
the field's name."""
TAKEN = 0.25
"""Factor on the probability of a place for a field, if another field has taken the place with a higher probability."""

Place = tuple[int, tuple[int, ...]]
"""The identity of a passage, and the indices of words in it."""


@dataclass(frozen=True, slots=True)
class ChosenValue:
    """The value chosen for a field (None if there is none) and its place on the page."""

    value: Any
    probability: float
    """Sum of the network's probabilities for all places with this value, as a share of this sum for all possible
    values."""
    passage: Passage | None = None
    words: tuple[int, ...] = ()
    is_demanded: bool = False
    """True if the value was chosen only because the schema demands one. It is likelier that nothing answers the
    field."""

    @property
    def place(self) -> Place:
        return id(self.passage), self.words


def choose_values(scored: FieldScores, without: Container[JsonPath] = ()) -> dict[JsonPath, ChosenValue]:
    """Choose a value for each field, the most certain field first. A place that another field has taken loses
    probability, so that two fields share a place only if no other place is suitable.

    Fields of lists, and fields at the paths in `without`, are skipped.

    If nothing answers a field, its value is None, or "" if it is a required string that may be empty. A field that must
    have a value gets the most likely one, however improbable, and is missing from the result only if nothing fits its
    schema.
    """
    rows = [row for row, one in enumerate(scored.fields) if not one.in_list and one.path not in without]
    possible = _all_possible_values(scored, rows)
    taken: set[Place] = set()

    def probability_left(choice: ChosenValue) -> float:
        return choice.probability * (TAKEN if choice.place in taken else 1.0)

    found: dict[JsonPath, ChosenValue] = {}
    left = {row: choices for row, choices in possible.items() if choices}
    while left:
        best = {row: max(choices, key=probability_left) for row, choices in left.items()}
        row = max(best, key=lambda one: probability_left(best[one]))
        found[scored.fields[row].path] = best[row]
        del left[row]
        if best[row].words:
            taken.add(best[row].place)
    for row in rows:
        field = scored.fields[row]
        if field.path in found and found[field.path].value is None and not (field.may_be_left_out or field.fits(None)):
            del found[field.path]
            if (demanded := _likeliest_value(possible[row], taken)) is not None:
                found[field.path] = demanded
    return {field.path: found[field.path] for field in scored.fields if field.path in found}


def _likeliest_value(choices: Sequence[ChosenValue], taken: Container[Place]) -> ChosenValue | None:
    """Return the most likely value for a field that must have one, if possible from a place that no other field has."""
    with_value = [one for one in choices if one.value is not None]
    free = [one for one in with_value if one.place not in taken]
    best = max(free or with_value, key=lambda one: one.probability, default=None)
    return best and replace(best, is_demanded=True)


class _SpanValues(NamedTuple):
    """The values that fields of one form may take from a span, with the key of the first value."""

    values: Sequence[Any]
    key: Any = None
    says_nothing: bool = False
    says_nothing_in_words: bool = False

    @classmethod
    def of(cls, span: CandidateSpan, form: ValueForm, days_first: bool) -> "_SpanValues":
        values = list(form.values_of(span, days_first))
        if not values:
            return _NONE
        first = values[0]
        return cls(values, key_of(first), says_nothing(first, in_words=False), says_nothing(first, in_words=True))


_NONE = _SpanValues(())


def _all_possible_values(scored: FieldScores, rows: Sequence[int]) -> dict[int, list[ChosenValue]]:
    """Return the possible values of the fields, by row. The values in a span are computed once for all fields of one
    form."""
    rows_by_form: dict[ValueForm, list[int]] = {}
    for row in rows:
        rows_by_form.setdefault(ValueForm.of(scored.fields[row].schema, scored.fields[row].names), []).append(row)
    found: dict[int, list[ChosenValue]] = {}
    for form, rows_of_form in rows_by_form.items():
        span_values = [_SpanValues.of(span, form, scored.candidates.has_days_first) for span in scored.candidates.spans]
        for row in rows_of_form:
            found[row] = _possible_values(scored, row, span_values)
    return {row: found[row] for row in rows}


def _possible_values(scored: FieldScores, row: int, span_values: Sequence[_SpanValues]) -> list[ChosenValue]:
    """Return the possible values of a field, each with the summed probabilities of all its places."""
    field, chances = scored.fields[row], scored.probabilities[row]
    types, is_enum = types_of(field.schema), "enum" in field.schema
    may_be_none, none = field.may_be_left_out or field.fits(None), float(chances[-1])
    best: dict[Any, tuple[float, CandidateSpan, Any]] = {}
    for index in np.argsort(-chances[:-1], kind="stable"):
        one = span_values[index]
        if not one.values:
            continue
        value = next(filter(field.fits, one.values), None) if len(best) < MAX_VALUES else one.values[0]
        if value is None:
            continue
        chance, is_first = float(chances[index]), value is one.values[0]
        is_nothing = one.says_nothing_in_words if may_be_none else one.says_nothing
        if is_nothing if is_first else says_nothing(value, in_words=may_be_none):
            none += chance
            continue
        key = one.key if is_first else key_of(value)
        if key in best:
            whole, first, kept = best[key]
            best[key] = (whole + chance, first, kept)
        elif len(best) < MAX_VALUES:
            best[key] = (chance, scored.candidates.spans[index], value)
    # Without a value, a required string becomes ""; any other required field becomes None.
    nothing = None
    if not may_be_none:
        is_alone = len(best) == 1 and field.schema.get("format") in ADDRESSES
        if types == {"string"} and not is_enum and may_be_empty(field.schema) and field.fits(""):
            nothing = ""
        may_be_none, none = True, none * (DEMANDED**2 if is_alone else DEMANDED)
    whole = sum(chance for chance, *_ in best.values()) + (none if may_be_none else 0.0) or 1.0
    found = [ChosenValue(value, chance / whole, span.passage, span.words) for chance, span, value in best.values()]
    if may_be_none:
        found.append(ChosenValue(nothing, none / whole))
    return found
