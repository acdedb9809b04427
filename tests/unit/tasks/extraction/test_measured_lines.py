"""Lines of a quantity, its unit and a name."""

from typing import Any

import pytest

from tests.unit.tasks.extraction.test_headed_rows import OR_NULL, TEXT, items_on

TEXT_OR_NULL = {"type": ["string", "null"]}


def items(*lines: str, **columns: Any) -> Any:
    wanted = columns or {"quantity": OR_NULL, "unit": TEXT_OR_NULL, "name": TEXT}
    return items_on(*((0, 30 * at, line) for at, line in enumerate(lines)), **wanted)


def item(quantity: float | None, unit: str | None, name: str) -> dict[str, Any]:
    return {"quantity": quantity, "unit": unit, "name": name}


def test_a_quantity_its_unit_and_a_name_are_the_fields_of_an_item() -> None:
    found = items("Almond cake", "250 g flour", "6 eggs", "2 tbsp of honey", "½ cup milk")
    assert found == [item(250, "g", "flour"), item(6, None, "eggs"), item(2, "tbsp", "honey"), item(0.5, "cup", "milk")]


def test_a_name_alone_among_measured_lines_is_an_item() -> None:
    found = items("3 kg screws", "2 boxes nails", "1 roll tape", "salt to taste", "Mix it all until it is smooth.")
    assert found[-1] == item(None, "to taste", "salt")


@pytest.mark.parametrize(
    ("line", "quantity", "unit", "name"),
    [
        ("1 bustina di lievito", 1, "bustina", "lievito"),
        ("1,5 l Milch", 1.5, "l", "Milch"),
        ("3 EL Zucker", 3, "EL", "Zucker"),
        ("1/4 cup oil", 0.25, "cup", "oil"),
        ("2 gousses d'ail", 2, "gousses", "ail"),
    ],
    ids=str,
)
def test_units_of_several_languages_are_no_part_of_the_name(line: str, quantity: float, unit: str, name: str) -> None:
    assert items(line, "100 g rice", "200 g peas")[0] == item(quantity, unit, name)


def test_two_measured_lines_are_no_list() -> None:
    assert not items("250 g flour", "6 eggs", "Mix it all until it is smooth.")


def test_sentences_that_begin_with_a_number_are_not_measured() -> None:
    assert not items("3 people came in the morning.", "5 people left at noon.", "8 people stayed until the evening.")


def test_a_list_of_other_fields_is_not_filled_with_measured_lines() -> None:
    found = items("250 g flour", "6 eggs", "2 tbsp honey", quantity=OR_NULL, date={"type": "string", "format": "date"})
    assert not found


@pytest.mark.parametrize("digits", [400, 5_000])
def test_a_quantity_of_hundreds_of_digits_is_none(digits: int) -> None:
    assert len(items("9" * digits + "/1 cups sugar", "100 g rice", "200 g peas", "3 eggs")) == 3


GROUPED = {"group": TEXT_OR_NULL, "quantity": OR_NULL, "unit": TEXT_OR_NULL, "name": TEXT, "note": TEXT_OR_NULL}


def test_headings_are_groups_and_what_follows_in_brackets_or_behind_a_comma_is_a_note() -> None:
    found = items(
        "INGREDIENTS",
        "250 g flour, and some more for the table top",
        "3 eggs (at room temperature)",
        "7 g yeast",
        "or 20 g of fresh yeast",
        "FOR THE FILLING",
        "600 g pumpkin",
        "salt to taste",
        "**To finish:** 1 egg yolk and 2 tbsp milk",
        "Mix it all until it is smooth.",
        **GROUPED,
    )
    assert [tuple(one.values()) for one in found] == [
        (None, 250, "g", "flour", "and some more for the table top"),
        (None, 3, None, "eggs", "at room temperature"),
        (None, 7, "g", "yeast", "or 20 g of fresh yeast"),
        ("FOR THE FILLING", 600, "g", "pumpkin", None),
        ("FOR THE FILLING", None, "to taste", "salt", None),
        ("To finish", 1, None, "egg yolk", None),
        ("To finish", 2, "tbsp", "milk", None),
    ]


def test_a_quantity_that_is_a_text_has_its_unit_with_it_where_no_field_asks_for_units() -> None:
    found = items("2 c. à soupe raisins", "½ citron", "20 cl crème", quantity=TEXT_OR_NULL, name=TEXT)
    assert [tuple(one.values()) for one in found] == [("2 c. à soupe", "raisins"), ("½", "citron"), ("20 cl", "crème")]


def test_a_text_beside_measured_lines_does_not_end_them() -> None:
    lines = [(0, 0, "250 g flour"), (400, 14, "Mix the flour"), (0, 30, "6 eggs"), (400, 44, "and the eggs.")]
    wanted = {"quantity": OR_NULL, "unit": TEXT_OR_NULL, "name": TEXT}
    assert [one["name"] for one in items_on(*lines, (0, 60, "2 tbsp honey"), **wanted)] == ["flour", "eggs", "honey"]
