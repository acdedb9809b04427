"""Lists of objects that are filled from tables."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pytest

from tasks.extraction import likeness, table_lists
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.evidence import find_evidence
from tasks.extraction.extract import copy_fields
from tasks.extraction.object_lists import read_object_list
from tasks.extraction.probability import probability_of_cell
from tasks.extraction.table_readings import MAX_PAIRS, HeadedTable, headed_tables
from tasks.extraction.whole_results import TaskResults
from tasks.read_table import ReadCell, ReadTable
from tests.conftest import each_case
from tests.filling import pasted
from tests.unit.tasks.extraction.test_extractor import read, scored, wanted

TEXT, NUMBER, DAY = {"type": "string"}, {"type": "number"}, {"type": "string", "format": "date"}
OR_NULL, DAY_OR_NULL = {"type": ["string", "null"]}, {"type": ["string", "null"], "format": "date"}
OR_NUMBER = {"type": ["number", "null"]}


AMOUNT_OR_NULL = {"type": ["number", "null"]}
ARTICLES = {"name": TEXT, "price": NUMBER}


def copied_by(schema: Mapping[str, Any], text: str) -> CopiedFields:
    document = pasted(text).document
    assert document is not None
    return copy_fields(schema, TaskResults([], False), [document], None)


def copied_from(text: str, **columns: Any) -> CopiedFields:
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    rows = {"rows": {"type": "array", "items": item}}
    return copied_by({"type": "object", "properties": rows, "required": ["rows"]}, text)


def rows_of(text: str, **columns: Any) -> Any:
    return copied_from(text, **columns).values.get(("rows",))


CLOGS = [{"name": "Clogs, blue", "price": 1234.5}, {"name": "Socks", "price": 2.5}]


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
    ],
)
def test_the_columns_of_a_delimited_text_fill_a_list(text: str) -> None:
    assert rows_of(text, **ARTICLES) == CLOGS


def test_a_note_below_the_rows_is_no_item() -> None:
    text = "Timesheet\nday | hours\nMon | 8.0\nTue | 7.5\nSigned by J. Kowalski on 4 May 2025\nIn two copies.\n"
    assert rows_of(text, day=TEXT, hours=OR_NULL) == [{"day": "Mon", "hours": "8.0"}, {"day": "Tue", "hours": "7.5"}]


def test_a_row_of_sums_is_no_item() -> None:
    text = "no;name;price\n1;Socks;2.50\n2;Clogs;3.00\nTotal;;5.50\n"
    assert [row["name"] for row in rows_of(text, **ARTICLES)] == ["Socks", "Clogs"]


def test_a_row_that_is_full_is_an_item_whatever_its_name_says() -> None:
    text = "test;value;unit;range;method\nIron;9;ug;30 - 400;\nTotal protein;71;g/l;60 - 80;\nIron load;4;ug;< 5;\n"
    rows = rows_of(text, test=TEXT, value=NUMBER, unit=TEXT, method={"type": ["string", "null"]})
    assert [row["test"] for row in rows] == ["Iron", "Total protein", "Iron load"]
    text = "name;no;tax;total\nClogs;1;;2.50\nSocks;2;;3.00\nTotal incl. VAT;3;;5.50\n"
    rows = rows_of(text, name=TEXT, no=NUMBER, total=NUMBER)
    assert [row["name"] for row in rows] == ["Clogs", "Socks"]


def test_yes_and_no_words_of_an_enum_and_days_are_read_by_the_column() -> None:
    flag, level = {"type": "boolean"}, {"type": "string", "enum": ["low", "high"]}
    text = "opened,urgent?,level\n3/29/2024,N,Low\n4/2/2024,Y,HIGH\n"
    assert rows_of(text, opened=DAY, urgent=flag, level=level) == [
        {"opened": "2024-03-29", "urgent": False, "level": "low"},
        {"opened": "2024-04-02", "urgent": True, "level": "high"},
    ]


def test_a_table_with_many_columns_that_no_field_wants_fills_a_list() -> None:
    header = ";".join(["Product", "Unit cost", *(f"Extra {at}" for at in range(110))])
    lines = [";".join([name, price, *["x"] * 110]) for name, price in (("Cap", "9.50"), ("Belt", "12.00"))]
    found = rows_of("\n".join([header, *lines, ""]), **ARTICLES)
    assert found == [{"name": "Cap", "price": 9.5}, {"name": "Belt", "price": 12}]


def test_a_table_aligned_by_spaces_is_read_beside_lines_with_commas() -> None:
    text = """Laboratory of the valley, Head Street 4
