"""Numbers and the units that the names of fields say."""

from decimal import Decimal
from typing import Any

from tasks.extraction.column_values import values_of_column
from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.units import converted, units_named
from tests.conftest import each_case
from tests.kit.papers.filling import NUMBER, filled, pasted
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


@each_case(
    ("text", "name", "value"),
    [
        ("Distance: 5 miles", "distance_km", 8.04672),
        ("Weight: 150 lb", "weight_kg", 68.0388555),
        ("Memory: 64 GB", "memory_mb", 64_000),
        ("Memory: 2 GiB", "memory_mib", 2_048),
        ("Duration: 90 minutes", "duration_hours", 1.5),
        ("Invoice 1\nTotal: 99.50 EUR", "total_cents", 9_950),
        ("Invoice 1\nTotal: 99 EUR", "total_cents", 9_900),
        ("Umsatz: 2 Mio. EUR", "umsatz", 2_000_000),
    ],
)
async def test_a_number_in_another_unit_is_converted_by_a_definition(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER_OR_NULL)
    assert found.value == value
    assert found.match == ("normalised" if name == "umsatz" else "derived")
    assert found.probability <= DOUBTFUL or name == "umsatz"


@each_case(("text", "name"), [("Dauer: 2 Monate", "dauer_tage"), ("Volume: 3 gallons", "volume_litres")])
async def test_a_number_in_a_unit_without_a_definition_is_doubtful(text: str, name: str) -> None:
    found = await read_field(text, name, NUMBER_OR_NULL)
    assert found.value in (None, 2, 3)
    assert found.probability < 0.5


@each_case(
    ("number", "unit", "units", "found"),
    [
        ("64", "gigabyte", {"megabyte"}, "64000"),
        ("1", "pound", {"kilogram"}, "0.45359237"),
        ("1", "kilogram", {"kilogram"}, None),
        ("1", "kilogram", {"metre"}, None),
        ("1", "month", {"day"}, None),
        ("1", "day", {"hour", "week"}, None),
    ],
)
def test_only_units_of_one_quantity_are_converted(number: str, unit: str, units: set[str], found: str | None) -> None:
    assert converted(Decimal(number), unit, units) == (None if found is None else Decimal(found))


@each_case(
    ("cells", "name", "values"),
    [
        (["64 GB", "512 MB"], "size_mb", [64_000, 512]),
        (["1,5 Mio. €", "900.000 €"], "revenue", [1_500_000, 900_000]),
        (["1,5 Mio. €", "2 Mio. €"], "revenue_mio", [1.5, 2]),
        (["99.50 EUR", "3.00 EUR"], "price_cents", [9_950, 300]),
        (["184.25", "612.00"], "price_pence", [184.25, 612]),
        (["500 JPY", "12 JPY"], "price_cents", [500, 12]),
        (["1.234,-", "99,-- €", "12.5"], "price", [1_234, 99, 12.5]),
        (["１２，３４５", "－３"], "price", [12_345, -3]),
    ],
)
def test_the_cells_of_a_column_are_read_in_the_field_s_unit(cells: list[str], name: str, values: list[float]) -> None:
    wanted = WantedField((name,), NUMBER_OR_NULL, names_of((name,), NUMBER_OR_NULL), lambda _: True)
    assert values_of_column(cells, wanted, comma_likely=False) == values


@each_case(
    ("cells", "shown", "days"),
    [
        (["01.02.25", "03.04.25", "05.01.25"], None, ["2025-02-01", "2025-04-03", "2025-01-05"]),
        (["01/02/25", "03/04/25"], True, ["2025-02-01", "2025-04-03"]),
        (["01/02/25", "03/04/25"], False, ["2025-01-02", "2025-03-04"]),
        (["01/02/25", "03/14/25"], True, ["2025-01-02", "2025-03-14"]),
        (["5 марта 2026", "令和8年3月6日"], None, ["2026-03-05", "2026-03-06"]),
    ],
)
def test_ambiguous_days_of_a_column_have_the_order_that_is_shown(
    cells: list[str], shown: bool | None, days: list[str]
) -> None:
    schema = {"type": "string", "format": "date"}
    wanted = WantedField(("day",), schema, names_of(("day",), schema), lambda _: True)
    assert values_of_column(cells, wanted, comma_likely=False, days_first=shown) == days
