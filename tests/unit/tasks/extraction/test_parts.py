"""How names and addresses come apart, and that fields for their parts get them."""

from typing import Any

import pytest

from tasks.extraction.parts import parts_of_name, places_in
from tests.kit.papers.filling import STRING, filled, read
from tests.kit.papers.read_pages import ocr


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Priya Moore", "Priya", "Moore"), ("Dupont, Sophie", "Sophie", "Dupont"),
        ("DUPONT Sophie", "Sophie", "DUPONT"), ("Dr. Anna van den Berg", "Anna", "van den Berg"),
        ("Wei Jie bin Yusof", "Wei Jie", "bin Yusof"), ("Mary Ann O'Brien", "Mary Ann", "O'Brien"),
        ("D.ª Remedios Olmo", "Remedios", "Olmo"), ("Pani Anna Nowak", "Anna", "Nowak"),
        ("Dott.ssa Carla Neri", "Carla", "Neri"), ("Mw. drs. J. Bakker", "J.", "Bakker"),
        ("MOTA DA SILVA/RITA MRS", "RITA", "MOTA DA SILVA"),
    ],
)  # fmt: skip
def test_a_full_name_has_two_parts(name: str, first: str, last: str) -> None:
    assert parts_of_name(name) == {"first_name": first, "last_name": last}


@pytest.mark.parametrize("text", ["Lee", "Acme 24 Ltd", "a@b.example", "", "one two three four five six seven eight"])
def test_what_is_no_full_name_has_none(text: str) -> None:
    assert parts_of_name(text) == {}


@pytest.mark.parametrize(
    ("line", "city", "postcode", "state"),
    [
        ("69073 Lyon", "Lyon", "69073", None),
        ("1234 AB Amsterdam", "Amsterdam", "1234 AB", None),
        ("Hauptstr. 12, 79098 Freiburg im Breisgau", "Freiburg im Breisgau", "79098", None),
        ("88, Persiaran Wawasan. 41781 Klang, Selangor", "Klang", "41781", "Selangor"),
        ("Corso Garibaldi 94 - 20131 MILANO MI", "MILANO", "20131", "MI"),
        ("50553-003 Recife/PE", "Recife", "50553-003", "PE"),
        ("42 2nd Avenue Austin, TX 78792", "Austin", "78792", "TX"),
        ("1 Main St, San Francisco, CA 94105-1234", "San Francisco", "94105-1234", "CA"),
        ("St. Louis, MO 63101", "St. Louis", "63101", "MO"),
        ("Toronto, ON M5V 2T6", "Toronto", "M5V 2T6", "ON"),
        ("2017 Commerce Way, Reading RG5 9VR", "Reading", "RG5 9VR", None),
        ("Unit 7, Albert Terrace Leeds, West Yorkshire LS2 9HM", "Leeds", "LS2 9HM", "West Yorkshire"),
    ],
)
def test_the_line_of_a_postcode_has_its_city(line: str, city: str, postcode: str, state: str | None) -> None:
    said = {name: line[begin:end] for name, (begin, end) in places_in(line).items() if name != "street"}
    assert said == {"city": city, "postcode": postcode} | ({"state": state} if state else {})


@pytest.mark.parametrize(
    ("line", "street"),
    [
        ("Hauptstr. 12, D-79098 Freiburg", "Hauptstr. 12"),
        ("VIA FRATELLI CERVI 58 INT. 4 44011 ARGENTA (FE)", "VIA FRATELLI CERVI 58 INT. 4"),
        ("Tivolivägen 22 B, lgh 1203, 852 40 Sundsvall", "Tivolivägen 22 B, lgh 1203"),
        ("Verstraeten bv, Kerkstraat 118, 9120 Beveren", "Kerkstraat 118"),
        ("Adres: ul. Towarowa 35, 61-896 Poznań", "ul. Towarowa 35"),
        ("Acme Ltd, 12 High Street, Leeds LS2 9HM", "12 High Street"),
        ("69073 Lyon", None),
        ("Dr. Berg, 69073 Lyon", None),
        ("Ref 12-345 Foo", None),
    ],
)
def test_the_street_before_a_postcode_has_its_number(line: str, street: str | None) -> None:
    begin, end = places_in(line).get("street", (0, 0))
    assert line[begin:end] == (street or "")


FORM = (
    "Membership application",
    ("Full name", "Sophie Dupont"),
    ("Address", "32, rue de la République"),
    "69073 Lyon",
    ("E-mail", "sd@example.org"),
)


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        (("first_name", "last_name", "city", "postcode"), ("Sophie", "Dupont", "Lyon", "69073")),
        (("surname", "town", "zip_code"), ("Dupont", "Lyon", "69073")),
        (("full_name",), ("Sophie Dupont",)),
    ],
)
async def test_fields_for_parts_are_cut_from_the_whole(fields: tuple[str, ...], values: tuple[str, ...]) -> None:
    schema: dict[str, Any] = dict.fromkeys(fields, STRING)
    assert tuple((await filled(read(page=ocr(*FORM)), **schema)).values()) == values


async def test_an_address_beside_a_city_is_the_street_alone() -> None:
    page = ocr(("Name", "Sophie Dupont"), ("Address", "Hauptstr. 12, 79098 Freiburg"), ("E-mail", "sd@example.org"))
    found = await filled(read(page=page), address=STRING, city=STRING, postcode=STRING)
    assert found == {"address": "Hauptstr. 12", "city": "Freiburg", "postcode": "79098"}
    whole = "Hauptstr. 12, 79098 Freiburg"
    assert await filled(read(page=page), address=STRING) == {"address": whole}
    found = await filled(read(page=page), full_address=STRING, city=STRING)
    assert found == {"full_address": whole, "city": "Freiburg"}


async def test_a_label_of_its_own_goes_before_the_whole() -> None:
    page = ocr(("Name", "Jean-Pierre Roy Martin"), ("First name", "Jean-Pierre Roy"), ("Surname", "Martin"))
    assert await filled(read(page=page), first_name=STRING, last_name=STRING) == {
        "first_name": "Jean-Pierre Roy",
        "last_name": "Martin",
    }


NAMES = {"vorname": STRING, "nachname": STRING}


@pytest.mark.parametrize(
    ("label", "printed", "first", "last"),
    [
        ("Patient", "Frau Johanna Lindqvist", "Johanna", "Lindqvist"),
        ("Name, Vorname", "LINDQVIST JOHANNA", "JOHANNA", "LINDQVIST"),
        ("Patient", "LINDQVIST Johanna", "Johanna", "LINDQVIST"),
    ],
)
async def test_a_full_name_is_divided_between_both_fields(label: str, printed: str, first: str, last: str) -> None:
    page = ocr("Praxis am Markt", (label, printed), ("Datum", "12.03.2025"), ("Diagnose", "Husten"))
    assert await filled(read(page=page), **NAMES) == {"vorname": first, "nachname": last}
