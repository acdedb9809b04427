"""Booleans and enums whose label says that the answer is open."""

from tasks.extraction.doubts import DOUBTFUL
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


@each_case(
    ("text", "name", "value"),
    [
        ("Paid: no, not yet", "paid", False),
        ("Paid: yes, on 3 May 2026", "paid", True),
        ("Paid: Yes Amount: 5", "paid", True),
        ("Pets: no pets allowed", "pets", False),
        ("Issues: no issues", "issues", False),
        ("Smoker: no longer", "smoker", False),
        ("Desayuno incluido: no está incluido", "desayuno_incluido", False),
        ("Opt out of newsletter: yes", "newsletter_opt_out", True),
        ("No smoking: yes", "no_smoking", True),
        ("Sans gluten: oui", "sans_gluten", True),
        ("Delivered without damage: yes", "delivered", True),
        ("No. 3 Smoker: yes", "smoker", True),
    ],
)
async def test_an_answer_with_a_remark_that_agrees_is_sure(text: str, name: str, value: bool) -> None:
    found = await read_field(text, name, BOOLEAN)
    assert found.value is value
    assert found.probability > DOUBTFUL


async def test_a_value_that_is_only_partly_so_is_not_the_choice() -> None:
    paid = choice("paid", "partially paid")
    assert (await read_field("Status: partially paid", "status", choice("paid", "unpaid"))).value is None
    assert (await read_field("Status: partially paid", "status", paid)).value == "partially paid"


async def test_a_label_that_denies_does_not_turn_a_field_that_is_turned_itself() -> None:
    assert (await read_field("No smoking: yes", "smoking_prohibited", BOOLEAN)).value is not False
    assert (await read_field("Not furnished: yes", "unfurnished", BOOLEAN)).value is not False


@each_case(
    ("text", "value"),
    [
        ("Insured: not any more", False),
        ("Insured: nicht mehr", False),
        ("Insured: noch nicht", False),
        ("Insured: no longer", False),
        ("Insured: currently yes", True),
        ("Insured: yes (Allianz)", True),
    ],
)
async def test_a_denial_alone_is_a_no_and_harmless_words_change_nothing(text: str, value: bool) -> None:
    found = await read_field(text, "insured", BOOLEAN)
    assert found.value is value
    assert found.probability >= 0.9
