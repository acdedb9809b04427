"""Numbers and the units that the names of fields say."""

from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tasks.extraction.features import field_text
from tasks.extraction.names import names_of
from tasks.extraction.units import has_other_unit, units_named
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
    ("text", "name", "value", "printed"),
    [
        ("Weight: 150 lb", "weight_kg", 68.038855, "150 lb"),
        ("Weight: 2 t", "weight_kg", 2000, "2 t"),
        ("Height: 6 ft 2 in", "height_cm", 187.96, "6 ft 2 in"),
        ("Distance: 5 miles", "distance_km", 8.04672, "5 miles"),
        ("Temperature: -5 °F", "temperature_celsius", -20.555556, "-5 °F"),
        ("Duration: 1 h 30 min", "duration_minutes", 90, "1 h 30 min"),
        ("Duration: 1 h 30 min 15 s", "duration_seconds", 5415, "1 h 30 min 15 s"),
        ("Dose: 500 mg", "dose_g", 0.5, "500 mg"),
        ("Temperature: 39.2 F", "temperature_celsius", 4, "39.2 F"),
        ("Count: 2.5 × 10⁵", "count", 250000, "2.5 × 10⁵"),
        ("Count: 4.1 x 10^9", "count", 4_100_000_000, "4.1 x 10^9"),
        ("Count: 2.5x10^5", "count", 250_000, "2.5x10^5"),
        ("Quantity: 2 dozen", "quantity", 24, "2 dozen"),
        ("Weight 68 kg / 150 lb", "weight_lb", 150, "150 lb"),
        ("Warranty: 2 years", "warranty_months", 24, "2 years"),
        ("Weight (lb): 150", "weight_kg", 68.038855, "150"),
        ("Weight [lb] 150", "weight_kg", 68.038855, "150"),
        ("Weight in lb: 150", "weight_kg", 68.038855, "150"),
        ("Weight (lb)\n150", "weight_kg", 68.038855, "150"),
        ("Name  Weight (lb)\nAnna  150", "weight_kg", 68.038855, "150"),
        ("Gewicht (in lb): 150", "gewicht_kg", 68.038855, "150"),
        ("Duration (h): 1.5", "duration_minutes", 90, "1.5"),
        ("Total: 1.5 M EUR", "total", 1_500_000, "1.5 M"),
        ("Revenue: 3 thousand", "revenue", 3000, "3 thousand"),
        ("Umsatz: 2,5 Mio. EUR", "umsatz", 2_500_000, "2,5 Mio."),
        ("Budget: 20k€", "budget", 20_000, "20k€"),
        ("Obroty: 40 tys. zł", "obroty", 40_000, "40 tys."),
    ],
)
async def test_a_number_in_another_unit_or_magnitude_is_converted(
    text: str, name: str, value: float, printed: str
) -> None:
    found = await read_field(text, name, NUMBER_OR_NULL)
    assert (found.value, found.match, found.text) == (value, "derived", printed)


@each_case(
    ("text", "name"),
    [
        ("Volume: 3 gal", "volume_liters"),
        ("Revenue: 2 billion", "revenue"),
        ("Height: 6 ft 2", "height_cm"),
        ("Temperature rise: 9 °F", "temperature_rise_celsius"),
        ("Volume (gal): 3", "volume_liters"),
    ],
)
async def test_a_number_in_a_unit_without_an_exact_ratio_is_improbable(text: str, name: str) -> None:
    assert (await read_field(text, name, NUMBER_OR_NULL)).probability < 0.5


@each_case("text", ["Rate: 1.5 x 10-3", "Rate: 2 × 10-9 mol", "Rate: 1.5 x 10-12"])
async def test_a_power_whose_exponent_is_not_raised_is_improbable(text: str) -> None:
    assert (await read_field(text, "rate", NUMBER_OR_NULL)).probability < 0.5


async def test_a_converted_number_that_the_schema_forbids_is_improbable() -> None:
    integer = {"type": ["integer", "null"]}
    assert (await read_field("Distance: 5 miles", "distance_km", integer)).probability < 0.5


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
        ("Prep time: 20 min", "prep_time", 20),
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
        ("Km out: 18,204 km\nKm in: 18,911 km", "km_in", 18911),
        ("Odometer out: 18,204 km\nOdometer in: 18,911 km", "odometer_in", 18911),
        ("Stock out: 12 m\nStock in: 40 m", "stock_in", 40),
        ("Distance in: 7 km", "distance_in", 7),
        ("Length: 3 km", "length_in", 3),
        ("Height: 178 cm", "height_in", 70.07874),
    ],
)
async def test_what_goes_in_is_not_measured_in_inches(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER_OR_NULL)
    assert found.value == value
    assert found.probability <= DOUBTFUL or name in ("km_in", "height_in")


@each_case(
    ("header", "name", "is_other"),
    [
        ("Amount (EUR thousand)", "amount", True),
        ("Amount (EUR thousand)", "amount_thousands", False),
        ("Revenue, $m", "revenue", True),
        ("Revenue, $m", "revenue_millions", False),
        ("Revenue, $m", "revenue_thousands", True),
        ("Umsatz in Tsd. €", "umsatz", True),
        ("Umsatz in Mio.", "umsatz", True),
        ("k€", "amount", True),
        ("Sales (000s)", "sales", True),
        ("Sales €000", "sales", True),
        ("Ventes (M€)", "ventes", True),
        ("Amount (USD)", "amount_eur", True),
        ("Amount ($)", "amount_usd", False),
        ("Amount (EUR)", "amount", False),
        ("Length, m", "length", False),
        ("Price per m, EUR", "price", False),
        ("Population", "population", False),
    ],
)
def test_a_column_in_thousands_or_another_currency_is_in_another_unit(header: str, name: str, is_other: bool) -> None:
    assert has_other_unit(header, field_text(NUMBER, names_of((name,), NUMBER))) is is_other


async def test_a_number_without_the_unit_of_another_one_is_not_sure() -> None:
    text = "Maximum hook: size 8\nDaily limit: 2 trout over 25 cm"
    found = await read_field(text, "maximum_trout_size_cm", NUMBER_OR_NULL)
    assert found.value == 25 or found.probability <= DOUBTFUL
    assert (await read_field("Height: 182\nWaist 90 cm", "height_cm", NUMBER_OR_NULL)).probability > DOUBTFUL


@each_case(
    ("text", "value"),
    [
        ("Total: 3万円", 30_000),
        ("Total: 5億円", 500_000_000),
        ("Total: 5千万円", 50_000_000),
        ("Total: 120万", 1_200_000),
        ("Total: 5 hundred", 500),
        ("Total: 5 hundred thousand EUR", 500_000),
        ("Total: 3,000円", 3_000),
    ],
)
async def test_further_magnitudes_multiply_the_number_before_them(text: str, value: int) -> None:
    assert (await read_field(text, "total", NUMBER_OR_NULL)).value == value


async def test_a_magnitude_with_further_numbers_in_words_is_not_sure() -> None:
    assert (await read_field("Total: 5 hundred and twenty EUR", "total", NUMBER_OR_NULL)).probability <= DOUBTFUL
