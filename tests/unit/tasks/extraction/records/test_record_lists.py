"""Lists that are filled from records which repeat on a page, whatever they are about."""

from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tests.kit.papers.filling import OR_NULL, STRING, list_in, pasted

DATE_OR_NULL = {"type": ["string", "null"], "format": "date"}
JOBS = """# Oona Marsh

## Work experience

### Kestrel Windows sp. z o.o., Derby

*Glazier*
04/2017 – today

- cut glass for forty shops

### Marlow & Sons, Leek

*Apprentice*
01/2011 – 03/2017

## Interests

chess
"""
PERMITS = """Oona Marsh

Certificates
- Forklift – valid until 14.05.2029
- First aid – valid until 01.02.2027
- Working at heights – valid until 30.06.2028

Hobbies
chess
"""


def test_headings_below_a_heading_begin_records() -> None:
    jobs = list_in(JOBS, "jobs", company=STRING, city=OR_NULL, position=STRING, **{"from": STRING, "to": OR_NULL})
    assert [(one["company"], one["city"], one["position"], one["from"], one["to"]) for one in jobs] == [
        ("Kestrel Windows sp. z o.o.", "Derby", "Glazier", "04/2017", None),
        ("Marlow & Sons", "Leek", "Apprentice", "01/2011", "03/2017"),
    ]


def test_what_all_records_say_is_a_label() -> None:
    found = list_in(PERMITS, "certificates", name=STRING, valid_until=DATE_OR_NULL)
    assert [tuple(one.values()) for one in found] == [
        ("Forklift", "2029-05-14"),
        ("First aid", "2027-02-01"),
        ("Working at heights", "2028-06-30"),
    ]


def test_two_lines_without_a_heading_are_no_list() -> None:
    assert not list_in(
        "Dear Oona,\nthe lamp is here.\nYours, Tim\n", "certificates", name=STRING, valid_until=DATE_OR_NULL
    )


def test_figures_are_told_by_the_units_in_the_names_of_fields_wherever_they_stand() -> None:
    text = """Method

1. Knead the dough for 10 minutes.
2. Roast the pumpkin in the oven at 200 °C for 20 min.
3. Fill the dough, and roll it up.
4. Bake it 35 minutes at 190 °C.
"""
    number = {"type": ["number", "null"]}
    steps = list_in(text, "steps", number={"type": "integer"}, temperatureC=number, durationMin=number)
    assert [(one["number"], one["temperatureC"], one["durationMin"]) for one in steps] == [
        (1, None, 10),
        (2, 200, 20),
        (3, None, None),
        (4, 190, 35),
    ]


COVERS = """Your covers

Fire and storm                    Natural disasters
Limit: 9 000 €                    Limit: 5 000 €
Excess: 150 €                     Excess: 380 €
Reconstruction                    Drought included

Water and frost                   Electric damage
Limit: 3 000 €                    Limit: 7 000 €
Search for leaks                  Excess: 160 €
Excess: 140 €                     Old appliances

Theft                             Liability
Limit: 18 400 €                   Limit: 80 000 €
Excess: 300 €                     Excess: 120 €

Signed in two copies
"""


def test_cards_in_two_columns_are_records_of_one_list() -> None:
    number = {"type": "number"}
    covers = list_in(COVERS, "covers", name=STRING, limit=number, excess=number, note=OR_NULL)
    assert [(cover["name"], cover["limit"], cover["excess"]) for cover in covers] == [
        ("Fire and storm", 9000, 150),
        ("Natural disasters", 5000, 380),
        ("Water and frost", 3000, 140),
        ("Electric damage", 7000, 160),
        ("Theft", 18400, 300),
        ("Liability", 80000, 120),
    ]


CARDS = """Lamps of Arvale

Oak table lamp               Brass floor lamp             Paper pendant
4.4 (128)                    4.8 (57)                     3.9 (311)
£69.90 £49.90                £89.00                       £24.00 £19.50
In stock                     In stock                     Out of stock
Add to basket                Add to basket                Add to basket
"""
NUMBER = {"type": "number"}


def test_cards_of_a_shop_side_by_side_are_items_with_the_price_that_is_not_replaced() -> None:
    boolean, integer = {"type": "boolean"}, {"type": "integer"}
    lamps = list_in(CARDS, "products", name=STRING, price=NUMBER, rating=NUMBER, reviews=integer, in_stock=boolean)
    assert [tuple(lamp.values()) for lamp in lamps] == [
        ("Oak table lamp", 49.9, 4.4, 128, True),
        ("Brass floor lamp", 89, 4.8, 57, True),
        ("Paper pendant", 19.5, 3.9, 311, False),
    ]


ORDER = """Guten Tag,

bitte liefern Sie:
Pos. 1: 200 Stück Winkel verzinkt 40x40 (Art. W-4040) zu 0,21 EUR
Pos. 2: 50 Stück Gewindestange M10 (Art. G-1010) zu 3,45 EUR
Pos. 3: 12 Dosen Zinkspray (Art. Z-0400) zu 6,80 EUR
Lieferung bis 14. März 2025.
"""


def test_items_of_an_order_in_a_mail_have_their_quantities_prices_and_codes() -> None:
    items = list_in(ORDER, "items", article_number=OR_NULL, quantity={"type": "integer"}, unit_price=NUMBER)
    assert [tuple(item.values()) for item in items] == [
        ("W-4040", 200, 0.21),
        ("G-1010", 50, 3.45),
        ("Z-0400", 12, 6.8),
    ]


DEFECTS = """Dear Ms Lind,

1) Bathroom: the tap drips, since 3 March 2025
2) Kitchen: the window does not close, since 12 April 2025
3) Hall: the light is broken, since 1 May 2025

Please repair them.
"""


def test_a_numbered_line_has_the_text_before_its_colon() -> None:
    found = list_in(DEFECTS, "defects", room=STRING, description=STRING, since={"type": "string", "format": "date"})
    assert [tuple(one.values()) for one in found] == [
        ("Bathroom", "the tap drips", "2025-03-03"),
        ("Kitchen", "the window does not close", "2025-04-12"),
        ("Hall", "the light is broken", "2025-05-01"),
    ]


def test_records_have_no_label_that_is_not_printed() -> None:
    columns = {"room": STRING, "description": STRING, "since": {"type": "string", "format": "date"}}
    item = {"type": "object", "properties": columns, "required": [*columns]}
    schema = {"type": "object", "properties": {"defects": {"type": "array", "items": item}}, "required": ["defects"]}
    document = pasted(DEFECTS).document
    assert document is not None
    [filled] = copy_fields(schema, GivenValues(), [document], None).tables.values()
    assert {cell.header for cell in filled.cells.values()} <= {"", "since"}
