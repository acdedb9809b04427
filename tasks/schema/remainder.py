"""A schema without the fields that are filled in already, and an answer to it joined with these."""

from collections.abc import Mapping
from typing import Any

from tasks.schema.paths import JsonPath, resolved

DEEPEST = 8
"""Levels of objects within objects that are gone into."""
NOTES = frozenset({"title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions"})
"""Keywords that rule out no answer."""
_PLAIN = NOTES | {"type", "properties", "required", "additionalProperties"}
"""Keywords of objects whose fields stand for themselves: none rules out an answer by two of them together."""


class _LeftOut:
    """Stands for the value of a field that the answer does not have."""


LEFT_OUT = _LeftOut()


def rest_of(schema: Mapping[str, Any], values: Mapping[JsonPath, Any]) -> dict[str, Any] | None:
    """What is left of `schema` without the fields in `values`; None where nothing is left."""
    rest: dict[str, Any] | None = _rest(schema, schema, (), values)
    return rest


def whole_of(schema: Mapping[str, Any], values: Mapping[JsonPath, Any], rest: Any) -> Any:
    """An answer to the rest with the fields in `values`, in the order of the schema's properties."""
    return _whole(schema, schema, (), values, rest)


def is_plain(node: Mapping[str, Any]) -> bool:
    properties = node.get("properties")
    return node.keys() <= _PLAIN and node.get("type", "object") == "object" and isinstance(properties, Mapping)


def _rest(root: Mapping[str, Any], part: Any, path: JsonPath, values: Mapping[JsonPath, Any]) -> Any:
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


def _whole(root: Mapping[str, Any], part: Any, path: JsonPath, values: Mapping[JsonPath, Any], rest: Any) -> Any:
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


def _is_above(path: JsonPath, paths: Mapping[JsonPath, Any]) -> bool:
    return any(len(other) > len(path) and other[: len(path)] == path for other in paths)
