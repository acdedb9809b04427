"""Lists of objects that are filled from tables."""

from collections.abc import Mapping
from typing import Any

import pytest

from tasks.extraction import table_lists
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.extract import copy_fields
from tasks.extraction.given_values import GivenValues
from tasks.extraction.written_tables import tables_in
from tasks.tracing.find_evidence import find_evidence
from tests.conftest import each_case
from tests.kit.papers.filling import pasted

TEXT, NUMBER, DAY = {"type": "string"}, {"type": "number"}, {"type": "string", "format": "date"}
INTEGER, BOOLEAN, MOMENT = {"type": "integer"}, {"type": "boolean"}, {"type": "string", "format": "date-time"}
OR_NULL, DAY_OR_NULL = {"type": ["string", "null"]}, {"type": ["string", "null"], "format": "date"}
OR_NUMBER = {"type": ["number", "null"]}
INTEGERS = {"type": "array", "items": INTEGER}
ARTICLES = {"name": TEXT, "price": NUMBER}
BOOKINGS = {"booked": DAY, "purpose": TEXT, "amount": NUMBER}
ITEMS = {"name": OR_NULL, "quantity": OR_NUMBER, "price": OR_NUMBER, "amount": OR_NUMBER}


def copied_by(schema: Mapping[str, Any], text: str) -> CopiedFields:
    document = pasted(text).document
    assert document is not None
    return copy_fields(schema, GivenValues(), [document], None)


def copied_from(text: str, **columns: Any) -> CopiedFields:
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    rows = {"rows": {"type": "array", "items": item}}
    return copied_by({"type": "object", "properties": rows, "required": ["rows"]}, text)


def rows_of(text: str, **columns: Any) -> Any:
    return copied_from(text, **columns).values.get(("rows",))


def columns_of(text: str, **columns: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in rows_of(text, **columns) or []]


@each_case(
    "text",
    [
        'Name,Price\n"Clogs, blue","1,234.50"\nSocks,2.50\n',
        "Name;Preis\nClogs, blue;1.234,50\nSocks;2,50\n",
        "name\tprice\nClogs, blue\t1234.50\nSocks\t2.50\n",
        "name|price\nClogs, blue|1234.50\nSocks|2.50\n",
        "\ufeffprice;name\n1234.50;Clogs, blue\n2.50;Socks\n",
        "Stock in May\n\nname;price\nClogs, blue;1234.50\nSocks;2.50\n",
        "Clogs, blue;1234.50\nSocks;2.50\n",
        "Qxa;Wxb\nClogs, blue;1234.50\nSocks;2.50\n",
        "name            price\nClogs, blue   1234.50\nSocks            2.50\n",
        "name;price\nClogs, blue;١٬٢٣٤٫٥٠\nSocks;٢٫٥٠\n",
    ],
)
def test_the_columns_of_a_written_table_fill_a_list(text: str) -> None:
    assert columns_of(text, **ARTICLES) == [("Clogs, blue", 1234.5), ("Socks", 2.5)]


@each_case(
    "text",
    [
        "Dear Ada, thank you.\nThe socks, blue, cost 2.50.\nYours, Bob\n",
        "Name: Ada Boot\nPrice: on request\n",
        "Price: 5\n\n|\n",
        "Price: 5\n\n;\n\n,\n",
    ],
)
def test_a_letter_is_no_table(text: str) -> None:
    assert rows_of(text, **ARTICLES) is None


