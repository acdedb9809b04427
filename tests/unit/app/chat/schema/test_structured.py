"""Which form an answer must have, how an LLM is asked for it, and whether it has it."""

from typing import Any

import pytest

from app.chat.schema.shape import Shape
from app.wire.request import ResponseFormat
from tasks.schema.json_answer import AnswerInvalid

SCHEMA = {"type": "object", "properties": {"größe": {"type": "number"}}, "required": ["größe"]}


def shape_of(**fields: Any) -> Shape | None:
    return Shape.of(ResponseFormat.model_validate(fields))


def shape(**fields: Any) -> Shape:
    found = shape_of(**fields)
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
