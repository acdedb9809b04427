"""Numbers and the units that the names of fields say."""

from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.units import units_named
from tests.conftest import each_case
from tests.filling import NUMBER, filled, pasted
from tests.unit.tasks.extraction.reading import NUMBER as NUMBER_OR_NULL
from tests.unit.tasks.extraction.reading import read_field

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
        ("height_in", "", {"inch"}),
        ("screen size in", "", {"inch"}),
        ("km_in", "", set()),
        ("stock_in", "", set()),
        ("wages_this_year", "", set()),
        ("cost_per_month", "", set()),
        ("montant par mois", "", set()),
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


@each_case(
    ("text", "name", "value"),
    [
        ("WBC: 6.1 x 10^9/L", "wbc", 6.1),
        ("WBC: 6.1x10^9/L", "wbc", 6.1),
        ("WBC: 6.1 × 10⁹/L", "wbc", 6.1),
        ("Sets: 3 x 10-12", "sets", 3),
        ("P-value: 3.2e-08", "p_value", 3.2e-08),
        ("Cells: 2.10E+06", "cells", 2_100_000),
        ("Weight: 68 kg", "weight_kg", 68),
        ("Weight (kg): 68", "weight_kg", 68),
        ("Weight (net): 68", "weight_kg", 68),
        ("Weight (lb): 68 kg", "weight_kg", 68),
        ("Temperature (°F): 70", "temperature", 70),
        ("Temperature: 70 °F", "temperature", 70),
        ("Umsatz: 2,5 Mio. EUR", "umsatz_mio", 2.5),
        ("Height: 1.5 m", "height_m", 1.5),
        ("Weight: 5 kg", "weight_to", 5),
        ("TOTAL $12.99 T", "total", 12.99),
        ("Amount due $1,250.00 B. Smith & Sons", "amount_due", 1250),
        ("Hours second shift: 8 h", "hours_second_shift", 8),
    ],
)
async def test_a_number_in_its_field_s_unit_is_copied(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER_OR_NULL)
    assert (found.value, found.match) in {(value, "exact"), (value, "normalised")}


@each_case(("text", "name"), [("Distance: 5 miles", "distance_km"), ("Weight: 150 lb", "weight_kg")])
async def test_a_number_in_another_unit_is_doubtful(text: str, name: str) -> None:
    assert (await read_field(text, name, NUMBER_OR_NULL)).probability <= DOUBTFUL
