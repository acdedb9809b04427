"""Enums and lists of enums by their ticked options."""

from typing import Any

from tests.conftest import each_case
from tests.filling import filled, pasted
from tests.unit.tasks.extraction.reading import choice, read_field

CLUB = (
    "Membership type (tick one)\n☐ Off-peak £19.50 ☒ Full £32.00 ☐ Family £58.00 ☐ Student £15.00 per month\n"
    "I would like to use (tick all that apply)\n☒ Gym ☒ Swimming pool ☐ Sauna ☒ Classes"
)
MEMBERSHIP = {"type": "string", "enum": ["off_peak", "full", "family", "student"]}
FACILITY = {"type": "string", "enum": ["gym", "swimming_pool", "sauna", "classes"]}
TWO_GROUPS = """\
Jours de présence : ☒ lundi ☐ mardi ☒ jeudi
Jours d'étude : ☐ lundi ☒ mardi ☐ jeudi
Tarif : ☐ A 1,10 € ☒ C 3,20 €"""
DAY = {"type": "string", "enum": ["lundi", "mardi", "jeudi"]}


async def test_all_ticked_options_fill_a_list_and_a_price_is_no_part_of_an_option() -> None:
    facilities = {"type": "array", "items": FACILITY}
    found = await filled(pasted(CLUB), membershipType=MEMBERSHIP, facilities=facilities)
    assert found == {"membershipType": "full", "facilities": ["gym", "swimming_pool", "classes"]}


@each_case(
    ("name", "schema", "value"),
    [
        ("jours_etude", {"type": "array", "items": DAY}, ["mardi"]),
        ("jours_presence", {"type": "array", "items": DAY}, ["lundi", "jeudi"]),
        ("tarif", {"type": "string", "enum": ["A", "C"]}, "C"),
    ],
)
async def test_the_group_that_a_name_names_fills_it(name: str, schema: Any, value: Any) -> None:
    assert await filled(pasted(TWO_GROUPS), **{name: schema}) == {name: value}


@each_case("text", [TWO_GROUPS, "Le lundi et le mardi sont libres."])
async def test_a_list_of_choices_of_which_no_group_is_named_is_not_filled(text: str) -> None:
    assert await filled(pasted(text), horaires={"type": "array", "items": DAY}) == {}


@each_case(
    ("box", "name", "value"),
    [("[ ]", "refundable", True), ("[x]", "refundable", False), ("[x]", "not_refundable", True)],
)
async def test_a_box_beside_a_denied_name_says_the_opposite(box: str, name: str, value: bool) -> None:
    text = f"Ticket 4711\n{box} Not refundable"
    assert await filled(pasted(text), **{name: {"type": "boolean"}}) == {name: value}


@each_case(
    ("text", "name"),
    [
        ("Paid by: cash [ ] card [x] transfer [x]", "payment_method"),
        ("Payment: cash [ ] card [x] transfer [x]", "payment"),
        ("Payment: [ ] cash [x] card [x] transfer", "payment"),
        ("Payment: ☐ cash ☒ card ☒ transfer", "payment"),
    ],
)
async def test_one_of_two_ticked_options_is_not_sure(text: str, name: str) -> None:
    found = await read_field(text, name, choice("cash", "card", "transfer"))
    assert found.value in ("card", "transfer")
    assert found.probability <= 0.85


@each_case(
    ("text", "name", "schema"),
    [
        ("Smoker: ☐ Yes ☐ No\nName: Ann", "smoker", {"type": ["boolean", "null"]}),
        ("Delivery\n☐ Standard\n☐ Express", "delivery", choice("Standard", "Express")),
        ("Delivery: ☐ Standard ☐ Express ☐ Pick up", "delivery", choice("Standard", "Express")),
        ("☐ Standard\n☐ Express", "delivery", choice("Standard", "Express")),
    ],
)
async def test_a_field_of_whose_options_none_is_ticked_has_no_value(text: str, name: str, schema: Any) -> None:
    assert (await filled(pasted(text), **{name: schema})).get(name) is None
