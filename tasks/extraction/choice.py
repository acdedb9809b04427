"""Choice of a value for each field among the places that the extractor scored."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.extraction.candidates import CandidateSpan, without_brackets
from tasks.extraction.features import types_of
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores
from tasks.extraction.text_lists import TextList, read_text_list
from tasks.extraction.values import key_of, says_nothing, values_of
from tasks.schema.paths import JsonPath

MOST_VALUES = 48
"""Largest number of values of a field that are checked against its schema, the likeliest first."""
DEMANDED = 0.03
"""Factor on the probability that nothing answers a required text field."""
ADDRESSES = ("email", "uri", "url")
"""Formats whose only value on a page is probably meant, whatever the field's name is."""
UNDECIDED = 0.5
"""Probability below which a piece of a line is not preferred to the whole line."""
TAKEN = 0.25
"""Factor on the probability of a place that a field with a higher probability has taken."""


@dataclass(frozen=True, slots=True)
class ChosenValue:
    """A value for a field, or None without one, and the value's place."""

    value: Any
    probability: float
    """Sum of the network's probabilities for all places on the page with this value."""
    passage: Passage | None = None
    words: tuple[int, ...] = ()


def choose_values(scored: FieldScores) -> dict[JsonPath, ChosenValue]:
    """Choose a value for each field, the surest field first, so that two fields share a place only if no other will do.

    The value of a field that may be null or left out is None if nothing answers it. Any other field is missing from the
    result if nothing fits its schema. Synchronous.
    """
    left = {row: _possible_values(scored, row) for row, field in enumerate(scored.fields) if not field.in_list}
    found: dict[JsonPath, ChosenValue] = {}
    taken: set[tuple[int, tuple[int, ...]]] = set()
    while left:
        best = {
            row: max(options, key=lambda one: _probability_left(one, taken), default=None)
            for row, options in left.items()
        }
        row = max(best, key=lambda at: _probability_left(one, taken) if (one := best[at]) else -1.0)
        choice = best[row]
        del left[row]
        if choice is not None:
            found[scored.fields[row].path] = choice
            if choice.words:
                taken.add((id(choice.passage), choice.words))
    return {field.path: found[field.path] for field in scored.fields if field.path in found}


def text_list_at(scored: FieldScores, choice: ChosenValue) -> TextList | None:
    """Return the list at the place of a chosen value, or None if no place was chosen."""
    if choice.value is None or choice.passage is None:
        return None
    return read_text_list(scored.candidates, choice.passage, choice.words, choice.probability)


def _probability_left(choice: ChosenValue, taken: set[tuple[int, tuple[int, ...]]]) -> float:
    return choice.probability * (TAKEN if (id(choice.passage), choice.words) in taken else 1.0)


def _possible_values(scored: FieldScores, row: int) -> list[ChosenValue]:
    """Return the possible values of a field, each with the summed probabilities of all its places."""
    field, chances = scored.fields[row], scored.probabilities[row]
    types, is_enum = types_of(field.schema), "enum" in field.schema
    may_be_none, none = field.may_be_left_out or field.fits(None), float(chances[-1])
    best: dict[Any, tuple[float, CandidateSpan, Any]] = {}
    for at in np.argsort(-chances[:-1], kind="stable"):
        span, chance = scored.candidates.spans[at], float(chances[at])
        said = list(values_of(span, field.schema, scored.days_first))
        value = next(filter(field.fits, said), None) if len(best) < MOST_VALUES else next(iter(said), None)
        if value is None:
            continue
        if says_nothing(value, in_words=may_be_none):
            none += chance
            continue
        key = key_of(value)
        if key in best:
            whole, first, kept = best[key]
            best[key] = (whole + chance, first, kept)
        elif len(best) < MOST_VALUES:
            best[key] = (chance, span, value)
    # A required text is empty if there is no value.
    nothing = None if may_be_none else ""
    if not may_be_none and types == {"string"} and not is_enum and field.fits(""):
        is_alone = len(best) == 1 and field.schema.get("format") in ADDRESSES
        may_be_none, none = True, none * (DEMANDED**2 if is_alone else DEMANDED)
    _prefer_whole(best)
    whole = sum(chance for chance, *_ in best.values()) + (none if may_be_none else 0.0) or 1.0
    found = [ChosenValue(value, chance / whole, span.passage, span.words) for chance, span, value in best.values()]
    if may_be_none:
        found.append(ChosenValue(nothing, none / whole))
    return found


def _prefer_whole(best: dict[Any, tuple[float, CandidateSpan, Any]]) -> None:
    """Prefer a whole line to its likeliest piece if no piece is certain.

    A piece is kept if only brackets at the end of its line are missing, or if it is a name in a sentence.
    """
    key = max(best, key=lambda one: best[one][0], default=None)
    if key is None or best[key][1].kind != "piece" or best[key][0] >= UNDECIDED:
        return
    chance, piece, value = best[key]
    inside = [(likely, span, one) for one, (likely, span, _) in best.items() if _is_in_line(span, piece)]
    whole = next((one for _, span, one in inside if span.kind in ("line", "part")), None)
    if whole is not None and (
        _bare_text(best[whole][1]) == key_of(piece.text) or _is_in_sentence(piece, best[whole][1])
    ):
        return
    if whole is not None and sum(likely for likely, *_ in inside) > UNDECIDED:
        likely, span, said = best[whole]
        best[key], best[whole] = (likely, piece, value), (chance, span, said)


def _is_in_sentence(piece: CandidateSpan, line: CandidateSpan) -> bool:
    """True if a piece is part of a sentence, according to the word before it: `from Acme GmbH`."""
    before = line.text.partition(piece.text)[0].split()
    return bool(before) and before[-1].islower()


def _bare_text(line: CandidateSpan) -> Any:
    bare = without_brackets(line.text)
    return bare and key_of(bare)


def _is_in_line(one: CandidateSpan, other: CandidateSpan) -> bool:
    return one.passage is other.passage and one.first == one.last == other.first
