"""Computes the network's features of spans: their appearance, their place, and how well the labels around them match a
field."""

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.extraction.labels import label_model
from tasks.extraction.candidates import KINDS, Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS, PHRASES, concepts_of, may_be_same
from tasks.extraction.folding import fold
from tasks.extraction.names import Names

Matrix = NDArray[np.float32]

SLOTS = ("own", "left", "above", "heading", "below")
"""Places of labels relative to a span. `own` is before the span in its line, `left` in its row, and `above`, `heading`
and `below` in its column."""
TYPES = ("string", "number", "integer", "date", "time", "email", "uri", "enum", "pattern", "iso", "nullable", "list")
LARGEST_AMOUNT = 1e15
"""A larger number counts as this number, because its cents are lost in a float, and a row of digits may have any
length."""
_NUMBERS = TYPES.index("number"), TYPES.index("integer")
_FIELD_KINDS = ("amount", "count", "date", "time", "number", "text")
_TOKEN = re.compile(r"[a-zA-Z]{1,5}|\d{1,2}|\S")
"""Pattern of roughly one token of the embedding engine: a piece of a Latin word, two digits, or a sign."""
MOMENT = "date-time"
HOURS_AND_MINUTES = "hours and minutes"
"""Format of fields whose description asks for a time of day such as `20:30`."""
DAYS = ("date", MOMENT)
"""Formats of calendar days in ISO 8601."""
_ISO = re.compile(r"\bISO\b|(?:YYYY|AAAA|JJJJ|RRRR|ÅÅÅÅ)-MM-(?:DD|TT|JJ|GG)", re.IGNORECASE)
_CLOCK = re.compile(r"-(?:DD|TT|JJ|GG)[T ]?HH[:.]?MM", re.IGNORECASE)
_POSTCODE = re.compile(r"\b\d{4,6}\b|\b[A-Z]{1,2}\d[\dA-Z]? \d[A-Z]{2}\b")
_COMPANY = re.compile(
    r"\b(?:sdn|bhd|ltd|limited|inc|llc|llp|corp|co|gmbh|ag|kg|ug|e\.?k|s\.?a|s\.?l|s\.?r\.?l|s\.?p\.?a|sarl|sas|lda|ltda"
    r"|b\.?v|n\.?v|pte|plc|pty|enterprise|trading|restaurant|store|shop|market|hotel|university|bank|syarikat|perniagaan"
    r"|kedai|restoran|pasaraya|mart|supermarket|bakery|cafe|café|pharmacy|bäckerei|apotheke|société|boulangerie"
    r"|ristorante|restaurante|supermercado|farmacia|farmácia|bakkerij|apotheek)\b",
    re.IGNORECASE,
)
_CURRENCY = re.compile(r"[$€£¥]|\b(?:RM|MYR|EUR|USD|GBP|CHF|SGD|AUD|CAD)\b")
_MAX_NAME = 200
"""An embedded label, or the description of a field, has at most this many characters."""

LABEL_FEATURES = 18
"""Number of features of a pair of a label and a field (`label_matches`)."""
_CONCEPT_INDEX = {name: index for index, name in enumerate(CONCEPTS)}
MAX_EMBEDDED_NAMES = 8
"""At most this many of a concept's names are embedded for its meaning; English names come first."""


@dataclass(frozen=True, slots=True)
class FieldText:
    """A field as the network sees it: its names, types and concepts."""

    names: Names
    name: str
    full: str
    """The name together with the field's title and description."""
    types: tuple[float, ...]
    concepts: frozenset[str]

    @property
    def is_number(self) -> bool:
        """True if the field's type is a number or an integer."""
        return any(self.types[index] for index in _NUMBERS)

    @property
    def is_plain_text(self) -> bool:
        """True if the field's type is a string without an enum or a format."""
        return bool(self.types[0]) and not any(self.types[1 : TYPES.index("iso") + 1])

    @property
    def in_list(self) -> bool:
        """True if the field is in a list and therefore has many values."""
        return bool(self.types[-1])


def field_text(schema: Mapping[str, Any], names: Names, *, in_list: bool = False) -> FieldText:
    name = names.phrase
    descriptions = [schema[key] for key in ("title", "description") if isinstance(schema.get(key), str)]
    described = " ".join(descriptions)[:_MAX_NAME]
    full = f"{name}: {described}" if described else name
    return FieldText(names, name, full, (*_types(schema), float(in_list)), names.concepts)


def types_of(schema: Mapping[str, Any]) -> set[str]:
    """Return the types in a schema, except null."""
    given = schema.get("type")
    return {name for name in ([given] if isinstance(given, str) else given or ()) if name != "null"}


