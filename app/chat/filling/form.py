"""A schema as a form: its fields, what is left of it once some are filled in, and the whole put together again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.chat.schema.fields import Path, resolved

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
