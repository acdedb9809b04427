"""Reads the schema of a table's fields from a JSON file, from a pydantic class, or from a line of names.

>>> schema_of("number, total: number, lines[description, amount: number]")
"""

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from app.folders.answers import Json

_TYPES: Mapping[str, Json] = {
    "text": {"type": ["string", "null"]},
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "numbers": {"type": "array", "items": {"type": "number"}},
}
_CLASS = re.compile(r"[\w.]+:\w+")
_TOKEN = re.compile(r"\s*([\w-]+|[\[\]{}:,])")
_CLOSING = {"[": "]", "{": "}"}
_DEEPEST_LINE = 4
"""A line of fields may have at most this many levels. The fields outside of lists and groups are the first level. A
deeper schema has to be written as JSON."""
_DEEPEST = 16
"""A plain schema has at most this many levels of objects, lists and references, because a schema may contain
itself."""
_GONE = ("$ref", "allOf", "$defs", "definitions")
"""Keywords that a plain schema does not have. It has no `true` either, which other notations have: `required`,
`nullable`, exclusive bounds."""
_ALTERNATIVES = ("anyOf", "oneOf")
_PYTHON: Mapping[str, type] = {"boolean": bool, "integer": int, "number": float, "string": str, "array": str}
_FORMATS = {
    date: (re.compile(r"\d{4}-\d\d-\d\d"), "date such as 2026-03-12"),
    datetime: (
        re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?"),
        "date and time such as 2026-03-12T09:30:00",
    ),
}
"""Pattern of a text, and description of a valid one, by the type of a field."""
_MAX_QUOTE = 60


def schema_of(text: str) -> Json:
    """Return the JSON schema that `text` names. Raises ValueError, which says what is wrong, for any other text."""
    path = Path(text)
    if text.endswith(".json") or (len(text) < 250 and path.is_file()):
        return read_schema(path)
    if _CLASS.fullmatch(text) and ": " not in text and text.partition(":")[2] not in _TYPES:
        return _of_class(text)
    return _FieldLine(text).schema()


def read_schema(path: Path) -> Json:
    """Return the JSON schema in a file. Raises ValueError for a file that holds no JSON object."""
    try:
        schema = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {getattr(error, 'strerror', None) or error}") from None
    except RecursionError:
        raise ValueError(f"{path} has too many levels of lists and objects") from None
    if not isinstance(schema, dict):
        raise ValueError(f"{path} is not a JSON object")
    return schema


def _of_class(name: str) -> Json:
    """Return the schema of a pydantic class. The module may also be in the working folder, which comes last: no file of
    it takes the place of an installed module."""
    module_name, _, class_name = name.partition(":")
    sys.path.append(str(Path.cwd()))
    try:
        made = getattr(importlib.import_module(module_name), class_name)
        schema: Json = made.model_json_schema()
    except (ImportError, AttributeError) as error:
        raise ValueError(f"'{name}' cannot be imported as a pydantic class: {error}") from None
    finally:
        sys.path.remove(str(Path.cwd()))
    return schema


class _FieldLine:
    """Parser of a line of fields: `name`, `name: type`, `list[fields]`, `group{fields}`, separated by commas."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._tokens: list[str] = []
        end = 0
        while line[end:].strip():
            if (found := _TOKEN.match(line, end)) is None:
                raise self._problem(f"'{line[end:].strip()[0]}' is unexpected")
            self._tokens.append(found[1])
            end = found.end()

    def schema(self) -> Json:
        schema = self._object(None, 1)
        if not schema["properties"]:
            raise self._problem("it names no field")
        return schema

    def _object(self, closing: str | None, depth: int) -> Json:
        if depth > _DEEPEST_LINE:
            raise self._problem(f"it has more than {_DEEPEST_LINE} levels")
        properties: Json = {}
        while self._tokens and self._tokens[0] != closing:
            name = self._tokens.pop(0)
            if not re.fullmatch(r"[\w-]+", name):
                raise self._problem(f"a name is missing before '{name}'")
            if name in properties:
                raise self._problem(f"'{name}' is named twice")
            properties[name] = self._field(name, depth)
            if self._tokens and self._tokens[0] != closing:
                self._take(",", f"a comma is missing after '{name}'")
        if closing is not None:
            self._take(closing, f"'{closing}' is missing")
        return object_of(properties)

    def _field(self, name: str, depth: int) -> Json:
        match self._tokens[:1]:
            case ["[" | "{" as opening]:
                del self._tokens[0]
                inner = self._object(_CLOSING[opening], depth + 1)
                if not inner["properties"]:
                    raise self._problem(f"'{name}' has no fields")
                return {"type": "array", "items": inner} if opening == "[" else inner
            case [":"]:
                del self._tokens[0]
                kind = self._tokens.pop(0) if self._tokens else ""
                if kind not in _TYPES:
                    raise self._problem(f"'{name}' has the type '{kind}'; choose from: {', '.join(_TYPES)}")
                return dict(_TYPES[kind])
        # Fields such as "date" and "due_date" are dates even if the line does not say so.
        return dict(_TYPES["date" if re.search(r"(^|_)date$", name.lower()) else "text"])

    def _take(self, token: str, otherwise: str) -> None:
        if self._tokens[:1] != [token]:
            raise self._problem(otherwise)
        del self._tokens[0]

    def _problem(self, what: str) -> ValueError:
        return ValueError(f"'{self._line}' is neither a file, nor module:Class, nor a line of fields: {what}")


def object_of(properties: Json) -> Json:
    """Return the schema of an object that has exactly these fields."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def plain_schema(root: Mapping[str, Any], part: Any = None, depth: int = 1) -> Json:
    """Return a schema in one piece, as far as tables need it: references are replaced by their targets, the members of
    `allOf` are merged, and so are alternatives that are one schema or null. OpenAPI's `nullable` is null among the
    types."""
    own = root if part is None else part
    if not isinstance(own, Mapping) or depth > _DEEPEST:
        return {}
    node: Json = {}
    others = [_target(root, own["$ref"])] if isinstance(own.get("$ref"), str) else []
    for other in [*others, *own.get("allOf", ())]:
        node = _merged(node, plain_schema(root, other or {}, depth + 1))
    node = _merged(node, {key: value for key, value in own.items() if key not in _GONE and value is not True})
    if isinstance(node.get("properties"), Mapping):
        node["properties"] = {name: plain_schema(root, one, depth + 1) for name, one in node["properties"].items()}
    if "items" in node:
        node["items"] = plain_schema(root, node["items"], depth + 1)
    for word in _ALTERNATIVES:
        if branches := [plain_schema(root, one, depth + 1) for one in node.pop(word, ())]:
            node = _one_of(node, word, branches)
    return _with_null(node) if own.get("nullable") is True else node


