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
    ("text", "name"),
    [
        ("Delivered: no issues", "delivered"),
        ("Approved: no objections", "approved"),
        ("Paid: no problem, done on 3 May 2026", "paid"),
        ("Allergies: no information", "has_allergies"),
        ("Consent given: no data available", "consent_given"),
        ("Pregnant: no information", "pregnant"),
        ("Active: yes or no (delete as applicable)", "active"),
    ],
)
async def test_a_no_that_answers_something_else_leaves_the_answer_open(text: str, name: str) -> None:
    assert (await read_field(text, name, BOOLEAN)).value is None


@each_case(
    ("text", "name", "value"),
    [
        ("Member: no longer a guest", "member", False),
        ("Available: no later than Monday", "available", False),
        ("Paid: yes, partly", "paid", True),
        ("Active: true if enabled", "active", True),
        ("Diabetic: yes (mother)", "diabetic", True),
        ("Insured: yes, until it lapsed in 2020", "insured", True),
        ("Status: partially paid", "paid", True),
        ("Opt out of newsletter: yes", "newsletter", False),
        ("Newsletter opt-out: yes", "newsletter", False),
        ("No smoking: yes", "smoking_allowed", False),
        ("Smoking not allowed: yes", "smoking_allowed", False),
    ],
)
async def test_an_answer_with_a_condition_or_behind_a_label_that_turns_it_is_not_sure(
    text: str, name: str, value: bool
) -> None:
    found = await read_field(text, name, BOOLEAN)
    assert found.value is value
    assert found.probability <= DOUBTFUL


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
    "text",
    [
        "Insured: if possible yes, otherwise no",
        "Insured: wenn möglich ja, sonst nein",
        "Insured: yes and no",
        "Insured: ja und nein",
        "Insured: oui et non",
        "Insured: hopefully yes",
    ],
)
async def test_an_answer_under_a_condition_and_both_answers_leave_it_open(text: str) -> None:
    assert (await read_field(text, "insured", BOOLEAN)).value is None
    assert (await read_field(text, "insured", choice("yes", "no"))).value is None


@each_case("text", ["Insured: yes?", "Insured: would be yes", "Insured: sí, caducado", "Insured: the house yes"])
async def test_a_word_or_sign_beside_an_answer_makes_it_doubtful(text: str) -> None:
    found = await read_field(text, "insured", BOOLEAN)
    assert found.value is True
    assert found.probability <= DOUBTFUL


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


async def test_a_hedge_before_a_choice_makes_it_doubtful() -> None:
    assert (await read_field("Status: probably shipped", "status", choice("shipped", "open"))).probability <= DOUBTFUL
    assert (await read_field("Payment: by card", "payment", choice("card", "cash"))).probability >= 0.9
