"""Numbers beside a field's label that are no quantity of what the field names."""

from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field


@each_case(
    ("text", "name", "is_sure"),
    [
        ("Table: 4B", "table", False),
        ("Seat: 12C", "seat", False),
        ("House: 14a", "house_number", False),
        ("Table: 4", "table", True),
        ("Floor: 2e étage", "floor", True),
        ("Fuse: 16A", "fuse", True),
        ("Temperature: 21C", "temperature", True),
        ("Price: 12.00 per dozen", "unit_price", False),
        ("Unit price: EUR 12.00 / 1000 pcs", "unit_price", False),
        ("Einzelpreis: 12,00 € je 100 Stück", "einzelpreis", False),
        ("Einzelpreis: 12,00 € je Stück", "einzelpreis", True),
        ("Unit price: 3.20 per kg", "unit_price", True),
        ("Price per 100: 12.00 per 100", "price_per_100", True),
        ("Total HT : 100,00 € à 20 %", "total_ht", True),
        ("Albarán 41\nBultos: 6\nPeso: 30 kg por bulto", "peso_total_kg", False),
        ("Bon 88\nColis : 4\nPoids : 12,5 kg/colis", "poids_total", False),
        ("Rent: EUR 850 per month for 12 months", "rent", True),
        ("Salary: 52,000 per year", "salary", True),
        ("Weight: 10 x 25 kg", "weight", False),
        ("Packages: 10 x 25 kg", "packages", True),
        ("Width: 60 x 40 x 30 cm", "width", True),
        ("Lieferschein 2\nBestellt 12 Kartons\nGeliefert 10 Kartons", "kartons", False),
        ("Kaution: 3 Kaltmieten", "kaution", False),
        ("Deposit: 2 months' rent", "deposit", False),
        ("Deposit: 50 EUR refundable", "deposit", True),
        ("Fee: 25 euros", "fee", True),
        ("Rent: 40 weekly", "rent", True),
        ("Devis 7\nTotal HT 456,00 €\nTVA non applicable, art. 293 B", "tva", False),
        ("Guests: maybe 9", "guests", False),
        ("Guests: 9", "guests", True),
    ],
)
async def test_a_number_of_something_else_is_not_sure(text: str, name: str, is_sure: bool) -> None:
    found = await read_field(text, name, NUMBER)
    assert (found.value is not None and found.probability >= 0.9) is is_sure
