"""Values that are copied into fields: which of those on a page, codes, words for none, and lists."""

from typing import Any

import pytest

from tests.conftest import each_case
from tests.kit.papers.filling import BIC, IBAN, NUMBER, OR_NULL, STRING, fill, filled, pasted, read, shape_of
from tests.kit.papers.read_pages import ocr


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
        ("warranty_ends", STRING, ""),
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


@each_case(
    ("schema", "value"),
    [
        ({"type": "string", "format": "date-time"}, "2024-11-09T10:07:00"),
        ({"type": "string", "description": "YYYY-MM-DDTHH:MM"}, "2024-11-09T10:07"),
        ({"type": "string", "description": "local, AAAA-MM-DD HH:MM"}, "2024-11-09T10:07"),
        ({"type": "string", "format": "date"}, "2024-11-09"),
    ],
)
async def test_a_day_has_its_time_of_day_where_the_schema_asks_for_it(schema: dict[str, Any], value: str) -> None:
    text = pasted("Parking garage\nEntry: 09.11.2024, 10:07 Uhr\nTotal: 4,50 EUR")
    assert await filled(text, entry=schema) == {"entry": value}


@each_case(
    ("written", "value"),
    [
        ("2026-03-05T23:50:00Z", "2026-03-05T23:50:00+00:00"),
        ("2026-03-05T23:50:00.250+01:00", "2026-03-05T23:50:00.250000+01:00"),
        ("Thu, 05 Mar 2026 23:50:00 +0100", "2026-03-05T23:50:00+01:00"),
        ("2026-03-05 23:50 (UTC+1)", "2026-03-05T23:50:00+01:00"),
        ("05.03.2026 23:50 CET", "2026-03-05T23:50:00+01:00"),
    ],
)
async def test_a_moment_has_its_zone(written: str, value: str) -> None:
    text = pasted(f"Order 4711\nCreated at: {written}\nTotal: 5.00 EUR")
    schema = {"type": ["string", "null"], "format": "date-time"}
    assert await filled(text, created_at=schema) == {"created_at": value}


@each_case("written", ["2026-03-05T23:50:00+01:00", "2026-03-05T23:50:00Z", "2026-03-05T23:50:00.000-05:00"])
async def test_a_moment_is_not_cut_in_two(written: str) -> None:
    text = pasted(f"Order 4711\nCreated at: {written}\nTotal: 5.00 EUR")
    assert await filled(text, created_at={"type": ["string", "null"]}) == {"created_at": written}


@each_case(
    ("name", "written", "value"),
    [
        ("birth_date", "14.02.48", "1948-02-14"),
        ("birth_date", "14.02.12", "2012-02-14"),
        ("birth_date", "14.02.2048", "2048-02-14"),
        ("valid_until", "14.02.48", "2048-02-14"),
    ],
)
async def test_nobody_was_born_in_the_future(name: str, written: str, value: str) -> None:
    text = pasted(f"Birth date: {written}\nValid until: {written}\nHealth insurance card")
    assert await filled(text, **{name: {"type": "string", "format": "date"}}) == {name: value}


async def test_the_rows_of_a_table_are_a_list_of_objects() -> None:
    item = {"type": "object", "properties": {"description": STRING, "price": NUMBER}, "required": ["description"]}
    rows = [("Item", "Quantity", "Price"), ("Lamp", "1", "30.00"), ("Chair", "2", "33.60"), ("Total", "", "97.20")]
    page = ocr("ACME BOOKS", *[tuple(filter(None, row)) for row in rows])
    found = await filled(read(page=page), items={"type": "array", "items": item})
    assert found["items"] == [{"description": "Lamp", "price": 30.0}, {"description": "Chair", "price": 33.6}]


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


async def test_a_company_in_brackets_is_torn_at_none_of_them() -> None:
    page = ocr("GOLDEN BOOKS (M) SDN BHD (169609-A)", "NO. 5, JALAN SAGU 18", ("Total", "63.60"))
    company = (await filled(read(page=page), company=STRING))["company"]
    assert company in ("GOLDEN BOOKS (M) SDN BHD", "GOLDEN BOOKS (M) SDN BHD (169609-A)")


async def test_lines_that_are_joined_keep_their_commas() -> None:
    page = ocr("ACME BOOKS SDN BHD", "NO. 55, JALAN SAGU 18,", "TAMAN DAYA,", "81100 JOHOR BAHRU.", ("Total", "63.60"))
    found = await filled(read(page=page), company=STRING, address=STRING, total=NUMBER)
    assert found["address"] == "NO. 55, JALAN SAGU 18, TAMAN DAYA, 81100 JOHOR BAHRU"


async def test_the_end_of_a_code_is_no_date() -> None:
    assert await filled(read(page=ocr("HC03-7 - 15", "12-01-19 21:13")), date=STRING) == {"date": "12-01-19"}


async def test_the_currency_is_no_part_of_an_amount_unless_it_is_wanted() -> None:
    page = ocr(("Total", "RM 63.60"))
    assert await filled(read(page=page), total=STRING) == {"total": "63.60"}
    wanted = {"type": "string", "pattern": "^RM"}
    assert await filled(read(page=page), total=wanted) == {"total": "RM 63.60"}


