"""Places within a JSON answer and its schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.result import escape

JsonPath = tuple[str | int, ...]
"""Keys and indices from an answer's root to a field."""

MAX_STEPS = 32
"""At most this many references and alternatives are followed to one part of a schema, because the part may refer to
itself."""

_BRANCHES = ("anyOf", "oneOf", "allOf")


@dataclass(frozen=True, slots=True)
class _Children:
    """The parts of a schema for the fields of an object and for the items of a list."""

    fields: Mapping[str, Any]
    firsts: Sequence[Any] = ()
    """Parts for the first items."""
    others: Mapping[str, Any] | None = None
    """Part for the other items."""

    def at(self, step: str | int) -> Any:
        """Return the part for a field or an item, or None if there is none."""
        if isinstance(step, str):
            return self.fields.get(step)
        return self.firsts[step] if step < len(self.firsts) else self.others

    def or_else(self, later: "_Children") -> "_Children":
        """Return these parts, and those of `later` where there are none here."""
        fields = {**later.fields, **self.fields} if self.fields and later.fields else self.fields or later.fields
        if self.others is not None:
            return _Children(fields, self.firsts, self.others)
        return _Children(fields, [*self.firsts, *later.firsts[len(self.firsts) :]], later.others)


_NO_CHILDREN = _Children({})


class PartsOfSchema:
    """Finds the parts of one schema for the fields of an answer.

    >>> PartsOfSchema({"items": {"properties": {"price": {"type": "number"}}}}).at((0, "price"))
    {'type': 'number'}

    The alternatives of a part are gathered once, because an answer may have thousands of fields, and a part thousands
    of alternatives.
    """

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._by_alternatives: dict[int, _Children] = {}
        """The parts that a list of alternatives has for fields and items, by the list's `id`. The schema keeps all
        these lists alive. A list has no parts while it is being gathered, because its alternatives may refer to it."""

    def at(self, path: JsonPath) -> Mapping[str, Any]:
        """Return the part for the field at `path`, following references; an empty mapping if there is none."""
        part: Any = self._root
        for step in path:
            found = (children.at(step) for children in self._children(part, MAX_STEPS))
            part = next((child for child in found if child is not None), None)
        return resolved(self._root, part)

    def _children(self, part: Any, left: int) -> Iterator[_Children]:
        """Yield what `part` has for fields and items, and then what its alternatives have, of which at most `left`
        levels are followed."""
        node = resolved(self._root, part)
        properties, firsts, others = (node.get(keyword) for keyword in ("properties", "prefixItems", "items"))
        yield _Children(
            properties if isinstance(properties, Mapping) else {},
            firsts if isinstance(firsts, Sequence) else (),
            others if isinstance(others, Mapping) else None,
        )
        for keyword in _BRANCHES if left else ():
            if branches := node.get(keyword):
                yield self._of_alternatives(branches, left - 1)

    def _of_alternatives(self, branches: Sequence[Any], left: int) -> _Children:
        if id(branches) not in self._by_alternatives:
            self._by_alternatives[id(branches)] = _NO_CHILDREN
            found = _NO_CHILDREN
            for branch in branches:
                for children in self._children(branch, left):
                    found = found.or_else(children)
            self._by_alternatives[id(branches)] = found
        return self._by_alternatives[id(branches)]


def schema_at(schema: Any, path: JsonPath) -> Mapping[str, Any]:
    """Return the part of `schema` for the field at `path`. For many fields, PartsOfSchema is faster."""
    return PartsOfSchema(schema).at(path)


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
