"""Evidence for each field of an answer, found without an LLM by comparing the field with the results.

For the answer `{"total": 9.0, "vat_id": "DE1"}` the evidence may be: {"evidence": {"/total": {"precontext": 0, "name":
"ocr", "text": "9.00", "page": 1, …}}, "unsupported": ["/vat_id"]}

If several places could support a field, the most exact match is chosen. Among equals, a match beside a label that names
the field is preferred; then, within an object of a list, the match nearest to the object's other fields. A value beside
another field's label, or away from its own label, is marked and counts as unsupported.

The module is synchronous: for long documents, call it in a thread.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isclose
from types import MappingProxyType
from typing import Any, Literal, NotRequired, TypedDict, cast

from tasks.extraction.affinity import affinity
from tasks.extraction.boxes import bounds_of_words, box_of, confidence_of_words
from tasks.extraction.claims import AnsweredField, Label, LabelClaim, LabelClaims
from tasks.extraction.decisions import Decision
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.folding import fold
from tasks.extraction.matching import NORMALISED_SCORE, Kind, ValueMatch, find_matches
from tasks.extraction.names import names_of
from tasks.extraction.passages import Passage, passages_in, passages_to_trace
from tasks.extraction.probability import IN_DOUBT, CellOfField, ValuePlace, calibration_input, probability
from tasks.notation.numbers import find_numbers
from tasks.precontext import Entry, Evidence
from tasks.result import Bounds
from tasks.schema.paths import JsonPath, PartsOfSchema, leaves, pointer_of

MAX_PASSAGE = 300
"""Evidence shows at most this many characters of the line around a match."""
BOOLEAN_AFFINITY = 0.5
"""A word such as "yes" or "no" is evidence only if its affinity to the field is at least this, so only if words near it
name the field."""

UNUSED_BONUS = 0.25
"""Bonus for a place that no other field uses, so that equal values in a list get different places if possible."""
CONFIDENCE_WEIGHT = 0.05
CLAIM_BONUS: Mapping[Label, float] = {"own": 1.0, "other": -2.0}
"""Bonus of a place by its label. A place whose label names something else is rarely chosen if there is another
place."""
PLACE_BONUS = 4.0
"""Bonus for the place from which the extractor took the value, and penalty for any other place in the user's own
text."""
REQUEST = -1
"""Index that stands for the request, which is not an entry of the precontext."""
MAX_TALLIED = 1e15
"""Numbers of this size or more are not compared with sums, because their hundredths are not exact."""
CONTRADICTED_SCORE = 0.3
"""A value that a label contradicts has at most this score."""


class FieldEvidence(TypedDict):
    precontext: NotRequired[int]
    """Index of the entry in `precontext`; absent if the text is in the request."""
    name: str
    """The entry's name; `request` for the user's own text."""
    pointer: str
    """JSON pointer into the entry's result, or into the request: the line or the text where the match begins."""
    text: str
    """The matched words as the source has them."""
    match: Kind | Literal["derived", "example"]
    """`exact`: the same characters; `normalised`: another notation; `fuzzy`: all but a few characters; `derived`: a
    sum or a count of supported fields (name, pointer and place are those of the first of them), or a number that was
    converted to the field's unit; `example`: the place at which an example has the field."""
    score: float
    """0 to 1, two decimals: agreement of value and text; at most 0.3 if a label contradicts the field."""
    label: Label
    """`own`: the words beside the match name the field; `none`: no known label is beside the match; `other`: the words
    beside the match name something else; `elsewhere`: the field's label is beside another value. The last two
    contradict the field."""
    probability: NotRequired[float]
    """0 to 1, two decimals: probability that the field is right, calibrated on documents that were used for nothing
    else; absent without an extractor, and for a match in the user's own text if the extractor did not find the value
    there."""
    label_text: NotRequired[str]
    """The label as the source has it; of data, the way to the value: a JSON pointer, or the names of XML elements."""
    confidence: NotRequired[float]
    """Mean confidence of the matched words, according to the engine."""
    bounds: NotRequired[Bounds]
    page: NotRequired[int]
    timestamp: NotRequired[tuple[float, float]]
    """Seconds."""
    speaker: NotRequired[str]
    url: NotRequired[str]
    passage: NotRequired[str]
    """The line around the text, in web pages and in results without bounds and times."""


