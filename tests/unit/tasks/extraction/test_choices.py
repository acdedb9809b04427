"""Booleans, enums and lists of enums: by ticked boxes, by the words behind their labels, or left open."""

from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.yes_and_no import EMPTY, TICKED, EnumValues, answer_of, most_harmless
from tests.conftest import each_case
from tests.kit.papers.filling import filled, pasted
from tests.unit.tasks.extraction.reading import BOOLEAN, choice, read_field

TRUTH, OR_NULL = {"type": "boolean"}, {"type": ["boolean", "null"]}
CLUB = (
    "Membership type (tick one)\n☐ Off-peak £19.50 ☒ Full £32.00 ☐ Family £58.00 ☐ Student £15.00 per month\n"
    "I would like to use (tick all that apply)\n☒ Gym ☒ Swimming pool ☐ Sauna ☒ Classes"
)
MEMBERSHIP = {"type": "string", "enum": ["off_peak", "full", "family", "student"]}
FACILITIES = {"type": "array", "items": {"type": "string", "enum": ["gym", "swimming_pool", "sauna", "classes"]}}
TWO_GROUPS = """\
Jours de présence : ☒ lundi ☐ mardi ☒ jeudi
Jours d'étude : ☐ lundi ☒ mardi ☐ jeudi
Tarif : ☐ A 1,10 € ☒ C 3,20 €"""
DAYS = {"type": "array", "items": {"type": "string", "enum": ["lundi", "mardi", "jeudi"]}}
PAID = "cash", "card", "transfer"


@each_case(
    ("text", "name", "schema", "value"),
    [
        (CLUB, "membershipType", MEMBERSHIP, "full"),
        (CLUB, "facilities", FACILITIES, ["gym", "swimming_pool", "classes"]),
        (TWO_GROUPS, "jours_etude", DAYS, ["mardi"]),
        (TWO_GROUPS, "jours_presence", DAYS, ["lundi", "jeudi"]),
        (TWO_GROUPS, "tarif", {"type": "string", "enum": ["A", "C"]}, "C"),
        (TWO_GROUPS, "horaires", DAYS, None),
        ("Le lundi et le mardi sont libres.", "horaires", DAYS, None),
        ("Ticket 4711\n[ ] Not refundable", "refundable", TRUTH, True),
        ("Ticket 4711\n[x] Not refundable", "refundable", TRUTH, False),
        ("Ticket 4711\n[x] Not refundable", "not_refundable", TRUTH, True),
        ("Smoker: ☐ Yes ☐ No\nName: Ann", "smoker", OR_NULL, None),
        ("Delivery\n☐ Standard\n☐ Express", "delivery", choice("Standard", "Express"), None),
        ("Delivery: ☐ Standard ☐ Express ☐ Pick up", "delivery", choice("Standard", "Express"), None),
    ],
)
async def test_ticked_options_fill_the_field_that_their_group_names(
    text: str, name: str, schema: Any, value: Any
) -> None:
    assert (await filled(pasted(text), **{name: schema})).get(name) == value


@each_case(
    "text",
    [
        "Paid by: cash [ ] card [x] transfer [x]",
        "Paid by: [ ] cash [x] card [x] transfer",
        "Paid by: ☐ cash ☒ card ☒ transfer",
    ],
)
async def test_one_of_two_ticked_options_is_not_sure(text: str) -> None:
    found = await read_field(text, "paid_by", choice(*PAID))
    assert found.value in ("card", "transfer")
    assert found.probability <= DOUBTFUL


@each_case(
    ("text", "name", "value"),
    [
        ("Insured: yes", "insured", True),
        ("Insured: no", "insured", False),
        ("[x] insured", "insured", True),
        ("Insured: not any more", "insured", False),
        ("Pets: not allowed\nFurnished: yes\nMonthly rent: 1240", "pets_allowed", False),
        ("Smoking: not permitted\nBreakfast: yes", "smoking_allowed", False),
        ("Möbliert: nein\nKaution: 900", "moebliert", False),
        ("Balkon: keiner", "balkon", False),
        ("Insured: nicht mehr", "insured", False),
        ("Insured: yes (Allianz)", "insured", True),
        ("Paid: no, not yet", "paid", False),
        ("Paid: yes, on 3 May 2026", "paid", True),
        ("Pets: no pets allowed", "pets", False),
        ("Desayuno incluido: no está incluido", "desayuno_incluido", False),
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


@each_case(
    ("text", "name", "schema", "value"),
    [
        ("Insured: n/a", "insured", BOOLEAN, None),
        ("Apartment with garden\nInsured: n/a\nRent: 500", "insured", BOOLEAN, None),
        ("Insured: unbekannt", "insured", BOOLEAN, None),
        ("Insured: pending\n[ ] insured", "insured", BOOLEAN, None),
        ("Status: pending", "status", choice("shipped", "pending"), "pending"),
        ("Status: unknown\nshipped by sea", "status", choice("shipped", "pending"), None),
        ("Status: partially paid", "status", choice("paid", "unpaid"), None),
        ("Paid: no\nTotal: 40", "status", choice("paid", "unpaid"), None),
        ("Status: partially paid", "status", choice("paid", "partially paid"), "partially paid"),
    ],
)
async def test_an_answer_that_is_left_open_is_null(text: str, name: str, schema: Any, value: Any) -> None:
    assert (await read_field(text, name, schema)).value == value


@each_case("text", ["Yes.", "JA", "oui", "Sí", "sì", "Sim", "tak", "ya", "true", "✓", "x", *TICKED])
def test_a_cell_that_says_yes_is_true(text: str) -> None:
    assert answer_of(text) is True


@each_case("text", ["No", "nein", "NON", "Não", "nee", "nie", "Nej", "tidak", "false", "✗", *EMPTY])
def test_a_cell_that_says_no_is_false(text: str) -> None:
    assert answer_of(text) is False


@each_case("text", ["", "-", "perhaps", "yes or no", "12.50"])
def test_any_other_cell_says_neither(text: str) -> None:
    assert answer_of(text) is None


@each_case(
    ("text", "values", "meant"),
    [
        ("Bank transfer", ["card", "bank_transfer"], "bank_transfer"),
        ("PRÉLÈVEMENT", ["prelevement", "cheque"], "prelevement"),
        ("Überweisung", ["card", "transfer"], "transfer"),
        ("männlich", ["M", "F"], "M"),
        ("Nein", ["Yes", "No"], "No"),
        ("carte", ["card", "credit card"], "card"),
        ("Visa Mastercard", ["card", "cash"], None),
        ("", ["card", "cash"], None),
    ],
)
def test_a_printed_choice_is_the_value_that_means_the_same(text: str, values: list[Any], meant: Any) -> None:
    assert EnumValues(values).meant_by(text) == meant


def test_the_most_harmless_choice_claims_nothing() -> None:
    assert most_harmless(["approved", "other", "unknown"]) == "unknown"
    assert most_harmless(["approved", "refused"]) == "approved"