@each_case(
    ("text", "columns", "rows"),
    [
        # Yes and no, words of an enum, and days are read by the column.
        (
            "opened,urgent?,level\n3/29/2024,N,Low\n4/2/2024,Y,HIGH\n",
            {"opened": DAY, "urgent": BOOLEAN, "level": {"type": "string", "enum": ["low", "high"]}},
            [("2024-03-29", False, "low"), ("2024-04-02", True, "high")],
        ),
        (
            "| name | price | organic |\n|---|---|---|\n| Leek | 1,20 | x |\n| Kale | 1.002,40 | |\n",
            {**ARTICLES, "organic": BOOLEAN},
            [("Leek", 1.2, True), ("Kale", 1002.4, False)],
        ),
        ("name,score\nAda,\nBob,4\n", {"name": TEXT, "score": OR_NUMBER}, [("Ada", None), ("Bob", 4)]),
        # Signs of amounts.
        ("name\tprice\nA\t(12.50)\nB\t3.00-\nC\t7.25 EUR\n", ARTICLES, [("A", -12.5), ("B", -3), ("C", 7.25)]),
        (
            "Booked;Purpose;Amount\n01.07.2024;Rent;868,00 S\n30.07.2024;Wages;1.208,90 H\n",
            BOOKINGS,
            [("2024-07-01", "Rent", -868), ("2024-07-30", "Wages", 1208.9)],
        ),
        (
            "booked\tpurpose\tamount\n2024-07-01\tShoes\t60.00\n2024-07-02\tPayment\t1,100.00 CR\n",
            BOOKINGS,
            [("2024-07-01", "Shoes", 60), ("2024-07-02", "Payment", -1100)],
        ),
        # Days without a year are in the year of the statement.
        (
            "Statement of 5 January 2025\n\nBooked;Purpose;Amount\n28.12.;Rent;-800,00\n02.01.;Shop;-12,50\n",
            BOOKINGS,
            [("2024-12-28", "Rent", -800), ("2025-01-02", "Shop", -12.5)],
        ),
        # The other numbers of a table show which sign is its decimal sign.
        (
            "article\tquantity\tweight\nBrick\t2.880\t11.520,0\nTile\t1.200\t3.960,5\n",
            {"article": TEXT, "quantity": NUMBER},
            [("Brick", 2880), ("Tile", 1200)],
        ),
        (
            "Place;Height\nAvila;1.307\nBejar;510\n",
            {"place": TEXT, "height": NUMBER},
            [("Avila", 1307), ("Bejar", 510)],
        ),
        (
            "  Substance  Result   Unit\n  Iron        11,2     mg/l\n  Zinc         6,9     mg/l",
            {"substance": TEXT, "result": NUMBER, "unit": TEXT},
            [("Iron", 11.2, "mg/l"), ("Zinc", 6.9, "mg/l")],
        ),
        ("Item;Length\nShelf;2½\nDoor;3 1/4\n", {"item": TEXT, "length": NUMBER}, [("Shelf", 2.5), ("Door", 3.25)]),
        # Times of day.
        (
            "Ticket;Entry\nA1;19.11.2024 10:07\nA2;2024-05-01T10:00:00+02:00\n",
            {"ticket": TEXT, "entry": MOMENT},
            [("A1", "2024-11-19T10:07:00"), ("A2", "2024-05-01T10:00:00+02:00")],
        ),
        (
            "Ticket;Entry\nA1;2024-03-30 00:30 +01:00\nA2;2024-04-01 00:30 +02:00\n",
            {"ticket": TEXT, "entry": MOMENT},
            [("A1", "2024-03-30T00:30:00+01:00"), ("A2", "2024-04-01T00:30:00+02:00")],
        ),
        (
            "Hour;Monday;Saturdays;Sundays\n6;30 50;45;\n7;05 25a 40;15;00\n8;10, 40;;\n",
            {"hour": INTEGER, "monday": INTEGERS, "saturdays": INTEGERS, "sundays": INTEGERS},
            [(6, [30, 50], [45], []), (7, [5, 25, 40], [15], [0]), (8, [10, 40], [], [])],
        ),
        # Headers: of two rows, with a unit, with two names, in the fields' order, for both directions of money.
        (
            "| | Price | |\n|---|---|---|\n| Route | Adult | Child |\n| A | 8.40 | 4.20 |\n| B | 9.00 | 4.50 |\n",
            {"route": TEXT, "price_child": NUMBER, "price_adult": NUMBER},
            [("A", 4.2, 8.4), ("B", 4.5, 9)],
        ),
        (
            "Cover;Sum insured / limit (EUR);Excess;Premium [EUR]\n"
            "Liability;7,750,000.00;100 EUR;214.60\nTheft;16,450.00;2 %;58.90\nHelp;included;0 km;27.35\n",
            {"cover": TEXT, "sum_insured": OR_NUMBER, "excess": OR_NULL, "premium": OR_NUMBER},
            [
                ("Liability", 7_750_000, "100 EUR", 214.6),
                ("Theft", 16_450, "2 %", 58.9),
                ("Help", None, "0 km", 27.35),
            ],
        ),
        (
            "Substance;Strength;VM;MT;AB;Remark\nTorasemid;20 mg;1;½;0;neu\nBisoprolol;5 mg;1;0;1;erhöht\n",
            dict.fromkeys(("substance", "strength", "morning", "noon", "evening", "remark"), TEXT),
            [("Torasemid", "20 mg", "1", "½", "0", "neu"), ("Bisoprolol", "5 mg", "1", "0", "1", "erhöht")],
        ),
        (
            "| Datum | Naam | Af | Bij |\n|---|---|---|---|\n| 2-5 | Huur | 712,40 | |\n| 23-5 | Loon | | 2.418,75 |\n",
            {"datum": TEXT, "naam": TEXT, "bedrag_af": OR_NUMBER, "bedrag_bij": OR_NUMBER},
            [("2-5", "Huur", 712.4, None), ("23-5", "Loon", None, 2418.75)],
        ),
        # Fields that a table lacks, and cells that one above spans.
        (
            "| Name | Hours | Price |\n|---|---|---|\n| Pen | 2 | 1.50 |\n| Ink |  | 2.50 |\n| Pad | 4 | 3.00 |\n",
            {**ARTICLES, "hours": OR_NUMBER, **dict.fromkeys("abcdef", OR_NULL)},
            [(*row, *[None] * 6) for row in (("Pen", 1.5, 2), ("Ink", 2.5, None), ("Pad", 3, 4))],
        ),
        (
            "Minutes of 3 March 2025\n\n| Item | Task | Owner | By |\n| --- | --- | --- | --- |\n"
            "| § 5 | Ask for bids | Ann | 30 April |\n|  | Clean up |  | 10 May |\n| § 6 | Call Bo | Cy | asap |\n",
            {"section": INTEGER, "task": TEXT, "owner": OR_NULL, "by": DAY_OR_NULL},
            [
                (5, "Ask for bids", "Ann", "2025-04-30"),
                (5, "Clean up", None, "2025-05-10"),
                (6, "Call Bo", "Cy", None),
            ],
        ),
        (
            "Dogs\n\n| Rex | brown |\n| Bello | B2 |\n",
            {"dog": TEXT, "coat": TEXT},
            [("Rex", "brown"), ("Bello", "B2")],
        ),
    ],
)
def test_cells_are_read_as_the_fields_of_their_columns_ask(
    text: str, columns: Any, rows: list[tuple[Any, ...]]
) -> None:
    assert columns_of(text, **columns) == rows


