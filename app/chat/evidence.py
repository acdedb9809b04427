"""Where each field of an answer comes from, found by comparing it with the results; no LLM is asked.

>>> ground({"total": 9.0, "vat_id": "DE1"}, precontext)
{"evidence": {"/total": {"precontext": 0, "name": "ocr", "text": "9.00", "page": 1, …}}, "unsupported": ["/vat_id"]}

A field that several places could support is traced to the one that says it most exactly, then to the one beside
a label that names the field, then, within an object of a list, to the one nearest to the object's other fields.
Synchronous; for long documents call it in a thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from app.chat.grounding.labels import Path, affinity, bounds_of_word, box_of
from app.chat.grounding.matching import Kind, Match, matches
from app.chat.grounding.passages import escape, passages_of
from app.wire.response import PrecontextEntry
from tasks.bounds import Bounds, bounds_of

MAX_PASSAGE = 300
"""Characters of the line around a match in a web page."""
BOOLEAN_AFFINITY = 0.5
"""A "yes" supports a field only in a line that names the field."""

UNUSED_BONUS = 0.25
"""Repeated values of a list are traced to different places, where there are as many."""
CONFIDENCE_WEIGHT = 0.05


class FieldEvidence(TypedDict):
    precontext: int
    """Index of the entry in `precontext`."""
    name: str
    """The entry's name."""
    pointer: str
    """JSON pointer into the entry's result: the line or the text where the match begins."""
    text: str
    """The matched words as the source has them."""
    match: Kind
    """`exact`: the same characters; `normalised`: another notation; `fuzzy`: all but a few characters."""
    score: float
    """0 to 1, two decimals: how well value and text agree."""
    confidence: NotRequired[float]
    """The mean of what the engine measured for the matched words."""
    bounds: NotRequired[Bounds]
    page: NotRequired[int]
    timestamp: NotRequired[tuple[float, float]]
    """Seconds."""
    speaker: NotRequired[str]
    url: NotRequired[str]
    passage: NotRequired[str]
    """With `url`: the line that the text stands in."""


class Grounding(TypedDict):
    evidence: dict[str, FieldEvidence]
    """By JSON pointer (RFC 6901) into the answer."""
    unsupported: list[str]
    """Pointers of the fields that nothing in the precontext says. null and "" claim nothing and are left out."""


@dataclass(frozen=True, slots=True)
class _Field:
    path: Path
    value: Any

    @property
    def pointer(self) -> str:
        return "".join(f"/{escape(str(step))}" for step in self.path)

    @property
    def item(self) -> Path | None:
        """Path of the innermost list item around it, or None outside lists."""
        last = max((at for at, step in enumerate(self.path) if isinstance(step, int)), default=None)
        return None if last is None else self.path[: last + 1]


def ground(value: Any, precontext: Sequence[PrecontextEntry]) -> Grounding:
    """Evidence for each string, number and boolean of `value`, a parsed JSON answer."""
    passages = passages_of(precontext)
    fields = list(_fields(value, ()))
    candidates = {field.path: _plausible(field, matches(field.value, passages)) for field in fields}
    chosen = _choose(fields, candidates)
    return {
        "evidence": {field.pointer: _report(match) for field in fields if (match := chosen.get(field.path))},
        "unsupported": [field.pointer for field in fields if field.path not in chosen],
    }


def _fields(value: Any, path: Path) -> Iterator[_Field]:
    match value:
        case dict():
            for key, child in value.items():
                yield from _fields(child, (*path, key))
        case list():
            for index, child in enumerate(value):
                yield from _fields(child, (*path, index))
        case str() if not value.strip():
            return
        case str() | bool() | int() | float():
            yield _Field(path, value)


def _plausible(field: _Field, found: list[Match]) -> list[Match]:
    if isinstance(field.value, bool):
        return [match for match in found if affinity(match.passage, match.words, field.path) >= BOOLEAN_AFFINITY]
    return found


def _choose(fields: Sequence[_Field], candidates: Mapping[Path, list[Match]]) -> dict[Path, Match]:
    """The surest fields first, so that the others of their object can be looked for around them."""
    chosen: dict[Path, Match] = {}
    used: set[tuple[int, int]] = set()
    anchors: dict[Path, list[Match]] = {}
    items = dict.fromkeys(field.item for field in fields)
    for item in items:
        members = [field for field in fields if field.item == item and candidates[field.path]]
        for field in sorted(members, key=lambda field: (len(candidates[field.path]), -len(str(field.value)))):
            around = anchors.setdefault(item, []) if item is not None else []
            best = max(candidates[field.path], key=lambda match: _rank(match, field.path, around, used))
            chosen[field.path] = best
            around.append(best)
            used.add(_identity(best))
    return chosen


