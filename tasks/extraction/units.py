"""Uses the units of numbers: a field `weight_kg` means the number before `kg`, and a field `deposit` means none before
`%`.

>>> sorted(units_named(("weight", "kg")))
['kilogram']
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.fair_executor import Slices
from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.notation.currencies import ANY as CURRENCY

WITH_UNIT = 4.0
"""Bonus on the logit of a number with the field's unit, if other numbers do not have it."""
OTHER_UNIT = 4.0
"""Penalty on the logit of a number whose unit differs from the field's, or whose unit a field that names none does not
have."""
ONLY_ONE = 2.0
"""Penalty on the logit that nothing answers a field, if a single number has the field's unit."""
LARGEST = 1.5
"""Least ratio of the largest print to any other in which a number stands out."""
LONGEST_UNIT = 2
"""Largest number of words of a unit."""

_TABLE: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("units.toml").read_text("utf-8"))
UNITS: Mapping[str, str] = {
    word: unit for unit, words in _TABLE.items() for word in " ".join(words.split()).split(", ")
}
"""Unit by each of its names, without accents."""
_OF_CONCEPTS = {"tax_rate": "percent", "interest_rate": "percent"}
"""Units of concepts that are always in this unit."""
_NEVER_MONEY = frozenset(("percent", "kilogram", "kilowatt_hour", "kilometre", "square_metre", "litre"))
_HARDLY_EVER = frozenset(("percent",))
"""Units that names of fields rarely leave out."""
_MEANT_BY_NAME: Mapping[str, str] = {
    **dict.fromkeys(
        ("rate", "satz", "taux", "tasso", "aliquota", "alicuota", "taxa", "tasa", "sats", "tarief", "stawka"), "percent"
    ),
    **dict.fromkeys(
        ("humidity", "luftfeuchtigkeit", "humidite", "humedad", "umidita", "humidade", "wilgotnosc"), "percent"
    ),
    **dict.fromkeys(("temp", "temperature", "temperatur", "temperatura", "temperatuur"), "degree"),
}
"""Unit of a field by the last word of its name."""
_IS_MONEY = re.compile(CURRENCY, re.IGNORECASE)
_WORDS_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,20})[)\]]")
_AFTER_FIGURES = re.compile(r"[\d\s.,:'’)\]]*")
_SHORT = 3
"""Largest number of letters of a unit that counts only as the last word of a field's name: `min`, `an`."""


def units_named(words: Sequence[str], described: str = "") -> frozenset[str]:
    """Return the units in the name of a field, and those in its description that are in brackets or after `in`."""
    found = {UNITS[word] for word in map(without_accents, words[1:]) if word in UNITS and len(word) > _SHORT}
    if len(words) > 1 and (unit := UNITS.get(without_accents(words[-1]))):
        found.add(unit)
    if words and (meant_unit := _MEANT_BY_NAME.get(without_accents(words[-1]))):
        found.add(meant_unit)
    unit_words = [*_WORDS_IN_BRACKETS.findall(described), *re.findall(r"\bin ([^\s,.;]+)", described)]
    return frozenset(found | {UNITS[word] for one in unit_words if (word := without_accents(one.casefold())) in UNITS})


def units_after(candidates: Candidates) -> Slices[list[str]]:
    """Return the unit after each number, and an empty text for every other span."""
    found: list[str] = []
    for span in candidates.spans:
        if len(found) % SPANS_AT_ONCE == 0:
            yield
        found.append(unit_after(span) if span.kind == "number" else "")
    return found


def prefer_units(logits: Matrix, field: FieldText, candidates: Candidates, own: Sequence[str]) -> None:
    """Raise the logits of numbers with the field's unit, and lower those of numbers with another unit. `own` has the
    units of `units_after`."""
    if not field.is_number or field.in_list:
        return
    wanted = units_of(field)
    if not wanted:
        is_money = any(CONCEPTS[name].kind == "amount" for name in field.concepts)
        never = _NEVER_MONEY if is_money else _HARDLY_EVER
        logits[:-1] -= OTHER_UNIT * np.array([one in never for one in own], np.float32)
        return
    others = [
        one not in wanted if one else _IS_MONEY.search(span.text) is not None
        for one, span in zip(own, candidates.spans, strict=True)
    ]
    logits[:-1] -= OTHER_UNIT * np.array(others, np.float32)
    values = {
        span.number.readings for one, span in zip(own, candidates.spans, strict=True) if one in wanted and span.number
    }
    if wanted == {"degree"} and any(len(name) == 1 for name in field.names.own):
        _prefer_largest_print(logits, candidates, [one in wanted for one in own])
    if values:
        logits[:-1] += WITH_UNIT * np.array([one in wanted for one in own], np.float32)
    if len(values) == 1:
        logits[-1] -= ONLY_ONE


def _prefer_largest_print(logits: Matrix, candidates: Candidates, has_unit: Sequence[bool]) -> None:
    """Prefer the number in the largest print, if no other is nearly as large, because a display shows the current value
    largest."""
    heights = [
        box[3] - box[1] if has and (box := box_of(span.passage, span.words)) is not None else 0
        for has, span in zip(has_unit, candidates.spans, strict=True)
    ]
    largest = max(heights, default=0)
    if largest and all(one == largest or one * LARGEST < largest for one in heights):
        logits[:-1] += WITH_UNIT * np.array([one == largest for one in heights], np.float32)


def units_of(field: FieldText) -> frozenset[str]:
    """Return the units that a field's numbers may have; empty if its name states none."""
    named_units = [units_named(name, field.full) for name in field.names.own] or [frozenset[str]()]
    concepts = {unit for name, unit in _OF_CONCEPTS.items() if field.concepts == {name}}
    return frozenset().union(*named_units, concepts) or units_named(("", *field.names.around))


def unit_after(span: CandidateSpan) -> str:
    """Return the unit after a number, at the end of its last word or in the next one or two words; empty if there is
    none."""
    passage, last = span.passage, span.words[-1]
    if span.text.endswith("%"):
        return "percent"
    end = passage.line_words(passage.line_at(last)).stop
    touching = _AFTER_FIGURES.sub("", passage.words[last], count=1) if passage.words[last][:1].isdigit() else ""
    return (
        unit_of(touching)
        if any(map(str.isalnum, touching)) or "%" in touching
        else next(
            (
                unit
                for size in range(min(LONGEST_UNIT, end - last - 1), 0, -1)
                if (unit := unit_of(" ".join(passage.words[last + 1 : last + 1 + size])))
            ),
            "",
        )
    )


@lru_cache(maxsize=4096)
def unit_of(text: str) -> str:
    bare = without_accents(text.casefold().strip(" .,;:()[]{}!?·|"))
    return UNITS.get(bare) or UNITS.get(" ".join(fold(bare)), "")
