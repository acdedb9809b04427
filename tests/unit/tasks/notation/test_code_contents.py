"""What the texts of codes say."""

from tasks.notation.code_contents import MAX_CHARS, facts_of_code
from tests.conftest import each_case
from tests.kit.papers.printed_codes import LICENCE, PAYMENT, SWISS


def said(text: str, *, is_gs1: bool = False) -> dict[str, str]:
    return {fact.name: fact.text for fact in facts_of_code(text, is_gs1=is_gs1)}


def test_a_payment_code_names_the_account_and_the_amount() -> None:
    assert said(PAYMENT) == {
        "iban": "DE89370400440532013000",
        "bic": "COBADEFFXXX",
        "account_holder": "Nordlicht Energie GmbH",
        "seller": "Nordlicht Energie GmbH",
        "total": "128.40",
        "currency": "EUR",
        "payment_reference": "RF18539007547034",
    }


def test_a_swiss_bill_names_creditor_debtor_and_reference() -> None:
    assert said(SWISS) == {
        "iban": "CH4431999123000889012",
        "account_holder": "Robert Schneider AG",
        "seller": "Robert Schneider AG",
        "seller_address": "Rue du Lac 1268, 2501 Biel",
        "total": "1949.75",
        "currency": "CHF",
        "payer": "Pia Rutschmann",
        "customer": "Pia Rutschmann",
        "customer_address": "Grosse Marktgasse 28, 9400 Rorschach",
        "payment_reference": "210000000003139471430009017",
    }


def test_a_licence_says_its_elements() -> None:
    assert said(LICENCE) == {
        "last_name": "SAMPLE",
        "first_name": "JORDAN",
        "middle_name": "LEE",
        "name": "JORDAN LEE SAMPLE",
        "birth": "1973-01-07",
        "issue_date": "2027-02-01",
        "expiry": "2035-01-31",
        "licence_number": "D12345678",
        "licence_class": "D",
        "height": "065 in",
        "eye_colour": "BRO",
        "sex": "F",
        "street": "123 MAIN ST",
        "city": "PHOENIX",
        "state": "AZ",
        "postcode": "85001",
        "address": "123 MAIN ST, PHOENIX, AZ 85001",
        "issuing_country": "USA",
    }


def test_a_contact_says_who_and_how() -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nN:Doe;Jane;;;\nORG:Acme\\, Inc.\nTITLE:Buyer\nTEL;TYPE=CELL:+1 555 0100\n"
    card += "TEL;TYPE=WORK,FAX:+1 555 0102\nTEL;TYPE=WORK:+1 555 0101\nitem1.EMAIL:jane@acme.example\n"
    card += "ADR;TYPE=WORK:;;1 Main St;Boston;MA;02101;USA\nPHOTO;ENCODING=b:AAAA\nEND:VCARD"
    assert said(card) == {
        "last_name": "Doe",
        "first_name": "Jane",
        "name": "Jane Doe",
        "company": "Acme, Inc.",
        "job_title": "Buyer",
        "mobile": "+1 555 0100",
        "fax": "+1 555 0102",
        "telephone": "+1 555 0101",
        "email": "jane@acme.example",
        "address": "1 Main St, Boston MA 02101, USA",
    }
    assert said("MECARD:N:Doe,Jane;TEL:+15550100;;") == {
        "last_name": "Doe",
        "first_name": "Jane",
        "name": "Jane Doe",
        "telephone": "+15550100",
    }


def test_escaped_separators_part_no_value() -> None:
    card = said("BEGIN:VCARD\nN:Acme\\; Sons;Jane\\, Ann;;;\nADR:;;Main St 5\\; Apt 2;Boston;MA;02101;USA\nEND:VCARD")
    assert (card["last_name"], card["first_name"]) == ("Acme; Sons", "Jane, Ann")
    assert card["address"] == "Main St 5; Apt 2, Boston MA 02101, USA"
    assert said("BEGIN:VCARD\nORG:Acme\\; Sons;Sales\nEND:VCARD")["company"] == "Acme; Sons Sales"
    assert said("MECARD:N:Acme\\, Inc;;") == {"last_name": "Acme, Inc", "name": "Acme, Inc"}
    assert said("MECARD:N:Acme\\, Inc,Jane;;")["first_name"] == "Jane"
    assert said("MECARD:ADR:Main St 5\\; Apt 2, Boston;;")["address"] == "Main St 5; Apt 2, Boston"


def test_element_strings_say_article_batch_and_expiry() -> None:
    assert said("010400638133393110AB12\x1d17270200", is_gs1=True) == {
        "barcode": "04006381333931",
        "batch_number": "AB12",
        "expiry": "2027-02-28",
    }


@each_case(
    "text, number",
    [
        ("1Z999AA10123456784", "1Z999AA10123456784"),
        ("JD014600003SE00012", "JD014600003SE00012"),
        ("420902109405511899223197428490", "9405511899223197428490"),
        ("RR123456785SE", "RR123456785SE"),
        ("RR123456784SE", None),
        ("INV-2025-0117", None),
    ],
)
def test_numbers_of_parcels_are_known_by_their_form(text: str, number: str | None) -> None:
    assert said(text).get("tracking_number") == number


@each_case(
    "text",
    [
        "https://example.org/pay?iban=DE89370400440532013000",
        "BCD\n009\n1\nSCT",
        "@ANSI",
        "SPC\n0200\n1",
        "BEGIN:VCARD" + ":" * MAX_CHARS,
        "",
    ],
)
def test_other_and_broken_texts_say_nothing_more(text: str) -> None:
    assert not any(said(text).values())
