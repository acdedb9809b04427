"""Which fields of a schema are copied from what specialists found, and what an LLM that invents is left with."""

import json
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.chat.event_driver import Entry
from app.chat.evidence.passages import fold
from app.chat.filling import copied
from app.chat.filling.copied import Found
from app.chat.filling.extractor import Extractor
from app.chat.filling.filled import Filling
from app.chat.filling.filled import fill as fill_by
from app.chat.inputs import document_in
from app.chat.plan import Plan, Planner, Step
from app.chat.schema.json_answer import AnswerInvalid
from app.chat.schema.structured import Shape
from app.wire.request import ChatRequest, ResponseFormat
from models.extraction.network import Network
from models.fair_executor import FairExecutor
from models.language.embedding import DIMENSIONS
from models.language.minilm.engine import MiniLm
from tasks.catalog import PRECONTEXT_NAMES, TASK_NAMES
from tests.conftest import each_case
from tests.entries import entry_of, failure_of
from tests.plans import Case, turn_of
from tests.unit.test_evidence import ocr

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
SAID = "Ask not what your country can do for you."
HEARD = {"text": SAID, "chunks": [{"timestamp": [0.0, 3.0], "text": SAID}], "language": "en"}
TRANSLATED = {"translated_text": "No preguntes.", "source_language": "auto-detected", "target_language": "es"}
PASTED = "BETA LTD\n\nInvoice no.   A-17\nDate          3 May 2024\n\nTotal         12.00 EUR"
PASTED_VALUES = {"company": "BETA LTD", "invoice_number": "A-17", "total": 12.0}
RECEIPT = ocr(
    "ACME BOOKS",
    ("Document No : TD01167104", "Date: 25/12/2018 8:13"),
    "mail: shop@acme.example",
    ("Lamp", "30.00"),
    ("Chair", "33.60"),
    ("Total", "63.60"),
    ("Cash", "70.00"),
)


def shape_of(*, required: Sequence[str] | None = None, defs: Any = None, **properties: Any) -> Shape:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else list(required),
        "additionalProperties": False,
        **({"$defs": defs} if defs else {}),
    }
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    shape = Shape.of(ResponseFormat.model_validate(asked))
    assert shape is not None
    return shape


def found(*results: tuple[str, Any], text: str = "", reads_out: bool = False) -> Found:
    steps = tuple(Step(task, (), text) for task, _ in results)
    entries = [entry_of(PRECONTEXT_NAMES.get(task, task), data) for task, data in results]
    return Found(Plan(steps, reads_out=reads_out), entries)


def seen(text: str, *labels: str, **more: Any) -> Found:
    objects = [{"label": label, "bounds": {}, "confidence": 0.9, **more} for label in labels]
    return found(("object_detection", {"detected_objects": objects}), text=text)


def read(*, page: Entry = RECEIPT) -> Found:
    return found(("ocr", page.result.data))


class Embedding:
    """The engine without a host. Implements Embedder."""

    def __init__(self) -> None:
        self._engine = MiniLm()
        self._engine.load()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = [vector for vector in self._engine.run(texts) if not isinstance(vector, Exception)]
        return np.stack(vectors) if vectors else np.empty((0, DIMENSIONS), np.float32)


@cache
def extractor() -> Extractor:
    return Extractor(Network(), Embedding(), FairExecutor("tests"), most_spans=6_000)


async def fill(shape: Shape, found: Found) -> Filling | None:
    return await fill_by(shape, found, extractor())


async def filled(found: Found, **properties: Any) -> dict[str, Any]:
    """The fields of a flat schema that need no LLM."""
    filling = await fill(shape_of(**properties), found)
    return {str(path[0]): value for path, value in filling.values.items()} if filling else {}


def left(filling: Filling | None) -> Any:
    """The properties that the LLM is asked for."""
    assert filling is not None
    assert filling.rest is not None
    assert filling.rest.schema is not None
    return filling.rest.schema["properties"]


