"""Which form an answer must have, and which forms leave a run task to answer alone."""

from typing import Any

import pytest

from app.chat.shape import Shape, is_open
from app.wire.request import ResponseFormat
from tasks.schema.json_answer import AnswerInvalid


def json_schema(schema: dict[str, Any]) -> ResponseFormat:
    return ResponseFormat.model_validate({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {}, "required": [], "additionalProperties": True},
        {"type": "object", "properties": {}, "additionalProperties": False},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": False},
        {"type": "object", "additionalProperties": {}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Anything"},
    ],
)
def test_a_schema_that_constrains_nothing_is_open(schema: dict[str, Any]) -> None:
    assert is_open(json_schema(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"total": {"type": "string"}}},
        {"type": "array", "items": {"type": "string"}},
        {"type": "string"},
        {"enum": ["a", "b"]},
        {"anyOf": [{"type": "string"}, {"type": "number"}]},
        {"$ref": "#/$defs/receipt"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "required": ["total"]},
        {"const": None, "enum": [1]},
    ],
)
def test_a_schema_that_constrains_is_not_open(schema: dict[str, Any]) -> None:
    assert not is_open(json_schema(schema))


SCHEMA = {"type": "object", "properties": {"größe": {"type": "number"}}, "required": ["größe"]}


def shape(**fields: Any) -> Shape:
    found = Shape.of(ResponseFormat.model_validate(fields))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "empty_schema"}},
        {"type": "json_schema", "json_schema": {"name": "empty_schema", "schema": {}}},
    ],
)
def test_where_no_schema_says_more_any_object_will_do(fields: dict[str, Any]) -> None:
    asked = shape(**fields)
    assert asked.as_response_format == {"type": "json_object"}
    assert "JSON object" in asked.instruction
    assert asked.parse('```json\n{"a": 1}\n```').text == '{"a": 1}'
    with pytest.raises(AnswerInvalid, match="must be a JSON object"):
        asked.parse("[1]")


@pytest.mark.parametrize(("given", "sent"), [({}, False), ({"strict": None}, False), ({"strict": True}, True)])
def test_a_schema_is_sent_in_openais_form(given: dict[str, Any], sent: bool) -> None:
    asked = shape(type="json_schema", json_schema={"schema": SCHEMA, **given})
    described = {"name": "answer", "schema": SCHEMA, "strict": sent}
    assert asked.as_response_format == {"type": "json_schema", "json_schema": described}


def test_an_answer_is_checked_against_the_schema() -> None:
    asked = shape(type="json_schema", json_schema={"name": "size", "schema": SCHEMA})
    assert asked.parse('{"größe": 9}').value == {"größe": 9}
    with pytest.raises(AnswerInvalid, match="required property"):
        asked.parse('{"size": 9}')
