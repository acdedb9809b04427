"""The JSON that a prompt describes as the form of its answer."""

import json
from typing import Any

import pytest

from app.chat.planning.described_json import described_schema, or_null, without_description, without_forms
from tests.conftest import each_case

SCHEMA = {"type": "object", "properties": {"number": {"type": "string"}, "total": {"type": "number"}}}
INVOICE = "Invoice number: 5813\nTotal: 84.30 EUR"


@each_case(
    "prompt",
    [
        f"Reply with one object of this schema:\n{json.dumps(SCHEMA)}",
        f"Follow the schema.\n\n```json\n{json.dumps(SCHEMA, indent=2)}\n```\n\nAdd no Markdown.",
        f'The object {{"properties": {{"foo": ["bar"]}}}} is wrong.\nThe schema: {json.dumps(SCHEMA)}',
        f"Answer in JSON. {json.dumps({'name': 'invoice', 'schema': SCHEMA})}",
    ],
)
def test_a_schema_in_a_prompt_is_that_of_the_answer(prompt: str) -> None:
    assert described_schema(prompt) == SCHEMA


@each_case(
    ("prompt", "types"),
    [
        ('JSON like {"number": "A-12", "total": 12.5}', {"number": ["string", "null"], "total": ["number", "null"]}),
        ('{"number": "...", "total": 0}', {"number": ["string", "null"], "total": ["number", "null"]}),
        ("Return {number: string, total: number}", {"number": ["string", "null"], "total": ["number", "null"]}),
        ('As JSON: {"code": "<the number>"}', {"code": ["string", "null"]}),
    ],
)
def test_an_example_in_a_prompt_has_the_keys_of_the_answer(prompt: str, types: dict[str, Any]) -> None:
    schema = described_schema(prompt)
    assert schema is not None
    assert {name: field["type"] for name, field in schema["properties"].items()} == types


@each_case(
    "prompt",
    [
        'Extract the number from this JSON: {"number": "A-12"}',
        '{"type": "Feature", "properties": {"name": "Alder Hill"}}',
        "Extract the number and the total.",
    ],
)
def test_json_that_is_data_describes_nothing(prompt: str) -> None:
    assert described_schema(prompt) is None
    assert without_forms(prompt) == prompt


@each_case(
    "prompt",
    [
        f"{INVOICE}\n\nReturn JSON that fits this schema: {json.dumps(SCHEMA)}",
        f"Schema of the JSON:\n{json.dumps(SCHEMA)}\nReply with one object.\n\n{INVOICE}",
        f"Return JSON with the keys number and total.\n\n{INVOICE}",
    ],
)
def test_a_description_is_no_part_of_the_document(prompt: str) -> None:
    rest = without_description(prompt)
    assert INVOICE in rest
    assert "properties" not in rest
    assert "JSON" not in rest


@pytest.mark.parametrize("text", ["{" * 20_000, '{"a": ' * 20_000, "[" * 20_000, "json. " * 5_000])
def test_long_texts_are_searched_fast(text: str) -> None:
    assert described_schema(text) is None
    assert len(without_description(text)) <= len(text)


def test_fields_of_objects_may_be_null_and_objects_themselves_not() -> None:
    schema = or_null({"type": "object", "properties": {"a": {"type": "number"}, "b": SCHEMA}})
    assert schema["properties"]["a"]["type"] == ["number", "null"]
    assert schema["properties"]["b"]["type"] == "object"
    assert schema["properties"]["b"]["properties"]["total"]["type"] == ["number", "null"]
