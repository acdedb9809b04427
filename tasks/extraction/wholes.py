"""Fills fields for a part of a printed value: the city of an address, the first name of a full name.

A document prints "Name: Moore, Priya" and "43804 Seri Kembangan, Selangor", while a schema asks for `first_name` and
`city`. The network finds the whole value, and the notation of the value determines the parts.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.concepts import PHRASES, concepts_of
from tasks.extraction.features import FieldText, Matrix, field_text
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.parts import parts_of_name, places_in, without_titles
from tasks.schema.paths import JsonPath

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

_FIRST = frozenset(("first_name", "initials"))
"""Concepts of the fields for the part of a name before the family name."""
_PARTS_IN_LABELS = ("first_name", "last_name", "name")
_LAST_NAME_FIRST = (["last_name", "first_name"], ["last_name", "name"], ["name", "first_name"])
"""Concepts in the label of a full name that begins with the last name."""
MOST_WORDS_OF_NAME = 6
"""A name of more words is not divided."""
LIKELIEST_NAMES = 8
"""Only so many of the likeliest places of either field may be a name that has to be divided."""
DIVIDED = 2.0
"""A name is divided if its parts have logits that are lower than those of two other places by at most this, and each
part then has a logit that is higher by this than that of the whole name."""


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


_Starting = dict[tuple[int, int], list[int]]
"""Indices of the candidates that begin with a word, by the passage's identity and the word."""


class _Division(NamedTuple):
    """A full name, and its first and its last name, as indices of candidates."""

    whole: int
    parts: tuple[int, int]
    logit: float
    """Sum of the logits for both fields, each from the whole name or from its part."""


def divide_names(
    logits: Matrix, fields: Mapping[int, FieldText], paths: Mapping[int, JsonPath], candidates: Candidates
) -> None:
    """Divide a full name between the fields for the first and the last name of one object, if it is the likeliest place
    of either and no two other places are likelier for both together."""
    rows: dict[JsonPath, tuple[list[int], list[int]]] = {}
    for row, field in fields.items():
        of_first, of_last = rows.setdefault(paths[row][:-1], ([], []))
        if field.concepts and field.concepts <= _FIRST:
            of_first.append(row)
        elif field.concepts == {"last_name"}:
            of_last.append(row)
    starting: _Starting = {}
    for index, span in enumerate(candidates.spans if any(a and b for a, b in rows.values()) else ()):
        starting.setdefault((id(span.passage), span.words[0]), []).append(index)
    for of_first, of_last in rows.values():
        if len(of_first) == len(of_last) == 1:
            pair = of_first[0], of_last[0]
            if divided := _division(logits[list(pair), :-1], candidates, starting):
                _divide(logits, pair, divided, candidates)


def _division(own: Matrix, candidates: Candidates, starting: _Starting) -> _Division | None:
    """Return the best way to divide a name. `own` has the logits for the first and the last name."""
    likeliest = {int(index) for row in own for index in np.argsort(-row, kind="stable")[:LIKELIEST_NAMES]}
    found = [one for index in sorted(likeliest) if (one := _division_of(own, index, candidates, starting))]
    best = max(found, key=lambda one: one.logit, default=None)
    is_whole = not {one.whole for one in found}.isdisjoint(own.argmax(axis=1).tolist())
    return best if best and is_whole and best.logit + DIVIDED >= float(own.max(axis=1).sum()) else None


def _division_of(own: Matrix, whole: int, candidates: Candidates, starting: _Starting) -> _Division | None:
    """Return the way to divide a name that its notation suggests, if its parts are candidates, too."""
    span = candidates.spans[whole]
    likely = _parts_of_name(span, candidates)
    if not likely or len(span.words) > MOST_WORDS_OF_NAME:
        return None
    inside = {
        _key(candidates.spans[index].text): index
        for word in span.words
        for index in starting.get((id(span.passage), word), ())
        if candidates.spans[index].words[-1] <= span.words[-1]
    }
    first, last = inside.get(_key(likely["first_name"])), inside.get(_key(likely["last_name"]))
    if first is None or last is None:
        return None
    logit = sum(float(max(row[whole], row[part])) for row, part in zip(own, (first, last), strict=True))
    return _Division(whole, (first, last), logit)


def _parts_of_name(span: CandidateSpan, candidates: Candidates) -> dict[str, str]:
    """Return the first and the last name by the notation of a full name and, where that leaves the order open, by the
    order in its label."""
    found, words = parts_of_name(span.text), without_titles(span.text).split()
    is_open = found and [found["first_name"], found["last_name"]] == [" ".join(words[:-1]), words[-1]]
    if is_open and _names_last_name_first(candidates.labels_of(span).values()):
        return {"first_name": " ".join(words[1:]), "last_name": words[0]}
    return found


def _names_last_name_first(labels: Iterable[str]) -> bool:
    """True for a label like `Surname and first name` or German `Name, Vorname`."""
    for label in labels:
        concepts = [name for word in fold(label) if (name := PHRASES.get((word,), "")) in _PARTS_IN_LABELS]
        if concepts[:2] in _LAST_NAME_FIRST:
            return True
    return False


def _divide(logits: Matrix, pair: tuple[int, int], divided: _Division, candidates: Candidates) -> None:
    """Give the parts of a name the logits of the whole, and lower those of all places that have more than the part."""
    whole, key = candidates.spans[divided.whole], _key(candidates.spans[divided.whole].text)
    for row, part in zip(pair, divided.parts, strict=True):
        own = candidates.spans[part]
        logit = max(float(logits[row, divided.whole]), float(logits[row, part]))
        others = [
            index
            for index, span in enumerate(candidates.spans)
            if (span.passage is whole.passage and not set(span.words).isdisjoint(whole.words) and index != part)
            or (_key(span.text) == key)
        ]
        same = [index for index in others if _key(candidates.spans[index].text) == _key(own.text)]
        logits[row, others] = np.minimum(logits[row, others], logit - DIVIDED)
        logits[row, [part, *same]] = logit


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
    for concept, text in _parts_of_name(whole, candidates).items():
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
