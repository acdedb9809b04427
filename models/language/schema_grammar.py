"""Reduces a JSON schema to the keywords under which llama.cpp can decode."""

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 32
"""A part of a schema that is nested more deeply than this allows everything. LLGuidance, the library that compiles
llama.cpp's grammars, takes 60 levels, and gives up at 80."""

MAX_NODES = 10_000
"""After this many parts of a schema, every further part allows everything. A longer `enum` is left out."""

MAX_REPEATS = 10_000
"""A larger `maxItems` or other count is left out. LLGuidance takes 0.3 s for a count of this size, and gives up at
100,000."""

MAX_PATTERN_CHARS = 500
"""A longer pattern is left out."""

_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "object", "array"})

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"})

_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength"})

_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})

_ALTERNATIVES = frozenset({"anyOf", "oneOf", "allOf"})

_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions"})

_BEYOND_REGULAR = re.compile(r"\(\?(?!:)|\\[1-9bBkGAZz]")
"""Matches parts of a pattern that are not plainly regular: look-around, inline flags, named groups, back-references,
word boundaries, and anchors with a backslash."""

# Fixed separators keep small models from writing white space until their tokens run out.
_LAYOUT = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "coerce_one_of": True,
    "lenient": True,
}

ANY_OBJECT: Mapping[str, Any] = {"type": "object"}


def json_grammar(schema: Mapping[str, Any]) -> str:
    """Return the grammar of the JSON that a decodable `schema` describes."""
    document = json.dumps({**schema, "x-guidance": _LAYOUT}, ensure_ascii=False)
    return f"%llguidance {{}}\nstart: %json {document}"


def decodable(schema: Mapping[str, Any], longest_string: int) -> dict[str, Any]:
    """Return `schema` reduced to the keywords that decode well.

    A string that no other keyword limits gets at most `longest_string` characters, or `minLength` if that is larger. An
    object that lists its properties, with all required ones, allows no others. Exceptions are objects with
    `additionalProperties`, `patternProperties`, `$ref` or alternatives, and all objects of a schema that contains an
    `allOf`. Neither limit makes an answer invalid under the full schema, and both make a small model come to an end.
    """
    relaxed = _Reduction(schema, longest_string).reduce(schema, 0)
    return relaxed if isinstance(relaxed, dict) else dict(ANY_OBJECT)


class _Reduction:
    def __init__(self, root: Mapping[str, Any], longest_string: int) -> None:
        self._root = root
        self._longest_string = longest_string
        self._nodes = 0
        # If the members of an `allOf` were closed, each would forbid the properties of the others.
        self._closes_objects = not _mentions_all_of(root)

    def reduce(self, schema: object, depth: int) -> dict[str, Any] | bool:
        self._nodes += 1
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, Mapping) or depth > MAX_DEPTH or self._nodes > MAX_NODES:
            return {}
        kept = {
            key: value
            for key, given in schema.items()
            if (value := self._reduced_keyword(key, given, depth)) is not None
        }
        if kept.get("type") == "string" and not kept.keys() & {"maxLength", "pattern", "format", "enum", "const"}:
            kept["maxLength"] = max(self._longest_string, kept.get("minLength", 0))
        if self._closes_objects and _lists_all_required(kept):
            kept.setdefault("additionalProperties", False)
        return kept

    def _reduced_keyword(self, key: str, given: Any, depth: int) -> Any:
        """Return the value of a keyword in the reduced schema; None leaves the keyword out."""
        if key in _SCHEMAS_BY_NAME and isinstance(given, Mapping):
            return {name: self.reduce(value, depth + 1) for name, value in given.items() if _compiles(key, name)}
        if key in _ALTERNATIVES or key == "prefixItems":
            return [self.reduce(value, depth + 1) for value in given] if given and isinstance(given, list) else None
        if key in ("items", "additionalProperties"):
            return self.reduce(given, depth + 1) if isinstance(given, Mapping | bool) else None
        return given if _is_supported(key, given, self._root) else None


def _is_supported(key: str, given: Any, root: Mapping[str, Any]) -> bool:
    match key:
        case "type":
            names = given if isinstance(given, list) else [given]
            return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)
        case "enum":
            return isinstance(given, list) and 0 < len(given) <= MAX_NODES
        case "const":
            return True
        case "required":
            return isinstance(given, list) and all(isinstance(name, str) for name in given)
        case "$ref":
            return isinstance(given, str) and _resolves(given, root)
        case "pattern":
            return isinstance(given, str) and _is_regular(given)
        case "format":
            return isinstance(given, str) and given in _FORMATS
        case _ if key in _COUNTS:
            return type(given) is int and 0 <= given <= MAX_REPEATS
        case _:
            return key in _NUMBERS and type(given) in (int, float)


def _lists_all_required(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties")
    if not properties or schema.keys() & {"patternProperties", "$ref", *_ALTERNATIVES}:
        return False
    return set(properties).issuperset(schema.get("required", ()))


def _mentions_all_of(schema: object) -> bool:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if "allOf" in node:
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _compiles(key: str, name: str) -> bool:
    return key != "patternProperties" or _is_regular(name)


def _is_regular(pattern: str) -> bool:
    if len(pattern) > MAX_PATTERN_CHARS or _BEYOND_REGULAR.search(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        # A pattern that Python cannot compile may be valid elsewhere (`\p{L}`). The validator of the answer decides.
        return False
    return True


def _resolves(reference: str, root: Mapping[str, Any]) -> bool:
    """True if `reference` is a JSON pointer to the root or to a definition at the root. The reduced schema may lack any
    other target."""
    path = reference.removeprefix("#/").split("/")
    if not reference.startswith("#/") or len(path) != 2 or path[0] not in ("$defs", "definitions"):
        return reference == "#"
    definitions = root.get(path[0])
    name = path[1].replace("~1", "/").replace("~0", "~")
    return isinstance(definitions, Mapping) and name in definitions