def _rank(
    match: Match, path: Path, around: Sequence[Match], used: set[tuple[int, int]]
) -> tuple[float, float, int, int]:
    fit = affinity(match.passage, match.words, path) + CONFIDENCE_WEIGHT * (_confidence(match) or 0.0)
    if around:
        fit += 2 * max(_nearness(match, other) for other in around)
    if any(isinstance(step, int) for step in path) and _identity(match) not in used:
        fit += UNUSED_BONUS
    return round(fit, 4), match.score, -match.passage.entry, -match.words[0]


def _identity(match: Match) -> tuple[int, int]:
    return id(match.passage), match.words[0]


def _nearness(match: Match, other: Match) -> float:
    """1 on the same line, falling by a third with each line between."""
    if match.passage is not other.passage:
        return 0.0
    here, there = box_of(match.passage, match.words), box_of(other.passage, other.words)
    if here is None or there is None:
        apart: float = abs(match.passage.line_at(match.words[0]) - other.passage.line_at(other.words[0]))
    else:
        # Half a line height is as near as on the same line.
        height = max(1, min(here[3] - here[1], there[3] - there[1]))
        apart = max(0.0, abs(here[1] + here[3] - there[1] - there[3]) / 2 / height - 0.5)
    return max(0.0, 1 - apart / 3) if apart < 1 else 0.7 / apart


def _report(match: Match) -> FieldEvidence:
    passage = match.passage
    lines = [passage.lines[at] for at in sorted({passage.line_at(word) for word in match.words})]
    first = lines[0]
    evidence: FieldEvidence = {
        "precontext": passage.entry,
        "name": passage.name,
        "pointer": first.pointer,
        "text": " ".join([passage.words[word] for word in match.words]),
        "match": match.kind,
        "score": round(match.score, 2),
    }
    if (confidence := _confidence(match)) is not None:
        evidence["confidence"] = round(confidence, 2)
    if (bounds := _bounds(match)) is not None:
        evidence["bounds"] = bounds
    if "page" in first.place:
        evidence["page"] = first.place["page"]
    if "timestamp" in first.place:
        begin, end = first.place["timestamp"][0], lines[-1].place.get("timestamp", first.place["timestamp"])[1]
        evidence["timestamp"] = (begin, end)
    if "speaker" in first.place:
        evidence["speaker"] = first.place["speaker"]
    if "url" in first.place:
        evidence["url"] = first.place["url"]
        evidence["passage"] = _around(match)
    return evidence


def _confidence(match: Match) -> float | None:
    measured = []
    for word in match.words:
        at = match.passage.line_at(word)
        line = match.passage.lines[at]
        if line.confidences:
            measured.append(line.confidences[word - match.passage.line_words(at).start])
        elif "confidence" in line.place:
            measured.append(line.place["confidence"])
    return sum(measured) / len(measured) if measured else None


def _bounds(match: Match) -> Bounds | None:
    """Of a single word its own; on one line the quadrilateral from the first to the last; else the hull."""
    hull = box_of(match.passage, match.words)
    first = bounds_of_word(match.passage, match.words[0])
    last = bounds_of_word(match.passage, match.words[-1])
    if hull is None or first is None or last is None or first is last:
        return first
    left, top, right, bottom = hull
    if match.passage.line_at(match.words[0]) == match.passage.line_at(match.words[-1]):
        corners = (first["top_left"], last["top_right"], last["bottom_right"], first["bottom_left"])
        a, b, c, d = [(corner["x"], corner["y"]) for corner in corners]
        return bounds_of((a, b, c, d), right, bottom)
    return bounds_of(((left, top), (right, top), (right, bottom), (left, bottom)), right, bottom)


def _around(match: Match) -> str:
    """The line of the match, shortened around it."""
    words = match.passage.words
    line = match.passage.line_words(match.passage.line_at(match.words[0]))
    first, last = match.words[0], min(match.words[-1], line.stop - 1)
    text = " ".join(words[first : last + 1])
    while len(text) < MAX_PASSAGE and (first > line.start or last < line.stop - 1):
        first, last = max(line.start, first - 1), min(line.stop - 1, last + 1)
        text = " ".join(words[first : last + 1])
    return text[:MAX_PASSAGE]