@each_case(
    ("text", "columns", "names"),
    [
        (
            "day | hours\nMon | 8.0\nTue | 7.5\nSigned by J. Kowalski on 4 May 2025\nIn two copies.\n",
            {"day": TEXT, "hours": OR_NULL},
            ["Mon", "Tue"],
        ),
        ("no;name;price\n1;Socks;2.50\n2;Clogs;3.00\nTotal;;5.50\n", ARTICLES, ["Socks", "Clogs"]),
        (
            "test;value;unit;range\nIron;9;ug;30 - 400\nTotal protein;71;g/l;60 - 80\nIron load;4;ug;< 5\n",
            {"test": TEXT, "value": NUMBER, "unit": TEXT},
            ["Iron", "Total protein", "Iron load"],
        ),
        (
            "| Date | Name | Out | In | Balance |\n|---|---|---|---|---|\n"
            "| 01.03.2025 | Opening balance |  |  | 1,200.00 |\n| 03.03.2025 | Rent | 800.00 |  | 400.00 |\n"
            "| 05.03.2025 | Salary |  | 2,000.00 | 2,400.00 |\n"
            "| 31.03.2025 | Closing balance |  |  | 2,400.00 |\n",
            {"name": TEXT, "date": DAY, "out": OR_NUMBER, "balance": NUMBER},
            ["Rent", "Salary"],
        ),
        (
            "| Day | Name | Amount |\n| --- | --- | --- |\n| Travel |  |  |\n| 2025-05-06 | Train | 37.72 |\n"
            "| 2025-05-07 | Lunch | 46.00 |\n|  | Subtotal | 83.72 |\n\n"
            "| Region | 2023 | 2024 |\n| --- | --- | --- |\n| North | 5.00 | 6.00 |\n",
            {"name": TEXT, "day": DAY, "amount": NUMBER},
            ["Train", "Lunch"],
        ),
        *(
            (
                f"name;quantity;price;amount\nChain;2;24.99;49.98\nLabour;3;32.00;96.00\n{tail}",
                ITEMS,
                ["Chain", "Labour"],
            )
            for tail in (
                "Total inc. VAT;;;145.98\nDeposit paid;;;20.00\nTo pay on collection;;;125.98\n",
                "Imponibile;;;145,98\nIVA 22%;;;32,12\nResta da pagare;;;178,10\n",
            )
        ),
        (
            "name;quantity;price;amount\nChain;2;5.00;10.00\nSubtotal;;;10.00\nTape;1;3.00;3.00\nVAT;;;2.60\n",
            ITEMS,
            ["Chain", "Tape"],
        ),
        (
            "name;amount\nPaint;135.00\nPolish;45.00\nNet;180.00\nVAT;36.00\nDeposit paid;50.00\nBalance due;166.00\n",
            {"name": OR_NULL, "amount": OR_NUMBER},
            ["Paint", "Polish"],
        ),
    ],
)
def test_sums_and_notes_are_no_items(text: str, columns: Any, names: list[str]) -> None:
    assert [row[0] for row in columns_of(text, **columns)] == names


