"""Evidence of a field: the place of its value in what was read, and how value and place match.

Of a value that was copied, the place is known; `tasks.tracing` searches for the place of any other value.
"""

from collections.abc import Sequence
from math import isclose
from typing import Any, Literal, NotRequired, TypedDict, cast

from tasks.extraction.boxes import bounds_of_words, confidence_of_words
from tasks.extraction.decisions import Decision
from tasks.extraction.folding import fold
from tasks.extraction.labelled_values import Label
from tasks.extraction.passages import Passage
from tasks.extraction.probability import IN_DOUBT, CellOfField, ValuePlace, calibration_input, probability
from tasks.notation.numbers import find_numbers
from tasks.precontext import Entry
from tasks.result import Bounds

MatchKind = Literal["exact", "normalised", "fuzzy"]

MAX_PASSAGE = 300
"""Evidence shows at most this many characters of the line around a match."""
NORMALISED_SCORE = 0.95
"""Score of another notation of the same value; the same characters score 1."""
CONTRADICTED_SCORE = 0.3
"""A value that a label contradicts has at most this score."""
REQUEST = -1
"""Index that stands for the request, which is not an entry of the precontext."""


class FieldEvidence(TypedDict):
    precontext: NotRequired[int]
    """Index of the entry in `precontext`; absent if the text is in the request."""
    name: str
    """The entry's name; `request` for the user's own text."""
    pointer: str
    """JSON pointer into the entry's result, or into the request: the line or the text where the match begins."""
    text: str
    """The matched words as the source has them."""
    match: MatchKind | Literal["derived", "example"]
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


def contradicts(label: Label) -> bool:
    """True if a label says that a match is not the field's value."""
    return label in ("other", "elsewhere")


def is_at(passage: Passage, words: Sequence[int], place: ValuePlace) -> bool:
    """True if `place` has one of the words."""
    return not place.words.isdisjoint(words) and any(
        passage.lines[passage.line_at(word)].pointer == place.pointer for word in words
    )


def evidence_at(
    passage: Passage,
    words: Sequence[int],
    kind: MatchKind,
    score: float,
    label: Label,
    label_text: str = "",
    place: ValuePlace | None = None,
) -> FieldEvidence:
    """Return the evidence of a value that matches `words`. `place` is where the extractor has the value."""
    lines = [passage.lines[index] for index in sorted({passage.line_at(word) for word in words})]
    first = lines[0]
    confidence = confidence_of_words(passage, words)
    spoken = [line.place["timestamp"] for line in lines if "timestamp" in line.place]
    is_said = passage.entry == REQUEST
    is_by_example = place is not None and place.is_by_example and is_at(passage, words, place)
    bounds = bounds_of_words(passage, words)
    is_in_text = "url" in first.place or (bounds is None and "timestamp" not in first.place and not is_said)
    entries = {
        "precontext": None if is_said else passage.entry,
        "name": passage.name,
        "pointer": first.pointer,
        "text": " ".join([passage.words[word] for word in words]),
        "match": "example" if is_by_example else kind,
        "score": round(min(score, CONTRADICTED_SCORE) if contradicts(label) else score, 2),
        "label": label,
        "label_text": first.place.get("path", label_text) or None,
        "confidence": None if confidence is None else round(confidence, 2),
        "bounds": bounds,
        "page": first.place.get("page"),
        "timestamp": (spoken[0][0], spoken[-1][1]) if "timestamp" in first.place else None,
        "speaker": first.place.get("speaker"),
        "url": first.place.get("url"),
        "passage": _line_around(passage, words) if is_in_text else None,
    }
    evidence = cast(FieldEvidence, {name: value for name, value in entries.items() if value is not None})
    was_read = place is not None and place.entry is not None and place.entry.name == passage.name
    if place is not None and (was_read or not is_said):
        given = calibration_input(place, evidence["score"], label, evidence.get("confidence", 1.0))
        is_in_doubt = place.cell is not None and place.cell.is_in_doubt
        evidence["probability"] = round(probability(given) * (IN_DOUBT if is_in_doubt else 1), 2)
    return evidence


def evidence_of_decision(decision: Decision, place: ValuePlace | None, precontext: Sequence[Entry]) -> FieldEvidence:
    """Return the evidence of a choice: the words that decide it. `place` is where the extractor has the choice."""
    entry_index = next((index for index, entry in enumerate(precontext) if entry is decision.entry), REQUEST)
    assert decision.entry is not None
    passage = Passage(entry_index, decision.entry.name, decision.passage.lines)
    printed_words = fold(" ".join(passage.words[word] for word in decision.words))
    is_spelt = isinstance(decision.value, str) and set(fold(decision.value)) <= set(printed_words)
    kind: MatchKind = "exact" if is_spelt else "normalised"
    found = evidence_at(passage, decision.words, kind, 1.0 if is_spelt else NORMALISED_SCORE, "own", place=place)
    if decision.is_derived:
        found["match"] = "derived"
    return {**found, "probability": round(decision.probability, 2)}


def evidence_of_cell(value: Any, found: CellOfField, place: ValuePlace, precontext: Sequence[Entry]) -> FieldEvidence:
    """Return the evidence of a value that was copied from the cell `found`, at `place`."""
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


def _line_around(passage: Passage, matched: Sequence[int]) -> str:
    """Return the line of the matched words, shortened around them."""
    words = passage.words
    line = passage.line_words(passage.line_at(matched[0]))
    first, last = matched[0], min(matched[-1], line.stop - 1)
    text = " ".join(words[first : last + 1])
    while len(text) < MAX_PASSAGE and (first > line.start or last < line.stop - 1):
        first, last = max(line.start, first - 1), min(line.stop - 1, last + 1)
        text = " ".join(words[first : last + 1])
    return text[:MAX_PASSAGE]
