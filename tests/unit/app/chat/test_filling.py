"""Which fields of a schema are copied from what specialists found, and what an LLM that invents is left with."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from app.chat.plan import Planner
from tasks.schema.json_answer import AnswerInvalid
from tests.conftest import each_case
from tests.filling import (
    INTEGER,
    NUMBER,
    RECEIPT,
    STRING,
    Found,
    fill,
    filled,
    found,
    pasted,
    read,
    seen,
    shape_of,
)
from tests.plans import Case, turn_of

SAID = "Ask not what your country can do for you."
HEARD = {"text": SAID, "chunks": [{"timestamp": [0.0, 3.0], "text": SAID}], "language": "en"}
TRANSLATED = {"translated_text": "No preguntes.", "source_language": "auto-detected", "target_language": "es"}
PASTED = "BETA LTD\n\nInvoice no.   A-17\nDate          3 May 2024\n\nTotal         12.00 EUR"
PASTED_VALUES = {"company": "BETA LTD", "invoice_number": "A-17", "total": 12.0}


@each_case(
    ("results", "reads_out", "fields", "values"),
    [
        ([("speech_to_text", HEARD)], True, ("text",), [SAID]),
        ([("speech_to_text", HEARD)], False, ("transcript", "language"), [SAID, "en"]),
        ([("speech_to_text", HEARD)], False, ("Transcription",), [SAID]),
        ([("speech_to_text", HEARD), ("ocr", RECEIPT.result.data)], False, ("text",), [SAID]),
        ([("speech_to_text", HEARD)], False, ("markdown", "full_text"), [SAID, SAID]),
        ([("translate", TRANSLATED)], False, ("translation", "target_language"), ["No preguntes.", "es"]),
        ([("speech_to_text", HEARD), ("translate", TRANSLATED)], False, ("text",), ["No preguntes."]),
        (
            [("speech_to_text", HEARD), ("translate", TRANSLATED)],
            True,
            ("text", "translation"),
            [SAID, "No preguntes."],
        ),
        ([("ocr", RECEIPT.result.data)], True, ("content",), [RECEIPT.result.data["extracted_text"]]),
        ([("ocr", RECEIPT.result.data)], False, ("extracted_text",), [RECEIPT.result.data["extracted_text"]]),
        ([("scraper", {"url": "https://a.example/", "text": "Cafe Luna"})], False, ("page_text",), ["Cafe Luna"]),
        ([("speech_to_text", HEARD), ("speech_to_text", HEARD)], True, ("text",), [f"{SAID}\n\n{SAID}"]),
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


@pytest.mark.parametrize(
    ("results", "fields"),
    [
        ([("speech_to_text", HEARD)], {"output": STRING}),
        ([("speech_to_text", HEARD)], {"summary": STRING}),
        ([("speech_to_text", HEARD)], {"translation": STRING}),
        ([("speech_to_text", HEARD)], {"transcript": {"type": "string", "maxLength": 10}}),
        ([("speech_to_text", HEARD)], {"transcript": {"type": "string", "enum": ["yes", "no"]}}),
        ([("speech_to_text", HEARD)], {"people": INTEGER}),
        ([("translate", TRANSLATED)], {"count": INTEGER}),
    ],
)
async def test_what_was_not_asked_for_or_does_not_fit_is_not_copied(
    results: list[tuple[str, Any]], fields: dict[str, Any]
) -> None:
    assert await fill(shape_of(**fields), found(*results)) is None


@each_case(
    ("text", "media", "reads_out"),
    [
        ("Transcribe this.", "wav", True),
        ("", "jpg", True),
        ("Read the text in this picture", "jpg", True),
        ("Extract all text from this receipt", "jpg", True),
        ("Lies den Text auf dem Bild", "jpg", True),
        ("Transcribe this and tell me how the speaker feels", "wav", True),
        ("Extract the total", "jpg", False),
        ("Read the invoice number", "jpg", False),
        ("Summarise this", "wav", False),
        ("What does he say about taxes?", "wav", False),
        ("Don't transcribe it, just say whether it is English", "wav", False),
    ],
)
async def test_a_plan_knows_whether_all_the_text_is_asked_for(text: str, media: str, reads_out: bool) -> None:
    assert (await Planner().plan(turn_of(Case(text, (media,), ())))).reads_out is reads_out


@each_case(
    ("search", "fields", "values"),
    [
        (seen("How many people are there?", "person", "person"), {"count": INTEGER}, {"count": 2}),
        (seen("How many people are there?", "person", "person"), {"people": INTEGER}, {"people": 2}),
        (seen("How many people are there?", "person"), {"number_of_people": NUMBER}, {"number_of_people": 1}),
        (seen("Count people and cars", "car", "car"), {"people": INTEGER, "cars": INTEGER}, {"people": 0, "cars": 2}),
        (seen("Count people and cars", "person"), {"cars": INTEGER}, {"cars": 0}),
        (seen("Detect everything", "person", "bus"), {"objects": INTEGER, "dogs": INTEGER}, {"objects": 2, "dogs": 0}),
        (seen("Detect everything", "truck", "bus"), {"vehicles": INTEGER}, {"vehicles": 2}),
        (seen("Find the red hats", "red hat", "red hat"), {"red_hats": INTEGER}, {"red_hats": 2}),
        (seen("Is there a dog?"), {"has_dog": {"type": "boolean"}}, {"has_dog": False}),
        (seen("Is there a bus?", "bus"), {"bus": {"type": ["boolean", "null"]}}, {"bus": True}),
        (
            seen("Count people", "person"),
            {"n1": {"type": "integer", "description": "the number of people in the picture"}},
            {"n1": 1},
        ),
    ],
)  # fmt: skip
async def test_counts_come_from_detections(search: Found, fields: dict[str, Any], values: dict[str, int]) -> None:
    assert await filled(search, **fields) == values


async def test_a_document_in_a_message_is_read_as_a_file_is() -> None:
    fields: dict[str, Any] = {"company": STRING, "invoice_number": STRING, "total": NUMBER}
    asked = pasted("Extract: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    values = {"company": "Acme GmbH", "invoice_number": "4711", "total": 99.5}
    iban = {"type": ["string", "null"]}
    assert await filled(asked, **fields, iban=iban) == {**values, "iban": None}
    assert await filled(pasted("Order 5 of Beta Ltd", PASTED), **fields) == PASTED_VALUES
    assert await filled(pasted(PASTED, "Extract the fields."), **fields) == PASTED_VALUES
    assert await fill(shape_of(**fields), pasted("What is the total?")) is None


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


async def test_an_answer_that_breaks_off_has_what_was_filled_in() -> None:
    filling = await fill(shape_of(summary=STRING, total=NUMBER), read())
    assert filling is not None
    assert filling.cut_answer('{"summary": "ACME BO') == '{"total": 63.6, "summary": "ACME BO'
    assert filling.cut_answer("I cannot") == "I cannot"


async def test_a_total_is_an_amount_of_the_page_that_was_read_and_not_a_number_of_objects() -> None:
    objects = [{"label": label, "bounds": {}, "confidence": 0.9} for label in ("book", "book")]
    both = found(("ocr", RECEIPT.result.data), ("object_detection", {"detected_objects": objects}), text="The fields.")
    assert (await filled(both, total=NUMBER))["total"] == 63.6
    for name in ("count", "how_many", "object_count", "total_objects"):
        assert (await filled(both, **{name: INTEGER}))[name] == 2
    blank = seen("How many are there in total?", "book", "book")
    assert (await filled(blank, total=INTEGER))["total"] == 2
