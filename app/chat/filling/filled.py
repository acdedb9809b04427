"""Which fields of a schema are answered by what specialists found, and what is left for an LLM.

An LLM that may be relied on answers all of them. One that invents is not asked for what has been read: transcripts,
translations, texts and counts are the specialists' results, and dates, amounts, codes and the like stand on the page,
beside their labels or among a few that the LLM may choose from. An extractor that scores spans can take the place of
`Texts` here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.chat.evidence.labels import names_of
from app.chat.evidence.passages import passages_of
from app.chat.filling.candidates import Texts
from app.chat.filling.copied import Found, copied
from app.chat.filling.form import fields_of, rest_of, whole_of
from app.chat.schema.checker import SchemaChecker
from app.chat.schema.fields import Path
from app.chat.schema.json_answer import AnswerInvalid, JsonAnswer
from app.chat.schema.structured import Shape

_READ = ("ocr", "stt", "scraper")
_TOLD = "These fields are filled in already, answer with the others alone: "
_MOST_TOLD = 60
"""Characters of a value that the LLM is told."""


@dataclass(frozen=True, slots=True)
class Filling:
    values: Mapping[Path, Any]
    """Copied, by the field's path."""
    whole: Shape
    rest: Shape | None
    """What the LLM is asked for; None where every field is filled in."""
    answer: JsonAnswer | None = None
    """Where it is."""

    @property
    def told(self) -> str:
        """For the LLM."""
        values = {".".join(map(str, path)): _shortened(value) for path, value in self.values.items()}
        return _TOLD + json.dumps(values, ensure_ascii=False) if values else ""

    @property
    def written(self) -> list[str]:
        """The fields that the LLM writes beside those that are copied."""
        rest = (self.rest.schema if self.rest else None) or {}
        return list(rest.get("properties", {})) if self.values else []

    def parse(self, text: str) -> JsonAnswer:
        """The whole answer, the rest of it from what the LLM wrote. Raises as Shape.parse."""
        if self.rest is None:
            return self.whole.parse(text)
        rest = self.rest.parse(text)
        return self.whole.parse(_joined(self.whole, self.values, rest.value)) if self.values else rest

    def begun(self, rest: str) -> str:
        """An answer that breaks off within `rest`, with what is filled in before it."""
        if not self.values or not rest.lstrip().startswith("{"):
            return rest
        return f"{_joined(self.whole, self.values, {})[:-1]}, {rest.lstrip()[1:]}"


def fill(shape: Shape, found: Found) -> Filling | None:
    """None where nothing of `shape` can be filled in. Synchronous: it reads all that was found."""
    schema = shape.schema
    fields = [] if schema is None else fields_of(schema)
    if schema is None or not fields:
        return None
    names = {field.path: names_of(field.path, field.schema) for field in fields}
    texts = Texts(passages_of([entry for entry in found.entries if entry.name in _READ]))
    values: dict[Path, Any] = {}
    narrowed: dict[Path, list[Any]] = {}
    for field in fields:
        if "const" in field.schema:
            values[field.path] = field.schema["const"]
            continue
        fits = _Fits(field.schema)
        for value in copied(field.schema, names[field.path], found, list(names.values())):
            if fits(value):
                values[field.path] = value
                break
        else:
            candidates = texts.candidates(field.schema, names[field.path], fits)
            if candidates == [] and texts.any and fits(None):
                candidates = [None]
            if candidates and len(candidates) == 1:
                values[field.path] = candidates[0]
            elif candidates:
                narrowed[field.path] = candidates
    if not values and not narrowed:
        return None
    rest = rest_of(schema, values, narrowed)
    if rest is not None:
        return Filling(values, shape, shape.with_schema(rest))
    try:
        return Filling(values, shape, None, shape.parse(_joined(shape, values, {})))
    except AnswerInvalid:
        return None


def _joined(shape: Shape, values: Mapping[Path, Any], rest: Any) -> str:
    return json.dumps(whole_of(shape.schema or {}, values, rest), ensure_ascii=False)


class _Fits:
    """Does a value satisfy a field's schema? Prepared when it is first asked."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def __call__(self, value: Any) -> bool:
        return self._checker.problem(value) is None

    @cached_property
    def _checker(self) -> SchemaChecker:
        return SchemaChecker(self._schema)


def _shortened(value: Any) -> Any:
    return f"{value[:_MOST_TOLD]}…" if isinstance(value, str) and len(value) > _MOST_TOLD else value