Support = Callable[[JsonPath, Any], ValuePlace | None]


@dataclass(frozen=True, slots=True)
class _Field:
    path: JsonPath
    answered: AnsweredField
    place: ValuePlace | None = None

    @property
    def pointer(self) -> str:
        return pointer_of(self.path)

    @property
    def item(self) -> JsonPath | None:
        """Path of the innermost list item around the field, or None outside lists."""
        last = max((index for index, step in enumerate(self.path) if isinstance(step, int)), default=None)
        return None if last is None else self.path[: last + 1]


@dataclass(frozen=True, slots=True)
class _ClaimedMatch:
    match: ValueMatch
    claim: LabelClaim
    affinity: float = 0.0
    """Affinity of the match to the names of the field, as `affinity` computes it."""

    @property
    def speaks_against(self) -> bool:
        return self.claim.label in ("other", "elsewhere")


def find_evidence(
    value: Any,
    precontext: Sequence[Entry],
    schema: Mapping[str, Any] | None,
    *,
    most_chars: int,
    support: Support | None = None,
    request: Entry | None = None,
    decided: Mapping[JsonPath, Decision] = MappingProxyType({}),
    undecided: Mapping[JsonPath, float] = MappingProxyType({}),
) -> tuple[Evidence, int]:
    """Find evidence for each string, number and boolean of `value`, which is a parsed JSON answer. Return FieldEvidence
    by the field's JSON pointer (RFC 6901), and the number of fields that were not compared.

    A field is unsupported if nothing in the precontext contains its value, or if a label contradicts it. Null and ""
    claim nothing and are left out. Of a long text, only the beginning counts (`passages_to_trace`).

    Both the keys and the titles and short descriptions in `schema` are names of the fields. Each field is compared with
    the whole text. At most `most_chars` characters are compared in total; the remaining fields are neither in the
    evidence nor unsupported, but only counted.

    `request` is the entry of the user's own texts. The request supports values that none of the texts from `precontext`
    contains, and values that `support` places in it.

    The evidence of booleans and enums in `decided` is the place that decides them. The evidence of booleans and enums
    in `undecided` is only a probability.
    """
    passages = passages_to_trace(precontext)
    claims = LabelClaims(passages)
    entries = [*precontext, *([request] if request else ())]
    if request:
        passages += passages_in(request, REQUEST)
    all_leaves = list(leaves(value, ()))
    size = max(1, sum(len(passage.text) for passage in passages))
    fields = []
    candidates = {}
    parts = PartsOfSchema(schema)
    for path, leaf in all_leaves[: max(1, most_chars // size)]:
        in_list = any(isinstance(step, int) for step in path)
        answered = AnsweredField(leaf, names_of(path, parts.at(path)), in_list)
        field = _Field(path, answered, support(path, leaf) if support else None)
        fields.append(field)
        is_searched = path not in undecided and not isinstance(field.place and field.place.cell, CellOfField)
        candidates[path] = _claimed_matches(field.answered, passages, claims) if is_searched else []
    chosen = _choose(fields, candidates, entries)
    for field in fields:
        found = chosen.get(field.path)
        if found is not None and found.claim.label == "none" and not found.claim.is_final:
            claims_of_others = (
                candidate.claim for candidate in candidates[field.path] if candidate.claim.label == "other"
            )
            claim_of_other = next(claims_of_others, None) if field.answered.is_quantity else None
            claim_of_another_value = claims.beside_another_value(field.answered) or claim_of_other
            chosen[field.path] = _ClaimedMatch(found.match, claim_of_another_value or found.claim)
    evidence = {}
    for field in fields:
        if field.path in chosen:
            evidence[field.pointer] = _describe(chosen[field.path], field)
    for field in fields:
        if (decision := decided.get(field.path)) is not None:
            chosen[field.path] = _decided_match(decision, precontext)
            found_at = _describe(chosen[field.path], field)
            if decision.is_derived:
                found_at["match"] = "derived"
            evidence[field.pointer] = {**found_at, "probability": round(decision.probability, 2)}
        elif field.path in undecided:
            evidence[field.pointer] = cast(FieldEvidence, {"probability": round(undecided[field.path], 2)})
    supported = {path for path, found in chosen.items() if not found.speaks_against}
    for field in fields:
        if field.place is not None and isinstance(field.place.cell, CellOfField) and field.place.cell.is_read:
            evidence[field.pointer] = _describe_cell(field.answered.value, field.place.cell, field.place, precontext)
            supported.add(field.path)
    sums = dict(_tallies(value, (), supported))
    for field in fields:
        tally = None if field.path in supported else _tally(field.answered.value)
        if tally is not None and (sources := sums.get(tally)):
            evidence[field.pointer] = _derived_evidence([evidence[pointer_of(path)] for path in sources])
            supported.add(field.path)
    unsupported = [field.pointer for field in fields if field.path not in supported]
    # A field that nothing supports, or that a label contradicts, is never sure, whatever the extractor says.
    for pointer in unsupported:
        if "probability" in evidence.get(pointer, ()):
            evidence[pointer]["probability"] = min(evidence[pointer]["probability"], DOUBTFUL)
    return Evidence(evidence, unsupported), len(all_leaves) - len(fields)


def _decided_match(decision: Decision, precontext: Sequence[Entry]) -> _ClaimedMatch:
    entry_index = next((index for index, entry in enumerate(precontext) if entry is decision.entry), REQUEST)
    assert decision.entry is not None
    passage = Passage(entry_index, decision.entry.name, decision.passage.lines)
    printed_words = fold(" ".join(passage.words[word] for word in decision.words))
    is_spelt = isinstance(decision.value, str) and set(fold(decision.value)) <= set(printed_words)
    return _ClaimedMatch(
        ValueMatch(
            passage, decision.words, "exact" if is_spelt else "normalised", 1.0 if is_spelt else NORMALISED_SCORE
        ),
        LabelClaim("own"),
    )


def _tally(value: Any) -> Decimal | None:
    """Return a number rounded to hundredths, or None for any other value and for numbers of MAX_TALLIED or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MAX_TALLIED:
        return None
    return round(Decimal(str(value)), 2)


def _tallies(value: Any, path: JsonPath, supported: Collection[JsonPath]) -> Iterator[tuple[Decimal, list[JsonPath]]]:
    """Yield the number of items of each list and, for a list of objects, the sum of each field's numbers. Each result
    comes with the fields from which it is computed.

    A sum is left out if one of its numbers is unsupported; the count of a list's items is left out if one of the items
    has no supported field.
    """
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _tallies(child, (*path, key), supported)
    if not isinstance(value, list) or not value:
        return
    firsts = [
        next(
            (supported_path for supported_path, _ in leaves(item, (*path, index)) if supported_path in supported), None
        )
        for index, item in enumerate(value)
    ]
    if all(firsts):
        yield Decimal(len(value)), [supported_path for supported_path in firsts if supported_path]
    for key in value[0] if isinstance(value[0], dict) else ():
        column = [(*path, index, key) for index in range(len(value))]
        numbers = [_tally(item.get(key)) if isinstance(item, dict) else None for item in value]
        if all(number is not None for number in numbers) and all(
            supported_path in supported for supported_path in column
        ):
            yield sum((number for number in numbers if number is not None), Decimal(0)), column


def _derived_evidence(sources: Sequence[FieldEvidence]) -> FieldEvidence:
    texts = " + ".join(source["text"] for source in sources)
    score = min(source["score"] for source in sources)
    evidence: FieldEvidence = {**sources[0], "text": texts[:MAX_PASSAGE], "match": "derived", "score": score}
    if all("probability" in source for source in sources):
        evidence["probability"] = min(source["probability"] for source in sources)
    return evidence


def _claimed_matches(answered: AnsweredField, passages: Sequence[Passage], claims: LabelClaims) -> list[_ClaimedMatch]:
    claimed = []
    for match in find_matches(answered.value, passages, is_quantity=answered.is_quantity):
        name_affinity = affinity(match.passage, match.words, answered.names)
        if not isinstance(answered.value, bool):
            claimed.append(_ClaimedMatch(match, claims.of(match, answered, name_affinity), name_affinity))
        elif name_affinity >= BOOLEAN_AFFINITY:
            claimed.append(_ClaimedMatch(match, LabelClaim("own"), name_affinity))
    return claimed


def _choose(
    fields: Sequence[_Field], candidates: Mapping[JsonPath, list[_ClaimedMatch]], entries: Sequence[Entry]
) -> dict[JsonPath, _ClaimedMatch]:
    """Choose a match for each field. The field with the fewest matches comes first. In an object of a list, the other
    fields then prefer matches near those that have already been chosen."""
    chosen: dict[JsonPath, _ClaimedMatch] = {}
    used: set[tuple[int, int]] = set()
    anchors: dict[JsonPath, list[ValueMatch]] = {}
    items: dict[JsonPath | None, list[_Field]] = {}
    for field in fields:
        if candidates[field.path]:
            items.setdefault(field.item, []).append(field)
    for item, members in items.items():
        for field in sorted(members, key=lambda field: (len(candidates[field.path]), -len(str(field.answered.value)))):
            item_anchors = anchors.setdefault(item, []) if item is not None else []
            best = max(
                candidates[field.path], key=lambda candidate: _rank(candidate, field, item_anchors, used, entries)
            )
            chosen[field.path] = best
            item_anchors.append(best.match)
            used.add(_identity(best.match))
    return chosen


def _rank(
    candidate: _ClaimedMatch,
    field: _Field,
    anchors: Sequence[ValueMatch],
    used: set[tuple[int, int]],
    entries: Sequence[Entry],
) -> tuple[float, float, int, int]:
    match, answered, place = candidate.match, field.answered, field.place
    confidence = confidence_of_words(match.passage, match.words) or 0.0
    fit = candidate.affinity + CONFIDENCE_WEIGHT * confidence
    fit += CLAIM_BONUS.get(candidate.claim.label, 0.0)
    if anchors:
        fit += 2 * max(_nearness(match, other) for other in anchors)
    if place and place.entry is entries[match.passage.entry] and _is_at(match, place):
        fit += PLACE_BONUS
    elif match.passage.entry == REQUEST:
        fit -= PLACE_BONUS
    if answered.in_list and _identity(match) not in used:
        fit += UNUSED_BONUS
    return round(fit, 4), match.score, -match.passage.entry, -match.words[0]


def _is_at(match: ValueMatch, place: ValuePlace) -> bool:
    return not place.words.isdisjoint(match.words) and any(
        match.passage.lines[match.passage.line_at(word)].pointer == place.pointer for word in match.words
    )


def _identity(match: ValueMatch) -> tuple[int, int]:
    return id(match.passage), match.words[0]


def _nearness(match: ValueMatch, anchor: ValueMatch) -> float:
    """Return the nearness of two matches, from 0 to 1: 1 on the same line, and less with each line between them."""
    if match.passage is not anchor.passage:
        return 0.0
    box, other_box = box_of(match.passage, match.words), box_of(anchor.passage, anchor.words)
    if box is None or other_box is None:
        distance: float = abs(match.passage.line_at(match.words[0]) - anchor.passage.line_at(anchor.words[0]))
    else:
        # A distance of up to half a line height counts as the same line.
        height = max(1, min(box[3] - box[1], other_box[3] - other_box[1]))
        distance = max(0.0, abs(box[1] + box[3] - other_box[1] - other_box[3]) / 2 / height - 0.5)
    return max(0.0, 1 - distance / 3) if distance < 1 else 0.7 / distance


def _describe(candidate: _ClaimedMatch, field: _Field) -> FieldEvidence:
    match, claim = candidate.match, candidate.claim
    passage = match.passage
    lines = [passage.lines[index] for index in sorted({passage.line_at(word) for word in match.words})]
    first = lines[0]
    confidence = confidence_of_words(passage, match.words)
    spoken = [line.place["timestamp"] for line in lines if "timestamp" in line.place]
    is_said = passage.entry == REQUEST
    is_by_example = field.place is not None and field.place.is_by_example and _is_at(match, field.place)
    bounds = bounds_of_words(passage, match.words)
    is_in_text = "url" in first.place or (bounds is None and "timestamp" not in first.place and not is_said)
    entries = {
        "precontext": None if is_said else passage.entry,
        "name": passage.name,
        "pointer": first.pointer,
        "text": " ".join([passage.words[word] for word in match.words]),
        "match": "example" if is_by_example else match.kind,
        "score": round(min(match.score, CONTRADICTED_SCORE) if candidate.speaks_against else match.score, 2),
        "label": claim.label,
        "label_text": first.place.get("path", claim.text) or None,
        "confidence": None if confidence is None else round(confidence, 2),
        "bounds": bounds,
        "page": first.place.get("page"),
        "timestamp": (spoken[0][0], spoken[-1][1]) if "timestamp" in first.place else None,
        "speaker": first.place.get("speaker"),
        "url": first.place.get("url"),
        "passage": _line_around(match) if is_in_text else None,
    }
    evidence = cast(FieldEvidence, {name: value for name, value in entries.items() if value is not None})
    was_read = field.place is not None and field.place.entry is not None and field.place.entry.name == passage.name
    if field.place is not None and (was_read or not is_said):
        given = calibration_input(field.place, evidence["score"], claim.label, evidence.get("confidence", 1.0))
        is_in_doubt = field.place.cell is not None and field.place.cell.is_in_doubt
        evidence["probability"] = round(probability(given) * (IN_DOUBT if is_in_doubt else 1), 2)
    return evidence


def _describe_cell(value: Any, found: CellOfField, place: ValuePlace, precontext: Sequence[Entry]) -> FieldEvidence:
    cell = found.cell
    index = next((position for position, entry in enumerate(precontext) if entry is found.entry), None)
    value_text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    text = cell.source or cell.text
    entries = {
        "precontext": index,
        "name": found.entry.name,
        "pointer": cell.pointer,
        "text": text,
        "match": "exact" if value_text == text else "derived" if _is_computed(value, text) else "normalised",
        "score": 1.0,
        "label": "own" if found.header else "none",
        "label_text": cell.place.get("path", found.header) or None,
        "probability": round(place.probability, 2),
        **{key: cell.place[key] for key in ("confidence", "bounds", "page", "timestamp", "url") if key in cell.place},
        "passage": (cell.source or cell.text)[:MAX_PASSAGE]
        if index is not None and "bounds" not in cell.place
        else None,
    }
    return cast(FieldEvidence, {name: value for name, value in entries.items() if value is not None})


def _is_computed(value: Any, text: str) -> bool:
    """True if a number is another than those of its cell, because it was converted to the field's unit."""
    printed = [abs(float(one)) for found in find_numbers(text) for one in found.all_readings]
    return isinstance(value, int | float) and bool(printed) and not any(isclose(abs(value), one) for one in printed)


def _line_around(match: ValueMatch) -> str:
    """Return the line of the match, shortened around the match."""
    words = match.passage.words
    line = match.passage.line_words(match.passage.line_at(match.words[0]))
    first, last = match.words[0], min(match.words[-1], line.stop - 1)
    text = " ".join(words[first : last + 1])
    while len(text) < MAX_PASSAGE and (first > line.start or last < line.stop - 1):
        first, last = max(line.start, first - 1), min(line.stop - 1, last + 1)
        text = " ".join(words[first : last + 1])
    return text[:MAX_PASSAGE]
