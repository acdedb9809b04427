"""Training examples for the network: the text of a document, the wanted fields, and the spans that answer them."""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz.fuzz import ratio

from models.embedding.minilm import MiniLm
from tasks.extraction.candidates import CandidateSpan, find_candidates
from tasks.extraction.features import (
    Matrix,
    Strings,
    field_text,
    kinds_of,
    label_matches,
    meanings_of,
    names_to_embed,
    span_features,
)
from tasks.extraction.folding import fold
from tasks.extraction.names import names_of
from tasks.extraction.passages import Passage
from tasks.notation.dates import parse_day
from tasks.notation.numbers import parse_number
from tasks.result import SourceLine, bounds_of
from training.extraction.documents import MadeDocument, MadeField
from training.extraction.written import NUMBERS, Page, Span

Placed = tuple[float, float, float, float, str]
"""Line of a page: left, top, right, bottom, text."""
_KNOWN: dict[str, Matrix] = {}


@dataclass(frozen=True)
class TrainingField:
    path: tuple[str, ...]
    schema: Mapping[str, Any]
    value: Any
    """Value of the field, or None if the document has none."""
    words: frozenset[int] | None = None
    """Indices of the words at the value's place, or None if any place with the value is right."""
    cells: tuple[tuple[Any, frozenset[int]], ...] | None = None
    """Value and indices of the words of each item, for a field in a list."""


@dataclass(frozen=True)
class TrainingExample:
    still: Matrix
    labels: Any
    texts: Any
    vectors: Matrix
    kinds: Matrix
    fields: Matrix
    matches: Matrix
    answers: Any
    """Matrix of fields × (spans + 1): True if the span answers the field."""
    listed: Any
    """Vector of fields: True if the field is in a list, so that each span is an answer by itself."""
    name: str = ""


def passage_of(lines: Sequence[Placed]) -> Passage:
    """Return the lines of a page in the form of the `ocr` task's result. The box of a word is calculated as its share
    of the line's box."""
    found = []
    for index, (left, top, right, bottom, text) in enumerate(lines):
        bounds, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            x0, x1 = (left + (right - left) * edge / len(text) for edge in (at, at + len(word)))
            at += len(word)
            quad = ((x0, top), (x1, top), (x1, bottom), (x0, bottom))
            bounds.append(bounds_of(quad, 100_000, 100_000))
        if bounds:
            found.append(SourceLine(tuple(text.split()), f"/lines/{index}", {}, tuple(bounds), (1.0,) * len(bounds)))
    return Passage(0, "ocr", found)


def answers(span: CandidateSpan, schema: Mapping[str, Any], value: Any, words: frozenset[int] | None) -> bool:
    """True if `span` equals the value, or nearly equals it, and overlaps the value's place."""
    if words is not None and words.isdisjoint(span.words):
        return False
    if schema.get("type") in ("number", "integer"):
        return span.number is not None and any(
            abs(float(candidates) - float(value)) < 1e-6 for candidates in span.number.readings
        )
    said = str(value)
    if schema.get("format") == "date":
        return span.day is not None and any(day.isoformat() == said for day in span.day.readings)
    number, day = parse_number(said), parse_day(said)
    if number is not None and span.number is not None and len(number.digits) > 1:
        return not number.readings.isdisjoint(span.number.readings)
    if day is not None and span.day is not None:
        return day.readings[0] in span.day.readings
    one, other = "".join(fold(span.text)), "".join(fold(said))
    if one == other:
        return bool(one)
    return min(len(one), len(other)) > 8 and not day and ratio(one, other) >= 93


