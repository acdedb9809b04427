"""A label is divided from the value that touches it, so that the value is whole."""

from collections.abc import Mapping
from typing import Any

from models.fair_executor import all_of
from tasks.extraction.touching_cells import with_divided_cells
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, TEXT, read_field

FIELDS = "Field,Value\nCity,New York\nReference,RF 18 5390\n"
AMOUNTS = 'Item,Amount\nNet,"1,628.00"\nVAT,"325.60"\nTotal,"1,953.60"\n'
GERMAN = "Feld;Wert\nKunde;Zahnarztpraxis Dr. Weber\nGesamtbetrag;1.953,60\n"


def divided(text: str) -> str:
    lines = [SourceLine(tuple(line.split()), "/text", {}, written=line) for line in text.splitlines()]
    found = all_of(with_divided_cells(lines))
    assert all(line.words == tuple(line.written.split()) for line in found)
    return "\n".join(line.written for line in found)


@each_case(
    ("text", "with_tabs"),
    [
        ("CUSTOMER=Maria Lopez", "CUSTOMER\tMaria Lopez"),
        ("Total....753.60", "Total\t753.60"),
        ("Customer│Maria Lopez", "Customer\tMaria Lopez"),
        ("Customer,Maria Lopez\nCity,Rome\nNote,", "Customer\tMaria Lopez\nCity\tRome\nNote\t"),
        ('Net,"1,628.00"\nVAT,"325.60"\nPaid,0', 'Net\t"1,628.00"\nVAT\t"325.60"\nPaid\t0'),
        ("Title\nA;1\nB;2\nC;3\nThe end", "Title\nA\t1\nB\t2\nC\t3\nThe end"),
    ],
)
def test_a_tab_takes_the_place_of_the_sign(text: str, with_tabs: str) -> None:
    assert divided(text) == with_tabs


@each_case(
    "text",
    [
        *("a == b", "a=>b", "Wait...what", "x = 5", "https://example.com/?a=b", "1.5=3/2"),
        "Dear Ann,\nthe keys are,as agreed,here\nBest,Tom",
        "Ball pen 56,50\nPaper 12,00\nInk 3,75",
        "Name,City,Age\nAnn,Rome,5\nBob,Oslo,6",
        "Rome, Italy\nOslo, Norway\nBern, Switzerland",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert divided(text) == text


@each_case(
    ("text", "name", "schema", "value"),
    [
        (FIELDS, "city", TEXT, "New York"),
        (FIELDS, "reference", TEXT, "RF 18 5390"),
        (AMOUNTS, "net", NUMBER, 1628),
        (AMOUNTS, "total", NUMBER, 1953.6),
        (GERMAN, "customer_name", TEXT, "Zahnarztpraxis Dr. Weber"),
        (GERMAN, "total", NUMBER, 1953.6),
        ("INVOICE_NUMBER=NF-2026-0417\nCUSTOMER=Maria Lopez\nTOTAL=753.60\n", "customer", TEXT, "Maria Lopez"),
        ("Customer....Maria Lopez\nPatient....Peter Schmidt\n", "patient", TEXT, "Peter Schmidt"),
    ],
)
async def test_a_field_has_the_whole_value(text: str, name: str, schema: Mapping[str, Any], value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value
