"""Places within a JSON answer and its schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from typing import Any
from urllib.parse import unquote

from tasks.result import escape

JsonPath = tuple[str | int, ...]
"""Keys and indices from an answer's root to a field."""

MAX_STEPS = 32
"""At most this many references and alternatives are followed to one part of a schema, because the part may refer to
itself."""

ALTERNATIVES = ("anyOf", "oneOf")
MAX_MERGED = 300
"""More alternatives than this are never merged. A list of all countries has 249."""
_BRANCHES = (*ALTERNATIVES, "allOf")
_JUDGING_NULL = ("$ref", "$dynamicRef", *_BRANCHES, "not", "if", "const")
"""Keywords that may refuse null whatever the `type` beside them permits."""
_WRITTEN = {"number", "string", "integer"}


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
        for keyword in ALTERNATIVES if left else ():
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


def resolved(root: Any, part: Any, left: int = MAX_STEPS) -> Mapping[str, Any]:
    """Return `part` as one schema, as far as that is possible. The targets of its references and the members of its
    `allOf` are merged into it, and so are alternatives that are one schema or null, or one constant each.

    The result may permit more than `part`, so that an answer has to be checked against the whole schema, too. At most
    `left` alternatives within alternatives are followed.
    """
    if not isinstance(part, Mapping) or part.keys().isdisjoint(("$ref", *_BRANCHES)):
        return part if isinstance(part, Mapping) else {}
    nothing: Mapping[str, Any] = {}
    merged = reduce(_joined, _applied(root, part, [MAX_STEPS]), nothing)
    for word in ALTERNATIVES if left else ():
        if (single := _single_branch(root, merged.get(word, ()), left - 1)) is not None:
            return _joined(single, {key: value for key, value in merged.items() if key != word})
    return merged


def with_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema that permits null, too."""
    if not schema.keys().isdisjoint(_JUDGING_NULL):
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema}
    if isinstance(types := nullable.get("type"), str | list):
        nullable["type"] = list(dict.fromkeys([*([types] if isinstance(types, str) else types), "null"]))
    if isinstance(choices := nullable.get("enum"), list) and None not in choices:
        nullable["enum"] = [*choices, None]
    return nullable


def _applied(root: Any, part: Any, left: list[int]) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that all apply to the same value, of which at most `left[0]` are followed. `part` itself is
    last, because the keywords beside a reference are about this field alone."""
    if left[0] == 0 or not isinstance(part, Mapping):
        return
    left[0] -= 1
    if "$ref" in part:
        yield from _applied(root, referred(root, part["$ref"]), left)
    for member in part.get("allOf", ()):
        yield from _applied(root, member, left)
    yield {key: value for key, value in part.items() if key not in ("$ref", "allOf")}


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keywords of both schemas. The fields of both count; of any other keyword, the value in `second`."""
    joined = {**first, **second}
    for word in first.keys() & second.keys() & {"properties", "required"}:
        joined[word] = {**first[word], **second[word]} if word == "properties" else [*first[word], *second[word]]
    return joined


def _single_branch(root: Any, branches: Sequence[Any], left: int) -> Mapping[str, Any] | None:
    """Return the schema that alternatives are together, or None if they differ.

    Pydantic writes an optional value as a type or null, and a `Decimal` as a number or a string, which becomes a
    number. TypeBox and form builders write an enum as alternatives with a constant each.
    """
    if len(branches) > MAX_MERGED or not all(isinstance(one, Mapping) for one in branches):
        return None
    schemas = [one for one in branches if one.get("type") != "null"]
    if not schemas:
        return None
    choices = [[one["const"]] if "const" in one else one.get("enum", ()) for one in schemas]
    by_type = {str(one.get("type")): one for one in schemas}
    single: Mapping[str, Any] = schemas[0]
    if len(schemas) == 1:
        single = resolved(root, single, left)
    elif all(choices):
        single = {"enum": list(chain(*choices)), **({"type": single["type"]} if "type" in single else {})}
    elif by_type.keys() <= _WRITTEN and not any(choices):
        single = by_type.get("number") or by_type.get("string") or single
    else:
        return None
    if len(schemas) < len(branches):
        return with_null(single) if single.keys().isdisjoint(_JUDGING_NULL) else None
    return single


def referred(root: Any, reference: str) -> Any:
    """Return the target of a local reference, or None if there is no target or the reference is not local. A name
    alone, as TypeBox writes it, is that of a definition."""
    if reference == "#":
        return root
    steps = steps_of_pointer(unquote(reference)) if reference.startswith("#/") else ("$defs", reference)
    part = root
    for name in steps:
        if isinstance(part, list):
            part = part[int(name)] if name.isdecimal() and int(name) < len(part) else None
        else:
            part = part.get(name) if isinstance(part, Mapping) else None
    return part


def steps_of_pointer(pointer: str) -> tuple[str, ...]:
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
