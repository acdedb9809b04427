"""Which fields a request asks to be filled: by a form that its prompt shows, by names in it, or by none."""

from typing import Any

import pytest

from app.chat.requested_fields import NO_KEYS, RequestedFields, fields_of_format, fields_of_prompt
from app.wire.request import ChatRequest
from tests.conftest import each_case


def request_of(text: str, **fields: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "auto", "messages": [{"role": "user", "content": text}], **fields})


def keys_of(found: RequestedFields | None) -> list[str] | None:
    return None if found is None else list((found.shape.schema or {})["properties"])


@each_case(
    ("prompt", "keys"),
    [
        ("Give me JSON with the company and the due date: Telco North, pay by 3 May 2026.", ["company", "due_date"]),
        ("Return name and email as JSON.\n\nI am Imke Vos, imke@example.nl", ["name", "email"]),
        ("What is the company and the due date?", None),
    ],
)
def test_json_with_named_values_has_their_keys_where_values_are_wished(prompt: str, keys: list[str] | None) -> None:
    found = fields_of_prompt(request_of(prompt), None, names_values=True)
    assert keys_of(found) == keys
    assert found is None or found.is_described
    assert fields_of_prompt(request_of(prompt), None) is None


@pytest.mark.parametrize("names_values", [True, False])
def test_a_form_in_the_prompt_is_the_answers(names_values: bool) -> None:
    prompt = 'Answer with JSON like {"vendor": "", "total": 0}: Telco North, 99.50 EUR'
    found = fields_of_prompt(request_of(prompt), None, names_values=names_values)
    assert keys_of(found) == ["vendor", "total"]


def test_an_object_without_keys_is_empty_with_a_warning() -> None:
    request = request_of("Telco North, 99.50 EUR", response_format={"type": "json_object"})
    assert request.response_format is not None
    found = fields_of_format(request, request.response_format)
    assert (keys_of(found), found and found.warning) == ([], NO_KEYS)
