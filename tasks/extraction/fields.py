"""Finds the fields of a schema or of an answer whose values may be searched for in the texts that were read."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple

from tasks.extraction.features import types_of
from tasks.extraction.names import Names, names_of
from tasks.extraction.result_names import names_a_result, names_prose
from tasks.extraction.values import CODES
from tasks.notation.currencies import currency_of
from tasks.schema.emptiness import FORMATS
from tasks.schema.paths import ALTERNATIVES, JsonPath, PartsOfSchema, leaves, pointer_of, resolved
from tasks.schema.remainder import DEEPEST, conditions_in, is_optional, is_plain

Fits = Callable[[Any], bool]
"""Function that returns True if a value satisfies a field's schema."""

MAX_FIELDS = 100
"""At most this many fields of one schema are searched for, because each field is scored with every candidate."""
MAX_OPTIONAL = 1_000
"""At most this many fields of objects that may be null are looked at, because such objects may contain each other. The
checker of schemas bounds the number of all other fields."""
_SCALARS = frozenset(("string", "number", "integer", "boolean"))
_KINDS = ("type", "enum", "const", "properties", "items", *ALTERNATIVES)
"""Keywords that say what a field is. A field without any of them may be a text."""
_KNOWN_FORMATS = FORMATS.union(CODES)
_FORMS = ("enum", "const", "pattern", "format")
"""Keywords of texts of a certain form. A list of such texts is not searched for."""
_ASKS_FOR_PROSE = re.compile(
    r"\b(?:summar|describ|explain|explanation|sentiment|opinion|judg|classif|categor|rate|why|translat|(?:one|two|few|own)"
    r" (?:words?|sentences?))",
    re.IGNORECASE,
)


class WantedField(NamedTuple):
    path: JsonPath
    schema: Mapping[str, Any]
    names: Names
    fits: Fits
    may_be_left_out: bool = False
    in_list: bool = False
    """True if the field is in a list and therefore has many values."""


def remembered(fits: Fits) -> Fits:
    """Return a check that remembers its answers, because many values of tables and records are equal."""
    answers: dict[tuple[type, Any], bool] = {}

    def check(value: Any) -> bool:
        if isinstance(value, list):
            return fits(value)
        key = type(value), value
        if key not in answers:
            answers[key] = fits(value)
        return answers[key]

    return check


NESTING = "\x1f"
"""Separator of names in the path of a list's column. A column has only one name, so the path of a field in an object
within a list's items has a single step below the list: for example `address`, the separator and `city`."""


def column_path(position: JsonPath, path: JsonPath) -> JsonPath:
    """Return the path of a field in the objects of the list at `position`, with one step below the list."""
    return (*position, NESTING.join(map(str, path[len(position) :])))


