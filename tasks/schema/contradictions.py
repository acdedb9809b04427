"""Searches a schema for plain contradictions, because of which no answer of an LLM could satisfy it.

>>> Contradictions({"type": "integer", "minimum": 5, "maximum": 3}).first()
Contradiction(path=(), reason="'minimum' 5 is above 'maximum' 3")

Parts that an answer may leave out, like an optional property, are passed over.
"""

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

from tasks.errors import field_path
from tasks.schema.paths import JsonPath, referred, steps_of_pointer
from tasks.schema.safe_keywords import MAX_QUOTE, SchemaRefused

MAX_LEVELS = 100
"""The parts of a schema are searched to at most this depth, references included."""
_LONGEST_NUMBER = 24
"""A bound in a message has at most this many characters."""
_SIZES = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


class Contradiction(NamedTuple):
    path: JsonPath
    """Keys and indices from the schema's root to the contradiction."""
    reason: str


def check_satisfiable(schema: Mapping[str, Any]) -> None:
    """Raise SchemaRefused with the place of a contradiction, if there is one."""
    found = Contradictions(schema).first()
    if found is not None:
        raise SchemaRefused(f"no answer can satisfy it: {found.reason}.", field_path(found.path))


class Contradictions:
    """The search for contradictions in one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Prepare the search. A SchemaChecker must have accepted `schema`."""
        self._root = schema
        self._known: dict[int, Contradiction | None] = {}
        """Result for each part by the part's `id`.

        None means that no contradiction was found in the part. A part also has this result while it is being examined,
        because it may refer to itself.
        """

    def first(self) -> Contradiction | None:
        return self._within(self._root, (), 0)

    def _within(self, part: Any, path: JsonPath, level: int) -> Contradiction | None:
        if part is False:
            return Contradiction(path, "the schema 'false' allows no value")
        if not isinstance(part, Mapping) or level > MAX_LEVELS:
            return None
        if id(part) not in self._known:
            self._known[id(part)] = None
            self._known[id(part)] = self._of(part, path, level + 1)
        return self._known[id(part)]

    def _of(self, part: Mapping[str, Any], path: JsonPath, level: int) -> Contradiction | None:
        reference = part.get("$ref")
        if isinstance(reference, str):
            # Keywords next to a reference have an effect only in some drafts.
            return self._within(referred(self._root, reference), steps_of_pointer(reference), level)
        for word in ("allOf", "anyOf", "oneOf"):
            branches = part.get(word) or ()
            found = [self._within(branch, (*path, word, index), level) for index, branch in enumerate(branches)]
            against = [problem for problem in found if problem is not None]
            if against and (word == "allOf" or len(against) == len(found)):
                return against[0]
        declared = part.get("type")
        if declared is None:
            return None
        types = [declared] if isinstance(declared, str) else list(declared)
        for word in ("enum", "const"):
            if word in part:
                values = part[word] if word == "enum" else [part[word]]
                if any(_is_a(kind, value) for kind, value in product(types, values)):
                    return None
                return Contradiction(path, f"no value of its '{word}' is of its 'type', {' or '.join(types)}")
        against = []
        for kind in types:
            impossible = self._impossible(kind, part, path, level)
            if impossible is None:
                return None
            against.append(impossible)
        return against[0] if against else None

    def _impossible(self, kind: str, part: Mapping[str, Any], path: JsonPath, level: int) -> Contradiction | None:
        """Return the contradiction that rules out every value of this type, or None if a value may be allowed."""
        if kind in ("number", "integer"):
            return _crossed(part, path)
        least, most = _SIZES.get(kind, ("", ""))
        if _number(part, least) > _number(part, most):
            return Contradiction(path, f"'{least}' {_quoted(part[least])} is above '{most}' {_quoted(part[most])}")
        if kind == "array" and _number(part, least) >= 1 and "prefixItems" not in part:
            return self._within(part.get("items"), (*path, "items"), level)
        if kind == "object":
            return self._lacking(part, path, level)
        return None

    def _lacking(self, part: Mapping[str, Any], path: JsonPath, level: int) -> Contradiction | None:
        """Return a contradiction if a required property cannot occur in any object, else None."""
        properties = part.get("properties") or {}
        is_closed = part.get("additionalProperties") is False and not part.get("patternProperties")
        for name in part.get("required") or ():
            if name in properties:
                found = self._within(properties[name], (*path, "properties", name), level)
                if found is not None:
                    return found
            elif is_closed:
                why = "is 'required', but not among its 'properties', and 'additionalProperties' is false"
                return Contradiction(path, f"'{name[:MAX_QUOTE]}' {why}")
        return None


def _crossed(part: Mapping[str, Any], path: JsonPath) -> Contradiction | None:
    for least, most in product(("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        low, high = _number(part, least), _number(part, most)
        if low > high or (low == high and (least, most) != ("minimum", "maximum")):
            relation = "is not below" if low == high else "is above"
            return Contradiction(path, f"'{least}' {_quoted(part[least])} {relation} '{most}' {_quoted(part[most])}")
    return None


def _number(part: Mapping[str, Any], word: str) -> float:
    """Return the value of keyword `word`, or NaN if it is not a number, like draft 4's `exclusiveMinimum: true`."""
    value = part.get(word)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def _quoted(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_NUMBER else f"{text[:_LONGEST_NUMBER]}…"


def _is_a(kind: str, value: object) -> bool:
    match value:
        case None:
            return kind == "null"
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("number", "integer")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
        case str():
            return kind == "string"
        case list():
            return kind == "array"
        case _:
            return kind == "object"
