"""Which fields of a schema are answered by what specialists found, and what is left for an LLM.

An LLM that may be relied on answers all of them. One that invents is not asked for what has been read: transcripts,
translations, texts and counts are the specialists' results, and dates, amounts, codes and the like stand on the page,
beside their labels: an extractor scores every piece of what was read for every field.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.chat.evidence.currencies import currency_of
from app.chat.evidence.labels import Names, names_of
from app.chat.filling.copied import Found, copied, names_a_result, names_prose
from app.chat.filling.extractor import MOST_FIELDS, Extractor, Scored, Wanted, chosen, listed_at, read_of
from app.chat.filling.features import types_of
from app.chat.filling.items import items_of
from app.chat.filling.listed import as_text
from app.chat.filling.values import with_form
from app.chat.schema.checker import SchemaChecker
from app.chat.schema.json_answer import AnswerInvalid, JsonAnswer
from app.chat.schema.structured import Path, Shape, resolved
from tasks.precontext import Entry

DEEPEST = 8
_NOTES = frozenset(
    {"title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions"}
)
_DEFINED = ("$defs", "definitions")
_PLAIN = _NOTES | {"type", "properties", "required", "additionalProperties"}
"""Keywords of objects whose fields stand for themselves: none rules out an answer by two of them together."""
_LIST = _NOTES | {"type", "items", "minItems", "maxItems"}
_TEXT = _NOTES | {"type", "minLength", "maxLength"}
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
    is_required: bool = True


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Single values in plain objects, in order, and in such objects within them; lists are not gone into."""
    found = [field for field in _fields(schema, schema, (), 0) if field.schema.keys() <= _SINGLE]
    return found if len(found) <= MOST_FIELDS else []


def lists_of(schema: Mapping[str, Any]) -> dict[Path, list[FormField]]:
    """Lists of plain objects, outside other lists, with the single values of their objects; nothing else is in them."""
    found: dict[Path, list[FormField]] = {}
    _lists(schema, schema, (), 0, found)
    return found


def _lists(root: Mapping[str, Any], part: Any, path: Path, depth: int, found: dict[Path, list[FormField]]) -> None:
    node = resolved(root, part)
    if depth > DEEPEST:
        return
    if _is_plain(node):
        for name, child in node["properties"].items():
            _lists(root, child, (*path, name), depth + 1, found)
    elif path and node.get("type") == "array" and node.keys() <= _LIST:
        item = resolved(root, node.get("items", {}))
        if _is_plain(item):
            columns = list(_fields(root, item, path, depth))
            flat = all(len(one.path) == len(path) + 1 and one.schema.keys() <= _SINGLE for one in columns)
            if flat and 1 < len(columns) <= MOST_FIELDS:
                found[path] = columns


def texts_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Lists of plain strings, outside other lists."""
    found = [one for one in _fields(schema, schema, (), 0) if _is_of_texts(schema, one.schema)]
    return found if len(found) <= MOST_FIELDS else []


def _is_of_texts(root: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    item = resolved(root, node.get("items", {}))
    is_list = types_of(node) == {"array"} and node.keys() <= _LIST | {"uniqueItems"}
    return is_list and item.get("type") == "string" and item.keys() <= _TEXT


class _LeftOut:
    """Stands for the value of a field that the answer does not have."""


LEFT_OUT = _LeftOut()


def rest_of(schema: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any] | None:
    """What is left of `schema` without the fields in `values`; None where nothing is left."""
    rest: dict[str, Any] | None = _rest(schema, schema, (), values)
    return rest


def whole_of(schema: Mapping[str, Any], values: Mapping[Path, Any], rest: Any) -> Any:
    """An answer to the rest with the fields in `values`, in the order of the schema's properties."""
    return _whole(schema, schema, (), values, rest)


def _is_plain(node: Mapping[str, Any]) -> bool:
    properties = node.get("properties")
    return node.keys() <= _PLAIN and node.get("type", "object") == "object" and isinstance(properties, Mapping)


