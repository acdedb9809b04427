"""Reads the schema of a table's fields from a JSON file, from a pydantic class, or from a line of names.

>>> schema_of("number, total: number, lines[description, amount: number]")
"""

import importlib
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

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
_DEEPEST = 4
"""A line of fields may have at most this many levels. The fields outside of lists and groups are the first level. A
deeper schema has to be written as JSON."""


def schema_of(text: str) -> Json:
    """Return the JSON schema that `text` names. Raises ValueError, which says what is wrong, for any other text."""
    path = Path(text)
    if text.endswith(".json") or (len(text) < 250 and path.is_file()):
        return _of_file(path)
    if _CLASS.fullmatch(text) and ": " not in text and text.partition(":")[2] not in _TYPES:
        return _of_class(text)
    return _FieldLine(text).schema()


def _of_file(path: Path) -> Json:
    try:
        schema = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    except RecursionError:
        raise ValueError(f"{path} has too many levels of lists and objects") from None
    if not isinstance(schema, dict):
        raise ValueError(f"{path} is not a JSON object")
    return schema


def _of_class(name: str) -> Json:
    """Return the schema of a pydantic class. The module may also be in the working folder."""
    module_name, _, class_name = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
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
        if depth > _DEEPEST:
            raise self._problem(f"it has more than {_DEEPEST} levels")
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
        return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}

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