def with_nesting(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of a list in which each field is in the nested object to which it belongs."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        *above, name = key.split(NESTING)
        inner = found
        for step in above:
            inner = inner.setdefault(step, {})
        inner[name] = value
    return found


@dataclass(frozen=True, slots=True)
class FormField:
    path: JsonPath
    schema: Mapping[str, Any]
    """Schema with its references resolved. An alternative of a type and null is merged into a list of both types."""
    is_required: bool = True


def fields_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Return the first MAX_FIELDS fields with single values, in order. Fields of nested objects are included, and
    fields of lists are not."""
    return list(islice(_single_fields(schema), MAX_FIELDS))


def count_left_out(schema: Mapping[str, Any]) -> int:
    """Return the number of fields that `fields_of` leaves out."""
    return sum(1 for _ in islice(_single_fields(schema), MAX_FIELDS, None))


def conditions_of(schema: Mapping[str, Any]) -> list[str]:
    """Return JSON pointers of the conditions in a schema by which fields may depend on each other."""
    objects = (one for one in _parts(schema, schema, ()) if is_plain(one.schema))
    return [
        pointer_of((*chain(*(("properties", name) for name in one.path)), word))
        for one in objects
        for word in conditions_in(one.schema)
    ]


def _single_fields(schema: Mapping[str, Any]) -> Iterator[FormField]:
    return filter(_is_single, _fields(schema, schema, ()))


def _is_single(field: FormField) -> bool:
    """True for a field whose value is a text, a number or a boolean."""
    return field.schema.keys().isdisjoint(ALTERNATIVES) and types_of(field.schema) <= _SCALARS


def lists_of(schema: Mapping[str, Any]) -> dict[JsonPath, list[FormField]]:
    """Return the columns of each list of plain objects, by the list's path. A list within another list is left out.

    A column is a single value or a list of texts or numbers, in the objects of the list or in objects within them. A
    list is also left out if it has any other field, no column with a single value, fewer than two columns, or more than
    MAX_FIELDS columns.
    """
    found: dict[JsonPath, list[FormField]] = {}
    for one in _fields(schema, schema, ()):
        item = resolved(schema, one.schema.get("items", {}))
        if types_of(one.schema) == {"array"} and is_plain(item):
            columns = list(_fields(schema, item, one.path))
            single = [*filter(_is_single, columns)]
            is_known = all(column in single or _is_list_of_values(schema, column.schema) for column in columns)
            if is_known and single and len(columns) <= MAX_FIELDS:
                found[one.path] = columns
    return found


def all_lists_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Return the lists outside other lists, whatever is in them; none if there are more than MAX_FIELDS."""
    found = [one for one in _fields(schema, schema, ()) if types_of(one.schema) == {"array"}]
    return found if len(found) <= MAX_FIELDS else []


def text_lists_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Return the lists of plain strings outside other lists; none if there are more than MAX_FIELDS."""
    found = [one for one in _fields(schema, schema, ()) if _is_list_of_texts(schema, one.schema)]
    return found if len(found) <= MAX_FIELDS else []


def choice_lists_of(schema: Mapping[str, Any]) -> list[tuple[FormField, Sequence[str]]]:
    """Return the lists of choices outside other lists, each with the values that its items may have; none if there are
    more than MAX_FIELDS."""
    found: list[tuple[FormField, Sequence[str]]] = []
    for one in _fields(schema, schema, ()):
        item = resolved(schema, one.schema.get("items", {}))
        if "array" in types_of(one.schema) and "enum" in item and is_choice(item):
            found.append((one, [value for value in item["enum"] if value is not None]))
    return found if len(found) <= MAX_FIELDS else []


def is_choice(schema: Mapping[str, Any]) -> bool:
    """True if a field is a boolean, or an enum of words. Null may be among the enum's values."""
    if "enum" in schema:
        options = [value for value in schema["enum"] if value is not None]
        return bool(options) and all(isinstance(value, str) for value in options)
    return types_of(schema) == {"boolean"}


def _is_list_of_texts(root: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    return _is_list_of_values(root, node) and types_of(resolved(root, node["items"])) == {"string"}


def _is_list_of_values(root: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """True for a list of texts or numbers."""
    item = _read(root, node.get("items", {}))
    is_text = types_of(item) == {"string"} and item.keys().isdisjoint(_FORMS)
    is_number = types_of(item) in ({"number"}, {"integer"})
    return types_of(node) == {"array"} and (is_text or is_number) and item.keys().isdisjoint(ALTERNATIVES)


def _fields(root: Mapping[str, Any], part: Any, path: JsonPath) -> Iterator[FormField]:
    """Yield the fields of the object at `path`, and those of the objects in it, that are not objects themselves."""
    return (one for one in _parts(root, part, path) if one.path and not is_plain(one.schema))


def _parts(root: Mapping[str, Any], part: Any, path: JsonPath) -> Iterator[FormField]:
    """Yield the part of a schema at `path` and the fields in it, objects included.

    The fields of objects that may be null, or that are alternatives, come last, and an answer may lack them. If such an
    object contains itself, the fields of the inner one are left out. Of fields with the same path in several
    alternatives, the first counts.
    """
    above: frozenset[tuple[int, ...]] = frozenset()
    waiting = [(part, path, True, above)]
    last: deque[tuple[Any, JsonPath, bool, frozenset[tuple[int, ...]]]] = deque()
    seen: set[JsonPath] = set()
    left = MAX_OPTIONAL
    while (waiting or last) and left:
        # The optional objects around a part are known by the ids of the schemas of their fields.
        part, at, is_required, above = waiting.pop() if waiting else last.popleft()
        left -= bool(above)
        node = _read(root, part)
        if node.keys().isdisjoint(_KINDS):
            node = {**node, "type": ["string", "null"]}
        if is_plain(node) or at not in seen:
            yield FormField(at, node, is_required)
        seen.add(at)
        if len(at) >= DEEPEST:
            continue
        if is_plain(node) and (at == path or not is_optional(node)):
            fields = node["properties"]
            required = frozenset(() if above else node.get("required", ()))
            waiting += [(fields[name], (*at, name), name in required, above) for name in reversed(fields)]
            continue
        for one in [node] if is_plain(node) else _alternative_objects(root, node):
            own = tuple(map(id, one["properties"].values()))
            if own not in above:
                last += [(child, (*at, name), False, above | {own}) for name, child in one["properties"].items()]


def _alternative_objects(root: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the alternatives of a part that are objects, without the constants that distinguish their kinds."""
    for keyword in ALTERNATIVES:
        for branch in node.get(keyword) or ():
            one = resolved(root, branch)
            if is_plain(one):
                fields = one["properties"].items()
                yield {"properties": {name: child for name, child in fields if "const" not in resolved(root, child)}}


def _read(root: Mapping[str, Any], part: Any) -> Mapping[str, Any]:
    """Return a part of a schema with its references resolved, and without a `format` that says nothing here, such as
    OpenAPI's `int32` and `password`."""
    node = resolved(root, part)
    if node.get("format") in _KNOWN_FORMATS or "format" not in node:
        return node
    return {key: value for key, value in node.items() if key != "format"}


def may_be_copied(schema: Mapping[str, Any], names: Names) -> bool:
    """True if a field's value may be copied word for word from a text. The result is False for summaries, judgements,
    booleans and most enums."""
    types = types_of(schema)
    if "enum" in schema:
        options = [value for value in schema["enum"] if value is not None]
        if names.concepts == {"currency"} and all(isinstance(value, str) and currency_of(value) for value in options):
            return bool(options)
        return bool(options) and all(isinstance(value, str) and any(map(str.isdigit, value)) for value in options)
    if not types or not types <= {"string", "number", "integer"}:
        return False
    if names_prose(names) or (types == {"string"} and names_a_result(names)):
        return False
    return _ASKS_FOR_PROSE.search(str(schema.get("description", ""))) is None


def is_written_prose(path: JsonPath, schema: Mapping[str, Any]) -> bool:
    """True if somebody has to write the value of a field: a summary, a judgement, a sentiment."""
    return names_prose(names_of(path, schema)) or bool(_ASKS_FOR_PROSE.search(str(schema.get("description", ""))))


def without_items(path: JsonPath) -> JsonPath:
    """Return the path of a field without the indices of list items."""
    return tuple(step for step in path if isinstance(step, str))


def fields_in(value: Any, schema: Mapping[str, Any] | None) -> list[WantedField]:
    """Return the fields of an answer whose values are texts or numbers."""
    found: dict[JsonPath, WantedField] = {}
    parts = PartsOfSchema(schema)
    for path, leaf in leaves(value, ()):
        key = without_items(path)
        if key and key not in found and not isinstance(leaf, bool) and len(found) < MAX_FIELDS:
            leaf_schema = {"type": "string" if isinstance(leaf, str) else "number"} | dict(parts.at(path))
            found[key] = WantedField(key, leaf_schema, names_of(path, leaf_schema), lambda _: True, in_list=key != path)
    return list(found.values())