def test_a_table_aligned_by_spaces_is_read_beside_lines_with_commas() -> None:
    text = """Laboratory of the valley, Head Street 4
Report 4711, printed on 3 May, page 1

Substance               MIC     Result
Amoxamil                 16          R
Cefadol                0.25          S

Signed by Ann Lake, biologist
Copy for Dr Moor, surgery
"""
    found = columns_of(text, substance=TEXT, mic=NUMBER, result=TEXT)
    assert found == [("Amoxamil", 16, "R"), ("Cefadol", 0.25, "S")]


def test_each_list_gets_the_table_that_answers_it_best() -> None:
    text = "| name | price |\n|---|---|\n| Clogs | 3.50 |\n\n| city | country |\n|---|---|\n| Lyon | France |\n"
    shops = {"type": "object", "properties": {"city": TEXT, "country": TEXT}, "required": ["city", "country"]}
    goods = {"type": "object", "properties": ARTICLES, "required": list(ARTICLES)}
    lists = {"shops": {"type": "array", "items": shops}, "goods": {"type": "array", "items": goods}}
    values = copied_by({"type": "object", "properties": lists, "required": list(lists)}, text).values
    assert values["shops",] == [{"city": "Lyon", "country": "France"}]
    assert values["goods",] == [{"name": "Clogs", "price": 3.5}]


