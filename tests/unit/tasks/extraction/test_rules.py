"""What fields are whatever the network makes of them: currencies, labels with nothing behind them, whose a line is."""

from typing import Any

import numpy as np
import pytest

from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.features import Matrix, field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tasks.extraction.rules import RIVAL_PENALTY, separate_rivals
from tasks.notation.currencies import currency_of, find_currencies, is_currency, may_be_in
from tests.conftest import each_case
from tests.entries import ground
from tests.filling import IBAN, NUMBER, OR_NULL, STRING, fill, filled, pasted, read, shape_of
from tests.unit.tasks.extraction.test_evidence import ocr


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


def test_a_bare_dollar_may_be_that_of_several_countries() -> None:
    assert may_be_in("$", "AUD")
    assert may_be_in("S$", "SGD")
    assert not may_be_in("S$", "AUD")
    assert not may_be_in("€", "USD")
    assert not may_be_in("12", "")
    assert currency_of("12 EUR") == ""


@each_case(
    ("word", "is_one"),
    [("RM", True), ("....RM", True), ("(chf)", True), ("…€", True), ("Rs.", True), ("RM5", False), ("...", False),
     ("Total", False)],
)  # fmt: skip
def test_a_word_is_a_currency_with_dots_and_brackets_around_it(word: str, is_one: bool) -> None:
    assert is_currency(word) is is_one


def apart(candidates: Candidates, names: tuple[str, ...], sure: str, by: float = 9.0) -> Matrix:
    """What the logits of fields with these names lose, where the first one is sure that it is `sure`, and the others
    that nothing answers them."""
    before = np.zeros((len(names), len(candidates.spans) + 1), np.float32)
    before[1:, -1] = by
    before[0, [at for at, span in enumerate(candidates.spans) if span.text == sure]] = by
    after = before.copy()
    fields = {at: field_text(STRING, names_of((name,), STRING)) for at, name in enumerate(names)}
    separate_rivals(after, fields, candidates)
    return before - after


def of_text(lost: Matrix, candidates: Candidates, text: str) -> float:
    return float(max(loss for loss, span in zip(lost, candidates.spans, strict=False) if span.text == text))


LETTER = find_candidates(passages_of([ocr("ACME WATERWORKS", "Anna Berg, Sales", "Department", "Bob Moor")]))


def test_what_one_field_is_sure_of_is_less_likely_to_be_anothers() -> None:
    first, other = apart(LETTER, ("signatory", "recipient"), "Anna Berg")
    assert of_text(other, LETTER, "Anna Berg") == pytest.approx(RIVAL_PENALTY, abs=0.2)
    assert RIVAL_PENALTY / 3 < of_text(other, LETTER, "Anna Berg, Sales") < of_text(other, LETTER, "Anna Berg")
    assert of_text(other, LETTER, "Bob Moor") < RIVAL_PENALTY / 4
    assert of_text(first, LETTER, "Anna Berg") < RIVAL_PENALTY / 4


@pytest.mark.parametrize("names", [("total", "grand_total"), ("total", "currency"), ("currency", "total")])
def test_fields_that_mean_the_same_and_currencies_share_their_places(names: tuple[str, ...]) -> None:
    page = find_candidates(passages_of([ocr("ACME BOOKS", "RM63.60", "RM70.00")]))
    assert np.allclose(apart(page, names, "RM63.60"), 0)


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


async def test_the_place_of_a_currency_is_no_less_that_of_its_amount() -> None:
    found = await filled(pasted("ACME BOOKS\nTotal RM63.60"), currency=STRING, total=NUMBER)
    assert found == {"currency": "RM", "total": 63.6}


@pytest.mark.parametrize(("value", "score"), [("RM", 1.0), ("MYR", 0.95)])
def test_a_code_is_supported_by_its_sign(value: str, score: float) -> None:
    found = ground({"currency": value}, [ocr("ACME BOOKS", ("Total", "RM63.60"))])
    assert found["evidence"]["/currency"]["text"] == "RM63.60"
    assert found["evidence"]["/currency"]["score"] == score
    assert ground({"currency": "CHF"}, [ocr(("Total", "RM63.60"))])["unsupported"] == ["/currency"]


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


async def test_a_title_is_no_part_of_a_name() -> None:
    assert await filled(pasted(CARD), first_name=STRING, last_name=STRING) == {
        "first_name": "Anna",
        "last_name": "Berg",
    }


async def test_numbers_on_a_card_are_told_apart_by_their_first_letters() -> None:
    assert await filled(pasted(CARD), phone=STRING, mobile=STRING, fax=STRING) == {
        "phone": "030 1234567",
        "mobile": "0171 7654321",
        "fax": "030 1234568",
    }


async def test_a_label_with_all_meanings_of_a_field_outweighs_a_label_with_one_of_them() -> None:
    lease = (
        "Residential lease for the flat at 12 Harbour Street, Leeds\n"
        "Landlord: Helen Cartwright, 4 Mill Lane, Leeds LS8 2QT\n"
        "Telephone of the landlord: 0113 496 0182\n"
        "Tenants: Priya Nair and Oliver Banks"
    )
    assert await filled(pasted(lease), landlord_phone_number=STRING) == {"landlord_phone_number": "0113 496 0182"}


async def test_a_text_without_an_at_sign_is_not_an_email_address() -> None:
    page = pasted("Landlord: Helen Cartwright, 4 Mill Lane\nTenants: Priya Nair and Oliver Banks")
    assert await filled(page, landlord_email=OR_NULL) == {"landlord_email": None}


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


@each_case(
    ("text", "vendor"),
    [
        ("Invoice 4711 from Acme, total 12.50 EUR", "Acme"),
        ("Invoice 4711 from Acme GmbH, total € 12.50, due 12 May 2024.", "Acme GmbH"),
        ("Total 12.50 EUR, due 12 May 2024", ""),
    ],
)
async def test_whom_a_sentence_says_something_is_from_is_its_sender(text: str, vendor: str) -> None:
    assert await filled(pasted(text), vendor=STRING) == {"vendor": vendor}


async def test_a_firm_and_whose_attention_a_letter_is_for_are_told_apart() -> None:
    text = "Client\nHarbour Foundation\nAttn: Bram Miller\nPO Box 218\nLeeds"
    assert await filled(pasted(text), attn=STRING) == {"attn": "Bram Miller"}
    found = await filled(pasted(text), client={"type": "object", "properties": {"name": STRING}})
    assert "Bram" not in str(found)


async def test_the_place_behind_a_birthday_is_that_of_the_birth() -> None:
    text = "Jörg Petersen\nGeboren: 02.08.1976 in Emden\nSchule in Leer\nWohnt in Oldenburg"
    assert await filled(pasted(text), geburtsort=STRING) == {"geburtsort": "Emden"}
