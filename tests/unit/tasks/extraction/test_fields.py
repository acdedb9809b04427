"""The fields of a schema that are searched for, whatever its objects contain."""

from typing import Any

from tasks.extraction.fields import conditions_of, fields_of, lists_of, text_lists_of
from tests.conftest import each_case

TEXT, NUMBER, NULL = {"type": "string"}, {"type": "number"}, {"type": "null"}


def paths_of(schema: dict[str, Any]) -> list[str]:
    return [".".join(map(str, one.path)) for one in fields_of(schema)]


def test_fields_of_objects_that_may_be_null_come_last_and_are_not_required() -> None:
    inner = {"type": "object", "properties": {"b": TEXT, "c": {"type": "object", "properties": {"d": TEXT}}}}
    inner |= {"required": ["b", "c"]}
    schema = {"properties": {"a": {"anyOf": [inner, NULL]}, "e": TEXT, "f": inner}, "required": ["a", "e", "f"]}
    assert paths_of(schema) == ["e", "f.b", "f.c.d", "a.b", "a.c.d"]
    assert [one.is_required for one in fields_of(schema)] == [True, True, False, False, False]


@each_case(
    ("field", "is_found"),
    [
        ({**TEXT, "format": "int64"}, True),
        ({**TEXT, "not": {"const": "x"}, "contentEncoding": "base64"}, True),
        ({"type": ["string", "integer"]}, True),
        ({"anyOf": [TEXT, {"type": "array"}]}, False),
        ({"type": "array", "items": TEXT}, False),
    ],
)
def test_a_field_with_a_single_value_is_searched_for(field: dict[str, Any], is_found: bool) -> None:
    found = fields_of({"properties": {"a": field}})
    assert bool(found) == is_found
    assert all("int64" not in one.schema.values() for one in found)


def test_lists_may_be_null_and_have_any_keywords() -> None:
    row = {"type": "object", "properties": {"what": TEXT, "price": NUMBER}, "x-row": 1, "minProperties": 1}
    rows = {"anyOf": [{"type": "array", "items": {"anyOf": [row, NULL]}, "uniqueItems": True, "contains": {}}, NULL]}
    texts = {"type": ["array", "null"], "items": {"type": ["string", "null"], "format": "password"}, "x-list": 1}
    schema = {"properties": {"rows": rows, "texts": texts}}
    assert {path: [one.path[-1] for one in columns] for path, columns in lists_of(schema).items()} == {
        ("rows",): ["what", "price"]
    }
    assert [one.path for one in text_lists_of(schema)] == [("texts",)]


def test_conditions_on_several_fields_are_named_with_their_place() -> None:
    inner = {"type": "object", "properties": {"c": TEXT}, "allOf": [{"if": {"required": ["c"]}, "then": False}]}
    schema = {"properties": {"a": TEXT, "b/b": inner}, "dependentRequired": {"a": ["b/b"]}, "title": "x"}
    assert conditions_of(schema) == ["/dependentRequired", "/properties/b~1b/if"]
