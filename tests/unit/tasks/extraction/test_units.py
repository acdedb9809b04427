"""Numbers and the units that the names of fields say."""

from typing import Any

from tasks.extraction.units import units_named
from tests.conftest import each_case
from tests.filling import NUMBER, filled, pasted

STOVE = "Nominell effekt är 5 kW och verkningsgraden 81 procent. Höjd 932 mm, bredd 465 mm. Vikten är 104 kg."


@each_case(
    ("name", "described", "units"),
    [
        ("weight_kg", "", {"kilogram"}),
        ("gwarancja miesiace", "", {"month"}),
        ("tax rate", "", {"percent"}),
        ("distance", "in km", {"kilometre"}),
        ("floor area", "living space (m²)", {"square_metre"}),
        ("mes", "", set()),
        ("bar", "", set()),
    ],
)
def test_the_name_or_the_description_of_a_field_says_its_unit(name: str, described: str, units: set[str]) -> None:
    assert units_named(tuple(name.replace("_", " ").split()), described) == units


@each_case(("name", "value"), [("weight_kg", 104), ("vikt_kg", 104), ("effekt_kw", 5), ("verkningsgrad_procent", 81)])
async def test_a_number_has_the_unit_of_its_field(name: str, value: Any) -> None:
    assert await filled(pasted(STOVE), **{name: NUMBER}) == {name: value}


async def test_a_percentage_is_no_amount_of_money() -> None:
    text = "Total net 32,900.00\nRetention 5 % 1,998.00\nTotal 39,960.00"
    assert await filled(pasted(text), retention=NUMBER) == {"retention": 1998}


async def test_an_amount_of_money_is_no_percentage() -> None:
    text = "Subtotal 620.42\nVAT 21% 130.29\nTotal 750.71"
    assert await filled(pasted(text), vat_percent=NUMBER) == {"vat_percent": 21}
