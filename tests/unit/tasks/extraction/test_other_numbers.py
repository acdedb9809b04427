"""Numbers beside the words of a field that say something else."""

from tasks.extraction.doubts import DOUBTFUL
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field


@each_case(
    ("text", "name", "wrong"),
    [
        ("Tax period: 2\nPAYE tax: 274.82", "tax_this_period", 2),
        ("Abrechnungsperiode: 7\nLohnsteuer: 187,33", "lohnsteuer", 7),
        ("Previous reading (2 Feb, actual)   18204", "previous_reading", 2),
        ("Ancien relevé (2 févr., réel)   18204", "ancien_releve", 2),
        ("Total 21.06\nRounding -0.01", "discount", 0.01),
        ("Totaal 21,06\nAfronding -0,01", "korting", 0.01),
        ("Totale 21,06\nArrotondamento -0,01", "sconto", 0.01),
        ("Totaal 4.200,00\nAanbetaling (30%) bij opdracht", "aanbetaling", 30),
    ],
)
async def test_a_number_that_says_something_else_is_not_the_value(text: str, name: str, wrong: float) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value != wrong or found.probability <= DOUBTFUL / 2


@each_case(
    ("text", "name", "value"),
    [
        ("Tax period: 2\nPAYE tax: 274.82", "tax_this_period", 274.82),
        ("Tax period: 2\nPAYE tax: 274.82", "tax_period", 2),
        ("Contract period: 24 months", "contract_period_months", 24),
        ("Previous reading (2 Feb, actual)   18204", "previous_reading", 18204),
        ("Billing day: 2 February", "billing_day", 2),
        ("Visits: 3\nmay be repeated", "visits", 3),
        ("Total 21.06\nRounding -0.01", "rounding", -0.01),
        ("Deposit: 30 %", "deposit_percent", 30),
    ],
)
async def test_a_number_that_the_field_asks_for_is_the_value(text: str, name: str, value: float) -> None:
    assert (await read_field(text, name, NUMBER)).value == value


@each_case(
    ("text", "name", "value"),
    [
        ("Temperature at 900 m\n:   -4 °C", "temperature", -4),
        ("Temperature at 900 m: -4 °C", "temperature_at_900_m", -4),
        ("Reeds betaald (12 x € 205)   € 2.460,00", "reeds_betaald", 2460),
        ("Paid so far (3 x £40): £120.00", "paid_so_far", 120),
        ("Zuurgraad bij 25 °C: 7,3", "zuurgraad", 7.3),
        ("Huur 3 maanden: € 1.800,00", "huur", 1800),
        ("| Humidité à 15 °C | 13,8 % |\n|---|---|\n| Acompte à 30 jours | 1.250,00 € |", "humidite", 13.8),
        ("Acompte versé à 30 jours : 1.250,00 €", "acompte", 1250),
        ("Fee for 2 adults: £36.00", "fee", 36),
    ],
)
async def test_a_number_within_a_label_is_not_the_value(text: str, name: str, value: float) -> None:
    assert (await read_field(text, name, NUMBER)).value == value


@each_case(
    ("text", "name", "value"),
    [
        ("Contract of 24 months: £36.00", "contract_months", 24),
        ("Qty 3 pcs: 36.00", "qty", 3),
        ("Total 12.50 Change: 7.50", "total", 12.5),
        ("Total 12.50\t7.50", "total", 12.5),
        ("Room 12: £80", "room", 12),
        ("Rooms 4: double", "rooms", 4),
    ],
)
async def test_a_number_before_a_colon_may_be_the_value(text: str, name: str, value: float) -> None:
    assert (await read_field(text, name, NUMBER)).value == value
