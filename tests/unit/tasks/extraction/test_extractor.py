"""Pieces of what was read, how they are chosen from, and lists of objects put together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tasks.extraction.candidates import Candidates, find_candidates
from tasks.extraction.choice import ChosenValue, choose_values
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import read_object_list
from tasks.extraction.passages import passages_to_search
from tasks.extraction.probability import FieldScores
from tasks.schema.paths import JsonPath
from tests.kit.papers.read_pages import ocr

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def read(*rows: Any) -> Candidates:
    return find_candidates(passages_to_search([ocr(*rows)]))


def texts_of(candidates: Candidates, kind: str) -> set[str]:
    return {span.text for span in candidates.spans if span.kind == kind}


def wanted(
    path: tuple[str, ...], schema: Mapping[str, Any], *, null: bool = False, in_list: bool = False
) -> WantedField:
    kinds = (str,) if schema["type"] == "string" else (int, float)
    names = names_of(path, schema)
    return WantedField(
        path, schema, names, lambda value: isinstance(value, kinds) or (null and value is None), False, in_list
    )


Logits = Sequence[tuple[WantedField, Mapping[str, float]]]


def scored(candidates: Candidates, fields: Logits, none: float = 0.0) -> FieldScores:
    """As if a network gave these logits to the spans of these texts, and −9 to all others."""
    logits = np.full((len(fields), len(candidates.spans) + 1), -9, np.float32)
    for row, (_, known) in enumerate(fields):
        logits[row, -1] = none
        for at, span in enumerate(candidates.spans):
            logits[row, at] = known.get(span.text, -9)
    return FieldScores(candidates, [field for field, _ in fields], logits)


def chosen(by: FieldScores) -> dict[JsonPath, ChosenValue]:
    return choose_values(by)


def test_values_lines_and_what_stands_behind_a_colon_are_pieces() -> None:
    candidates = read(
        "ACME BOOKS (M) SDN BHD (789417-W)", "Date: 25/12/2018 8:13", ("Total", "RM 63.60"), "Mail: a@b.example"
    )
    assert "25/12/2018" in texts_of(candidates, "day")
    assert "8:13" in texts_of(candidates, "time")
    assert "RM 63.60" in texts_of(candidates, "number")
    assert "a@b.example" in texts_of(candidates, "email")
    assert "ACME BOOKS (M) SDN BHD" in texts_of(candidates, "piece")
    assert "25/12/2018 8:13" in texts_of(candidates, "part")
    [total] = [span for span in candidates.spans if span.kind == "number" and span.text == "RM 63.60"]
    assert total.label == "Total"


def test_of_places_that_say_the_same_the_chances_are_added() -> None:
    candidates = read("Total 9.00", "Cash 9.00", "Tax 8.00")
    field = wanted(("total",), NUMBER)
    choice = chosen(scored(candidates, [(field, {"9.00": 0.0, "8.00": 0.4})], none=-9))[("total",)]
    assert choice.value == 9.0
    assert choice.probability == pytest.approx(2 / (2 + np.exp(0.4)), abs=0.01)


def test_two_fields_do_not_take_the_same_place_if_there_is_another() -> None:
    candidates = read("ACME BOOKS", "Jane Doe")
    company, cashier = wanted(("company",), STRING), wanted(("cashier",), STRING)
    logits = [(company, {"ACME BOOKS": 5.0, "Jane Doe": 2.0}), (cashier, {"ACME BOOKS": 3.0, "Jane Doe": 2.5})]
    found = chosen(scored(candidates, logits, none=-9))
    assert [found[field.path].value for field in (company, cashier)] == ["ACME BOOKS", "Jane Doe"]


def test_what_nothing_answers_is_null_or_an_empty_text() -> None:
    candidates = read("ACME BOOKS", "Total 9.00")
    fields = [wanted(("iban",), STRING, null=True), wanted(("fax",), STRING)]
    found = chosen(scored(candidates, [(field, {"ACME BOOKS": 0.0, "9.00": 0.0}) for field in fields], none=6.0))
    assert [found[field.path].value for field in fields] == [None, ""]


def test_what_must_be_there_and_is_improbable_is_marked() -> None:
    candidates = read("ACME BOOKS", "Total 9.00")
    tax, day = wanted(("tax",), NUMBER), wanted(("paid_on",), {"type": "string", "format": "date"})
    found = chosen(scored(candidates, [(tax, {"9.00": 0.0}), (day, {"9.00": 0.0})], none=9.0))
    assert (found[tax.path].value, found[tax.path].is_demanded) == (9, True)
    assert day.path not in found


@pytest.mark.parametrize(
    ("rows", "schema", "value"),
    [
        (["Total 1.234,50"], NUMBER, 1234.5),
        (["Total 1,234"], NUMBER, 1234),
        (["Rate 6%"], NUMBER, 6),
        (["Rate 6%"], STRING, "6"),
        (["Due 03/14/2019", "Sent 04/05/2019"], {"type": "string", "format": "date"}, "2019-04-05"),
        (["Due 14/03/2019", "Sent 04/05/2019"], {"type": "string", "format": "date"}, "2019-05-04"),
    ],
)
def test_values_are_written_as_the_schema_asks(rows: list[str], schema: dict[str, Any], value: Any) -> None:
    candidates = read(*rows)
    field = wanted(("field",), schema)
    known: dict[str, float] = {}
    last = [span for span in candidates.spans if span.kind in ("number", "day")][-1]
    known[last.text] = 5.0
    assert chosen(scored(candidates, [(field, known)]))[("field",)].value == value


def items(candidates: Candidates, cells: Mapping[str, Mapping[str, float]], **schemas: Any) -> list[dict[str, Any]]:
    fields = [
        (wanted(("items", name), schemas.get(name, NUMBER), in_list=True), known) for name, known in cells.items()
    ]
    return read_object_list(scored(candidates, fields), ("items",)).rows


def test_the_rows_of_a_table_are_objects() -> None:
    candidates = read(("Lamp", "1", "30.00"), ("Chair", "2", "33.60"), ("Total", "63.60"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0},
        "quantity": {"1": 3.0, "2": -1.0},
        "price": {"30.00": 3.0, "33.60": 3.0},
    }
    assert items(candidates, cells, name=STRING) == [
        {"name": "Lamp", "quantity": 1, "price": 30.0},
        {"name": "Chair", "quantity": 2, "price": 33.6},
    ]


def test_what_items_come_to_is_no_item() -> None:
    candidates = read(("Lamp", "30.00"), ("Chair", "33.60"), ("Total", "63.60"), ("Change", "6.40"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0, "Total": 2.0, "Change": 2.0},
        "price": {"30.00": 3.0, "33.60": 3.0, "63.60": 2.0, "6.40": 2.0},
    }
    assert [item["name"] for item in items(candidates, cells, name=STRING)] == ["Lamp", "Chair"]
