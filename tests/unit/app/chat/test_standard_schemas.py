"""Schemas as other programs write them: the fields are those of the plain schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.chat.shape import Shape, with_standard_schemas
from app.wire.request import ChatRequest
from tests.filling import pasted, whole

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
