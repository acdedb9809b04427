"""Which form an answer must have, and which forms leave a run task to answer alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.chat.shape import Shape, is_open, with_standard_schemas
from app.wire.request import ChatRequest, ResponseFormat
from tasks.schema.json_answer import AnswerInvalid
from tests.kit.papers.filling import pasted, whole


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


SCHEMAS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "data" / "schemas_of_programs.json").read_text("utf-8")
)
"""Schemas of the same invoice, by the program that writes them."""
PAPER = """Kestrel Supplies Ltd

Invoice number: 4711
Date: 2026-03-12
Email: ann@kestrel.example
Street: 5 Harbour Road
City: Leeds
Currency: EUR

| Description | Amount |
|---|---|
| Bolts | 40.00 |
| Nuts | 59.50 |

Total: 99.50
"""
FIELDS = {
    "invoice_number": "4711",
    "date": "2026-03-12",
    "total": 99.5,
    "currency": "EUR",
    "email": "ann@kestrel.example",
    "address": {"street": "5 Harbour Road", "city": "Leeds"},
    "lines": [{"description": "Bolts", "amount": 40.0}, {"description": "Nuts", "amount": 59.5}],
}


def request_with(**more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": PAPER}], **more})


def form_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "invoice", "schema": schema}}


@pytest.mark.parametrize("program", SCHEMAS)
async def test_the_fields_are_those_of_the_plain_schema(program: str) -> None:
    request, _ = with_standard_schemas(request_with(response_format=form_of(SCHEMAS[program])))
    shape = Shape.of(request.response_format)
    assert shape is not None
    filling = await whole(shape, pasted(PAPER))
    assert filling.answer is not None
    answer = filling.answer.value
    assert {name: answer.get(name) for name in FIELDS} == FIELDS


def test_the_schemas_of_the_answer_and_of_tools_become_standard_ones() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "nullable": True, "fromat": "x"}}}
    tool = {"type": "function", "function": {"name": "save", "parameters": schema}}
    bare = {"type": "function", "function": {"name": "ping"}}
    sent = request_with(response_format=form_of(schema), tools=[tool, bare])
    request, warnings = with_standard_schemas(sent)
    standard = {"type": "object", "properties": {"a": {"type": ["string", "null"], "fromat": "x"}}}
    assert request.response_format is not None
    assert request.response_format.json_schema is not None
    assert request.response_format.json_schema.schema_ == standard
    assert [one.function.parameters for one in request.tools or ()] == [standard, None]
    assert [tool.model_dump(exclude_unset=True) for tool in request.tools or ()][1] == bare
    assert len(warnings) == 2
    assert "'/properties/a/fromat' of the schema" in warnings[0]
    assert "'/properties/a/fromat' of the parameters of 'save'" in warnings[1]
    assert sent == request_with(response_format=form_of(schema), tools=[tool, bare])