def test_a_cell_is_its_own_evidence() -> None:
    text = 'name,price,sold\n"Clogs, blue",2.50,yes\n"Socks, red",2.50,no\n'
    copied = copied_from(text, name=TEXT, price=NUMBER, sold=BOOLEAN)
    document = pasted(text).document
    rows = {"rows": copied.values["rows",]}
    found, _ = find_evidence(rows, [], None, most_chars=10**6, support=copied.place, request=document)
    assert found.unsupported == []
    assert [found.fields[f"/rows/1/{key}"]["text"] for key in ("name", "price", "sold")] == ["Socks, red", "2.50", "no"]
    assert all(0 < one["probability"] < 1 for one in found.fields.values())


@each_case(
    ("text", "columns", "warnings"),
    [
        ("name,price\nClogs,3.50\nSocks,2.50\n", {}, 0),
        ("name,price\nClogs,3.50\nSocks,2.50\n", {"colour": OR_NULL}, 1),
        ("name,price\nClogs,3.50\nSocks,2.50\nBoots,9.50\nHats,1.00\n", {}, 1),
        ("name;no;price\nPen;1;10.00\nInk;2;20.00\nTotal;;45.00\n", {}, 1),
        ("name;price\nPen;1.50\nInk;on request\nPad;3.00\n", {}, 1),
    ],
)
def test_what_a_list_lacks_is_named_in_a_warning(
    monkeypatch: pytest.MonkeyPatch, text: str, columns: Any, warnings: int
) -> None:
    monkeypatch.setattr(table_lists, "MAX_ITEMS", 3)
    assert len(copied_from(text, **ARTICLES, **columns).warnings) == warnings


def test_a_text_in_place_of_a_number_is_no_value() -> None:
    copied = copied_from("name;price\nPen;1.50\nInk;on request\nPad;3.00\n", **ARTICLES)
    assert [row["name"] for row in copied.values["rows",]] == ["Pen", "Ink", "Pad"]
    place = copied.place(("rows", 1, "price"), 0)
    assert place is not None
    assert place.probability == 0


ACCOUNT = """Date;Text;Charges;Credits
2026-10-12;Deposit;;200.00
2026-10-29;Room;189.00;
2026-10-29;Bar;31.40;
2026-11-02;Card;;20.40
"""
CHARGE = {"date": DAY, "text": TEXT, "amount": NUMBER}
DEPOSIT, CARD = ("2026-10-12", "Deposit", 200.0), ("2026-11-02", "Card", 20.4)
ROOM, BAR = ("2026-10-29", "Room", 189.0), ("2026-10-29", "Bar", 31.4)


