"""Fields whose numbers were converted to the unit that the field's name states: 150 lb for `weight_kg`."""

from collections.abc import Mapping
from typing import Final

from tasks.extraction.choice import ChosenValue
from tasks.extraction.decisions import Decision
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.probability import FieldScores, calibration_input, probability
from tasks.extraction.values import ValueForm, number_of
from tasks.schema.paths import JsonPath

SCORE: Final = 0.95
"""Agreement of a converted number and the printed one, as that of another notation of a number."""


def conversions_of(scored: FieldScores, choices: Mapping[JsonPath, ChosenValue]) -> dict[JsonPath, Decision]:
    """Return the chosen values that were computed from printed ones in another unit, with their places. Each is as
    probable as the printed number, but doubtful, because the unit of the field is another."""
    found: dict[JsonPath, Decision] = {}
    for path, choice in choices.items():
        field = scored.fields[scored.rows[path]]
        form = ValueForm.of(field.schema, field.names)
        if choice.value is None or choice.passage is None or not form.may_convert:
            continue
        spans = (one for one in scored.candidates.spans if one.passage is choice.passage and one.words == choice.words)
        for span in spans:
            if form.converted(span) is None:
                continue
            place = scored.place(path, number_of(span, form.magnitude))
            chance = probability(calibration_input(place, SCORE, "none")) if place is not None else 0.0
            entry = scored.entries[choice.passage.entry]
            found[path] = Decision(
                choice.value, min(chance, DOUBTFUL), choice.passage, choice.words, entry, is_derived=True
            )
            break
    return found