def _fields(
    root: Mapping[str, Any], part: Any, path: Path, depth: int, *, is_required: bool = True
) -> Iterator[FormField]:
    node = resolved(root, part)
    if depth > DEEPEST:
        return
    if _is_plain(node):
        for name, child in node["properties"].items():
            needed = name in node.get("required", ())
            yield from _fields(root, child, (*path, name), depth + 1, is_required=needed)
    elif path:
        yield FormField(path, _in_one(root, node), is_required)


def _in_one(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """`anyOf: [{"type": "string"}, {"type": "null"}]`, as pydantic writes what may be missing, in one; its `Decimal`, a
    number that may be written as a text, as a number."""
    branches = node.get("anyOf")
    if not isinstance(branches, list):
        return node
    others = [resolved(root, branch) for branch in branches if branch != {"type": "null"}]
    if any(not isinstance(one.get("type"), str) or "enum" in one or "const" in one for one in others):
        return node
    if sorted(one["type"] for one in others) == ["number", "string"]:
        others = [one for one in others if one["type"] == "number"]
    if len(others) != 1:
        return node
    [other] = others
    kind = [other["type"], "null"] if {"type": "null"} in branches else other["type"]
    return {**other, **{key: value for key, value in node.items() if key != "anyOf"}, "type": kind}


def _rest(root: Mapping[str, Any], part: Any, path: Path, values: Mapping[Path, Any]) -> Any:
    if not _is_above(path, values):
        return part
    node = resolved(root, part)
    properties, required = {}, set(node.get("required", ()))
    for name, child in node["properties"].items():
        at = (*path, name)
        left = None if at in values else _rest(root, child, at, values)
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
            if values[at] is not LEFT_OUT:
                whole[name] = values[at]
        elif name in given or _is_above(at, values):
            whole[name] = _whole(root, child, at, values, given.get(name))
    return {**whole, **{name: value for name, value in given.items() if name not in whole}}


def _is_above(path: Path, paths: Mapping[Path, Any]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)


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
    scored: Scored | None = None
    """What the extractor thinks of every piece of what was read."""

    @property
    def told(self) -> str:
        """For the LLM."""
        values = {
            ".".join(map(str, path)): _shortened(value) for path, value in self.values.items() if value is not LEFT_OUT
        }
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


def is_written(filling: Filling | None, path: Path) -> bool:
    """Whether the value at `path` of an answer is the LLM's: no part of a field that is filled in."""
    return filling is None or not any(path[:end] in filling.values for end in range(1, len(path) + 1))


async def fill(shape: Shape, found: Found, extractor: Extractor | None) -> Filling | None:
    """None where nothing of `shape` can be filled in. Raises ModelError."""
    form = await asyncio.to_thread(_Form.of, shape, found)
    if form is None:
        return None
    scored: Scored | None = None
    if extractor is not None and form.wanted and form.read:
        scored = await extractor.score(form.read, form.wanted)
    return await asyncio.to_thread(form.filled, shape, scored)


@dataclass(frozen=True, slots=True)
class _Form:
    schema: Mapping[str, Any]
    values: Mapping[Path, Any]
    """What other specialists' results and the schema itself say."""
    wanted: Sequence[Wanted]
    """What is to be looked for."""
    lists: Sequence[Path]
    """Where objects are listed whose fields are wanted."""
    texts: Mapping[Path, "_Fits"]
    """Lists of texts that are wanted, by where they are."""
    read: Sequence[Entry]
    """In which it is."""

    @classmethod
    def of(cls, shape: Shape, found: Found) -> "_Form | None":
        """None where the schema has no fields that can be filled in."""
        schema = shape.schema
        fields = [] if schema is None else fields_of(schema)
        listed = {} if schema is None else lists_of(schema)
        texts = [] if schema is None else texts_of(schema)
        if schema is None or not (fields or listed or texts):
            return None
        names = {one.path: names_of(one.path, one.schema) for one in fields}
        values: dict[Path, Any] = {}
        wanted = []
        for one in fields:
            fits = _Fits(one.schema)
            if "const" in one.schema:
                values[one.path] = one.schema["const"]
                continue
            said = copied(one.schema, names[one.path], found, list(names.values()))
            value = next(filter(fits, said), LEFT_OUT)
            if value is not LEFT_OUT:
                values[one.path] = value
            elif is_of_text(one.schema, names[one.path]):
                asked = with_form(one.schema, names[one.path])
                wanted.append(Wanted(one.path, asked, names[one.path], fits, not one.is_required))
        lists = {
            path: columns
            for path, columns in listed.items()
            if all(is_of_text(one.schema, names_of(one.path, one.schema)) for one in columns)
        }
        wanted += [
            Wanted(one.path, with_form(one.schema, named), named, _Fits(one.schema), not one.is_required, True)
            for columns in lists.values()
            for one in columns
            for named in (names_of(one.path, one.schema),)
        ]
        of_texts: dict[Path, _Fits] = {}
        for one in texts:
            named, asked = names_of(one.path, one.schema), as_text(one.schema)
            if is_of_text(asked, named):
                of_texts[one.path] = _Fits({**{key: schema[key] for key in _DEFINED if key in schema}, **one.schema})
                wanted.append(Wanted(one.path, asked, named, _is_text, may_be_left_out=True))
        return cls(schema, values, wanted, list(lists), of_texts, read_of(found.entries, found.document))

    def _without(self, lists: Mapping[Path, Any]) -> Iterator[tuple[Path, Any]]:
        """Lists of texts, each with what it is where nothing is found; none of which there has to be something."""
        none: tuple[Any, ...] = (None, [])
        for path, fits in self.texts.items():
            nothing = next(filter(fits, none), LEFT_OUT)
            if path in lists or nothing is not LEFT_OUT:
                yield path, nothing

    def filled(self, shape: Shape, scored: Scored | None) -> Filling | None:
        values = {**self.values}
        choices = chosen(scored) if scored else {}
        if scored:
            values |= {path: items_of(scored, path) for path in self.lists}
            found = {path: listed_at(scored, choices[path]) for path in self.texts}
            lists = {path: one for path, one in found.items() if one and one.items and self.texts[path](one.texts)}
            scored = replace(scored, lists=lists)
            values |= {path: lists[path].texts if path in lists else none for path, none in self._without(lists)}
        for one in self.wanted:
            choice = choices.get(one.path)
            if choice is None or one.path in self.texts:
                continue
            if choice.value is None and not one.fits(None):
                values[one.path] = LEFT_OUT
            else:
                values[one.path] = choice.value
        if not values:
            return None
        rest = rest_of(self.schema, values)
        if rest is not None:
            return Filling(values, shape, shape.with_schema(rest), scored=scored)
        try:
            return Filling(values, shape, None, shape.parse(_joined(shape, values, {})), scored)
        except AnswerInvalid:
            return None


_ASKS_FOR_PROSE = re.compile(
    r"\b(?:summar|describ|explain|explanation|sentiment|opinion|judg|classif|categor|rate|why|translat|(?:one|two|few|own)"
    r" (?:words?|sentences?))",
    re.IGNORECASE,
)


def is_of_text(schema: Mapping[str, Any], names: Names) -> bool:
    """Whether the value of a field stands in what was read, word for word: no summary, no judgement, no whether."""
    types = types_of(schema)
    if "enum" in schema:
        said = [value for value in schema["enum"] if value is not None]
        if names.concepts == {"currency"} and all(isinstance(value, str) and currency_of(value) for value in said):
            return bool(said)
        return bool(said) and all(isinstance(value, str) and any(map(str.isdigit, value)) for value in said)
    if not types or not types <= {"string", "number", "integer"} or schema.get("format") == "date-time":
        return False
    if names_prose(names) or (types == {"string"} and names_a_result(names)):
        return False
    return _ASKS_FOR_PROSE.search(str(schema.get("description", ""))) is None


def _joined(shape: Shape, values: Mapping[Path, Any], rest: Any) -> str:
    return json.dumps(whole_of(shape.schema or {}, values, rest), ensure_ascii=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


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
