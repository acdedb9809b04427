"""Writes the schemas of other programs as JSON Schema has them, and finds keywords in them that have no effect.

>>> standardised({"type": "string", "nullable": True, "fromat": "email"}, "the schema")
({'fromat': 'email', 'type': ['string', 'null']}, ["Keyword '/fromat' of the schema is not known …"])
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from tasks.result import escape
from tasks.schema.checker import DRAFTS, MAX_DEPTH
from tasks.schema.paths import with_null
from tasks.schema.safe_keywords import MAX_QUOTE, SchemaRefused, matcher

CONSTRAINTS: Final = frozenset(word for draft in DRAFTS.values() for word in draft.VALIDATORS)
"""Keywords of all drafts that constrain values."""
MAX_WARNINGS: Final = 16
"""At most this many keywords of a schema are named."""
MAX_COMPARED: Final = 100
"""At most this many different keywords of a schema are compared with known ones. A comparison takes 0.1 ms."""
_BY_NAME: Final = frozenset(
    ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies", "schemas")
)
"""Keywords whose value is an object with a schema for each name. OpenAPI has its definitions in `schemas`."""
_WITH_SCHEMAS: Final = frozenset((
    *("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains", "additionalProperties"),
    *("unevaluatedProperties", "propertyNames", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "components"),
))  # fmt: skip
"""Keywords whose value is a schema or a list of schemas."""
_ANNOTATIONS: Final = {
    **dict.fromkeys(("title", "description", "$comment", "contentEncoding", "contentMediaType"), str),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), bool),
    "examples": list,
}
"""Types of annotations. An annotation of another type is left out, because a schema with one is refused later."""
_BOUNDS: Final = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
_UNSUPPORTED: Final = frozenset((
    *("divisibleBy", "disallow", "extends", "instanceof", "regexp", "uniqueItemProperties", "patternRequired"),
    *("formatMinimum", "formatMaximum", "formatExclusiveMinimum", "formatExclusiveMaximum", "bsonType"),
))  # fmt: skip
"""Keywords that constrain values in draft 3, in Ajv's extensions and in MongoDB."""
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
_BY_LETTERS: Final = {
    _SEPARATORS.sub("", word.lower()): word
    for word in (
        *(*CONSTRAINTS, "then", "else", "minContains", "maxContains", "$defs", "definitions"),
        *("title", "description", "default", "nullable"),
    )
}
"""Keywords that have an effect, by their letters. It does not matter if `deprecated` or `examples` is misspelt."""
_NO_TYPOS: Final = ("note", "href")
"""Words of form builders that look like `not` and `$ref`."""
_WORD: Final = re.compile(r"(?!x-)[$A-Za-z][\w -]{1,40}")
"""Pattern of unknown words that may be misspelt keywords, unlike extensions such as `x-ui`, `ui:title` and `@type`."""
_LIKENESS: Final = 0.83
"""Ratio by difflib of two words that are alike: 0.84 for `propertys` and `properties`, 0.80 for `form` and `format`."""


def standardised(schema: Mapping[str, Any], what: str) -> tuple[dict[str, Any], list[str]]:
    """Return `schema` as JSON Schema has it, and warnings about its keywords, in which it is called `what`.

    OpenAPI's `nullable` becomes null among the types, `exclusiveMinimum: true` a number, and a field's `required: true`
    an entry in its object's `required`. Annotations and unknown keywords stay, because a language model may read them.
    """
    walk = _Walk(schema, what)
    return walk.standardised(schema, ""), walk.warnings


class _Walk:
    """A walk through the parts of a schema."""

    def __init__(self, schema: Mapping[str, Any], what: str) -> None:
        self.warnings: list[str] = []
        self._what = what
        self._compared: set[str] = set()
        self._has_flags = "draft-04" in str(schema.get("$schema"))
        """True if exclusive bounds are booleans by the schema's own draft."""

    def standardised(self, part: Any, pointer: str, depth: int = 0) -> Any:
        if not isinstance(part, Mapping) or depth > MAX_DEPTH:
            return part
        node: dict[str, Any] = {}
        for word, value in part.items():
            at = f"{pointer}/{escape(word)}"
            if word in _BY_NAME and isinstance(value, Mapping):
                node[word] = {
                    name: self.standardised(child, f"{at}/{escape(name)}", depth + 1) for name, child in value.items()
                }
            elif word in _WITH_SCHEMAS and isinstance(value, list):
                node[word] = [self.standardised(child, f"{at}/{index}", depth + 1) for index, child in enumerate(value)]
            elif word in _WITH_SCHEMAS:
                node[word] = self.standardised(value, at, depth + 1)
            else:
                node[word] = value
                self._judge(word, at)
        self._translate(node, part, pointer)
        is_nullable = node.pop("nullable", None) is True
        return with_null(node) if is_nullable and pointer else node

    def _translate(self, node: dict[str, Any], part: Mapping[str, Any], pointer: str) -> None:
        for word in [word for word in node if not isinstance(node[word], _ANNOTATIONS.get(word, object))]:
            del node[word]
        for bound, exclusive in () if self._has_flags else _BOUNDS:
            if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and bound in node:
                node[exclusive] = node.pop(bound)
        if isinstance(node.get("required"), bool):
            del node["required"]
        if isinstance(fields := part.get("properties"), Mapping):
            names = [name for name, one in fields.items() if isinstance(one, Mapping) and one.get("required") is True]
            if names and isinstance(required := node.get("required", []), list):
                node["required"] = [*required, *(name for name in names if name not in required)]
        if isinstance(pattern := node.get("pattern"), str):
            try:
                matcher(pattern)
            except SchemaRefused as refusal:
                del node["pattern"]
                self._warn(f"{pointer}/pattern", f"has no effect: {refusal.reason}")

    def _judge(self, word: str, at: str) -> None:
        """Warn of a keyword that has no effect, although it should have one."""
        if word in _UNSUPPORTED:
            self._warn(at, "is not supported and has no effect.")
        elif word not in _BY_LETTERS.values() and len(self._compared | {word}) <= MAX_COMPARED:
            self._compared.add(word)
            if (similar := similar_keyword(word)) is not None:
                self._warn(at, f"is not known and has no effect. Did you mean '{similar}'?")

    def _warn(self, at: str, reason: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(f"Keyword '{at[:MAX_QUOTE]}' of {self._what} {reason}")


@lru_cache(maxsize=4096)
def similar_keyword(word: str) -> str | None:
    """Return the keyword that `word` is meant to be: one with its letters in another order, or with hardly any other
    letters. None if there is none."""
    if word in _NO_TYPOS or not _WORD.fullmatch(word):
        return None
    letters = _SEPARATORS.sub("", word.lower())
    near = [known for known in _BY_LETTERS if abs(len(known) - len(letters)) <= 1]
    found = [known for known in near if sorted(known) == sorted(letters)]
    found = found or get_close_matches(letters, near, n=1, cutoff=_LIKENESS)
    return _BY_LETTERS[found[0]] if found else None
