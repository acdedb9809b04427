"""Computes the part of a schema that is left once some fields are filled in, and combines the answer to this part with
these fields."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tasks.schema.paths import JsonPath, PartsOfSchema, resolved

DEEPEST = 8
"""At most this many levels of objects within objects are examined."""
_COMBINING = frozenset({
    *("anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies"),
    *("minProperties", "maxProperties", "patternProperties", "propertyNames"),
})  # fmt: skip
"""Keywords by which the fields of an object may depend on each other. `resolved` merges `allOf`."""


class _LeftOut:
    """Type of LEFT_OUT, the value of a field that the answer does not have."""


LEFT_OUT = _LeftOut()


def rest_of(schema: Mapping[str, Any], values: Mapping[JsonPath, Any]) -> dict[str, Any] | None:
    """Return `schema` without the fields in `values`, or None if no field is left."""
    rest: dict[str, Any] | None = _rest(schema, schema, (), values, paths_above(values))
    return rest


def whole_of(schema: Mapping[str, Any], values: Mapping[JsonPath, Any], rest: Any) -> Any:
    """Return the answer `rest` together with the fields in `values`, in the order of the schema's properties."""
    return _whole(schema, schema, (), values, paths_above(values), rest)


def is_plain(node: Mapping[str, Any]) -> bool:
    """True for an object that names its fields. It may also be null."""
    types = node.get("type", "object")
    is_object = {"object", "null"}.issuperset([types] if isinstance(types, str) else types)
    return is_object and isinstance(node.get("properties"), Mapping)


def is_optional(node: Mapping[str, Any]) -> bool:
    """True if a value may be null by its type."""
    return isinstance(node.get("type"), list) and "null" in node["type"]


def conditions_in(node: Mapping[str, Any]) -> list[str]:
    """Return the keywords by which the fields of an object may depend on each other."""
    return [word for word in node if word in _COMBINING]


def independent(schema: Mapping[str, Any], values: Mapping[JsonPath, Any]) -> dict[JsonPath, Any]:
    """Return those of `values` that are right whatever the other fields are: without the fields of an object that may
    be null, or whose fields may depend on each other."""
    parts = PartsOfSchema(schema)
    dependent = {at for at in paths_above(values) if is_optional(node := parts.at(at)) or conditions_in(node)}
    return {
        path: value
        for path, value in values.items()
        if dependent.isdisjoint(path[:length] for length in range(len(path)))
    }


def paths_above(paths: Iterable[JsonPath]) -> set[JsonPath]:
    """Return the paths of all objects that contain the fields at `paths`."""
    return {path[:length] for path in paths for length in range(len(path))}


def _rest(
    root: Mapping[str, Any], part: Any, path: JsonPath, values: Mapping[JsonPath, Any], above: Collection[JsonPath]
) -> Any:
    if path not in above:
        return part
    node = resolved(root, part)
    properties, required = {}, set(node.get("required", ()))
    for name, child in node["properties"].items():
        at = (*path, name)
        left = None if at in values else _rest(root, child, at, values, above)
        if left is None:
            required.discard(name)
        else:
            properties[name] = left
            if at in above:
                # The object has fields that were filled in, so the answer must have its other fields, too.
                required.add(name)
    if not properties:
        return None
    return {**node, "properties": properties, "required": [name for name in properties if name in required]}


def _whole(
    root: Mapping[str, Any],
    part: Any,
    path: JsonPath,
    values: Mapping[JsonPath, Any],
    above: Collection[JsonPath],
    rest: Any,
) -> Any:
    if path not in above:
        return rest
    given = rest if isinstance(rest, Mapping) else {}
    whole: dict[str, Any] = {}
    for name, child in resolved(root, part)["properties"].items():
        index = (*path, name)
        if index in values:
            if values[index] is not LEFT_OUT:
                whole[name] = values[index]
        elif name in given or index in above:
            whole[name] = _whole(root, child, index, values, above, given.get(name))
    return {**whole, **{name: value for name, value in given.items() if name not in whole}}
