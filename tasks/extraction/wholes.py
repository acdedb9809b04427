"""Fills fields for a part of a printed value: the city of an address, the first name of a full name.

A document prints "Name: Moore, Priya" and "43804 Seri Kembangan, Selangor", while a schema asks for `first_name` and
`city`. The network finds the whole value, and the notation of the value determines the parts.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.features import FieldText, Matrix, field_text
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.parts import parts_of_name, places_in

_NAME, _ADDRESS = ("full", "name"), ("address",)
_WHOLES: Mapping[str, tuple[str, ...]] = {
    "first_name": _NAME,
    "last_name": _NAME,
    "street": _ADDRESS,
    "city": _ADDRESS,
    "postcode": _ADDRESS,
    "state": _ADDRESS,
}
"""Words in the name of the whole value, by the concept of the part."""
_STREET = re.compile(r"(?=.*\d).*[^\W\d_]{3}")
"""Pattern of a street with a house number, in contrast to a floor: `2. OG`."""
_ENTIRE = frozenset(fold("full complete entire whole postal mailing vollständig complet completo completa volledig"))
"""Words in the name of a field that is for the whole value, even if fields for its parts are beside it."""
LEAST_PROBABILITY = 0.5
"""A place counts as the whole value if its probability is at least this."""
_KEPT = 0.95
"""Probability of the part as a share of the probability of the whole value."""


def whole_of(field: FieldText) -> FieldText | None:
    """Return a field for the whole value that contains `field`, or None if `field` is not a part of another value."""
    for own in field.names.own:
        for index in range(len(own)):
            concept = PHRASES.get(own[index:], "")
            if concept in ("name", "address"):  # The fields beside `field` have decided which part it is for.
                # Of several parts, the first by name is taken, so that every process takes the same.
                concept = min(field.concepts & _WHOLES.keys(), default="")
            whole = _WHOLES.get(concept)
            if whole is not None:
                return field_text({"type": "string"}, Names(((*own[:index], *whole),), field.names.around))
    return None


def lacking_part(field: FieldText, others: Collection[str]) -> str:
    """Return the concept of the part that a field such as `name` or `address` is for. `others` are the concepts of the
    fields beside it: `name` beside a last name is for the first name. The result is empty if the field is for the whole
    value, or for something else."""
    own_concepts = {PHRASES.get(own, "") for own in field.names.own}
    words = {word for own in field.names.own for word in own}
    if not words.isdisjoint(_ENTIRE) or not field.concepts.isdisjoint(_WHOLES):
        return ""
    if "name" in own_concepts and ("first_name" in others) != ("last_name" in others):
        return "last_name" if "first_name" in others else "first_name"
    if "address" in own_concepts and "street" not in others and not {"city", "postcode"}.isdisjoint(others):
        return "street"
    return ""


def prefer_parts(
    logits: Matrix, fields: Sequence[FieldText], wholes: Mapping[int, Matrix], candidates: Candidates
) -> None:
    """Give the parts of a likely whole value nearly the probability of the whole, unless a label names the part itself.

    `wholes` has the logits of the whole value by the row of the field for the part.
    """
    for row, whole in wholes.items():
        chances = np.exp(whole - np.logaddexp.reduce(whole))
        best = int(whole.argmax())
        if best == len(candidates.spans) or _is_named(fields[row], logits[row], candidates):
            continue
        # "Dr Anna Berg" and "Anna Berg" are the same place.
        same_place = [
            index for index, span in enumerate(candidates.spans) if _are_together(span, candidates.spans[best])
        ]
        probability = float(chances[same_place].sum())
        if probability < LEAST_PROBABILITY:
            continue
        parts = set(_find_parts(candidates, candidates.spans[best], fields[row].concepts))
        places = [index for index, span in enumerate(candidates.spans) if (span.words, _key(span.text)) in parts]
        if places:
            chance = _KEPT * min(probability, 1.0)
            other_logits = np.delete(logits[row], places)
            logits[row, places] = np.logaddexp.reduce(other_logits) + np.log(chance / (1 - chance) / len(places))


def _are_together(first: CandidateSpan, second: CandidateSpan) -> bool:
    return first.passage is second.passage and (
        first is second
        or first.words == second.words[-len(first.words) :]
        or second.words == first.words[-len(second.words) :]
    )


def _is_named(field: FieldText, logits: Matrix, candidates: Candidates) -> bool:
    """True if a label beside the most likely place names the part."""
    index = int(logits[:-1].argmax())
    span = candidates.spans[index]
    first = candidates.segments[span.first]
    label_texts = [candidates.segments[place].text for place in (first.left, first.above) if place >= 0]
    return any(concepts_of(tuple(fold(label))) & field.concepts for label in (span.label, *label_texts))


def _find_parts(
    candidates: Candidates, whole: CandidateSpan, concepts: frozenset[str]
) -> Iterator[tuple[tuple[int, ...], str]]:
    """Yield the words and the text of each part of `whole` with one of `concepts`."""
    for concept, text in parts_of_name(whole.text).items():
        if concept in concepts:
            yield from _spans_saying(candidates, whole, text)
    for index in range(whole.last, whole.first - 1, -1):
        line = candidates.segments[index]
        if not set(line.words) & set(whole.words) or not (found := places_in(line.text)):
            continue
        for concept in concepts & found.keys():
            begin, end = found[concept]
            yield from _spans_saying(candidates, whole, line.text[begin:end])
        if "street" in concepts - found.keys():
            above = (candidates.segments[place].text for place in range(index - 1, whole.first - 1, -1))
            yield from _spans_saying(candidates, whole, next(filter(_STREET.match, above), ""))
        return


def _spans_saying(candidates: Candidates, whole: CandidateSpan, text: str) -> Iterator[tuple[tuple[int, ...], str]]:
    key, inside = _key(text), set(whole.words)
    for span in candidates.spans:
        if span.passage is whole.passage and not inside.isdisjoint(span.words) and _key(span.text) == key:
            yield span.words, key


def _key(text: str) -> str:
    return " ".join(fold(text))