def lists_of(text: str, **lists: Mapping[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    properties = {
        name: {"type": "array", "items": {"type": "object", "properties": item, "required": [*item]}}
        for name, item in lists.items()
    }
    found = copied_by({"type": "object", "properties": properties, "required": [*lists]}, text).values
    return {name: [tuple(row.values()) for row in found.get((name,), [])] for name in lists}


def test_each_row_of_an_account_belongs_to_the_list_whose_amount_it_has() -> None:
    found = lists_of(ACCOUNT, charges=CHARGE, credits=CHARGE)
    assert found == {"charges": [ROOM, BAR], "credits": [DEPOSIT, CARD]}


def test_a_row_with_its_amount_in_another_column_is_no_item() -> None:
    assert lists_of(ACCOUNT, charges=CHARGE) == {"charges": [ROOM, BAR]}
    assert lists_of(ACCOUNT, credits=CHARGE) == {"credits": [DEPOSIT, CARD]}


PAYSLIP = """Text;Base;Amount;Employer
Salary;2250.00;2250.00;
Overtime;6.00;111.00;
Bonus;3.00;67.00;
Gross;;2428.00;
Health;2428.00;;168.00
Pension;2428.00;166.00;206.00
Tax;2428.00;90.00;
"""
EARNING = {"text": TEXT, "base": OR_NUMBER, "amount": OR_NUMBER}


def test_a_section_belongs_to_the_list_whose_column_its_rows_fill() -> None:
    found = lists_of(PAYSLIP, contributions={**EARNING, "employer": OR_NUMBER}, earnings=EARNING)
    assert found["earnings"] == [("Salary", 2250.0, 2250.0), ("Overtime", 6.0, 111.0), ("Bonus", 3.0, 67.0)]
    assert found["contributions"] == [
        ("Health", 2428.0, None, 168.0),
        ("Pension", 2428.0, 166.0, 206.0),
        ("Tax", 2428.0, 90.0, None),
    ]


LIMITS = {"test": TEXT, "value": NUMBER, "low": OR_NUMBER, "high": OR_NUMBER}


def test_a_range_in_one_column_is_two_limits() -> None:
    text = "Test;Value;Range\nIron;4.1;3 - 5\nZinc;2.5;1 - 2\nLead;0.1;< 1\n"
    assert columns_of(text, **LIMITS) == [("Iron", 4.1, 3, 5), ("Zinc", 2.5, 1, 2), ("Lead", 0.1, None, 1)]


def test_a_figure_and_its_unit_in_one_column_are_two_fields() -> None:
    text = "Name;Quantity;Price\nClogs;9 pz;2.50\nSocks;3 kg;4.00\n"
    found = columns_of(text, name=TEXT, quantity=NUMBER, unit=TEXT, price=NUMBER)
    assert found == [("Clogs", 9, "pz", 2.5), ("Socks", 3, "kg", 4.0)]


USED = "Item;{0};Amount\nMay;1,702 kWh;510.60\nJune;1,650 kWh;495.00\nJuly;1,590 kWh;477.00\n"
DAYS = "Work;Time;Total\nPaint;12 hours;480.00 EUR\nSand;3 hours;120.00 EUR\nClean;2 hours;60.00 EUR\n"
FLATS = "Unit;Size;Rent\nFlat 1;54 sqm;700.00\nFlat 2;61 sqm;810.00\nFlat 3;72 sqm;930.00\n"


@each_case(
    ("text", "columns", "items"),
    [
        (USED.format("Quantity"), {"kwh": NUMBER, "amount": NUMBER}, [(1702, 510.6), (1650, 495), (1590, 477)]),
        (DAYS, {"hours": NUMBER, "price": NUMBER}, [(12, 480), (3, 120), (2, 60)]),
        (FLATS, {"sqm": NUMBER, "rent": NUMBER}, [(54, 700), (61, 810), (72, 930)]),
    ],
)
def test_a_row_of_values_is_no_header_although_it_names_a_field(
    text: str, columns: Any, items: list[tuple[float, float]]
) -> None:
    assert columns_of(text, **columns) == items


ORDERS = "Ordered by;Article;Price each;Pieces\nHolm;Oak lamp;40.00;2\nBerg;Steel chair;65.00;4\nLind;Desk;180.00;1\n"


@each_case(
    ("columns", "first"),
    [
        ({"article": TEXT}, ("Oak lamp",)),
        ({"pieces": INTEGER}, (2,)),
        ({"ordered_by": TEXT}, ("Holm",)),
        ({"ordered_by": TEXT, "article": TEXT}, ("Holm", "Oak lamp")),
    ],
)
def test_a_header_of_exactly_its_name_fills_the_only_field_of_a_list(columns: Any, first: tuple[Any, ...]) -> None:
    aligned = "\n".join(["".join(f"{cell:14}" for cell in line.split(";")) for line in ORDERS.splitlines()])
    for text in (ORDERS, aligned):
        found = columns_of(text, **columns)
        assert (len(found), found[0]) == (3, first)


def test_the_only_field_of_a_list_is_left_out_without_its_name() -> None:
    assert columns_of(ORDERS, client=TEXT) == []


def test_each_column_of_a_table_is_an_item_if_the_fields_name_its_rows() -> None:
    text = ";Flat A;Flat B;Flat C\nRooms;2;3;4\nArea m2;54;71;92\nRent;700.00;810.00;1100.00\n"
    found = columns_of(text, name=TEXT, rooms=INTEGER, area=NUMBER, rent=NUMBER)
    assert found == [("Flat A", 2, 54, 700), ("Flat B", 3, 71, 810), ("Flat C", 4, 92, 1100)]


TIMES = "Medication;Morning;Noon;Evening\nRamipril;1;-;1\nMetformin;1;2;1\nBisoprolol;2;-;-\n"


def test_each_cell_of_a_matrix_is_an_item_if_the_list_has_a_field_for_its_header() -> None:
    assert columns_of(TIMES, medication=TEXT, time_of_day=TEXT, dose=NUMBER) == [
        ("Ramipril", "Morning", 1),
        ("Ramipril", "Evening", 1),
        ("Metformin", "Morning", 1),
        ("Metformin", "Noon", 2),
        ("Metformin", "Evening", 1),
        ("Bisoprolol", "Morning", 2),
    ]


def test_each_row_of_a_matrix_is_an_item_if_the_list_has_a_field_for_each_header() -> None:
    found = columns_of(TIMES, medication=TEXT, morning=OR_NUMBER, noon=OR_NUMBER, evening=OR_NUMBER)
    assert found == [("Ramipril", 1, None, 1), ("Metformin", 1, 2, 1), ("Bisoprolol", 2, None, None)]


PERIODS = """Tenant;Period;Rent
Holm;01.02.2025 – 31.08.2025;700.00
Berg;01.03.2025 – 30.09.2025;810.00
Lind;15.04.2025 – 31.12.2025;930.00
"""
WORDY_PERIODS = """Tenant;Period;Rent
Holm;Februar 2020 bis März 2021;700.00
Berg;April 2021 bis Mai 2023;810.00
Lind;Juni 2023 bis Juli 2024;930.00
"""


def test_a_period_in_one_column_has_two_days() -> None:
    rows = [line.split(";") for line in PERIODS.splitlines()]
    aligned = "\n".join(f"{tenant:12}{period:32}{rent}" for tenant, period, rent in rows)
    for text in (PERIODS, aligned):
        found = columns_of(text, tenant=TEXT, von=DAY, bis=DAY, rent=NUMBER)
        assert found[1] == ("Berg", "2025-03-01", "2025-09-30", 810)
        assert len(found) == 3


def test_the_ends_of_a_period_may_be_texts() -> None:
    found = columns_of(WORDY_PERIODS, tenant=TEXT, von=TEXT, bis=TEXT, rent=NUMBER)
    assert found[0] == ("Holm", "Februar 2020", "März 2021", 700)


def test_a_cell_of_two_lines_has_the_two_fields_of_its_header() -> None:
    text = "Name / Colour;Qty;Price\nClogs;1;2.50\nblue;;\nSocks;2;4.00\nred;;\n"
    found = columns_of(text, name=TEXT, colour=TEXT, quantity=NUMBER, price=NUMBER)
    assert found == [("Clogs", "blue", 1, 2.5), ("Socks", "red", 2, 4.0)]


BLOCKS = """Article;Pieces;Price
Lamps;;
Oak lamp;1;40.00
Pine lamp;2;30.00
Chairs;;
Steel chair;1;65.00
Beech chair;3;75.00
"""
ITEMS_OF_BLOCKS = [("Lamps", "Oak lamp"), ("Lamps", "Pine lamp"), ("Chairs", "Steel chair"), ("Chairs", "Beech chair")]


def test_the_heading_above_rows_is_their_category() -> None:
    beside = "Category;Article;Price\nLamps;;\n;Oak lamp;40.00\n;Pine lamp;30.00\nChairs;;\n;Steel chair;65.00\n"
    for text in (BLOCKS, f"{beside};Beech chair;75.00\n"):
        found = columns_of(text, category=TEXT, article=TEXT, price=NUMBER)
        assert [one[:2] for one in found] == ITEMS_OF_BLOCKS


def test_a_heading_means_a_value_of_an_enum() -> None:
    text = (
        "Position;Hours;Price\nArbeit;;\nWelding;2;80.00\nPainting;1;40.00\nMaterial;;\nScrews;9;5.00\nSteel;2;60.00\n"
    )
    kind = {"type": "string", "enum": ["arbeit", "material"]}
    found = columns_of(text, kind=kind, position=TEXT, price=NUMBER)
    assert [one[:2] for one in found] == [
        ("arbeit", "Welding"),
        ("arbeit", "Painting"),
        ("material", "Screws"),
        ("material", "Steel"),
    ]


def test_a_list_has_the_rows_of_all_tables_with_its_header() -> None:
    part = "| Article | Price |\n|---|---|\n| {} |\n| {} |\n"
    text = "Lamps\n\n" + part.format("Oak | 1.50", "Pine | 2.50")
    text += "\nChairs\n\n" + part.format("Steel | 3.50", "Beech | 4.50")
    assert [one[0] for one in columns_of(text, article=TEXT, price=NUMBER)] == ["Oak", "Pine", "Steel", "Beech"]


def test_an_item_without_a_required_number_is_named() -> None:
    copied = copied_from("item;no;price\nLamp;2;5.00\nChair;;4.00\nDesk;1;7.00\n", item=TEXT, no=NUMBER, price=NUMBER)
    assert [row["no"] for row in copied.values["rows",]] == [2, 0, 1]
    assert [warning for warning in copied.warnings if "/rows/1/no" in warning] == copied.warnings
    found, _ = find_evidence(
        {"rows": copied.values["rows",]}, [], None, most_chars=10**6, support=copied.place, request=copied.document
    )
    assert found.unsupported == ["/rows/1/no"]


def test_an_item_without_a_number_has_null_where_the_schema_allows_it() -> None:
    text = "item;no;price\nLamp;2;5.00\nChair;;4.00\nDesk;1;7.00\n"
    copied = copied_from(text, item=TEXT, no=OR_NUMBER, price=NUMBER)
    assert [row["no"] for row in copied.values["rows",]] == [2, None, 1]
    assert copied.warnings == []


@each_case(
    "text",
    [
        "Breakfast: 54.00\nParking: 36.50\nTotal: 90.50",
        "Hotel Sonne\n3 May 2026\n\n- Breakfast: 54.00\n- Parking: 36.50\n\nTotal: 90.50",
        "Breakfast 54.00\nParking 36.50\nTotal 90.50",
        "Breakfast ....... EUR 54.00\nParking ........ EUR 36.50\nTotal .......... EUR 90.50",
        "Frühstück: 54,00 €\nParking: 36,50 €\nSumme: 90,50 €".replace("Frühstück", "Breakfast"),
    ],
)
def test_lines_of_a_text_and_a_price_are_items(text: str) -> None:
    assert columns_of(text, description=TEXT, amount=NUMBER) == [("Breakfast", 54), ("Parking", 36.5)]


def test_a_count_before_a_text_and_a_price_is_a_cell() -> None:
    document = pasted("2 x Coffee 7.00\n1 x Cake 4.20\nTotal 11.20").document
    assert document is not None
    [(_, table)] = tables_in([document])
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["2", "Coffee", "7.00"],
        ["1", "Cake", "4.20"],
        ["", "Total", "11.20"],
    ]


@each_case("text", ["Two lamps\nSubtotal: 11.20\nVAT 20%: 2.24\nTotal: 13.44", "Opened: 09.30\nVersion 1.25 is new"])
def test_sums_and_taxes_alone_are_no_items(text: str) -> None:
    assert columns_of(text, description=TEXT, amount=NUMBER) == []
