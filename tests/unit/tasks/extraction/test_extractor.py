"""Pieces of what was read, how they are chosen from, and lists of objects put together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tasks.extraction.candidates import Candidates, CandidateSpan, find_candidates
from tasks.extraction.choice import ChosenValue, choose_values
from tasks.extraction.features import Strings, span_features
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import printed_text, read_object_list
from tasks.extraction.passages import MAX_CHARS, passages_of
from tasks.extraction.probability import CalibrationInput, FieldScores, calibration_input, probability
from tasks.schema.paths import JsonPath
from tests.entries import entry_of
from tests.unit.tasks.extraction.test_evidence import ocr
from training.extraction.examples import passage_of

STRING, NUMBER = {"type": "string"}, {"type": "number"}


def read(*rows: Any) -> Candidates:
    return find_candidates(passages_of([ocr(*rows)]))


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


def test_text_without_height_has_features() -> None:
    page = passage_of([(10, 10, 90, 10, "Total: 5.00"), (10, 30, 80, 30, "Thank you")])
    candidates = find_candidates([page])
    assert np.isfinite(span_features(candidates, Strings()).still).all()


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


def test_the_value_of_a_label_keeps_the_words_that_are_signs() -> None:
    parts = texts_of(read("Insurer: Aldermoor & Sons", "Premium: 120.00"), "part")
    assert "Aldermoor & Sons" in parts
    assert "Aldermoor Sons" not in parts
    assert "040 123 45 67" in texts_of(read("Tel.: 040 / 123 45 67"), "part")


def test_lines_that_stand_together_are_one_piece() -> None:
    candidates = read("Ship to: 12 Main Street", "Springfield, 12345", "USA")
    assert {"12 Main Street Springfield, 12345", "12 Main Street Springfield, 12345 USA"} <= texts_of(
        candidates, "block"
    )
    apart = find_candidates(
        passages_of([entry_of("scraper", {"text": "ACME"}), entry_of("scraper", {"text": "Total"})])
    )
    assert not texts_of(apart, "block")


def test_a_piece_knows_its_neighbours() -> None:
    candidates = read(("Invoice", "Date"), ("INV 7", "2020"))
    texts = [segment.text for segment in candidates.segments]
    number, year = candidates.segments[texts.index("INV 7")], candidates.segments[texts.index("2020")]
    assert (texts[number.above], texts[year.above], texts[year.left]) == ("Invoice", "Date", "INV 7")
    assert number.left == -1


def test_no_more_than_so_many_pieces_are_looked_at() -> None:
    passages = passages_of([ocr(*[f"line {number}, of: many words" for number in range(50)])])
    assert len(find_candidates(passages, 100).spans) == 100


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


def test_each_field_of_a_list_has_its_own_column() -> None:
    """Which of two amounts is which, most rows tell."""
    candidates = read(("Lamp", "30.00", "70.00"), ("Chair", "12.50", "57.50"), ("Desk", "9.90", "47.60"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0, "Desk": -1.0},
        "price": {"30.00": 3.0, "12.50": 2.0, "47.60": 2.5, "9.90": 0.5},
        "left": {"70.00": 2.0, "57.50": 2.0, "9.90": 1.0, "47.60": 0.5},
    }
    assert items(candidates, cells, name=STRING) == [
        {"name": "Lamp", "price": 30.0, "left": 70.0},
        {"name": "Chair", "price": 12.5, "left": 57.5},
        {"name": "Desk", "price": 9.9, "left": 47.6},
    ]


def test_figures_across_a_wide_gap_are_not_one_number() -> None:
    candidates = read(("HDMI ADAPTER", "12", "127.90"))
    assert {"12", "127.90"} <= texts_of(candidates, "number")
    assert "12 127.90" not in texts_of(candidates, "number")
    assert "12 127.90" in texts_of(read("Total: 12 127.90 EUR"), "number")


def test_what_items_come_to_is_no_item() -> None:
    candidates = read(("Lamp", "30.00"), ("Chair", "33.60"), ("Total", "63.60"), ("Change", "6.40"))
    cells = {
        "name": {"Lamp": 3.0, "Chair": 3.0, "Total": 2.0, "Change": 2.0},
        "price": {"30.00": 3.0, "33.60": 3.0, "63.60": 2.0, "6.40": 2.0},
    }
    assert [item["name"] for item in items(candidates, cells, name=STRING)] == ["Lamp", "Chair"]


def test_an_item_may_have_two_lines() -> None:
    candidates = read("KF MODELLING CLAY", ("1 PC", "9.00"), "PEN BLUE", ("2 PC", "3.00"))
    cells = {"name": {"KF MODELLING CLAY": 2.0, "PEN BLUE": 2.0}, "price": {"9.00": 2.0, "3.00": 2.0}}
    assert items(candidates, cells, name=STRING) == [
        {"name": "KF MODELLING CLAY", "price": 9.0},
        {"name": "PEN BLUE", "price": 3.0},
    ]


def test_a_list_ends_before_the_sum_of_its_amounts() -> None:
    candidates = read(("PEN BLUE", "3.00"), ("PEN RED", "4.00"), ("BOTH", "7.00"), ("BAG", "1.00"))
    names = {"PEN BLUE": 4.0, "PEN RED": 4.0, "BOTH": 4.0, "BAG": 4.0}
    cells = {"name": names, "price": {"3.00": 4.0, "4.00": 4.0, "7.00": 4.0, "1.00": 4.0}}
    assert [one["name"] for one in items(candidates, cells, name=STRING)] == ["PEN BLUE", "PEN RED"]


@pytest.mark.parametrize("columns", [("net", "gross"), ("gross", "net")])
def test_a_list_ends_before_the_first_sum_of_any_field(columns: tuple[str, str]) -> None:
    candidates = read(
        ("PEN BLUE", "3.00", "3.60"),
        ("PEN RED", "4.00", "4.80"),
        ("BOTH", "7.00", "8.41"),
        ("ALL", "14.50", "16.81"),
    )
    amounts = {
        "net": dict.fromkeys(("3.00", "4.00", "7.00", "14.50"), 4.0),
        "gross": dict.fromkeys(("3.60", "4.80", "8.41", "16.81"), 4.0),
    }
    names = dict.fromkeys(("PEN BLUE", "PEN RED", "BOTH", "ALL"), 4.0)
    cells = {"name": names, **{column: amounts[column] for column in columns}}
    assert [one["name"] for one in items(candidates, cells, name=STRING)] == ["PEN BLUE", "PEN RED"]


def test_an_item_at_a_place_in_use_is_left_out() -> None:
    candidates = read(("Wages", "900.00"), ("Bonus", "50.00"), (), (), ("Tax", "120.00"), ("Pension", "40.00"))
    texts = {"Wages": 4.0, "Bonus": 4.0, "Tax": 4.0, "Pension": 4.0}
    lower = {text: score - 3 for text, score in texts.items()}
    amounts = {"900.00": 4.0, "50.00": 4.0, "120.00": 4.0, "40.00": 4.0}
    fields = [
        (wanted(("earnings", "name"), STRING, in_list=True), texts),
        (wanted(("earnings", "amount"), NUMBER, in_list=True), amounts),
        (wanted(("deductions", "name"), STRING, in_list=True), lower),
        (wanted(("deductions", "amount"), NUMBER, in_list=True), amounts),
    ]
    known = scored(candidates, fields)
    lists = {path: read_object_list(known, path) for path in (("earnings",), ("deductions",))}
    assert all(len(one.rows) == 4 for one in lists.values())
    used = {printed_text(known, cell) for path, cell in lists["earnings",].cells.items() if path[1] in (0, 2, 3)}
    assert [row["name"] for row in lists["deductions",].without_places(known, used).rows] == ["Bonus"]
    assert lists["deductions",].without_places(known, ()) is lists["deductions",]


def test_a_list_of_guesses_is_left_empty() -> None:
    candidates = read("KF MODELLING CLAY", "14 MILL LANE")
    assert items(candidates, {"name": {"KF MODELLING CLAY": -5.9}, "price": {}}, name=STRING) == []


def test_what_labels_speak_against_is_less_probable() -> None:
    own = CalibrationInput("llm", (4.0, 1.0, 1.0, 0.0))
    assert probability(own) > probability(own._replace(features=(-1.0, 1.0, 1.0, 0.0)))
    assert probability(own) > probability(own._replace(features=(4.0, 1.0, 0.0, 1.0)))
    assert 0 < probability(own._replace(features=(-9.0, 1.0, 1.0, 0.0))) < 1


def test_a_copied_field_is_less_probable_if_another_field_may_have_its_place() -> None:
    candidates = read("Name: Jane Doe", "Town: Ghent")
    name, place = wanted(("name",), STRING), {"Jane Doe": 6.0}
    alone = scored(candidates, [(name, place), (wanted(("town",), STRING), {"Ghent": 6.0})])
    contested = scored(candidates, [(name, place), (wanted(("contact",), STRING), {"Jane Doe": 6.0})])
    chances = []
    for one in (alone, contested):
        found = replace(one, entries=[ocr("Name: Jane Doe", "Town: Ghent")]).place(("name",), "Jane Doe")
        assert found is not None
        chances.append(probability(calibration_input(found, 1.0, "own")))
    assert chances[0] > chances[1]


def test_a_span_says_where_it_stands() -> None:
    candidates = read("Name: Jane Doe")
    found: list[CandidateSpan] = [span for span in candidates.spans if span.text == "Jane Doe"]
    assert {tuple(span.passage.words[word] for word in span.words) for span in found} >= {("Jane", "Doe")}


def test_a_word_that_is_longer_than_what_is_searched_has_no_candidates() -> None:
    for end in ("", "\nTotal 9.00"):
        passages = passages_of([entry_of("scraper", {"text": "x" * (MAX_CHARS + 1) + end})])
        assert find_candidates(passages).spans == []