@each_case(
    ("results", "reads_out", "fields", "values"),
    [
        ([("speech_to_text", HEARD)], True, ("text",), [SAID]),
        ([("speech_to_text", HEARD)], False, ("transcript", "language"), [SAID, "en"]),
        ([("speech_to_text", HEARD)], False, ("Transcription",), [SAID]),
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
        ([("speech_to_text", HEARD)], {"text": STRING}),
        ([("speech_to_text", HEARD), ("ocr", RECEIPT.result.data)], {"text": STRING}),
        ([("speech_to_text", HEARD)], {"summary": STRING}),
        ([("speech_to_text", HEARD)], {"translation": STRING}),
        ([("speech_to_text", HEARD)], {"transcript": {"type": "string", "maxLength": 10}}),
        ([("speech_to_text", HEARD)], {"transcript": {"type": "string", "enum": ["yes", "no"]}}),
        ([("speech_to_text", HEARD)], {"transcript": {"type": "array", "items": STRING}}),
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


@pytest.mark.parametrize(
    ("search", "fields"),
    [
        (seen("How many people are there?", "person"), {"cars": INTEGER}),
        (seen("How many people are there?", "person"), {"smiles": INTEGER}),
        (seen("How many people are there?", "person"), {"year": INTEGER}),
        (seen("How many people are there?", "person", timestamp=0.5), {"people": INTEGER}),
        (seen("Is there a dog?", "dog"), {"is_it_happy": {"type": "boolean"}}),
        (seen("Is there a dog?", "dog"), {"found": {"type": "boolean"}}),
        (seen("Count the people", "person"), {"people": {"type": "integer", "minimum": 5}}),
    ],
)
async def test_what_was_not_looked_for_is_not_counted(search: Found, fields: dict[str, Any]) -> None:
    assert await fill(shape_of(**fields), search) is None


@each_case(
    ("name", "schema", "value"),
    [
        ("date", {"type": "string", "pattern": "^[0-9/]{10}$"}, "25/12/2018"),
        ("date", STRING, "25/12/2018"),
        ("date", {"type": "string", "format": "date"}, "2018-12-25"),
        ("day", {"type": "string", "format": "date"}, "2018-12-25"),
        ("date", {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"}, "2018-12-25"),
        ("issued", {"type": "string", "title": "Date", "description": "As YYYY-MM-DD"}, "2018-12-25"),
        ("total", NUMBER, 63.6),
        ("total", STRING, "63.60"),
        ("cash", {"type": ["number", "null"]}, 70.0),
        ("cash", {"anyOf": [NUMBER, {"type": "null"}]}, 70.0),
        ("settled", {"anyOf": [{"$ref": "#/$defs/amount"}, {"type": "null"}], "title": "Cash"}, 70.0),
        ("document_number", STRING, "TD01167104"),
        ("document_number", {"enum": ["TD01167104", "TD99999999"]}, "TD01167104"),
        ("code", {"type": "string", "pattern": "^TD[0-9]+$"}, "TD01167104"),
        ("contact", {"type": "string", "format": "email"}, "shop@acme.example"),
        ("discount", {"type": ["number", "null"]}, None),
        ("iban", {"type": ["string", "null"], "pattern": "^[A-Z]{2}[0-9]{20}$"}, None),
        ("fax", {"anyOf": [STRING, {"type": "null"}]}, None),
        ("kind", {"const": "receipt"}, "receipt"),
    ],
)
async def test_what_stands_on_the_page_is_copied_from_it(name: str, schema: dict[str, Any], value: Any) -> None:
    filling = await fill(shape_of(**{name: schema}, defs={"amount": NUMBER}), read())
    assert filling is not None
    assert filling.answer is not None
    assert filling.answer.value == {name: value}


async def test_that_a_field_may_be_null_makes_it_no_less_likely() -> None:
    for name in ("total", "cash", "document_number", "date"):
        told = []
        for schema in (STRING, {"type": ["string", "null"]}):
            filling = await fill(shape_of(**{name: schema}), read())
            assert filling is not None
            assert filling.answer is not None
            told.append(filling.answer.value[name])
        assert told[0]
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("name", "schema", "values"),
    [
        ("price", {"type": "number", "minimum": 31, "maximum": 34}, {33.6}),
        ("amount_2", {"type": "string", "pattern": r"^3\d\.\d\d$"}, {"30.00", "33.60"}),
        ("total", NUMBER, {63.6, 64.0}),
        ("units", INTEGER, {30, 70}),
    ],
)
async def test_of_several_that_fit_one_is_chosen(name: str, schema: dict[str, Any], values: set[Any]) -> None:
    rows = [("Lamp", "30.00"), ("Chair", "33.60"), ("Total", "63.60"), ("Total rounded", "64.00"), ("Cash", "70.00")]
    rows = rows[:1] + rows[-1:] if name == "units" else rows
    assert (await filled(read(page=ocr(*rows)), **{name: schema}))[name] in values


async def test_the_rows_of_a_table_are_a_list_of_objects() -> None:
    item = {"type": "object", "properties": {"description": STRING, "price": NUMBER}, "required": ["description"]}
    rows = [("Item", "Quantity", "Price"), ("Lamp", "1", "30.00"), ("Chair", "2", "33.60"), ("Total", "", "97.20")]
    page = ocr("ACME BOOKS", *[tuple(filter(None, row)) for row in rows])
    found = await filled(read(page=page), items={"type": "array", "items": item})
    assert found["items"] == [{"description": "Lamp", "price": 30.0}, {"description": "Chair", "price": 33.6}]


def pasted(*messages: str) -> Found:
    users = [{"role": "user", "content": message} for message in messages]
    return Found(Plan(), [], document_in(ChatRequest.model_validate({"model": "auto", "messages": users})))


async def test_a_document_in_a_message_is_read_as_a_file_is() -> None:
    fields: dict[str, Any] = {"company": STRING, "invoice_number": STRING, "total": NUMBER}
    asked = pasted("Extract: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    values = {"company": "Acme GmbH", "invoice_number": "4711", "total": 99.5}
    iban = {"type": ["string", "null"]}
    assert await filled(asked, **fields, iban=iban) == {**values, "iban": None}
    assert await filled(pasted("Order 5 of Beta Ltd", PASTED), **fields) == PASTED_VALUES
    assert await filled(pasted(PASTED, "Extract the fields."), **fields) == PASTED_VALUES
    assert await fill(shape_of(**fields), pasted("What is the total?")) is None


@pytest.mark.parametrize("gap", ["\t", "   "])
async def test_cells_of_a_text_stand_below_each_other_where_blanks_or_tabs_part_them(gap: str) -> None:
    rows = [("Item", "Qty", "Price"), ("A lamp of brass", "1", "30.00"), ("Chair", "2", "33.60"), ("Box", "12", "9.00")]
    widths = [max(len(row[at]) for row in rows) if gap != "\t" else 0 for at in range(3)]
    lines = [gap.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    fields = {"description": STRING, "quantity": INTEGER, "price": NUMBER}
    item = {"type": "object", "properties": fields, "required": list(fields)}
    found = await filled(pasted("Extract the items:\n" + "\n".join(lines)), items={"type": "array", "items": item})
    assert [tuple(map(str, one.values())) for one in found["items"]] == [
        ("A lamp of brass", "1", "30.0"),
        ("Chair", "2", "33.6"),
        ("Box", "12", "9.0"),
    ]


async def test_a_field_that_may_be_left_out_is_where_nothing_answers_it() -> None:
    filling = await fill(shape_of(total=NUMBER, iban=STRING, required=["total"]), read())
    assert filling is not None
    assert filling.answer is not None
    assert filling.answer.value == {"total": 63.6}


TWO_PARTIES = """ACME Inc                          INVOICE
55 Main Street                    No. 1234
Springfield, IL 62701             3 May 2024

Bill To                           Ship To
John Miller                       Beta Warehouse
9 Oak Avenue                      77 Harbor Road
Portland, OR 97201                Seattle, WA 98101

Total due     $119.00"""


@each_case(
    ("name", "value"),
    [
        ("vendor_address", "55 Main Street Springfield, IL 62701"),
        ("customer", "John Miller"),
        ("customer_address", "9 Oak Avenue Portland, OR 97201"),
        ("cust_addr", "9 Oak Avenue Portland, OR 97201"),
        ("shipping_address", "77 Harbor Road Seattle, WA 98101"),
    ],
)
async def test_a_block_belongs_to_the_party_that_its_label_names(name: str, value: str) -> None:
    assert await filled(pasted(TWO_PARTIES), **{name: STRING}) == {name: value}


@pytest.mark.parametrize(
    ("rounding", "after", "total"),
    [("-0.01", "60.30", 60.3), ("0.01", "60.30", 60.3), ("0.04", "60.35", 60.35), ("0.00", "60.31", 60.31)],
)
async def test_a_total_is_what_it_is_rounded_to(rounding: str, after: str, total: float) -> None:
    rows = [("Lamp", "60.31"), ("Total", "60.31"), ("Rounding", rounding), ("", after), ("Cash", "70.00")]
    page = ocr("ACME BOOKS", *[tuple(filter(None, row)) for row in rows])
    assert await filled(read(page=page), total=NUMBER) == {"total": total}


async def test_a_company_in_brackets_is_torn_at_none_of_them() -> None:
    page = ocr("GOLDEN BOOKS (M) SDN BHD (169609-A)", "NO. 5, JALAN SAGU 18", ("Total", "63.60"))
    company = (await filled(read(page=page), company=STRING))["company"]
    assert company in ("GOLDEN BOOKS (M) SDN BHD", "GOLDEN BOOKS (M) SDN BHD (169609-A)")


async def test_lines_that_are_joined_keep_their_commas() -> None:
    page = ocr("ACME BOOKS SDN BHD", "NO. 55, JALAN SAGU 18,", "TAMAN DAYA,", "81100 JOHOR BAHRU.", ("Total", "63.60"))
    found = await filled(read(page=page), company=STRING, address=STRING, total=NUMBER)
    assert found["address"] == "NO. 55, JALAN SAGU 18, TAMAN DAYA, 81100 JOHOR BAHRU"


async def test_without_an_extractor_what_was_read_is_the_llms() -> None:
    assert await fill_by(shape_of(total=NUMBER), read(), None) is None


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
        ("when", {"type": "string", "format": "date-time"}),
    ],
)
async def test_what_need_not_stand_there_is_the_llms(name: str, schema: dict[str, Any]) -> None:
    assert await fill(shape_of(**{name: schema}), read()) is None


async def test_the_end_of_a_code_is_no_date() -> None:
    assert await filled(read(page=ocr("HC03-7 - 15", "12-01-19 21:13")), date=STRING) == {"date": "12-01-19"}


async def test_the_currency_is_no_part_of_an_amount_unless_it_is_wanted() -> None:
    page = ocr(("Total", "RM 63.60"))
    assert await filled(read(page=page), total=STRING) == {"total": "63.60"}
    wanted = {"type": "string", "pattern": "^RM"}
    assert await filled(read(page=page), total=wanted) == {"total": "RM 63.60"}


async def test_a_pattern_that_fits_anything_chooses_nothing() -> None:
    page = ocr(*[f"line {number} of many" for number in range(40)])
    assert await fill(shape_of(summary={"type": "string", "pattern": "^.{4,200}$"}), read(page=page)) is None


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
    assert "sums.total" in filling.told
    with pytest.raises(AnswerInvalid, match="summary"):
        filling.parse("{}")


async def test_an_answer_that_breaks_off_has_what_was_filled_in() -> None:
    filling = await fill(shape_of(summary=STRING, total=NUMBER), read())
    assert filling is not None
    assert filling.begun('{"summary": "ACME BO') == '{"total": 63.6, "summary": "ACME BO'
    assert filling.begun("I cannot") == "I cannot"


@pytest.mark.parametrize("more", [{"minProperties": 1}, {"if": {}, "then": {}}, {"anyOf": [{"required": ["total"]}]}])
async def test_a_schema_whose_fields_depend_on_each_other_is_left_whole(more: dict[str, Any]) -> None:
    shape = shape_of(total=NUMBER)
    assert await fill(shape.with_schema({**(shape.schema or {}), **more}), read()) is None


async def test_the_llm_is_told_little_of_a_long_text() -> None:
    filling = await fill(
        shape_of(transcript=STRING, summary=STRING), found(("speech_to_text", {**HEARD, "text": "word " * 9999}))
    )
    assert filling is not None
    assert list(left(filling)) == ["summary"]
    assert len(filling.told) < 200


async def test_a_failed_specialist_fills_in_nothing() -> None:
    failed = Found(Plan((Step("speech_to_text", (), ""),)), [failure_of("stt", "It broke.")])
    assert await fill(shape_of(transcript=STRING), failed) is None


OR_NULL = {"type": ["string", "null"]}
IBAN, BIC = "DE89 3704 0044 0532 0130 00", "COBADEFFXXX"


@each_case(
    ("text", "values"),
    [
        (f"ACME GmbH\nIBAN: {IBAN} BIC: {BIC}. Delivery within 30 days.", (IBAN, BIC)),
        (f"ACME GmbH\nPay to {IBAN} at the\nSWIFT code COBADEFF", (IBAN, "COBADEFF")),
        # A wrong check digit: nothing but its label says that it is one.
        ("ACME GmbH\nIBAN: DE89 3704 0044 0532 0130 01\nTotal: 30.00 EUR", ("DE89 3704 0044 0532 0130 01", None)),
        ("ACME GmbH\nVAT ID: DE123456789\nBank: 30\nPayable within 30 days\nTotal: 12.00 EUR", (None, None)),
        ("ACME GmbH\nIBAN: on request\nBIC: 30\nTotal: 12.00 EUR", (None, None)),
    ],
)
async def test_codes_of_accounts_and_banks_are_such_codes(text: str, values: tuple[str | None, str | None]) -> None:
    found = await filled(pasted(text), iban=OR_NULL, swift_code=OR_NULL)
    assert tuple(found.values()) == values


async def test_a_code_that_has_to_be_there_is_nothing_else() -> None:
    found = await filled(pasted("ACME GmbH\nVAT ID: DE123456789\nPayable within 30 days"), iban=STRING, bic=STRING)
    assert found == {"iban": "", "bic": ""}


@each_case("said", ["n/a", "N/A", "none", "-", "—", "--"])
async def test_what_says_that_there_is_none_is_no_value(said: str) -> None:
    contact = pasted(f"ACME GmbH\nPhone: 030 1234567\nFax: {said}\nEmail: a@b.example")
    assert await filled(contact, phone=STRING, fax=OR_NULL) == {"phone": "030 1234567", "fax": None}


async def test_words_for_none_are_copied_where_a_text_has_to_be_there() -> None:
    contact = pasted("ACME GmbH\nPhone: 030 1234567\nFax: n/a\nEmail: a@b.example")
    assert await filled(contact, phone=STRING, fax=STRING) == {"phone": "030 1234567", "fax": "n/a"}


TEXTS = {"type": "array", "items": STRING}


@each_case(
    ("text", "name", "items"),
    [
        ("Name: Ann\nSkills: Python, Go, Rust\nTags: a, b", "skills", ["Python", "Go", "Rust"]),
        ("Skills: Python, Go, Rust\nTags: a, b", "tags", ["a", "b"]),
        ("Skills: C#, .NET", "skills", ["C#", ".NET"]),
        ("Patient: Ann Lee\nAllergies: Penicillin, peanuts\nWeight: 60 kg", "allergies", ["Penicillin", "peanuts"]),
        ("Patient: Ann Lee\nAllergies: latex\nWeight: 60 kg", "allergies", ["latex"]),
        ("Patient: Ann Lee\nAllergies: None\nWeight: 60 kg", "allergies", []),
        ("Patient: Ann Lee\nWeight: 60 kg", "allergies", []),
        ("Salad\nIngredients: oil (sun, olive), 1,5 g salt, and water", "ingredients",
         ["oil (sun, olive)", "1,5 g salt", "water"]),
        ("On birds\nAuthors: Lee, Ann; Ray, Bob", "authors", ["Lee, Ann", "Ray, Bob"]),
        ("Shirt\nColours: Red / Green / Blue", "colours", ["Red", "Green", "Blue"]),
        ("Ann Lee, engineer\nLanguages: Dutch (C1)", "languages", ["Dutch (C1)"]),
        ("Attendees: Ann Lee, Bob Ray; Chair: Tim", "attendees", ["Ann Lee", "Bob Ray"]),
        ("Shirt\nColours: Red/Green/Blue", "colours", ["Red", "Green", "Blue"]),
        ("Ann Lee\nSkills: Python, Go,\nRust\nWeight: 60 kg", "skills", ["Python", "Go", "Rust"]),
        ("Ann Lee\n\nSkills:\n- Python\n- Go, a bit\n- Rust\n\nThe end.", "skills", ["Python", "Go, a bit", "Rust"]),
    ],
)  # fmt: skip
async def test_texts_that_are_listed_behind_their_label_are_cut_there(text: str, name: str, items: list[str]) -> None:
    assert await filled(pasted(text), **{name: TEXTS}) == {name: items}


async def test_each_text_of_a_list_has_its_place_and_the_lists_probability() -> None:
    filling = await fill(shape_of(skills=TEXTS), pasted("Name: Ann\nSkills: Python, Go, Rust"))
    assert filling is not None
    assert filling.scored is not None
    places = [filling.scored.place(("skills", at), item) for at, item in enumerate(filling.values["skills",])]
    assert [sorted(place.words) for place in places if place] == [[3], [4], [5]]
    assert len({place.probability for place in places if place}) == 1


@each_case(
    ("schema", "value"),
    [
        ({"type": ["array", "null"], "items": STRING}, None),
        ({"anyOf": [TEXTS, {"type": "null"}]}, None),
        ({**TEXTS, "maxItems": 3}, []),
    ],
)
async def test_a_list_of_which_nothing_is_found_is_empty_or_null(schema: dict[str, Any], value: Any) -> None:
    assert await filled(pasted("Patient: Ann Lee\nWeight: 60 kg"), allergies=schema) == {"allergies": value}


@each_case(
    ("name", "schema"),
    [
        ("allergies", {**TEXTS, "minItems": 1}),
        ("allergies", {"type": "array", "items": {"type": "string", "enum": ["nuts", "milk"]}}),
        ("allergies", {"type": "array", "items": {"type": "string", "format": "date"}}),
        ("allergies", {"type": "array", "items": NUMBER}),
        ("insights", TEXTS),
        ("lines", {**TEXTS, "description": "Describe the patient in a few lines."}),
    ],
)
async def test_other_lists_are_the_llms(name: str, schema: dict[str, Any]) -> None:
    assert await fill(shape_of(**{name: schema}), pasted("Patient: Ann Lee\nWeight: 60 kg")) is None


def test_the_table_of_names_is_well_formed() -> None:
    table = tomllib.loads(Path(copied.FILE).read_text("utf-8"))
    assert set(table) == {"results", "text", "counts", "prose"}
    for row in table["results"]:
        assert {"task", "names"} <= set(row) <= {"task", "key", "names"}
        assert row["task"] in TASK_NAMES
        assert all(fold(name) for name in row["names"].split(",")), row
    assert all(fold(name) for name in table["text"]["names"].split(","))
    assert set(table["counts"]) == {"words", "everything", "presence"}
