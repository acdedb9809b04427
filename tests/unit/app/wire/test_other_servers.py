"""Requests as programs write them that were made for another server."""

import json
from typing import Any

import pytest

from app.errors import BadRequest
from app.wire.parse import parse
from app.wire.request import ChatRequest
from app.wire.responses import ResponsesRequest, convert_request

SCHEMA = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}


def chat(**fields: Any) -> ChatRequest:
    body = {"model": "auto", "messages": [{"role": "user", "content": "Hi."}], **fields}
    return parse(ChatRequest, json.dumps(body).encode())


def responses(**fields: Any) -> ChatRequest:
    body = {"model": "auto", "input": "Hi.", **fields}
    return convert_request(parse(ResponsesRequest, json.dumps(body).encode())).chat


def schema_of(request: ChatRequest) -> Any:
    form = request.response_format
    assert form is not None
    return form.json_schema and form.json_schema.schema_


@pytest.mark.parametrize(
    "fields",
    [
        {"guided_json": SCHEMA},
        {"guided_json": json.dumps(SCHEMA)},
        {"structured_outputs": {"json": SCHEMA}},
        {"json_schema": SCHEMA},
        {"format": SCHEMA},
        {"format": SCHEMA, "response_format": {"type": "text"}},
        {"response_format": {"type": "json_object", "schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": {**SCHEMA, "name": "a", "strict": True}}},
    ],
)
def test_a_schema_in_another_servers_way_is_that_of_the_answer(fields: dict[str, Any]) -> None:
    assert schema_of(chat(**fields)) == SCHEMA


@pytest.mark.parametrize(
    "fields", [{"guided_json": SCHEMA}, {"text": {"format": {"type": "json_object", "schema": SCHEMA}}}]
)
def test_responses_take_it_alike(fields: dict[str, Any]) -> None:
    assert schema_of(responses(**fields)) == SCHEMA


@pytest.mark.parametrize("fields", [{"format": "json"}, {"structured_outputs": {"json_object": True}}])
def test_any_object_may_be_demanded_beside_the_messages(fields: dict[str, Any]) -> None:
    form = chat(**fields).response_format
    assert form is not None
    assert (form.type, form.json_schema) == ("json_object", None)


def test_openais_own_form_comes_first() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}
    assert schema_of(chat(response_format=form, guided_json={"type": "array"})) == SCHEMA
    assert schema_of(chat(response_format={"type": "json_schema", "json_schema": {"name": "a"}})) == {}


@pytest.mark.parametrize(
    "fields", [{}, {"format": None}, {"format": "markdown"}, {"structured_outputs": {"regex": "a"}}]
)
def test_without_a_schema_any_text_is_an_answer(fields: dict[str, Any]) -> None:
    assert chat(**fields).response_format is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"guided_json": 5}, "Field 'guided_json': Input should be a JSON schema"),
        ({"format": 5}, "Field 'format': Input should be a JSON schema"),
        ({"json_schema": {"const": "x" * 3_000_000}}, "Field 'json_schema': Has 2.9 MB of text; the limit is 1 MB"),
    ],
)
def test_a_field_without_a_schema_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        chat(**fields)
    assert (refusal.value.message, refusal.value.param) == (message, next(iter(fields)))