def example(
    passages: Sequence[Passage], wanted: Sequence[TrainingField], minilm: MiniLm | None, name: str = ""
) -> TrainingExample:
    candidates = find_candidates(passages)
    strings = Strings()
    found = span_features(candidates, strings)
    fields = [field_text(one.schema, names_of(one.path, one.schema), in_list=one.cells is not None) for one in wanted]
    vectors = embedded(minilm, strings.texts)
    told = embedded(minilm, [text for field in fields for text in (field.name, field.full)]).reshape(-1, 2, 384)
    right = np.zeros((len(wanted), len(candidates.spans) + 1), bool)
    for row, one in enumerate(wanted):
        said = one.cells if one.cells is not None else [(one.value, one.words)] if one.value is not None else []
        for value, words in said:
            right[row, :-1] |= [answers(span, one.schema, value, words) for span in candidates.spans]
        right[row, -1] = not said
    kinds = np.array([(*field.types, *kinds_of(field)) for field in fields], np.float32)
    matches = label_matches(fields, strings, vectors, told, meanings(minilm))
    return TrainingExample(
        found.still,
        found.labels,
        found.texts,
        vectors,
        kinds,
        told[:, 1],
        matches,
        right,
        np.array([one.cells is not None for one in wanted]),
        name,
    )


def asked_of(made: MadeDocument, rng: random.Random, most: int = 12) -> list[TrainingField]:
    """Return some of the fields of a generated document, two fields that it lacks, and the columns of its tables."""
    starts, total = {}, 0
    for index, line in enumerate(made.lines):
        starts[index] = total
        total += len(line.text.split())

    def words(field: MadeField) -> frozenset[int]:
        found: set[int] = set()
        for source in field.sources:
            text = made.lines[source.line].text
            first = len(text[: source.start].split()) - (source.start > 0 and not text[source.start - 1].isspace())
            last = len(text[: source.end].split())
            found.update(range(starts[source.line] + max(0, first), starts[source.line] + last))
        return frozenset(found)

    def text(field: MadeField) -> str:
        return " ".join(made.lines[one.line].text[one.start : one.end] for one in field.sources)

    def schema(field_type: str, told: str) -> dict[str, Any]:
        found: dict[str, Any] = {"type": field_type if field_type in ("number", "integer") else "string"}
        if field_type in ("date", "email", "uri", "time") and rng.random() < 0.6:
            found["format"] = field_type
        elif field_type in ("number", "integer") and rng.random() < 0.25:
            found["type"] = "string"
        if told and rng.random() < 0.7:
            found["description"] = told
        return found

    def value(field: MadeField, asked: Mapping[str, Any]) -> Any:
        is_text = asked["type"] == "string" and asked.get("format") != "date"
        return text(field) if is_text else field.value

    def wanted(field: MadeField) -> TrainingField:
        name, _, told = rng.choice(field.names).partition("|")
        asked = schema(field.type, told)
        path = tuple(name.split("."))
        if not field.sources:
            return TrainingField(path, asked, None)
        return TrainingField(path, asked, value(field, asked), words(field))

    usual = [one for one in made.fields if one.type not in ("boolean", "enum") and one.sources]
    found = [wanted(one) for one in rng.sample(usual, min(most, len(usual)))]
    found += [wanted(one) for one in rng.sample(made.absent, min(3, len(made.absent))) if one.type != "boolean"]
    for table in made.tables:
        for column in table.columns:
            name, _, told = rng.choice(column.names).partition("|")
            asked = schema(column.type, told)
            said = [one for row in table.rows for one in row if one.concept == column.concept and one.sources]
            cells = tuple((value(one, asked), words(one)) for one in said)
            found.append(TrainingField(("items", *name.split(".")), asked, None, None, cells))
    return found


def made_example(made: MadeDocument, rng: random.Random, minilm: MiniLm | None) -> TrainingExample:
    lines = [(*map(float, line.box), line.text) for line in made.lines]
    return example([passage_of(lines)], asked_of(made, rng), minilm, f"{made.kind}/{made.template}")  # type: ignore[arg-type]


def written_example(page: Page, rng: random.Random, minilm: MiniLm | None) -> TrainingExample:
    lines = [(*map(float, box), text) for box, text in zip(page.boxes, page.lines, strict=True)]
    return example([passage_of(lines)], list(asked_of_page(page, rng)), minilm, page.source)  # type: ignore[arg-type]