def _target(root: Any, reference: str) -> Any:
    for name in reference.removeprefix("#").split("/")[1:]:
        root = root.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(root, Mapping) else None
    return root


def _merged(first: Json, second: Json) -> Json:
    merged = {**first, **second}
    if isinstance(first.get("properties"), Mapping) and isinstance(second.get("properties"), Mapping):
        merged["properties"] = {**first["properties"], **second["properties"]}
        merged["required"] = [*first.get("required", ()), *second.get("required", ())]
    return merged


def _one_of(node: Json, word: str, branches: Sequence[Json]) -> Json:
    """Return a schema with its alternatives, merged if they are one, beside null. pydantic writes a `Decimal` as a
    number or a text, which becomes a number."""
    values = [one for one in branches if one.get("type") != "null"]
    by_type = {str(one.get("type")): one for one in values}
    if (
        len(values) > 1
        and by_type.keys() <= {"number", "integer", "string"}
        and not any("enum" in one for one in values)
    ):
        values = [by_type.get("number") or by_type.get("string") or values[0]]
    if len(values) != 1 or "const" in values[0]:
        return {**node, word: branches}
    single = _merged(values[0], node)
    return _with_null(single) if any(one.get("type") == "null" for one in branches) else single


def _with_null(node: Json) -> Json:
    types = node.get("type", [])
    nullable = {**node, "type": [*types, "null"] if isinstance(types, list) else [types, "null"]} if types else node
    return {**nullable, "enum": [*node["enum"], None]} if isinstance(node.get("enum"), list) else nullable


def types_of(part: Mapping[str, Any]) -> list[str]:
    named = part.get("type")
    return [one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)]


def type_of(part: Mapping[str, Any]) -> type:
    """Return the type of a field's values by its plain schema: bool, int, float, date, datetime or str, which it also
    is if several types are allowed."""
    by_format = {"date": date, "date-time": datetime}
    types = {
        by_format.get(part.get("format", ""), str) if name == "string" else _PYTHON[name]
        for name in types_of(part)
        if name in _PYTHON
    }
    if types == {int, float}:
        return float
    return types.pop() if len(types) == 1 else str


def blank_row(part: Mapping[str, Any]) -> Any:
    """Return an empty row of a list. `part` is the plain schema of the list's rows. Fields that are neither required
    nor nullable are left out."""
    if "properties" in part:
        required = part.get("required", ())
        fields = part["properties"].items()
        return {name: blank_row(one) for name, one in fields if name in required or "null" in types_of(one)}
    return [] if "items" in part else None


def problem_of(part: Mapping[str, Any], value: Any) -> str | None:
    """Return why a field with this plain schema cannot be `value`, or None if it can."""
    kind = type_of(part)
    # The server takes patterns that Python's engine does not know, and references that a plain schema no longer holds.
    with suppress(re.error, Unresolvable):
        # Without a registry, jsonschema would fetch the addresses that a table's state names.
        for problem in validator_for(part, Draft202012Validator)(part, registry=Registry()).iter_errors(value):
            return str(problem.message)
    if kind in _FORMATS and isinstance(value, str) and moment_of(value, kind) is None:
        return f"'{value[:_MAX_QUOTE]}' is not a {_FORMATS[kind][1]}"
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return f"a number has at most {sys.float_info.max_10_exp} digits"
    return None


def moment_of(value: Any, kind: type) -> datetime | None:
    """Return the day or the moment that a text of a column of the type `kind` names, such as `2026-03-12`; None if it
    names none."""
    if kind in _FORMATS and isinstance(value, str) and _FORMATS[kind][0].fullmatch(value):
        with suppress(ValueError):
            return datetime.fromisoformat(value.upper())
    return None
