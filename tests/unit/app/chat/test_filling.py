"""Which fields of a schema are copied from what specialists found, and what an LLM that invents is left with."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.chat.plan import Planner
from tasks.schema.json_answer import AnswerInvalid
from tests.conftest import each_case
from tests.kit.chats.plans import Case, turn_of
from tests.kit.papers.filling import (
    INTEGER,
    NUMBER,
    RECEIPT,
    STRING,
    Found,
    fill,
    filled,
    found,
    read,
    seen,
    shape_of,
)

SAID = "Ask not what your country can do for you."
HEARD = {"text": SAID, "chunks": [{"timestamp": [0.0, 3.0], "text": SAID}], "language": "en"}
TRANSLATED = {"translated_text": "No preguntes.", "source_language": "auto-detected", "target_language": "es"}


@each_case(
    ("results", "reads_out", "fields", "values"),
    [
        ([("speech_to_text", HEARD)], True, ("text",), [SAID]),
        ([("speech_to_text", HEARD)], False, ("Transcription",), [SAID]),
        ([("speech_to_text", HEARD)], False, ("markdown", "full_text"), [SAID, SAID]),
        ([("speech_to_text", HEARD), ("translate", TRANSLATED)], False, ("text",), ["No preguntes."]),
        ([("ocr", RECEIPT.result.data)], True, ("content",), [RECEIPT.result.data["extracted_text"]]),
        ([("scraper", {"url": "https://a.example/", "text": "Cafe Luna"})], False, ("page_text",), ["Cafe Luna"]),
    ],
)
async def test_what_a_specialist_found_is_copied_whole(
    results: list[tuple[str, Any]], reads_out: bool, fields: Sequence[str], values: list[str]
) -> None:
    filling = await fill(shape_of(**dict.fromkeys(fields, STRING)), found(*results, reads_out=reads_out))
    assert filling is not None
    assert filling.answer is not None
    assert filling.answer.value == dict(zip(fields, values, strict=True))
    assert json.loads(filling.answer.text) == filling.answer.value


@each_case(
    ("text", "media", "reads_out"),
    [
        ("Transcribe this.", "wav", True),
        ("Read the text in this picture", "jpg", True),
        ("Lies den Text auf dem Bild", "jpg", True),
        ("Extract the total", "jpg", False),
        ("Summarise this", "wav", False),
    ],
)
async def test_a_plan_knows_whether_all_the_text_is_asked_for(text: str, media: str, reads_out: bool) -> None:
    assert (await Planner().plan(turn_of(Case(text, (media,), ())))).reads_out is reads_out


@each_case(
    ("search", "fields", "values"),
    [
        (seen("How many people are there?", "person", "person"), {"count": INTEGER}, {"count": 2}),
        (seen("How many people are there?", "person"), {"number_of_people": NUMBER}, {"number_of_people": 1}),
        (seen("Count people and cars", "person"), {"cars": INTEGER}, {"cars": 0}),
        (seen("Detect everything", "truck", "bus"), {"vehicles": INTEGER}, {"vehicles": 2}),
        (seen("Is there a dog?"), {"has_dog": {"type": "boolean"}}, {"has_dog": False}),
        (
            seen("Count people", "person"),
            {"n1": {"type": "integer", "description": "the number of people in the picture"}},
            {"n1": 1},
        ),
    ],
)  # fmt: skip
async def test_counts_come_from_detections(search: Found, fields: dict[str, Any], values: dict[str, int]) -> None:
    assert await filled(search, **fields) == values


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("sentiment", {"enum": ["total", "cash"]}),
        ("sentiment", {"type": "string", "pattern": "^(Total|Cash)$"}),
        ("language", {"type": "string", "pattern": "^[a-z]{2,5}$"}),
        ("rating", INTEGER),
        ("total", {"type": "number", "minimum": 1000}),
        ("paid", {"type": "boolean"}),
        ("items", {"type": "array", "items": {"type": "object", "properties": {"price": NUMBER}}}),
    ],
)
async def test_what_need_not_stand_there_is_the_llms(name: str, schema: dict[str, Any]) -> None:
    assert await fill(shape_of(**{name: schema}), read()) is None


async def test_the_rest_is_asked_for_and_the_whole_put_together_in_the_schemas_order() -> None:
    shape = shape_of(
        summary=STRING,
        sums={
            "type": "object",
            "properties": {"total": NUMBER, "explanation": STRING, "cash": NUMBER},
            "required": ["total"],
        },
        date={"$ref": "#/$defs/day"},
        defs={"day": {"type": "string", "format": "date"}},
        required=["summary", "date"],
    )
    filling = await fill(shape, read())
    assert filling is not None
    assert filling.rest is not None
    assert filling.rest.schema == {
        **(shape.schema or {}),
        "properties": {
            "summary": STRING,
            "sums": {"type": "object", "properties": {"explanation": STRING}, "required": []},
        },
        "required": ["summary", "sums"],
    }
    answer = filling.parse('{"summary": "ACME", "sums": {"explanation": "paid"}}')
    assert answer.text == (
        '{"summary": "ACME", "sums": {"total": 63.6, "explanation": "paid", "cash": 70.0}, "date": "2018-12-25"}'
    )
    assert "sums.total" in filling.instruction
    with pytest.raises(AnswerInvalid, match="summary"):
        filling.parse("{}")
