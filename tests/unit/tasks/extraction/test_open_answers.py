"""Booleans and enums whose label says that the answer is open."""

from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import BOOLEAN, choice, read_field


@each_case(
    "text",
    [
        "Insured: n/a",
        "Apartment with garden\nInsured: n/a\nRent: 500",
        "Insured: unknown",
        "Insured: ?",
        "Insured: to be confirmed",
        "Insured: unbekannt",
        "Insured: à confirmer",
        "Insured: pending\n[ ] insured",
    ],
)
async def test_a_boolean_whose_label_leaves_the_answer_open_is_null(text: str) -> None:
    assert (await read_field(text, "insured", BOOLEAN)).value is None


@each_case(("text", "value"), [("Insured: yes", True), ("Insured: no", False), ("[x] insured", True)])
async def test_a_boolean_with_an_answer_has_it(text: str, value: bool) -> None:
    assert (await read_field(text, "insured", BOOLEAN)).value is value


async def test_an_open_answer_may_be_a_value_of_an_enum() -> None:
    assert (await read_field("Status: pending", "status", choice("shipped", "pending"))).value == "pending"
    assert (await read_field("Status: unknown\nshipped by sea", "status", choice("shipped", "pending"))).value is None
