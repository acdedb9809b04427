"""The decimal sign of a page, by its other numbers."""

from tasks.extraction.doubts import DOUBTFUL
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field


@each_case(
    ("text", "name", "value"),
    [
        ("Factuur 88\nAfspraak: 14.30 uur\nTotaal: € 1.250\nAanbetaling: € 2.400", "totaal", 1250),
        ("Termin: 14.30 Uhr\nGesamtpreis: 1.250 EUR", "gesamtpreis", 1250),
        ("Appuntamento ore 14.30\nTotale: € 1.250", "totale", 1250),
        ("Uhrzeit: 14.30\nGesamtpreis: 1.250 EUR", "gesamtpreis", 1250),
        ("Werktijden: 02.00 - 09.30 uur\nSalaris: € 2.650 tot € 3.100", "salaris", 2650),
        ("Termin: 23.01.\nGesamtpreis: 1.250 EUR", "gesamtpreis", 1250),
    ],
)
async def test_times_and_days_with_points_are_no_decimals(text: str, name: str, value: float) -> None:
    assert (await read_field(text, name, NUMBER)).value == value


@each_case(
    ("text", "name", "value"),
    [
        ("Preis um 14.30 €\nGewicht: 1.250 kg", "gewicht", 1.25),
        ("Snack: 14.30\nWeight: 1.250 kg", "weight", 1.25),
        ("Menge: 14,30\nGewicht: 1.250 kg", "gewicht", 1250),
    ],
)
async def test_amounts_like_times_are_decimals(text: str, name: str, value: float) -> None:
    found = await read_field(text, name, NUMBER)
    assert found.value == value
    assert found.probability > DOUBTFUL
