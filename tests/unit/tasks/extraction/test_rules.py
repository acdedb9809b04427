"""What fields are whatever the network makes of them: currencies, labels with nothing behind them, whose a line is."""

from typing import Any

from tasks.notation.currencies import find_currencies
from tests.conftest import each_case
from tests.kit.papers.filling import IBAN, OR_NULL, STRING, fill, filled, pasted, read, shape_of
from tests.kit.papers.read_pages import ocr


@each_case(
    ("text", "codes"),
    [
        ("RM 12.50, then 3 EUR", ["MYR", "EUR"]),
        ("US$5 and R$5, $5, 5€", ["USD", "BRL", "USD", "EUR"]),
        ("RM12.50 FARM 5 EUROPE", ["MYR"]),
        ("a sum of 12.50", []),
    ],
)
def test_currencies_are_signs_and_codes_that_stand_by_themselves_or_touch_a_figure(text: str, codes: list[str]) -> None:
    assert [one.code for one in find_currencies(text)] == codes


@each_case(
    ("text", "schema", "value"),
    [
        ("Invoice 4711 from Acme, total 12.50 EUR", STRING, "EUR"),
        ("Invoice 4711 from Acme, total € 12.50", STRING, "€"),
        ("ACME BOOKS\nTotal RM63.60\nCash RM70.00", STRING, "RM"),
        ("ACME BOOKS\nTotal: USD 99.00", OR_NULL, "USD"),
        ("ACME BOOKS\nTotal: 99.00", OR_NULL, None),
        ("Total: 99.00 €", {"type": "string", "description": "ISO 4217 code"}, "EUR"),
        ("Total: 99.00 €", {"type": "string", "pattern": "^[A-Z]{3}$"}, "EUR"),
        ("Total: 99.00 €", {"type": "string", "enum": ["USD", "EUR"]}, "EUR"),
        ("Total: $99.00", {"type": "string", "enum": ["AUD", "EUR"]}, "AUD"),
        ("Flight $ 99.00\nTax $ 9.00\nHotel $ 50.00\nCurrency: EUR", STRING, "EUR"),
    ],
)
async def test_a_currency_is_the_sign_or_the_code_beside_amounts(text: str, schema: dict[str, Any], value: Any) -> None:
    assert await filled(pasted(text), currency=schema) == {"currency": value}


PERSON = "First name: Anna\nMiddle name:\nLast name: Berg\nFax:\nPhone: 030 1234567"


async def test_a_label_with_nothing_behind_it_leaves_its_field_empty() -> None:
    names = {"first_name": STRING, "middle_name": STRING, "last_name": STRING, "phone": STRING}
    assert await filled(pasted(PERSON), **names, fax=OR_NULL) == {
        "first_name": "Anna",
        "middle_name": "",
        "last_name": "Berg",
        "phone": "030 1234567",
        "fax": None,
    }


async def test_a_value_below_its_label_or_beside_it_is_behind_it() -> None:
    below = "Registration form\nMiddle name:\nMaria\nLast name:\nBerg"
    assert await filled(pasted(below), middle_name=STRING) == {"middle_name": "Maria"}
    beside = ocr("Registration form", ("Middle name:", "Maria"), ("Last name:", "Berg"))
    found = await filled(read(page=beside), middle_name=STRING)
    assert found == {"middle_name": "Maria"}


MAIL = """From: Anna Berg <anna@berg.example>
To: Bob Stone <bob@stone.example>
Subject: Lunch
Date: 3 May 2024

Hi Bob,
lunch on Friday at 12:30?
Anna"""


async def test_whose_an_address_is_the_head_of_a_mail_says() -> None:
    fields = ("sender", "sender_email", "recipient", "recipient_email")
    assert await filled(pasted(MAIL), **dict.fromkeys(fields, STRING)) == {
        "sender": "Anna Berg",
        "sender_email": "anna@berg.example",
        "recipient": "Bob Stone",
        "recipient_email": "bob@stone.example",
    }


CARD = "Dr Anna Berg\nCardiologist\nT 030 1234567\nM 0171 7654321\nF 030 1234568"


async def test_numbers_on_a_card_are_told_apart_by_their_first_letters() -> None:
    assert await filled(pasted(CARD), phone=STRING, mobile=STRING, fax=STRING) == {
        "phone": "030 1234567",
        "mobile": "0171 7654321",
        "fax": "030 1234568",
    }


async def test_a_code_with_wrong_check_digits_is_improbable() -> None:
    wrong = f"{IBAN[:-1]}1"
    chances = []
    for code in (IBAN, wrong):
        filling = await fill(shape_of(iban=STRING), pasted(f"ACME GmbH\nIBAN: {code}\nTotal: 30.00 EUR"))
        assert filling is not None
        assert filling.copied.scored is not None
        assert filling.values["iban",] == code
        place = filling.copied.scored.place(("iban",), code)
        assert place is not None
        chances.append(place.probability)
    right, other = chances
    assert other < right / 5