Report 4711, printed on 3 May, page 1

Substance               MIC     Result
Amoxamil                 16          R
Cefadol                0.25          S
Gentamil                  1          S

Signed by Ann Lake, biologist
Copy for Dr Moor, surgery
"""
    found = rows_of(text, substance=TEXT, mic=NUMBER, result=TEXT)
    assert [row["substance"] for row in found] == ["Amoxamil", "Cefadol", "Gentamil"]
    assert [(row["mic"], row["result"]) for row in found] == [(16, "R"), (0.25, "S"), (1, "S")]


def test_an_empty_cell_is_null() -> None:
    score = {"type": ["integer", "null"]}
    assert rows_of("name,score\nAda,\nBob,4\n", name=TEXT, score=score) == [
        {"name": "Ada", "score": None},
        {"name": "Bob", "score": 4},
    ]


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


def test_a_cell_is_its_own_evidence() -> None:
    text = 'name,price,sold\n"Clogs, blue",2.50,yes\n"Socks, red",2.50,no\n'
    copied = copied_from(text, name=TEXT, price=NUMBER, sold={"type": "boolean"})
    document = pasted(text).document
    rows = {"rows": copied.values["rows",]}
    steps = find_evidence(rows, [], None, most_chars=10**6, support=copied.place, request=document)
    found, _ = steps
    assert found.unsupported == []
    assert [found.fields[f"/rows/1/{key}"]["text"] for key in ("name", "price", "sold")] == ["Socks, red", "2.50", "no"]
    assert all(0 < one["probability"] < 1 for one in found.fields.values())


def test_a_field_without_a_column_is_named_in_a_warning() -> None:
    copied = copied_from("name,price\nClogs,3.50\nSocks,2.50\n", **ARTICLES, colour={"type": ["string", "null"]})
    assert [row["colour"] for row in copied.values["rows",]] == [None, None]
    assert copied.warnings == ["Nothing was copied for these fields of /rows: colour."]


def test_a_list_that_is_cut_is_named_in_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_lists, "MAX_ITEMS", 2)
    text = "name,price\nClogs,3.50\nSocks,2.50\n"
    assert copied_from(text, **ARTICLES).warnings == []
    copied = copied_from(text + "Boots,9.50\n", **ARTICLES)
    assert [row["name"] for row in copied.values["rows",]] == ["Clogs", "Socks"]
    assert copied.warnings == ["Only the first 2 items of /rows were copied."]


def test_a_column_of_crosses_is_yes_and_no() -> None:
    text = "| name | price | organic |\n|---|---|---|\n| Leek | 1,20 | x |\n| Kale | 1.002,40 | |\n"
    rows = rows_of(text, **ARTICLES, organic={"type": "boolean"})
    assert [(row["price"], row["organic"]) for row in rows] == [(1.2, True), (1002.4, False)]


def test_amounts_in_brackets_and_with_a_minus_behind_them_are_negative() -> None:
    text = "name\tprice\nRefund\t(12.50)\nReversal\t3.00-\nSale\t7.25 EUR\n"
    assert [row["price"] for row in rows_of(text, **ARTICLES)] == [-12.5, -3, 7.25]


def test_a_header_of_two_rows_names_columns_by_both() -> None:
    text = "| | Price | |\n|---|---|---|\n| Route | Adult | Child |\n| North | 8.40 | 4.20 |\n| South | 9.00 | 4.50 |\n"
    rows = rows_of(text, route=TEXT, price_child=NUMBER, price_adult=NUMBER)
    assert rows[0] == {"route": "North", "price_child": 4.2, "price_adult": 8.4}


def test_each_list_gets_the_table_that_answers_it_best() -> None:
    text = "| name | price |\n|---|---|\n| Clogs | 3.50 |\n\n| city | country |\n|---|---|\n| Lyon | France |\n"
    shops = {"type": "object", "properties": {"city": TEXT, "country": TEXT}, "required": ["city", "country"]}
    goods = {"type": "object", "properties": ARTICLES, "required": list(ARTICLES)}
    lists = {"shops": {"type": "array", "items": shops}, "goods": {"type": "array", "items": goods}}
    values = copied_by({"type": "object", "properties": lists, "required": list(lists)}, text).values
    assert values["shops",] == [{"city": "Lyon", "country": "France"}]
    assert values["goods",] == [{"name": "Clogs", "price": 3.5}]


def test_a_table_with_too_many_columns_for_its_fields_fills_no_list() -> None:
    head = ",".join(["name", "price", *(f"c{at}" for at in range(MAX_PAIRS // 2))])
    row = ",".join(["Socks", "2.50", *("1" for _ in range(MAX_PAIRS // 2))])
    assert rows_of(f"{head}\n{row}\n{row}\n", **ARTICLES) in (None, [])
    narrow = "name,price\nSocks,2.50\n"
    assert rows_of(narrow, **ARTICLES) == CLOGS[1:]


BOOKINGS = {"booked": DAY, "purpose": TEXT, "amount": NUMBER}


def test_days_without_a_year_are_in_the_year_of_the_statement() -> None:
    text = "Statement of 5 January 2025\n\nBooked;Purpose;Amount\n28.12.;Rent;-800,00\n02.01.;Shop;-12,50\n"
    assert [row["booked"] for row in rows_of(text, **BOOKINGS)] == ["2024-12-28", "2025-01-02"]
    named = "Period: 11/2024\n\nbooked\tpurpose\tamount\n21 Oct\tRent\t800.00\n2 Nov\tShop\t12.50\n"
    assert [row["booked"] for row in rows_of(named, **BOOKINGS)] == ["2024-10-21", "2024-11-02"]


def test_marks_behind_amounts_are_their_signs() -> None:
    text = "Booked;Purpose;Amount\n01.07.2024;Rent;868,00 S\n30.07.2024;Wages;1.208,90 H\n"
    assert [row["amount"] for row in rows_of(text, **BOOKINGS)] == [-868, 1208.9]
    card = "booked\tpurpose\tamount\n2024-07-01\tShoes\t60.00\n2024-07-02\tPayment\t1,100.00 CR\n"
    assert [row["amount"] for row in rows_of(card, **BOOKINGS)] == [60, -1100]
    taxed = "booked\tpurpose\tamount\n2024-07-01\tBread\t3.29 B\n2024-07-02\tSoap\t1.19 A\n"
    assert [row["amount"] for row in rows_of(taxed, **BOOKINGS)] == [3.29, 1.19]


def test_a_column_of_days_is_no_text() -> None:
    text = "transaction\tdescription\tvalue\n2024-10-21\tHardware shop\t64.18\n2024-10-24\tFlorist\t9.20\n"
    assert [row["transaction_text"] for row in rows_of(text, transaction_text=TEXT, value=NUMBER)] == [
        "Hardware shop",
        "Florist",
    ]


def test_numbers_of_a_table_tell_the_decimal_sign_of_others() -> None:
    text = "article\tquantity\tweight\nBrick\t2.880\t11.520,0\nTile\t1.200\t3.960,5\n"
    assert [row["quantity"] for row in rows_of(text, article=TEXT, quantity=NUMBER)] == [2880, 1200]


def test_a_cell_of_a_regular_list_is_surer_than_one_of_a_sparse_list() -> None:
    candidates = read(("Lamp", "30.00"), ("Chair", "33.60"), ("Desk", "12.50"), ("Ann Lee", "Lyon"), ("Bob", "Rome"))
    known = {"Lamp": 3.0, "Chair": 3.0, "Desk": 3.0}, {"30.00": 3.0, "33.60": 3.0, "12.50": 3.0}
    fields = [wanted(("items", "name"), TEXT, in_list=True), wanted(("items", "price"), NUMBER, in_list=True)]
    regular = read_object_list(scored(candidates, list(zip(fields, known, strict=True))), ("items",))
    sparse = {"Lamp": -0.5, "Ann Lee": 0.2, "Bob": 0.1, "Lyon": -0.3}
    other = read_object_list(scored(candidates, [(fields[0], sparse), (fields[1], {"33.60": 0.0})]), ("items",))
    chances = [[probability_of_cell(cell) for cell in one.cells.values()] for one in (regular, other)]
    assert min(chances[0]) > max(chances[1])
    assert regular.worth() > other.worth()


def test_days_in_a_column_have_their_times_where_the_schema_asks_for_them() -> None:
    text = "Ticket;Entry\nA1;09.11.2024 10:07\nA2;09.11.2024 15:52:10\nA3;10.11.2024\n"
    moment = {"type": ["string", "null"], "format": "date-time"}
    told = {"type": "string", "description": "YYYY-MM-DDTHH:MM"}
    assert [row["entry"] for row in rows_of(text, ticket=TEXT, entry=moment)] == [
        "2024-11-09T10:07:00", "2024-11-09T15:52:10", None,
    ]  # fmt: skip
    assert [row["entry"] for row in rows_of(text, ticket=TEXT, entry=told)] == [
        "2024-11-09T10:07", "2024-11-09T15:52:10", "2024-11-10",
    ]  # fmt: skip


def test_numbers_that_only_look_like_times_are_not_parted() -> None:
    text = "Name;Member no.;City\nAnn;10452031;York\nBob;11302045;Leeds\n"
    times = {"start_time": {"type": ["string", "null"]}, "end_time": {"type": ["string", "null"]}}
    rows = rows_of(text, name=TEXT, city=TEXT, **times) or []
    assert not any(row[name] for row in rows for name in times)


def test_thousands_beside_plain_numbers_are_read_unless_the_table_shows_its_decimal_sign() -> None:
    heights = rows_of("Place;Height\nAvila;1.307\nBejar;510\n", place=TEXT, height=NUMBER)
    assert [row["height"] for row in heights] == [1307, 510]
    text = "| Item | Qty | Price |\n| --- | --- | --- |\n| Bananas | 1.250 | 12.50 |\n| Nails | 100 | 9.99 |\n"
    bought = rows_of(text, item=TEXT, qty=NUMBER, price=NUMBER)
    assert [row["qty"] for row in bought] == [1.25, 100]


def test_short_words_of_headers_are_no_weekdays() -> None:
    text = "Nome;Prezzo di vendita\nSedia;2.50\nTavolo;3.50\n"
    or_null = {"type": ["number", "null"]}
    rows = rows_of(text, nome=TEXT, costo_di_acquisto=or_null, prezzo=or_null)
    assert [row["prezzo"] for row in rows] == [2.5, 3.5]


def test_a_measurement_of_another_row_is_not_repeated() -> None:
    text = (
        "| Humidity | Station | Wind |\n| --- | --- | --- |\n| 71 | North | 3 |\n|  | South | 4 |\n| 65 | East | 6 |\n"
    )
    or_null = {"type": ["number", "null"]}
    assert [row["humidity"] for row in rows_of(text, humidity=or_null, station=TEXT, wind=NUMBER)] == [71, None, 65]


def test_an_item_below_a_subtotal_may_lack_a_text() -> None:
    text = "Item;SKU;Price\nPen;A1;1\nInk;A2;2\nSubtotal;;3\nPad;;4\nCup;A5;5\nSubtotal;;9\n"
    assert [row["item"] for row in rows_of(text, item=TEXT, sku=TEXT, price=NUMBER)] == ["Pen", "Ink", "Pad", "Cup"]


def test_a_moment_with_its_zone_is_copied() -> None:
    text = "Ticket;Entry\nA1;2024-05-01T10:00:00+02:00\nA2;2024-05-01T11:00:00Z\n"
    rows = rows_of(text, ticket=TEXT, entry={"type": "string", "format": "date-time"})
    assert [row["entry"] for row in rows] == ["2024-05-01T10:00:00+02:00", "2024-05-01T11:00:00Z"]


def test_fractions_of_a_column_are_numbers() -> None:
    text = "Item;Length\nShelf;2½\nDoor;3 1/4\nBoard;5\n"
    assert [row["length"] for row in rows_of(text, item=TEXT, length=NUMBER)] == [2.5, 3.25, 5]


def test_columns_between_known_ones_are_assigned_in_order() -> None:
    text = "Substance;Strength;VM;MT;AB;Remark\nTorasemid;20 mg;1;½;0;neu\nBisoprolol;5 mg;1;0;1;erhöht\n"
    columns = {"substance": TEXT, "strength": TEXT, "morning": TEXT, "noon": TEXT, "evening": TEXT, "remark": TEXT}
    assert rows_of(text, **columns) == [
        dict(zip(columns, ("Torasemid", "20 mg", "1", "½", "0", "neu"), strict=True)),
        dict(zip(columns, ("Bisoprolol", "5 mg", "1", "0", "1", "erhöht"), strict=True)),
    ]


def test_columns_are_not_assigned_in_order_when_known_headers_are_in_another_one() -> None:
    text = "Stärke;Wirkstoff;VM;MT\n20 mg;Torasemid;1;0\n5 mg;Bisoprolol;0;1\n"
    assert rows_of(text, substance=TEXT, strength=TEXT, morning=TEXT, noon=TEXT) is None


STANDINGS = {"rank": "integer", "team": "string", "played": "integer", "won": "integer", "points": "integer"}


def page_table(*rows: Sequence[str]) -> HeadedTable:
    """The likeliest reading of a table that was found by the places of its words."""
    document = pasted("Date: 03.08.2026\nTotal: 86.42").document
    assert document is not None
    fields = [wanted(name, TEXT) for name in ("date", "description", "amount")]
    table = ReadTable([[*map(ReadCell, row)] for row in rows], is_exact=False)
    return headed_tables([(document, table)], fields)[0]


BOOKED = ("05.08.2026", "Transfer", "3,510.00"), ("10.08.2026", "Standing order", "-712.50")


def test_a_cell_that_is_too_long_for_a_header_is_not_parted() -> None:
    long = "Date " * 100 + "03.08.2026"
    first = page_table((long, "Description Card payment", "Amount -86.42"), *BOOKED)
    assert first.table.texts[0] == [long, "Description Card payment", "Amount -86.42"]


COVERS = {
    "cover": TEXT,
    "sum_insured": {"type": ["number", "null"]},
    "excess": {"type": ["string", "null"]},
    "premium": {"type": ["number", "null"]},
}


def test_a_header_names_its_column_without_its_unit_and_by_each_of_two_names() -> None:
    text = (
        "Cover;Sum insured / limit (EUR);Excess;Premium [EUR]\n"
        "Liability;7,750,000.00;100 EUR;214.60\nTheft;16,450.00;2 %;58.90\n"
    )
    assert rows_of(text, **COVERS) == [
        {"cover": "Liability", "sum_insured": 7_750_000, "excess": "100 EUR", "premium": 214.6},
        {"cover": "Theft", "sum_insured": 16_450, "excess": "2 %", "premium": 58.9},
    ]


def test_words_among_the_amounts_of_a_named_column_are_null() -> None:
    text = (
        "Cover;Sum insured;Excess;Premium\nLiability;7,750.00;none;214.60\nTheft;16,450.00;2 %;58.90\n"
        "Assistance;included;0 km;27.35\n"
    )
    assert [row["sum_insured"] for row in rows_of(text, **COVERS)] == [7_750, 16_450, None]


def test_a_day_of_the_week_with_a_figure_is_no_number_of_something_else() -> None:
    text = ";Weather;High;Low\nThu 17;Clear;29;16\nFri 18;Cloudy;31;17\n"
    columns = {"weather": TEXT, "low": NUMBER, "high": NUMBER, "rain_mm": {"type": ["number", "null"]}}
    assert [row["rain_mm"] for row in rows_of(text, **columns)] == [None, None]


def test_the_cells_that_a_cell_above_spans_have_its_value_also_if_one_lacks_another() -> None:
    text = (
        "Minutes of 3 March 2025\n\n| Item | Task | Owner | By |\n| --- | --- | --- | --- |\n"
        "| § 5 | Ask for offers | Ann | 30 April |\n|  | Clean the yard |  | 10 May |\n| § 6 | Call Bo | Cy | asap |\n"
    )
    columns = {"section": {"type": "integer"}, "task": TEXT, "owner": OR_NULL, "by": DAY_OR_NULL}
    rows = rows_of(text, **columns)
    assert [row["section"] for row in rows] == [5, 5, 6]
    assert [row["owner"] for row in rows] == ["Ann", None, "Cy"]
    assert [row["by"] for row in rows] == ["2025-04-30", "2025-05-10", None]  # a word among days is null


def test_an_empty_row_of_a_sheet_does_not_end_its_table() -> None:
    columns = {"day": DAY, "name": TEXT, "amount": NUMBER}
    text = (
        "| Day | Name | Amount |\n| --- | --- | --- |\n| Travel |  |  |\n| 2025-05-06 | Train | 37.72 |\n"
        "|  | Subtotal | 37.72 |\n\n| Meals |  |  |\n| --- | --- | --- |\n| 2025-05-07 | Lunch | 46.00 |\n\n"
        "| 2025-05-08 | Tea | 3.00 |\n\n| Region | 2023 | 2024 |\n| --- | --- | --- |\n| North | 5.00 | 6.00 |\n"
    )
    rows = [(row["name"], row["amount"]) for row in rows_of(text, **columns)]
    assert rows == [("Train", 37.72), ("Lunch", 46), ("Tea", 3)]


def test_a_row_below_a_sum_that_lacks_what_all_items_have_is_no_item() -> None:
    text = (
        "date;booked;name;amount\n2025-06-02;2025-06-03;Market;-64.18\n2025-06-12;;Train;-89.00\n;;Total;-153.18\n"
        ";;Stamp duty;-2.00\n2025-06-14;2025-06-15;Refund;12.90\n"
    )
    rows = rows_of(text, date=DAY, booked=DAY_OR_NULL, name=TEXT, amount=NUMBER)
    assert [row["name"] for row in rows] == ["Market", "Train", "Refund"]


@each_case(
    "tail",
    [
        "Total inc. VAT;;;145.98\nDeposit paid;;;20.00\nTo pay on collection;;;125.98\n",
        "Imponibile;;;180,00\nIVA 22%;;;39,60\nCaparra versata;;;50,00\nResta da pagare;;;169,60\n",
        "Subtotal;;;145.98\nPostage;;;3.50\nTotal;;;149.48\nGift card;;;20.00\n",
    ],
)
def test_rows_of_a_label_and_an_amount_below_the_first_sum_are_no_items(tail: str) -> None:
    text = f"name;quantity;price;amount\nChain;2;24.99;49.98\nLabour;3;32.00;96.00\n{tail}"
    rows = rows_of(text, name=OR_NULL, quantity=OR_NUMBER, price=OR_NUMBER, amount=OR_NUMBER)
    assert [row["name"] for row in rows] == ["Chain", "Labour"]


def test_items_as_full_as_others_go_on_below_a_partial_sum() -> None:
    text = "name;quantity;price;amount\nChain;2;5.00;10.00\nSubtotal;;;10.00\nTape;1;3.00;3.00\nVAT;;;2.60\n"
    rows = rows_of(text, name=OR_NULL, quantity=OR_NUMBER, price=OR_NUMBER, amount=OR_NUMBER)
    assert [row["name"] for row in rows] == ["Chain", "Tape"]


def test_in_two_columns_only_stages_of_the_sum_below_it_are_no_items() -> None:
    text = (
        "name;amount\nPaint;135.00\nPolish;45.00\nNet;180.00\nVAT 20%;36.00\nDeposit paid;50.00\nBalance due;166.00\n"
    )
    columns = {"name": OR_NULL, "amount": OR_NUMBER}
    assert [row["name"] for row in rows_of(text, **columns)] == ["Paint", "Polish"]
    parts = "name;amount\nPaint;135.00\nSubtotal;135.00\nPolish;45.00\nVAT 20%;36.00\n"
    assert [row["name"] for row in rows_of(parts, **columns)] == ["Paint", "Polish"]


def test_cells_with_several_numbers_are_lists_of_numbers() -> None:
    minutes = {"type": "array", "items": {"type": "integer"}}
    text = "Hour;Monday;Saturdays;Sundays, holidays\n6;30 50;45;\n7;05 25a 40;15;00\n8;10, 40;;\n"
    rows = rows_of(text, hour={"type": "integer"}, monday=minutes, saturdays=minutes, sundays_holidays=minutes)
    assert rows == [
        {"hour": 6, "monday": [30, 50], "saturdays": [45], "sundays_holidays": []},
        {"hour": 7, "monday": [5, 25, 40], "saturdays": [15], "sundays_holidays": [0]},
        {"hour": 8, "monday": [10, 40], "saturdays": [], "sundays_holidays": []},
    ]


def test_numbers_in_arabic_figures_fill_a_column() -> None:
    text = "Name;Price\nClogs;١٬٢٣٤٫٥٠\nSocks;١٥٫٢٥\nLaces;٩\n"
    assert [row["price"] for row in rows_of(text, **ARTICLES)] == [1234.5, 15.25, 9]


def test_the_order_of_words_in_memory_does_not_change_a_likeness() -> None:
    """Sums of the same weights in another order may differ in the last digit."""
    equal, synonyms = (
        ("blue", "red", "old", "new", "left", "wide", "long", "soft"),
        {"qty": "pieces", "vat": "taxes", "town": "locality"},
    )
    shares = {
        likeness._share_of_words({*plain, *map(synonyms.__getitem__, own)}, (*plain, *own))
        for plain in combinations(equal, 2)
        for own in combinations(synonyms, 2)
    }
    assert shares == {(2 + 2 * likeness.SYNONYM) / 4}


MARK = {"type": "string", "enum": ["very good", "good", "sufficient"]}


def test_decimal_commas_in_lines_with_wide_gaps_separate_no_cells() -> None:
    lines = ["             Result   Unit", "  Iron        11,2     mg/l", "  Zinc         6,9     mg/l"]
    rows = copied_from("\n".join(lines), substance=TEXT, result=NUMBER, unit=TEXT).values[("rows",)]
    assert [tuple(row.values()) for row in rows] == [("Iron", 11.2, "mg/l"), ("Zinc", 6.9, "mg/l")]


@each_case(
    ("out", "in_", "columns"),
    [
        ("Af", "Bij", ("bedrag_af", "bedrag_bij")),
        ("Soll", "Haben", ("betrag_soll", "betrag_haben")),
        ("Débit", "Crédit", ("montant_debit", "montant_credit")),
        ("Cargo", "Abono", ("importe_cargo", "importe_abono")),
    ],
)
def test_amounts_of_both_directions_fill_the_fields_of_their_own_columns(
    out: str, in_: str, columns: tuple[str, str]
) -> None:
    text = f"| Datum | Omschrijving | {out} | {in_} |\n|---|---|---|---|\n| 02-05 | Miete | 712,40 | |\n"
    text += "| 23-05 | Lohn | | 2.418,75 |\n| 29-05 | Brot | 3,60 | |\n"
    found = rows_of(text, datum=TEXT, omschrijving=TEXT, **dict.fromkeys(columns, AMOUNT_OR_NULL))
    assert [tuple(one[column] for column in columns) for one in found] == [(712.4, None), (None, 2418.75), (3.6, None)]


STATEMENT = (
    "| Date | Description | Out | In | Balance |\n|---|---|---|---|---|\n| 01.03.2025 | {opening} |  |  | 1,200.00 |\n"
    "| 03.03.2025 | Rent | 800.00 |  | 400.00 |\n| 05.03.2025 | Salary |  | 2,000.00 | 2,400.00 |\n"
    "| 31.03.2025 | Closing balance |  |  | 2,400.00 |\n"
)


@each_case("opening", ["Opening balance", "Balance brought forward"])
def test_rows_that_open_and_close_an_account_are_no_items(opening: str) -> None:
    columns = {"date": DAY, "description": TEXT, "out": OR_NUMBER, "balance": NUMBER}
    copied = copied_from(STATEMENT.format(opening=opening), **columns)
    assert [row["description"] for row in copied.values["rows",]] == ["Rent", "Salary"]
    assert copied.warnings == []


@each_case("extra", [(), ("sku", "unit", "colour"), ("a", "b", "c", "d", "e", "f")])
def test_fields_that_a_table_lacks_cost_no_rows(extra: Sequence[str]) -> None:
    text = "| Name | Hours | Price |\n|---|---|---|\n| Pen | 2 | 1.50 |\n| Ink |  | 2.50 |\n| Pad | 4 | 3.00 |\n"
    found = rows_of(text, **ARTICLES, hours=OR_NUMBER, **dict.fromkeys(extra, OR_NULL))
    assert [(row["name"], row["hours"], row["price"]) for row in found] == [
        ("Pen", 2, 1.5),
        ("Ink", None, 2.5),
        ("Pad", 4, 3),
    ]
    assert all(row[one] is None for row in found for one in extra)


def test_a_table_without_a_header_gives_each_row_once() -> None:
    text = "Dogs\n\n| Rex | brown |\n| Bello | B2 |\n| Fido | white |\n"
    assert rows_of(text, dog=TEXT, coat=TEXT) == [
        {"dog": "Rex", "coat": "brown"},
        {"dog": "Bello", "coat": "B2"},
        {"dog": "Fido", "coat": "white"},
    ]


def test_a_header_in_unknown_words_is_no_item() -> None:
    text = "Qxa;Wxb\nPen;1.50\nInk;2.50\n"
    assert rows_of(text, **ARTICLES) == [{"name": "Pen", "price": 1.5}, {"name": "Ink", "price": 2.5}]


def test_items_that_contradict_the_printed_sum_are_less_sure_and_named_in_a_warning() -> None:
    text = "name;no;price\nPen;1;10.00\nInk;2;20.00\nTotal;;{total}\n"
    right, wrong = (copied_from(text.format(total=total), **ARTICLES) for total in ("30.00", "45.00"))
    assert (len(right.warnings), len(wrong.warnings)) == (0, 1)
    chances = [one.place(("rows", 0, "price"), 10.0) for one in (right, wrong)]
    assert chances[0] is not None
    assert chances[1] is not None
    assert chances[0].probability > chances[1].probability


def test_a_text_in_place_of_a_number_leaves_the_row_and_is_named_in_a_warning() -> None:
    copied = copied_from("name;price\nPen;1.50\nInk;on request\nPad;3.00\n", **ARTICLES)
    assert [row["name"] for row in copied.values["rows",]] == ["Pen", "Ink", "Pad"]
    assert len(copied.warnings) == 1
    place = copied.place(("rows", 1, "price"), 0)
    assert place is not None
    assert place.probability == 0
