"""Finds the fields of a schema or of an answer whose values may be searched for in the texts that were read."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from tasks.extraction.features import types_of
from tasks.extraction.names import Names, names_of
from tasks.extraction.whole_results import names_a_result, names_prose
from tasks.notation.currencies import currency_of
from tasks.schema.paths import JsonPath, PartsOfSchema, leaves, resolved
from tasks.schema.remainder import DEEPEST, NOTES, is_plain

Fits = Callable[[Any], bool]
"""Function that returns True if a value satisfies a field's schema."""

MAX_FIELDS = 100
"""At most this many fields of one schema are searched for, because each field is scored with every candidate."""
_LIST = NOTES | {"type", "items", "minItems", "maxItems"}
_TEXT = NOTES | {"type", "minLength", "maxLength"}
_SINGLE = NOTES | {
    *("type", "enum", "const", "pattern", "format", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords in the schemas of lists, of the texts in lists, and of single values. Fields with other keywords are not
searched for."""
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


def _single_fields(schema: Mapping[str, Any]) -> Iterator[FormField]:
    return (field for field in _fields(schema, schema, (), 0) if field.schema.keys() <= _SINGLE)


def lists_of(schema: Mapping[str, Any]) -> dict[JsonPath, list[FormField]]:
    """Return the columns of each list of plain objects, by the list's path. A list within another list is left out.

    A column is a single value or a list of texts or numbers, in the objects of the list or in objects within them. A
    list is also left out if it has any other field, no column with a single value, fewer than two columns, or more than
    MAX_FIELDS columns.
    """
    found: dict[JsonPath, list[FormField]] = {}
    _lists(schema, schema, (), 0, found)
    return found


def _lists(
    root: Mapping[str, Any], part: Any, path: JsonPath, depth: int, found: dict[JsonPath, list[FormField]]
) -> None:
    node = resolved(root, part)
    if depth > DEEPEST:
        return
    if is_plain(node):
        for name, child in node["properties"].items():
            _lists(root, child, (*path, name), depth + 1, found)
    elif path and node.get("type") == "array" and node.keys() <= _LIST:
        item = resolved(root, node.get("items", {}))
        if is_plain(item):
            columns = list(_fields(root, item, path, depth))
            single = [one for one in columns if one.schema.keys() <= _SINGLE]
            is_known = all(one in single or _is_list_of_values(root, one.schema) for one in columns)
            if is_known and single and 1 < len(columns) <= MAX_FIELDS:
                found[path] = columns


def text_lists_of(schema: Mapping[str, Any]) -> list[FormField]:
    """Return the lists of plain strings outside other lists; none if there are more than MAX_FIELDS."""
    found = [one for one in _fields(schema, schema, (), 0) if _is_list_of_texts(schema, one.schema)]
    return found if len(found) <= MAX_FIELDS else []


def choice_lists_of(schema: Mapping[str, Any]) -> list[tuple[FormField, Sequence[str]]]:
    """Return the lists of choices outside other lists, each with the values that its items may have; none if there are
    more than MAX_FIELDS."""
    found: list[tuple[FormField, Sequence[str]]] = []
    for one in _fields(schema, schema, (), 0):
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
    return _is_list_of_values(root, node) and resolved(root, node["items"])["type"] == "string"


def _is_list_of_values(root: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    """True for a list of texts or numbers."""
    item = resolved(root, node.get("items", {}))
    is_list = types_of(node) == {"array"} and node.keys() <= _LIST | {"uniqueItems"}
    allowed = {"string": _TEXT, "number": _SINGLE, "integer": _SINGLE}.get(str(item.get("type")), frozenset())
    return is_list and "type" in item and item.keys() <= allowed


def _fields(
    root: Mapping[str, Any], part: Any, path: JsonPath, depth: int, *, is_required: bool = True
) -> Iterator[FormField]:
    node = resolved(root, part)
    if depth > DEEPEST:
        return
    if is_plain(node):
        required = frozenset(node.get("required", ()))
        for name, child in node["properties"].items():
            yield from _fields(root, child, (*path, name), depth + 1, is_required=name in required)
    elif path:
        yield FormField(path, _merge_branches(root, node), is_required)


def _merge_branches(root: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge the branches of an `anyOf` into one schema if only one of them is not null.

    Pydantic writes an optional value, including that of an enum, as `anyOf: [{"type": "string"}, {"type": "null"}]`,
    and a `Decimal` as a number or a string. Such a `Decimal` becomes a number.
    """
    branches = node.get("anyOf")
    if not isinstance(branches, list):
        return node
    others = [resolved(root, branch) for branch in branches if branch != {"type": "null"}]
    if any(not isinstance(one.get("type"), str) or "const" in one for one in others):
        return node
    if len(others) > 1 and any("enum" in one for one in others):
        return node
    if sorted(one["type"] for one in others) == ["number", "string"]:
        others = [one for one in others if one["type"] == "number"]
    if len(others) != 1:
        return node
    [other] = others
    merged = {**other, **{key: value for key, value in node.items() if key != "anyOf"}}
    if {"type": "null"} not in branches:
        return merged
    choices = {"enum": [*other["enum"], None]} if "enum" in other else {}
    return {**merged, **choices, "type": [other["type"], "null"]}


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
