"""Blocks of lines, whom they belong to, and the fields of one object."""

import pytest

from models.fair_executor import all_of
from tasks.extraction.addressees import has_form_of_address
from tasks.extraction.blocks import party_of_field
from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_of
from tasks.extraction.rules import are_cut
from tests.conftest import each_case
from tests.filling import STRING, fill, filled, pasted, shape_of
from tests.unit.tasks.extraction.test_evidence import ocr


def read(*rows: str | tuple[str, ...]) -> Candidates:
    return all_of(find_candidates(passages_of([ocr(*rows)])))


@each_case(
    ("path", "party"),
    [
        ("seller city", "seller"),
        ("opdrachtgever naam", "customer"),
        ("zleceniobiorca adres", "seller"),
        ("company name", "seller"),
        ("period start", ""),
    ],
)
def test_the_object_around_a_field_names_its_party(path: str, party: str) -> None:
    assert party_of_field(field_text(STRING, names_of(tuple(path.split()), STRING))) == party


@each_case(
    ("line", "has"),
    [
        ("Herrn Jan Moor", True),
        ("Spett.le", True),
        ("Exmo.(s) Sr.(s)", True),
        ("t.a.v. Anna Berg", True),
        ("Panini Bar", False),
        ("Sigma AG", False),
    ],
)
def test_an_addressees_line_begins_with_a_form_of_address(line: str, has: bool) -> None:
    assert has_form_of_address(line) is has


def test_without_labels_the_top_of_a_page_is_its_senders_and_a_block_with_a_form_of_address_the_addressees() -> None:
    gap: list[tuple[str, ...]] = [()] * 3
    body = ["It has been a good year."] * 9
    page = read("Acme Waterworks", *gap, "Mrs Anna Berg", "12 Mill Lane", *gap, *body)
    parties = {segment.text: party for segment, party in zip(page.segments, page.parties, strict=True)}
    assert parties["Acme Waterworks"] == "from"
    assert parties["12 Mill Lane"] == "to"
    assert parties["It has been a good year."] == ""


@each_case(
    ("line", "text", "is_cut"),
    [
        ("SIRET 412 055 178 00034", "412 055 178", True),
        ("SIRET 412 055 178 00034", "412 055 178 00034", False),
        ("Lab No 25K.0417733", "0417733", True),
        ("Lab No 25K.0417733", "25K.0417733", False),
        ("ATCUD:JFX5K2WQ-1187", "JFX5K2WQ-1187", False),
    ],
)
def test_a_piece_of_a_code_is_not_the_code(line: str, text: str, is_cut: bool) -> None:
    page = read(line)
    cut = [bool(one) for span, one in zip(page.spans, are_cut(page), strict=True) if span.text == text]
    assert cut
    assert set(cut) == {is_cut}


async def test_an_account_in_groups_is_an_iban_though_its_check_digits_are_wrong() -> None:
    text = "Banco do Norte IBAN PT50 0555 0000 4417 7820 1549 9 - our goods remain ours until they are paid."
    assert await filled(pasted(text), iban=STRING) == {"iban": "PT50 0555 0000 4417 7820 1549 9"}


@pytest.mark.parametrize("first", ["admission", "discharge"])
async def test_a_heading_that_names_the_object_decides_between_two_objects_with_the_same_fields(first: str) -> None:
    parts = {
        "admission": "ON ADMISSION\nPale and tired.\nWeight: 10.4 kg, pulse 158.",
        "discharge": "ON DISCHARGE\nBreathes easily.\nWeight: 10.1 kg, pulse 118.",
    }
    own = [parts.pop(first), *parts.values()]
    weight = {"type": "object", "properties": {"weight_kg": {"type": ["number", "null"]}}, "required": ["weight_kg"]}
    schema = shape_of(vitals_admission=weight, vitals_discharge=weight)
    filling = await fill(schema, pasted("\n\n".join(["Report", *own])))
    assert filling is not None
    assert filling.values == {("vitals_admission", "weight_kg"): 10.4, ("vitals_discharge", "weight_kg"): 10.1}
