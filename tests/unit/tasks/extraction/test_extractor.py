"""Pieces of what was read, how they are chosen from, and lists of objects put together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tasks.extraction.candidates import Candidates, CandidateSpan, find_candidates
from tasks.extraction.choice import chosen
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import items_of
from tasks.extraction.passages import passages_of
from tasks.extraction.probability import CalibrationInput, FieldScores, probability
from tests.entries import entry_of
from tests.unit.tasks.extraction.test_evidence import ocr

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def read(*rows: Any) -> Candidates:
    return find_candidates(passages_of([ocr(*rows)]))


def texts_of(reading: Candidates, kind: str) -> set[str]:
    return {span.text for span in reading.spans if span.kind == kind}


def wanted(
    path: tuple[str, ...], schema: Mapping[str, Any], *, null: bool = False, in_list: bool = False
) -> WantedField:
    kinds = (str,) if schema["type"] == "string" else (int, float)
    names = names_of(path, schema)
    return WantedField(
        path, schema, names, lambda value: isinstance(value, kinds) or (null and value is None), False, in_list
    )


Logits = Sequence[tuple[WantedField, Mapping[str, float]]]


def scored(reading: Candidates, fields: Logits, none: float = 0.0) -> FieldScores:
    """As if a network gave these logits to the spans of these texts, and −9 to all others."""
    logits = np.full((len(fields), len(reading.spans) + 1), -9, np.float32)
    for row, (_, known) in enumerate(fields):
        logits[row, -1] = none
        for at, span in enumerate(reading.spans):
            logits[row, at] = known.get(span.text, -9)
    return FieldScores(reading, [field for field, _ in fields], logits)


def test_values_lines_and_what_stands_behind_a_colon_are_pieces() -> None:
    reading = read(
        "ACME BOOKS (M) SDN BHD (789417-W)", "Date: 25/12/2018 8:13", ("Total", "RM 63.60"), "Mail: a@b.example"
    )
    assert "25/12/2018" in texts_of(reading, "day")
    assert "8:13" in texts_of(reading, "time")
    assert "RM 63.60" in texts_of(reading, "number")
    assert "a@b.example" in texts_of(reading, "email")
    assert "ACME BOOKS (M) SDN BHD" in texts_of(reading, "piece")
    assert "25/12/2018 8:13" in texts_of(reading, "part")
    [total] = [span for span in reading.spans if span.kind == "number" and span.text == "RM 63.60"]
    assert total.label == "Total"


def test_lines_that_stand_together_are_one_piece() -> None:
    reading = read("Ship to: 12 Main Street", "Springfield, 12345", "USA")
    assert {"12 Main Street Springfield, 12345", "12 Main Street Springfield, 12345 USA"} <= texts_of(reading, "block")
    apart = find_candidates(
        passages_of([entry_of("scraper", {"text": "ACME"}), entry_of("scraper", {"text": "Total"})])
    )
    assert not texts_of(apart, "block")


def test_a_piece_knows_its_neighbours() -> None:
    reading = read(("Invoice", "Date"), ("INV 7", "2020"))
    texts = [segment.text for segment in reading.segments]
    number, year = reading.segments[texts.index("INV 7")], reading.segments[texts.index("2020")]
    assert (texts[number.above], texts[year.above], texts[year.left]) == ("Invoice", "Date", "INV 7")
    assert number.left == -1


def test_no_more_than_so_many_pieces_are_looked_at() -> None:
    passages = passages_of([ocr(*[f"line {number}, of: many words" for number in range(50)])])
    assert len(find_candidates(passages, 100).spans) == 100


def test_of_places_that_say_the_same_the_chances_are_added() -> None:
    reading = read("Total 9.00", "Cash 9.00", "Tax 8.00")
    field = wanted(("total",), NUMBER)
    choice = chosen(scored(reading, [(field, {"9.00": 0.0, "8.00": 0.4})], none=-9))[("total",)]
    assert choice.value == 9.0
    assert choice.probability == pytest.approx(2 / (2 + np.exp(0.4)), abs=0.01)


def test_two_fields_do_not_take_the_same_place_if_there_is_another() -> None:
    reading = read("ACME BOOKS", "Jane Doe")
    company, cashier = wanted(("company",), STRING), wanted(("cashier",), STRING)
    logits = [(company, {"ACME BOOKS": 5.0, "Jane Doe": 2.0}), (cashier, {"ACME BOOKS": 3.0, "Jane Doe": 2.5})]
    found = chosen(scored(reading, logits, none=-9))
    assert [found[field.path].value for field in (company, cashier)] == ["ACME BOOKS", "Jane Doe"]


def test_what_nothing_answers_is_null_or_empty_or_the_next_best() -> None:
    reading = read("ACME BOOKS", "Total 9.00")
    fields = [wanted(("iban",), STRING, null=True), wanted(("fax",), STRING), wanted(("tax",), NUMBER)]
    found = chosen(scored(reading, [(field, {"ACME BOOKS": 0.0, "9.00": 0.0}) for field in fields], none=6.0))
    assert [found[field.path].value for field in fields] == [None, "", 9.0]


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
    reading = read(*rows)
    field = wanted(("field",), schema)
    known: dict[str, float] = {}
    last = [span for span in reading.spans if span.kind in ("number", "day")][-1]
    known[last.text] = 5.0
    assert chosen(scored(reading, [(field, known)]))[("field",)].value == value


def items(reading: Candidates, cells: Mapping[str, Mapping[str, float]], **schemas: Any) -> list[dict[str, Any]]:
    fields = [
        (wanted(("items", name), schemas.get(name, NUMBER), in_list=True), known) for name, known in cells.items()
    ]
    return items_of(scored(reading, fields), ("items",))


def test_the_rows_of_a_table_are_objects() -> None:
    reading = read(("Lamp", "1", "30.00"), ("Chair", "2", "33.60"), ("Total", "63.60"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0},
        "quantity": {"1": 3.0, "2": -1.0},
        "price": {"30.00": 3.0, "33.60": 3.0},
    }
    assert items(reading, cells, name=STRING) == [
        {"name": "Lamp", "quantity": 1, "price": 30.0},
        {"name": "Chair", "quantity": 2, "price": 33.6},
    ]


def test_each_field_of_a_list_has_its_own_column() -> None:
    """Which of two amounts is which, most rows tell."""
    reading = read(("Lamp", "30.00", "70.00"), ("Chair", "12.50", "57.50"), ("Desk", "9.90", "47.60"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0, "Desk": -1.0},
        "price": {"30.00": 3.0, "12.50": 2.0, "47.60": 2.5, "9.90": 0.5},
        "left": {"70.00": 2.0, "57.50": 2.0, "9.90": 1.0, "47.60": 0.5},
    }
    assert items(reading, cells, name=STRING) == [
        {"name": "Lamp", "price": 30.0, "left": 70.0},
        {"name": "Chair", "price": 12.5, "left": 57.5},
        {"name": "Desk", "price": 9.9, "left": 47.6},
    ]


def test_figures_across_a_wide_gap_are_not_one_number() -> None:
    reading = read(("HDMI ADAPTER", "12", "127.90"))
    assert {"12", "127.90"} <= texts_of(reading, "number")
    assert "12 127.90" not in texts_of(reading, "number")
    assert "12 127.90" in texts_of(read("Total: 12 127.90 EUR"), "number")


def test_what_items_come_to_is_no_item() -> None:
    reading = read(("Lamp", "30.00"), ("Chair", "33.60"), ("Total", "63.60"), ("Change", "6.40"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0, "Total": 2.0, "Change": 2.0},
        "price": {"30.00": 3.0, "33.60": 3.0, "63.60": 2.0, "6.40": 2.0},
    }
    assert [item["name"] for item in items(reading, cells, name=STRING)] == ["Lamp", "Chair"]


def test_an_item_may_have_two_lines() -> None:
    reading = read("KF MODELLING CLAY", ("1 PC", "9.00"), "PEN BLUE", ("2 PC", "3.00"))
    cells = {"name": {"KF MODELLING CLAY": 2.0, "PEN BLUE": 2.0}, "price": {"9.00": 2.0, "3.00": 2.0}}
    assert items(reading, cells, name=STRING) == [
        {"name": "KF MODELLING CLAY", "price": 9.0},
        {"name": "PEN BLUE", "price": 3.0},
    ]


def test_what_labels_speak_against_is_less_probable() -> None:
    signs = CalibrationInput(0.98, 1.0, own=True, other=False, copied=False)
    assert probability(signs) > probability(signs._replace(probability=0.3))
    assert probability(signs._replace(copied=True)) > probability(signs._replace(copied=True, probability=0.3))
    assert probability(signs) > probability(signs._replace(own=False, other=True))
    assert 0 < probability(signs._replace(probability=0.0)) < probability(signs._replace(probability=1.0)) < 1


def test_a_span_says_where_it_stands() -> None:
    reading = read("Name: Jane Doe")
    found: list[CandidateSpan] = [span for span in reading.spans if span.text == "Jane Doe"]
    assert {tuple(span.passage.words[word] for word in span.words) for span in found} >= {("Jane", "Doe")}
