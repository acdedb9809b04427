"""Fields as the encoder of pages reads them."""

from collections.abc import Mapping
from typing import Any

from models.extraction.page_tokens import FieldKind
from tasks.extraction.prompts import MAX_DESCRIPTION, prompt_of, prompt_text
from tests.conftest import each_case


def test_a_prompt_has_the_words_of_the_nearest_keys_and_the_description() -> None:
    assert prompt_text(("a", "billing", "shipTo", "zip_code"), "") == "billing ship to zip code"
    assert prompt_text(("total",), "with tax") == "total: with tax"
    assert prompt_text(("total",), "x" * 999) == "total: " + "x" * MAX_DESCRIPTION


@each_case(("schema", "kind"), [
    ({}, "text"),
    ({"type": "string"}, "text"),
    ({"type": ["integer", "null"]}, "number"),
    ({"type": "number"}, "number"),
    ({"type": ["string", "null"], "format": "date"}, "date"),
    ({"type": "string", "format": "date-time"}, "date"),
    ({"type": "string", "format": "time"}, "time"),
    ({"type": "string", "format": "email"}, "text"),
])  # fmt: skip
def test_a_schema_states_the_kind_of_a_field(schema: Mapping[str, Any], kind: FieldKind) -> None:
    assert prompt_of(("a",), schema, in_list=False).kind == kind