def asked_of_page(page: Page, rng: random.Random) -> Iterator[TrainingField]:
    """Yield the fields of a variation of a written document."""
    starts = [0, *accumulate(len(line.split()) for line in page.lines)]

    def parts(span: Span) -> Iterator[tuple[int, int, int]]:
        """Yield the lines of a span, with the first and last characters of its part in each."""
        first_line, start, last_line, end = span
        for line in range(first_line, last_line + 1):
            yield line, start if line == first_line else 0, end if line == last_line else len(page.lines[line])

    def words(spans: Iterable[Span]) -> frozenset[int]:
        found: set[int] = set()
        for line, start, end in (part for span in spans for part in parts(span)):
            text = page.lines[line]
            first = len(text[:start].split()) - (start > 0 and not text[start - 1].isspace())
            found.update(range(starts[line] + max(0, first), starts[line] + len(text[:end].split())))
        return frozenset(found)

    for one in page.fields:
        name, _, told = one.name.partition("|")
        path = tuple(name.replace("[]", "").split("."))
        texts = [" ".join(page.lines[line][start:end] for line, start, end in parts(span)) for span in one.spans]
        schema, values = _schema_and_values(one.type, texts, rng)
        if told:
            schema["description"] = told
        if one.in_list:
            cells = tuple((value, words([span])) for value, span in zip(values, one.spans, strict=True))
            yield TrainingField(path, schema, None, None, cells)
        else:
            yield TrainingField(path, schema, values[0] if values else None, words(one.spans) if values else None)


def _schema_and_values(type_: str, texts: Sequence[str], rng: random.Random) -> tuple[dict[str, Any], list[Any]]:
    """Return a schema for a field of the type, and its values in the schema's form. That of an absent field, which
    has no type, is any."""
    if not type_:
        return {"type": rng.choice(("string", "string", "string", "number"))}, []
    if type_ in NUMBERS and rng.random() < 0.8:
        numbers = [parse_number(text) for text in texts]
        values = [float(min(number.readings)) for number in numbers if number and number.readings]
        if len(values) == len(texts):
            return {"type": "number"}, values
    elif type_ == "date" and rng.random() < 0.75:
        days = [day.readings[0].isoformat() for text in texts if (day := parse_day(text)) and day.readings]
        if len(days) == len(texts):
            return {"type": "string", "format": "date"}, days
    return {"type": "string"}, [*texts]


def embedded(minilm: MiniLm | None, texts: Sequence[str]) -> Matrix:
    """Return the embeddings of `texts`; each text is embedded once per process."""
    if minilm is None:
        return np.zeros((len(texts), 384), np.float32)
    new = [text for text in dict.fromkeys(texts) if text not in _KNOWN]
    for start in range(0, len(new), 64):
        part = new[start : start + 64]
        for text, vector in zip(part, minilm.run(part), strict=True):
            assert not isinstance(vector, Exception)
            _KNOWN[text] = vector
    return np.stack([_KNOWN[text] for text in texts]) if texts else np.zeros((0, 384), np.float32)


@cache
def meanings(minilm: MiniLm | None) -> Matrix:
    """Return a matrix of concepts × 384: the mean embedding of each concept's names."""
    vectors = {name: embedded(minilm, called).mean(axis=0) for name, called in names_to_embed().items() if called}
    return meanings_of({name: vector / max(1e-6, np.linalg.norm(vector)) for name, vector in vectors.items()})


@dataclass(frozen=True)
class Receipt:
    id: str
    fields: Mapping[str, str]
    lines: Sequence[Placed]
    has_picture: bool


def receipts(folder: Path) -> Iterator[Receipt]:
    pictures = {path.stem for path in (folder / "images").glob("*.jpg")}
    for row in (folder / "receipts.jsonl").read_text("utf-8").splitlines():
        told = json.loads(row)
        lines = [(*box, text) for *box, text in told["lines"]]
        yield Receipt(told["id"], told["fields"], lines, told["id"] in pictures)  # type: ignore[arg-type]


def is_held_out(receipt: Receipt) -> bool:
    """True if a receipt is not used for training: every receipt with a picture, and a fifth of all receipts, by the
    hash of the id."""
    return receipt.has_picture or _hash(receipt) % 5 == 0


def is_for_calibration(receipt: Receipt) -> bool:
    """True for half of the receipts without a picture, by the hash of the id."""
    return not receipt.has_picture and _hash(receipt) // 5 % 2 == 0


def _hash(receipt: Receipt) -> int:
    return int(hashlib.sha256(receipt.id.encode()).hexdigest(), 16)
