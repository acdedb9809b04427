"""Which fields of a schema are answered by what specialists found, and what is left for an LLM.

An LLM that may be relied on answers all of them. One that invents is not asked for what has been read: transcripts,
translations, texts and counts are the specialists' results, and dates, amounts, codes and the like stand on the page,
beside their labels or among a few that the LLM may choose from. An extractor that scores spans can take the place of
`Texts` here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.chat.evidence.labels import names_of
from app.chat.evidence.passages import passages_of
from app.chat.filling.candidates import Texts
from app.chat.filling.copied import Found, copied
from app.chat.schema.checker import SchemaChecker
from app.chat.schema.json_answer import AnswerInvalid, JsonAnswer
from app.chat.schema.structured import Path, Shape, resolved

MOST_FIELDS = 100
DEEPEST = 8
_NOTES = frozenset(
    {"title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions"}
)
_PLAIN = _NOTES | {"type", "properties", "required", "additionalProperties"}
"""Keywords of objects whose fields stand for themselves: none rules out an answer by two of them together."""
_SINGLE = _NOTES | {
    *("type", "enum", "const", "pattern", "format", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords of single values; with any other it is not tried."""


@dataclass(frozen=True, slots=True)
class FormField:
    path: Path
    schema: Mapping[str, Any]
    """With references resolved; of an alternative to null, with the type of both."""


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Single values in plain objects, in order, and in such objects within them; lists are not gone into."""
    found = [field for field in _fields(schema, schema, (), 0) if field.schema.keys() <= _SINGLE]
    return found if len(found) <= MOST_FIELDS else []


def rest_of(
    schema: Mapping[str, Any], values: Mapping[Path, Any], narrowed: Mapping[Path, Sequence[Any]]
) -> dict[str, Any] | None:
    """What is left of `schema` without the fields in `values`, those in `narrowed` with nothing but these to choose
    from; None where nothing is left."""
    rest: dict[str, Any] | None = _rest(schema, schema, (), values, narrowed)
    return rest


def whole_of(schema: Mapping[str, Any], values: Mapping[Path, Any], rest: Any) -> Any:
    """An answer to the rest with the fields in `values`, in the order of the schema's properties."""
    return _whole(schema, schema, (), values, rest)


def _is_plain(node: Mapping[str, Any]) -> bool:
    properties = node.get("properties")
    return node.keys() <= _PLAIN and node.get("type", "object") == "object" and isinstance(properties, Mapping)


def _fields(root: Mapping[str, Any], part: Any, path: Path, depth: int) -> Iterator[FormField]:
    node = resolved(root, part)
    if depth > DEEPEST:
        return
    if _is_plain(node):
        for name, child in node["properties"].items():
            yield from _fields(root, child, (*path, name), depth + 1)
    elif path:
        yield FormField(path, _with_null(root, node))


def _with_null(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """`anyOf: [{"type": "string"}, {"type": "null"}]`, as pydantic writes what may be missing, in one."""
    branches = node.get("anyOf")
    if not isinstance(branches, list) or len(branches) != 2 or {"type": "null"} not in branches:
        return node
    other = resolved(root, branches[branches[0] == {"type": "null"}])
    if not isinstance(other.get("type"), str) or "enum" in other or "const" in other:
        return node
    return {**other, **{key: value for key, value in node.items() if key != "anyOf"}, "type": [other["type"], "null"]}


def _rest(
    root: Mapping[str, Any], part: Any, path: Path, values: Mapping[Path, Any], narrowed: Mapping[Path, Sequence[Any]]
) -> Any:
    if path in narrowed:
        return {"enum": list(narrowed[path])}
    if not _is_above(path, values) and not _is_above(path, narrowed):
        return part
    node = resolved(root, part)
    properties, required = {}, set(node.get("required", ()))
    for name, child in node["properties"].items():
        at = (*path, name)
        left = None if at in values else _rest(root, child, at, values, narrowed)
        if left is None:
            required.discard(name)
        else:
            properties[name] = left
            if _is_above(at, values):
                # Its filled fields need the others.
                required.add(name)
    if not properties:
        return None
    return {**node, "properties": properties, "required": [name for name in properties if name in required]}


def _whole(root: Mapping[str, Any], part: Any, path: Path, values: Mapping[Path, Any], rest: Any) -> Any:
    if not _is_above(path, values):
        return rest
    given = rest if isinstance(rest, Mapping) else {}
    whole: dict[str, Any] = {}
    for name, child in resolved(root, part)["properties"].items():
        at = (*path, name)
        if at in values:
            whole[name] = values[at]
        elif name in given or _is_above(at, values):
            whole[name] = _whole(root, child, at, values, given.get(name))
    return {**whole, **{name: value for name, value in given.items() if name not in whole}}


def _is_above(path: Path, paths: Mapping[Path, Any]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


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
