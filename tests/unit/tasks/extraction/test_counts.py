"""Numbers of a list of counts, which the words behind them name."""

from collections.abc import Sequence

from tasks.extraction.counts import name_of_count
from tests.conftest import each_case
from tests.unit.tasks.extraction.reading import NUMBER, read_field

FLAT = "Flat in Leeds\n2 bedrooms, 1 bathroom, 68 m2"
BAR = "Nutrition\n12 g protein, 30 g carbohydrates, 8 g fat"
CRASH = "Crash report\n2 dead, 14 injured, 3 missing. Reported 1998."
PISO = "Piso\n4 dormitorios, 2 baños, 1 garaje"


@each_case(
    ("line", "names"),
    [
        ("2 bedrooms, 1 bathroom, 68 m2", ["bedrooms", "bathroom", "m2"]),
        ("12 g protein, 30 g carbohydrates", ["protein", "carbohydrates"]),
        ("2 dead, 14 injured. Reported 1998.", ["dead", "injured", None]),
        ("We confirm 2 rooms for 3 adults and 1 child, 4 nights", ["rooms", "adults", "child", "nights"]),
        ("2 rooms for 3 adults", ["rooms", "adults"]),
        ("Packed in 3 cartons and 1 pallet, gross weight 118 kg.", ["cartons", "pallet", None]),
        ("2 Zimmer für 3 Erwachsene", ["Zimmer", "Erwachsene"]),
        ("The kit has 12 steel screws with 8 washers in 2 bags.", ["steel screws", "washers", "bags"]),
        ("Rooms 2 for adults 3", [None, None]),
        ("Rooms: 2 for 3 adults", [None, None]),
        ("2 of 3", [None, None]),
        ("3 bedrooms", [None]),
        ("- 3 bedrooms, kitchen (fitted for 1200 EUR)", ["bedrooms", None]),
        ("3 bedrooms, kitchen", ["bedrooms"]),
        ("4.9 ★ (164 reviews) answers within 2 hours", ["reviews", None]),
        ("12 St. John's Road, Leeds", [None]),
        ("12 Main St, Rome", [None]),
        ("3 large rooms, balcony", ["large rooms"]),
        ("(12 days, at the latest)", [None]),
        ("Total 12, tax 3", [None, None]),
    ],
)
def test_words_behind_the_numbers_of_a_list_name_them(line: str, names: Sequence[str | None]) -> None:
    texts = line.split()
    starts = [index for index, text in enumerate(texts) if text.strip(".,()").isdigit()]
    assert [name_of_count(texts, start, start + 1) for start in starts] == names


@each_case(
    ("text", "name", "value"),
    [
        (FLAT, "bathrooms", 1),
        (BAR, "carbohydrates_g", 30),
        (BAR, "protein_g", 12),
        (CRASH, "injured", 14),
        (CRASH, "missing", 3),
        (PISO, "baños", 2),
        ("We confirm 2 rooms for 3 adults", "rooms", 2),
        ("We confirm 2 rooms for 3 adults", "adults", 3),
        ("2 Zimmer für 3 Erwachsene", "zimmer", 2),
        ("2 Zimmer für 3 Erwachsene", "erwachsene", 3),
        ("2 chambres pour 3 adultes", "chambres", 2),
        ("2 habitaciones para 3 adultos", "adultos", 3),
        ("Booking: 2 rooms for 3 adults", "rooms", 2),
        ("Packed in 3 cartons and 1 pallet, closed", "cartons", 3),
        ("Packed in 3 cartons and 1 pallet, closed", "pallets", 1),
        ("Affittasi\n3 camere, 2 bagni, 1 cucina, 85 mq", "bagni", 2),
        ("Wohnung\n3 Zimmer, 2 Balkone, 1 Keller, Baujahr 1964", "balkone", 2),
        ("Schöne Wohnung\n- 3 Zimmer, Küche (für 1.200 € zu übernehmen)", "zimmer", 3),
        ("Sondage\n512 personnes, 301 favorables, 140 opposées", "favorables", 301),
    ],
)
async def test_a_count_belongs_to_the_noun_behind_it(text: str, name: str, value: int) -> None:
    assert (await read_field(text, name, NUMBER)).value == value
