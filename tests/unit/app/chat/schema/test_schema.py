"""Which response formats leave a run task to answer alone."""

from typing import Any

import pytest

from app.chat.schema.shape import is_open
from app.wire.request import ResponseFormat


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
