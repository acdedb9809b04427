"""Places within a JSON answer and its schema."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tasks.result import escape

JsonPath = tuple[str | int, ...]
"""Keys and indices from an answer's root to a field."""

MAX_STEPS = 32
"""At most this many references and alternatives are followed to one part of a schema, because the part may refer to
itself."""

_BRANCHES = ("anyOf", "oneOf", "allOf")


def schema_at(schema: Any, path: JsonPath) -> Mapping[str, Any]:
    """Return the part of `schema` for the field at `path`, following references; an empty mapping if there is none."""
    part: Any = schema
    for step in path:
        part = _child(schema, part, step, MAX_STEPS)
    return resolved(schema, part)


def resolved(root: Any, part: Any) -> Mapping[str, Any]:
    """Return `part`. If it has a `$ref`, return the target of the reference together with the keywords next to the
    reference."""
    keywords: dict[str, Any] = {}
    for _ in range(MAX_STEPS):
        if not isinstance(part, Mapping):
            return keywords
        if not isinstance(part.get("$ref"), str):
            return {**part, **keywords}
        keywords = {**{key: value for key, value in part.items() if key != "$ref"}, **keywords}
        part = referred(root, part["$ref"])
    return keywords


def _child(root: Any, part: Any, step: str | int, left: int) -> Any:
    node = resolved(root, part)
    if isinstance(step, str):
        properties = node.get("properties")
        if isinstance(properties, Mapping) and step in properties:
            return properties[step]
    else:
        firsts = node.get("prefixItems")
        if isinstance(firsts, Sequence) and step < len(firsts):
            return firsts[step]
        if isinstance(node.get("items"), Mapping):
            return node["items"]
    for keyword in _BRANCHES:
        for branch in node.get(keyword) or ():
            if left and (found := _child(root, branch, step, left - 1)) is not None:
                return found
    return None


def referred(root: Any, reference: str) -> Any:
    """Return the target of a local reference, or None if there is no target or the reference is not local."""
    part = root
    for name in steps_of_pointer(reference) if reference.startswith("#/") else ():
        part = part.get(name) if isinstance(part, Mapping) else None
    return None if part is root and reference != "#" else part


def steps_of_pointer(pointer: str) -> JsonPath:
    """Return the keys in a JSON pointer: `#/$defs/item` → `$defs`, `item`."""
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in pointer.removeprefix("#/").split("/"))


def pointer_of(path: JsonPath) -> str:
    return "".join(f"/{escape(str(step))}" for step in path)


def leaves(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, Any]]:
    """Yield the strings, numbers and booleans in an answer, each with its path. Blank strings are skipped."""
    match value:
        case dict():
            for key, child in value.items():
                yield from leaves(child, (*path, key))
        case list():
            for index, child in enumerate(value):
                yield from leaves(child, (*path, index))
        case str() if not value.strip():
            return
        case str() | bool() | int() | float():
            yield path, value
