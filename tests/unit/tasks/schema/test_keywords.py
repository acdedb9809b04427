"""Schemas of other programs in the words of JSON Schema, and the keywords in them that have no effect."""

from typing import Any

from tasks.schema.checker import SchemaChecker
from tasks.schema.keywords import standardised
from tests.conftest import each_case

NULL = {"type": "null"}
TEXT = {"type": "string"}


def read(part: dict[str, Any]) -> Any:
    """Return a field's schema after it was read as a field of an object."""
    schema, warnings = standardised({"properties": {"field": part}}, "the schema")
    assert warnings == []
    return schema["properties"]["field"]


@each_case(
    ("part", "standard"),
    [
        ({**TEXT, "nullable": True}, {"type": ["string", "null"]}),
        ({**TEXT, "nullable": False}, TEXT),
        ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
        ({**TEXT, "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"const": 1, "nullable": True}, {"anyOf": [{"const": 1}, NULL]}),
        ({"$ref": "#/$defs/a", "nullable": True}, {"anyOf": [{"$ref": "#/$defs/a"}, NULL]}),
        ({"allOf": [TEXT], "title": "A", "nullable": True}, {"anyOf": [{"allOf": [TEXT], "title": "A"}, NULL]}),
        (
            {"type": "array", "items": {**TEXT, "nullable": True}},
            {"type": "array", "items": {"type": ["string", "null"]}},
        ),
        ({"minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"exclusiveMinimum": 0}, {"exclusiveMinimum": 0}),
    ],
)
def test_what_openapi_says_in_its_own_way_is_json_schema(part: dict[str, Any], standard: dict[str, Any]) -> None:
    assert read(part) == standard
    assert read(standard) == standard


def test_null_is_an_answer_where_openapi_allows_it() -> None:
    part = {"type": "string", "enum": ["a"], "nullable": True}
    schema, _ = standardised(
        {
            "properties": {
                "a": part,
                "b": {"allOf": [{"$ref": "#/properties/c"}], "nullable": True},
                "c": {"type": "number"},
            }
        },
        "it",
    )
    checker = SchemaChecker(schema)
    assert checker.accepts({"a": None, "b": None})
    assert checker.accepts({"a": "a", "b": 1})
    assert not checker.accepts({"a": "b"})
    assert not checker.accepts({"c": None})


def test_a_field_that_says_that_it_is_required_is() -> None:
    fields = {"a": {**TEXT, "required": True}, "b": {**TEXT, "required": False}, "c": TEXT}
    schema, _ = standardised({"properties": fields, "required": ["c"]}, "it")
    assert schema == {"properties": {"a": TEXT, "b": TEXT, "c": TEXT}, "required": ["c", "a"]}


def test_fields_may_be_named_like_keywords_and_data_is_no_schema() -> None:
    data = {"nullable": True, "fromat": "x", "required": True}
    schema = {
        "properties": {"nullable": TEXT, "fromat": TEXT, "required": {"type": "boolean"}, "order": TEXT},
        "default": data,
        "enum": [data],
        "examples": [data],
        "x-ui": data,
        "$defs": {"proprties": TEXT},
    }
    assert standardised(schema, "it") == (schema, [])


@each_case(
    ("schema", "place", "similar"),
    [
        ({"proprties": {"a": TEXT}}, "/proprties", "properties"),
        ({"properties": {"a": {"fromat": "date"}}}, "/properties/a/fromat", "format"),
        ({"properties": {"a/b": {"descripton": "x"}}}, "/properties/a~1b/descripton", "description"),
        ({"$defs": {"a": {"requried": ["x"]}}}, "/$defs/a/requried", "required"),
        ({"items": {"anyOf": [TEXT, {"tpye": "string"}]}}, "/items/anyOf/1/tpye", "type"),
        ({"components": {"schemas": {"A": {"itmes": TEXT}}}}, "/components/schemas/A/itmes", "items"),
        ({"additionalProperties": {"enums": [1]}}, "/additionalProperties/enums", "enum"),
        ({"any_of": [TEXT]}, "/any_of", "anyOf"),
    ],
)
def test_a_misspelt_keyword_is_named_with_its_place(schema: dict[str, Any], place: str, similar: str) -> None:
    read, [warning] = standardised(schema, "the schema")
    assert read == schema
    assert f"'{place}' of the schema" in warning
    assert f"'{similar}'" in warning


"""Annotations of JSON Schema, OpenAPI, form builders and editors."""


def test_a_keyword_that_constrains_and_is_not_supported_is_named_with_its_place() -> None:
    schema = {"properties": {"total": {"type": "number", "divisibleBy": 5}}}
    read, [warning] = standardised(schema, "the parameters of 'save'")
    assert read == schema
    assert "'/properties/total/divisibleBy' of the parameters of 'save'" in warning


def test_a_pattern_that_no_engine_knows_is_left_out() -> None:
    ahead = {**TEXT, "pattern": "^(?!a)"}
    schema, [warning] = standardised({"properties": {"a": {**TEXT, "pattern": r"^\cA$"}, "b": ahead}}, "it")
    assert schema == {"properties": {"a": TEXT, "b": ahead}}
    assert "'/properties/a/pattern'" in warning
