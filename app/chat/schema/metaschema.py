"""The metaschemas of JSON Schema's drafts in a form that checks a schema quickly.

A metaschema as published refers to itself and to its vocabularies, and a validator follows some twenty references
for each subschema. Here what a reference points at stands in its place, so that the metaschema holds itself.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import FormatChecker
from jsonschema.protocols import Validator
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing.jsonschema import specification_with

from app.chat.schema.safe_keywords import bounded

_NAMES = ("$schema", "$id", "id", "$anchor", "$dynamicAnchor")
"""By which the validator would find the published form again."""
_TO_THE_ROOT = ("$dynamicRef", "$recursiveRef")
"""References that a metaschema makes to the whole of itself only."""


@cache
def metaschema_validator(draft: type[Validator]) -> Validator:
    """Valid for it are the schemas of `draft`; only within `counting`."""
    root = specification_with(str(draft.META_SCHEMA["$schema"])).create_resource(draft.META_SCHEMA)
    unfolded = _unfolded(root.contents, REGISTRY.resolver_with_root(root).lookup, {})
    for vocabulary in unfolded.pop("allOf", ()):
        unfolded["properties"].update(vocabulary["properties"])
    # No formats: `regex` would hand the patterns to Python's engine.
    return bounded(draft)(unfolded, format_checker=FormatChecker(formats=()))


def _unfolded(part: Any, lookup: Callable[[str], Any], known: dict[int, Any]) -> Any:
    """`lookup` resolves references that stand in `part`; `known` has what became of each object, by its id, the root's
    first."""
    if isinstance(part, list):
        return [_unfolded(item, lookup, known) for item in part]
    if not isinstance(part, dict):
        return part
    if id(part) in known:
        return known[id(part)]
    unfolded: dict[str, Any] = {}
    known[id(part)] = unfolded
    for name, value in part.items():
        # Where the value is no text, the name may be that of a property.
        if not isinstance(value, str):
            unfolded[name] = _unfolded(value, lookup, known)
        elif name in _TO_THE_ROOT:
            unfolded["allOf"] = [next(iter(known.values()))]
        elif name == "$ref":
            target = lookup(value)
            unfolded["allOf"] = [_unfolded(target.contents, target.resolver.lookup, known)]
        elif name not in _NAMES:
            unfolded[name] = value
    if unfolded.keys() == {"allOf"} and len(unfolded["allOf"]) == 1:
        return unfolded["allOf"][0]
    return unfolded