@each_case(
    ("text", "values"),
    [
        (f"ACME GmbH\nIBAN: {IBAN} BIC: {BIC}. Delivery within 30 days.", (IBAN, BIC)),
        (f"ACME GmbH\nPay to {IBAN} at the\nSWIFT code COBADEFF", (IBAN, "COBADEFF")),
        # A wrong check digit: nothing but its label says that it is one.
        ("ACME GmbH\nIBAN: DE89 3704 0044 0532 0130 01\nTotal: 30.00 EUR", ("DE89 3704 0044 0532 0130 01", None)),
        # … nothing but its length.
        ("ACME GmbH\nNL05ABNA4743745966\nTotal: 30.00 EUR", ("NL05ABNA4743745966", None)),
        ("ACME GmbH\nNL05ABNA47437459667\nTotal: 30.00 EUR", (None, None)),
        ("ACME GmbH\nVAT ID: DE123456789\nBank: 30\nPayable within 30 days\nTotal: 12.00 EUR", (None, None)),
        ("ACME GmbH\nIBAN: on request\nBIC: 30\nTotal: 12.00 EUR", (None, None)),
    ],
)
async def test_codes_of_accounts_and_banks_are_such_codes(text: str, values: tuple[str | None, str | None]) -> None:
    found = await filled(pasted(text), iban=OR_NULL, swift_code=OR_NULL)
    assert tuple(found.values()) == values


@each_case("said", ["n/a", "N/A", "none", "-", "—", "--"])
async def test_what_says_that_there_is_none_is_no_value(said: str) -> None:
    contact = pasted(f"ACME GmbH\nPhone: 030 1234567\nFax: {said}\nEmail: a@b.example")
    assert await filled(contact, phone=STRING, fax=OR_NULL) == {"phone": "030 1234567", "fax": None}


TEXTS = {"type": "array", "items": STRING}


@each_case(
    ("text", "name", "items"),
    [
        ("Name: Ann\nSkills: Python, Go, Rust\nTags: a, b", "skills", ["Python", "Go", "Rust"]),
        ("Skills: Python, Go, Rust\nTags: a, b", "tags", ["a", "b"]),
        ("Skills: C#, .NET", "skills", ["C#", ".NET"]),
        ("Patient: Ann Lee\nAllergies: Penicillin, peanuts\nWeight: 60 kg", "allergies", ["Penicillin", "peanuts"]),
        ("Patient: Ann Lee\nAllergies: None\nWeight: 60 kg", "allergies", []),
        ("Patient: Ann Lee\nWeight: 60 kg", "allergies", []),
        ("Salad\nIngredients: oil (sun, olive), 1,5 g salt, and water", "ingredients",
         ["oil (sun, olive)", "1,5 g salt", "water"]),
        ("On birds\nAuthors: Lee, Ann; Ray, Bob", "authors", ["Lee, Ann", "Ray, Bob"]),
        ("Shirt\nColours: Red / Green / Blue", "colours", ["Red", "Green", "Blue"]),
        ("Attendees: Ann Lee, Bob Ray; Chair: Tim", "attendees", ["Ann Lee", "Bob Ray"]),
        ("Ann Lee\nSkills: Python, Go,\nRust\nWeight: 60 kg", "skills", ["Python", "Go", "Rust"]),
        ("Ann Lee\n\nSkills:\n- Python\n- Go, a bit\n- Rust\n\nThe end.", "skills", ["Python", "Go, a bit", "Rust"]),
    ],
)  # fmt: skip
async def test_texts_that_are_listed_behind_their_label_are_cut_there(text: str, name: str, items: list[str]) -> None:
    assert await filled(pasted(text), **{name: TEXTS}) == {name: items}


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


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        (["Gewicht: 1.362 kg", "Betrag: 12,50 €", "Summe: 1.045,00 €"], [1362.0, 12.5, 1045.0]),
        (["Weight: 1.362 kg", "Amount: 12.50", "Sum: 1,045.00"], [1.362, 12.5, 1045.0]),
        (["Gewicht: 1.362 kg", "Betrag: 9.800 €", "Summe: 9.900 €"], [1362.0, 9800.0, 9900.0]),
        (["Weight: 1.362 kg", "Amount: 12,50", "Sum: 14.00"], [1.362, 12.5, 14.0]),
    ],
)
async def test_three_figures_behind_a_sign_are_read_as_the_page_writes_its_other_numbers(
    lines: list[str], values: list[float]
) -> None:
    names = [line.partition(":")[0].lower() for line in lines]
    found = await filled(pasted("\n".join(["Extract it:", *lines])), **dict.fromkeys(names, NUMBER))
    assert [found[name] for name in names] == values


async def test_a_number_that_may_be_a_text_is_a_number() -> None:
    """As pydantic writes a `Decimal`."""
    decimal = {"anyOf": [NUMBER, STRING]}
    lines = "Extract it:\nTotal: EUR 197.40\nDeposit: EUR 20.00"
    nullable = {"anyOf": [*decimal["anyOf"], {"type": "null"}]}
    assert await filled(pasted(lines), total=decimal, deposit=nullable) == {"total": 197.4, "deposit": 20.0}


async def test_a_sign_is_left_out_where_the_schema_permits_no_negative_number() -> None:
    text = pasted("Market value: 5,450.00\nDeposit: -1,000.00")
    assert await filled(text, deposit=NUMBER) == {"deposit": -1000}
    assert await filled(text, deposit={**NUMBER, "minimum": 0}) == {"deposit": 1000}


@each_case(
    ("printed", "value"),
    [
        ("20H30", "20:30"),
        ("7:05", "07:05"),
        ("9 Uhr", "09:00"),
        ("8.15 pm", "20:15"),
        ("om 19.30", "19:30"),
    ],
)
async def test_a_description_asks_for_hours_and_minutes(printed: str, value: str) -> None:
    schema = {"type": "string", "description": "HH:MM"}
    assert await filled(pasted(f"Hall: West\nStart: {printed}\nSeats: 14"), start=schema) == {"start": value}