def wants_iso(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") in DAYS or _ISO.search(str(schema.get("description", ""))) is not None


def wants_clock(schema: Mapping[str, Any]) -> bool:
    """True if a schema wants a day with its time of day."""
    return schema.get("format") == MOMENT or _CLOCK.search(str(schema.get("description", ""))) is not None


def _types(schema: Mapping[str, Any]) -> tuple[float, ...]:
    types = types_of(schema)
    form = schema.get("format")
    return tuple(
        map(
            float,
            (
                "string" in types and "enum" not in schema,
                "number" in types,
                "integer" in types,
                form in DAYS,
                form in ("time", HOURS_AND_MINUTES),
                form == "email",
                form in ("uri", "url"),
                "enum" in schema,
                "pattern" in schema,
                wants_iso(schema),
            ),
        )
    )


class Strings:
    """Distinct texts to be embedded."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._places: dict[str, int] = {}

    def most_telling(self, labels: Collection[int], max_tokens: int) -> list[int]:
        """Return the indices of the texts to be embedded, which together have at most about `max_tokens` tokens.

        The `labels` come first, in the order of the text, then the other lines, the shortest first, because a long line
        is hardly a label.
        """
        sizes = [len(_TOKEN.findall(text)) for text in self.texts]
        if sum(sizes) <= max_tokens:
            return [*range(len(sizes))]
        order = sorted(range(len(sizes)), key=lambda index: (index not in labels, sizes[index] * (index not in labels)))
        ends = accumulate(sizes[index] for index in order)
        return sorted(order[: bisect_right([*ends], max_tokens)])

    def place(self, text: str) -> int:
        """Return the index of `text` in `texts`, or −1 if it is empty. A new text is added."""
        text = text.strip()[:_MAX_NAME]
        if not text:
            return -1
        if text not in self._places:
            self._places[text] = len(self.texts)
            self.texts.append(text)
        return self._places[text]


@dataclass(frozen=True, slots=True)
class SpanFeatures:
    still: Matrix
    """Matrix of spans × features that do not depend on the field."""
    labels: NDArray[np.int32]
    """Matrix of spans × SLOTS: index of each label in the strings, or −1 without a label."""
    texts: NDArray[np.int32]
    """Matrix of spans × 2: index in the strings of the texts of the span's first and last segment."""

    @property
    def labels_beside(self) -> frozenset[int]:
        """Indices of the strings that may be the label of a span: a text before the span in its line, a text to the
        left of the span, or its heading."""
        indices = self.labels[:, [SLOTS.index(slot) for slot in ("own", "left", "heading")]]
        return frozenset(np.unique(indices).tolist())


def span_features(candidates: Candidates, strings: Strings) -> SpanFeatures:
    """Compute the features of all spans."""
    segments, spans = candidates.segments, candidates.spans
    places = [strings.place(segment.text) for segment in segments]
    heights = [segment.height for segment in segments if segment.box]
    usual_height = max(1.0, float(np.median(heights))) if heights else 1.0  # the text of a PDF may have no height
    boxes = [segment.box for segment in segments if segment.box] or [(0, 0, 1, 1)]
    x0, y0 = min(box[0] for box in boxes), min(box[1] for box in boxes)
    width, height = max(1, max(box[2] for box in boxes) - x0), max(1, max(box[3] for box in boxes) - y0)
    amounts = sorted({_amount(span) for span in spans if span.number is not None} - {None}, reverse=True)  # type: ignore[type-var]
    rank = {amount: index for index, amount in enumerate(amounts)}
    times: dict[str, int] = {}
    for span in spans:
        times[span.text] = times.get(span.text, 0) + 1
    headings: dict[tuple[int, int], int] = {}
    still, labels, texts = [], [], []
    for span in spans:
        first, last = segments[span.first], segments[span.last]
        own = strings.place(span.label)
        begins_segment = span.words[0] == first.words[0]
        key = (id(span.passage), span.first)
        if key not in headings:
            found = candidates.layouts[id(span.passage)].heading_of(span.passage, first.words)
            headings[key] = strings.place(found.label) if found else -1
        left = places[first.left] if first.left >= 0 and (begins_segment or own < 0) else -1
        above = places[first.above] if first.above >= 0 else -1
        below = places[last.below] if last.below >= 0 else -1
        labels.append((own, left, above, headings[key], below))
        texts.append((places[span.first], places[span.last]))
        box = first.box or (0, 0, 0, 0)
        place = (
            (box[0] - x0) / width,
            (box[2] - x0) / width,
            (box[1] - y0) / height,
            box[3] and first.height / usual_height,
        )
        still.append(
            (
                *(float(span.kind == kind) for kind in KINDS),
                *_appearance(span.text),
                *place,
                float(first.box is None),
                min(span.first, 20) / 20,
                min(len(segments) - 1 - span.last, 20) / 20,
                float(span.has_colon),
                float(own >= 0),
                float(left >= 0),
                float(above >= 0),
                float(begins_segment),
                float(span.words[-1] == last.words[-1]),
                (span.last - span.first) / 6,
                *_amounts(span, rank),
                min(times[span.text], 5) / 5,
                float(span.passage is candidates.passages[0]),
                _confidence(span),
            )
        )
    return SpanFeatures(
        np.array(still, np.float32),
        np.array(labels, np.int32).reshape(-1, len(SLOTS)),
        np.array(texts, np.int32).reshape(-1, 2),
    )


def _appearance(text: str) -> tuple[float, ...]:
    size = max(1, len(text))
    words = text.split()
    return (
        min(len(words), 12) / 12,
        math.log1p(size) / 6,
        sum(map(str.isdigit, text)) / size,
        sum(map(str.isupper, text)) / size,
        sum(map(str.isalpha, text)) / size,
        float(text[:1].isdigit()),
        float(text[-1:] in ",:"),
        float(_CURRENCY.search(text) is not None),
        float(_POSTCODE.search(text) is not None),
        float(_COMPANY.search(text) is not None),
        float("," in text),
        float("@" in text),
        float("/" in text or "-" in text),
        sum(word[:1].isupper() for word in words) / max(1, len(words)),
        float(":" in text),
    )


def _amount(span: CandidateSpan) -> float | None:
    if span.number is None:
        return None
    number = max(span.number.readings, default=0)
    return float(max(-LARGEST_AMOUNT, min(LARGEST_AMOUNT, number)))


def _amounts(span: CandidateSpan, rank: Mapping[float | None, int]) -> tuple[float, ...]:
    amount = _amount(span)
    if span.number is None or amount is None:
        return (0.0,) * 6
    digits = span.number.digits
    return (
        1.0,
        float(len(digits) > 3 and digits[-3] in ".,"),
        float(digits.isdigit()),
        1 / (1 + rank[amount]),
        math.log1p(abs(amount)) / 12,
        float(amount < 0),
    )


def _confidence(span: CandidateSpan) -> float:
    measured = []
    for word in span.words:
        index = span.passage.line_at(word)
        line = span.passage.lines[index]
        if line.confidences:
            measured.append(line.confidences[word - span.passage.line_words(index).start])
    return sum(measured) / len(measured) if measured else 1.0


def label_matches(
    fields: Sequence[FieldText], strings: Strings, vectors: Matrix, field_vectors: Matrix, meanings: Matrix
) -> Matrix:
    """Return the match of each string with each field, as an array of fields × (strings + 1) × LABEL_FEATURES.

    The features, by index, are:

    - 0: the same concept, 1: a concept that means something else,
    - 2: share of common words in the field's name, 3: in the string,
    - 4: similarity of the string to the field's name, 5: to the full name,
    - 6, 7: features 4 and 5 minus their values for the most similar string,
    - 8: share of common groups of three letters in the field's name, 9: in the string,
    - 10: similarity of the string's concept to the field's name, 11: to the full name,
    - 12, 13: 1 plus features 10 and 11 minus their values for the most similar concept,
    - 14: similarity of the string as a label to the field's name, 15: to the full name, by the model of labels,
    - 16, 17: 1 plus features 14 and 15 minus their values for the most similar string.

    The last row of strings is for a missing label. `field_vectors` is fields × 2 × 384, for name and full name;
    `meanings` is concepts × 384.
    """
    words, letters, concepts = _InvertedIndex(), _InvertedIndex(), dict[frozenset[str], list[int]]()
    sizes = np.zeros(len(strings.texts))
    for index, text in enumerate(strings.texts):
        tokens = tuple(fold(text))
        sizes[index] = len(tokens)
        words.add(frozenset(tokens))
        letters.add(_letters(tokens))
        if len(tokens) <= 12 and (named := concepts_of(tokens)):
            concepts.setdefault(named, []).append(index)
    found = np.zeros((len(fields), len(strings.texts) + 1, LABEL_FEATURES), np.float32)
    for row, field in zip(found, fields, strict=True):
        for named, places in concepts.items() if field.concepts else ():
            is_same = not named.isdisjoint(field.concepts)
            row[places, 0] = is_same
            row[places, 1] = not is_same and not may_be_same(named, field.concepts)
        keys = [frozenset(name) for name in field.names.own if name]
        if keys:
            common = np.array([words.count(key) for key in keys])
            row[:-1, 2] = (common / np.array([[len(key)] for key in keys])).max(axis=0)
            row[:-1, 3] = common.max(axis=0) / np.maximum(sizes, 1)
            row[:-1, 8], row[:-1, 9] = _shares_of_letters(field, letters)
    if strings.texts:
        found[:, :-1, 4] = field_vectors[:, 0] @ vectors.T
        found[:, :-1, 5] = field_vectors[:, 1] @ vectors.T
        # The most similar text is more reliably the field's label than a text above a fixed threshold.
        found[:, :-1, 6:8] = found[:, :-1, 4:6] - found[:, :-1, 4:6].max(axis=1, keepdims=True)
        labels = label_model().vectors(strings.texts)
        phrases = label_model().vectors([text for field in fields for text in (field.name, field.full)])
        found[:, :-1, 14:16] = (phrases @ labels.T).reshape(len(fields), 2, -1).transpose(0, 2, 1)
        found[:, :-1, 16:] = 1 + found[:, :-1, 14:16] - found[:, :-1, 14:16].max(axis=1, keepdims=True)
    # A label in any language is similar to the English name of its concept.
    # This is one product of large matrices, because each of many small products would wait for the threads of the
    # library.
    cosines = (field_vectors.reshape(-1, meanings.shape[1]) @ meanings.T).reshape(len(fields), 2, len(meanings))
    nearest = cosines.max(axis=2, initial=-1.0)
    for named, places in concepts.items():
        best = cosines[:, :, [_CONCEPT_INDEX[name] for name in named]].max(axis=2)
        found[:, places, 10:12] = best[:, None]
        found[:, places, 12:14] = (1 + best - nearest)[:, None]
    return found


class _InvertedIndex:
    """Sets of words, or of groups of letters, of many texts, indexed by word or group."""

    def __init__(self) -> None:
        self._texts_by_part: dict[str, list[int]] = {}
        self._sizes: list[int] = []

    def add(self, parts: frozenset[str]) -> None:
        for part in parts:
            self._texts_by_part.setdefault(part, []).append(len(self._sizes))
        self._sizes.append(len(parts))

    def sizes(self) -> NDArray[np.int64]:
        return np.array(self._sizes, np.int64)

    def count(self, parts: frozenset[str]) -> NDArray[np.int64]:
        """Return, for each text, how many of `parts` it contains."""
        places = [place for part in parts for place in self._texts_by_part.get(part, ())]
        return np.bincount(np.array(places, np.int64), minlength=len(self._sizes))


def names_to_embed() -> dict[str, list[str]]:
    """Return the names of each concept that are embedded to represent its meaning."""
    found: dict[str, list[str]] = {name: [] for name in CONCEPTS}
    for phrase, name in PHRASES.items():
        if len(found[name]) < MAX_EMBEDDED_NAMES:
            found[name].append(" ".join(phrase))
    return found


def meanings_of(known_meanings: Mapping[str, Matrix]) -> Matrix:
    """Return the embeddings of the concepts in the order of CONCEPTS, as an array of concepts × 384. A concept that is
    not in `known_meanings` has zeros."""
    return np.stack([known_meanings.get(name, np.zeros(384, np.float32)) for name in CONCEPTS])


def _letters(words: Sequence[str]) -> frozenset[str]:
    """Return the groups of three letters in `words`. Compounds and inflected forms, such as `telephone`, `telefon` and
    `Phone`, have many of these groups in common."""
    return frozenset(word[index : index + 3] for word in words for index in range(max(1, len(word) - 2)))


def _shares_of_letters(field: FieldText, letters: _InvertedIndex) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each text, two shares of the groups of letters that the text has in common with the field's most
    similar name: the share of the name's groups, and that of the text's groups."""
    sizes = np.maximum(1, letters.sizes())
    shares_of_name, shares_of_text = np.zeros(len(sizes)), np.zeros(len(sizes))
    for name in filter(None, field.names.own):
        own = _letters(name)
        same = letters.count(own)
        shares = same / max(1, len(own)), same / sizes
        is_better = (shares[0] > shares_of_name) | ((shares[0] == shares_of_name) & (shares[1] > shares_of_text))
        shares_of_name, shares_of_text = (
            np.where(is_better, shares[0], shares_of_name),
            np.where(is_better, shares[1], shares_of_text),
        )
    return shares_of_name, shares_of_text


def kinds_of(field: FieldText) -> tuple[float, ...]:
    kinds = {CONCEPTS[name].kind for name in field.concepts}
    return tuple(float(kind in kinds) for kind in _FIELD_KINDS)
