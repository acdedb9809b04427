"""Amounts that a sentence lists after a colon."""

from typing import Any

from tests.lists_in_text import TEXT, list_in

COUNT, NUMBER = {"type": "integer"}, {"type": "number"}
METERS = "Meters on the day: electricity 48,112 kWh, water 377.4 m³.\n"
KEYS = "Handed over: 4 hall keys, 2 remote controls, 1 letter box key.\n"


def items(text: str, **columns: Any) -> Any:
    return [tuple(one.values()) for one in list_in(f"Record of the hall\n\n{text}", "items", **columns) or ()]


def test_a_name_precedes_an_amount_with_its_unit() -> None:
    columns = {"medium": TEXT, "reading": NUMBER, "unit": TEXT}
    assert items(METERS, **columns) == [("electricity", 48112, "kWh"), ("water", 377.4, "m³")]


def test_an_amount_that_is_a_text_includes_its_unit() -> None:
    columns = {"fertiliser": TEXT, "quantity": TEXT}
    found = items("Advice: lime 25 kg/100 m², potash 3 kg/100 m²; no phosphate for years.\n", **columns)
    assert found == [("lime", "25 kg/100 m²"), ("potash", "3 kg/100 m²")]


def test_a_count_precedes_what_is_counted() -> None:
    assert items(KEYS, count=COUNT, kind=TEXT) == [(4, "hall keys"), (2, "remote controls"), (1, "letter box key")]


def test_figures_without_units_are_no_amounts() -> None:
    assert items("Rooms: hall 4, kitchen 12.\n", medium=TEXT, reading=NUMBER, unit=TEXT) == []
