"""Tables on pages that their header's words tell."""

from collections.abc import Sequence
from typing import Any

from models.vision.text import Ruling
from tasks.extraction.extract import copy_fields
from tasks.extraction.whole_results import TaskResults
from tasks.ocr_result import PageLayout, page_section, picture_result
from tasks.precontext import Entry
from tests.lists_in_text import list_in
from tests.unit.tasks.extraction.test_evidence import text_line

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
OR_NULL = {"type": ["number", "null"]}
LETTER = 10
"""Width of a letter in `text_line`."""


def page_of(*lines: tuple[int, int, str], rulings: Sequence[Ruling] = ()) -> Entry:
    """A page with texts at their left and top."""
    found = [text_line(text, left, top, 0.95) for left, top, text in lines]
    return Entry("ocr", picture_result(page_section(found, 1, 2000, 2000), PageLayout(rulings)))


def items_on(*lines: tuple[int, int, str], rulings: Sequence[Ruling] = (), **columns: Any) -> Any:
    return items_of(page_of(*lines, rulings=rulings), **columns)


def items_of(page: Entry, **columns: Any) -> Any:
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    copied = copy_fields(schema, TaskResults([], False), [page], None)
    return copied.values.get(("items",))


HEADER = ((0, 0, "Description"), (500, 0, "Qty"), (700, 0, "Unit price"), (1000, 0, "Amount"))
ARTICLE = {"description": TEXT, "quantity": NUMBER, "unit_price": NUMBER, "amount": NUMBER}
CLOGS = {"description": "Clogs", "quantity": 2, "unit_price": 9.5, "amount": 19}
SOCKS = {"description": "Socks", "quantity": 1, "unit_price": 2.5, "amount": 2.5}


def row(top: int, name: str, *figures: str) -> list[tuple[int, int, str]]:
    return [(0, top, name), *((left, top, text) for left, text in zip((500, 700, 1000), figures, strict=True))]


def test_notes_between_the_rows_do_not_end_a_table() -> None:
    notes = [(0, 60, "3 January to 2 February"), (0, 120, "Colour: red")]
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), *row(90, "Socks", "1", "2.50", "2.50")]
    assert items_on(*HEADER, *rows, *notes, **ARTICLE) == [CLOGS, SOCKS]


def test_a_line_that_had_no_room_above_continues_its_cell() -> None:
    rows = row(30, "Clogs of birch wood, with a rim", "2", "9.50", "19.00")
    more = [(0, 60, "of leather"), (0, 90, "Made in Lyon"), *row(120, "Socks", "1", "2.50", "2.50")]
    found = items_on(*HEADER, *rows, *more, **ARTICLE)
    assert [one["description"] for one in found] == ["Clogs of birch wood, with a rim of leather", "Socks"]


def test_a_text_above_its_figures_belongs_to_their_row() -> None:
    rows = [(0, 30, "Clogs"), *row(50, "", "2", "9.50", "19.00")[1:], *row(90, "Socks", "1", "2.50", "2.50")]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


def test_names_of_columns_that_were_read_as_one_line_are_cut_where_the_rows_are() -> None:
    header = [(0, 0, "Description"), (500, 0, "Qty Unit price Amount")]
    clogs = [(0, 30, "Clogs"), (510, 30, "2"), (590, 30, "9.50"), (660, 30, "19.00")]
    socks = [(0, 60, "Socks"), (510, 60, "1"), (590, 60, "2.50"), (670, 60, "2.50")]
    assert items_on(*header, *clogs, *socks, **ARTICLE) == [CLOGS, SOCKS]


def test_the_heading_of_a_section_does_not_continue_the_cell_above_it() -> None:
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), (0, 60, "HOSIERY"), *row(90, "Socks", "1", "2.50", "2.50")]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


def test_the_number_of_a_house_is_no_count() -> None:
    header = [(0, 0, "Name"), (300, 0, "Address"), (700, 0, "Phone"), (1000, 0, "City")]
    rows = [(0, 30, "Ada"), (300, 30, "12 High Street"), (1000, 30, "Leeds")]
    rows += [(0, 60, "Bob"), (300, 60, "7 Mill Lane"), (1000, 60, "York")]
    found = items_on(*header, *rows, name=TEXT, address=TEXT, phone={"type": ["string", "null"]}, city=TEXT)
    assert [(item["address"], item["phone"]) for item in found] == [("12 High Street", None), ("7 Mill Lane", None)]


def test_what_stands_beside_a_table_is_not_in_it() -> None:
    beside = [(0, 20, "Wim Haan"), (0, 50, "Quay 9")]
    table = [(left + 600, top, text) for left, top, text in (*HEADER, *row(30, "Clogs", "2", "9.50", "19.00"))]
    assert items_on(*beside, *table, **ARTICLE) == [CLOGS]


def test_a_sum_and_what_is_below_it_are_no_rows() -> None:
    below = [(700, 90, "Grand total"), (1000, 90, "21.50"), *row(120, "VAT", "1", "2.00", "2.00")]
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), *row(60, "Socks", "1", "2.50", "2.50"), *below]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


def test_the_name_of_a_column_may_end_with_a_figure() -> None:
    header = [(0, 0, "Team"), (500, 0, "W"), (600, 0, "L"), (700, 0, "Last 5")]  # letters are told by their order
    rows = [(0, 30, "Harbour"), (500, 30, "4"), (600, 30, "2"), (700, 30, "WLWWL")]
    columns = {"team": TEXT, "won": NUMBER, "lost": NUMBER, "last_5": TEXT}
    assert items_on(*header, *rows, **columns) == [{"team": "Harbour", "won": 4, "lost": 2, "last_5": "WLWWL"}]


def test_a_sentence_with_words_of_the_fields_is_no_header() -> None:
    lines = [(0, 0, "The description of 3 items, their quantity and the amount are below.")]
    assert not items_on(*lines, (0, 30, "Clogs"), (500, 30, "2"), **ARTICLE)


def test_the_cells_of_a_header_may_have_several_lines_at_other_heights() -> None:
    header = [(0, 12, "Item"), (500, 0, "Qty"), (500, 24, "shipped"), (700, 0, "Qty"), (700, 24, "ordered")]
    header += [(610, -50, "Parcels"), (1000, 12, "Amount")]  # a heading of two columns
    rows = [*row(70, "Clogs", "1", "3", "19.00"), *row(100, "Socks", "2", "4", "2.50")]
    found = items_on(*header, *rows, item=TEXT, ordered=NUMBER, shipped=NUMBER, amount=NUMBER)
    assert [tuple(one.values()) for one in found] == [("Clogs", 3, 1, 19), ("Socks", 4, 2, 2.5)]


def test_the_first_row_of_texts_is_no_line_of_the_header() -> None:
    header = [(0, 0, "Name"), (500, 0, "Street"), (1000, 0, "City")]
    rows = [(0, 24, "Ada"), (500, 24, "High Street"), (1000, 24, "Leeds")]
    rows += [(0, 48, "Bob"), (500, 48, "Mill Lane"), (1000, 48, "York")]
    assert len(items_on(*header, *rows, name=TEXT, street=TEXT, city=TEXT)) == 2


def test_a_row_with_all_that_an_item_must_have_is_an_item() -> None:
    header = [*HEADER, (1200, 0, "Unit"), (1400, 0, "Tax rate")]
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), (1200, 30, "pair"), (1400, 30, "20")]
    rows += [(0, 60, "Rebate"), (1000, 60, "-1.50")]
    rows += [*row(90, "Socks", "1", "2.50", "2.50"), (1200, 90, "pair"), (1400, 90, "20")]
    unit = {"type": ["string", "null"]}
    columns = ARTICLE | {"quantity": OR_NULL, "unit_price": OR_NULL, "unit": unit, "tax_rate": OR_NULL}
    found = items_on(*header, *rows, **columns)
    assert [(one["description"], one["quantity"], one["amount"]) for one in found] == [
        ("Clogs", 2, 19),
        ("Rebate", None, -1.5),
        ("Socks", 1, 2.5),
    ]


def test_a_row_with_all_demanded_values_is_an_item_however_empty_it_is() -> None:
    names = ("Description", "Amount", "Size", "Colour", "Origin")
    rows = [names, ("Clogs", "9.50", "41", "red", "Lyon"), ("Socks", "2.50", "39", "grey", "Brest"), ("Hat", "7.00")]
    cells = [(300 * at, 30 * top, text) for top, own in enumerate(rows) for at, text in enumerate(own)]
    optional = {"type": ["string", "null"]}
    columns = {"description": TEXT, "amount": NUMBER, "size": optional, "colour": optional, "origin": optional}
    found = items_on(*cells, (0, 120, "all of wool"), **columns)
    assert [one["description"] for one in found] == ["Clogs", "Socks", "Hat"]


def test_a_cell_that_spans_rows_is_in_each_of_them() -> None:
    texts = {0: ("No.", "Montag", "Dienstag"), 1: ("1", "", "Art"), 2: ("2", "", "Gym"), 3: ("3",)}
    cells = [(300 * at + 20, 60 * row + 25, text) for row, own in texts.items() for at, text in enumerate(own) if text]
    spanning = [(320, 115, "Latin"), (320, 205, "Maths"), (620, 205, "Art")]
    levels: list[Ruling] = [((0, 60 * row), (900, 60 * row)) for row in (0, 1, 3, 4)]
    levels += [((0, 120), (300, 120)), ((600, 120), (900, 120))]
    sides: list[Ruling] = [((300 * at, 0), (300 * at, 240)) for at in range(4)]
    columns = {"nr": {"type": "integer"}, "montag": TEXT, "dienstag": TEXT}
    rows = items_on(*cells, *spanning, rulings=[*levels, *sides], **columns)
    assert [tuple(row.values()) for row in rows] == [
        (1, "Latin", "Art"),
        (2, "Latin", "Gym"),
        (3, "Maths", "Art"),
    ]


def test_a_score_that_was_read_above_its_line_is_between_the_teams() -> None:
    texts = (
        ("14:30", "Rovers 2", "2-0", "United 1"),
        ("12:00", "Birke 1", "1-3", "Lindau"),
        ("12:00", "FC Au", "0-0", "Elm"),
    )
    lefts = (0, 100, 240, 300)
    cells = [(left, 60 * at, text) for at, own in enumerate(texts) for left, text in zip(lefts, own, strict=True)]
    cells[2] = (240, -15, "2-0")
    found = items_on(*cells, home=TEXT, away=TEXT, home_goals=NUMBER, away_goals=NUMBER)
    assert [tuple(one.values()) for one in found[:2]] == [("Rovers 2", "United 1", 2, 0), ("Birke 1", "Lindau", 1, 3)]


SECTIONED = ((0, 40, "Wood"), *row(80, "Clogs", "2", "9.50", "19.00"), *row(110, "Spoons", "4", "1.00", "4.00"))
MORE_SECTIONS = ((0, 190, "Wool"), *row(230, "Socks", "1", "2.50", "2.50"), *row(260, "Hats", "1", "4.00", "4.00"))


def test_a_heading_is_not_in_the_name_above_it() -> None:
    rows = [(0, 40, "Of wood"), *row(80, "Clogs with a rim of leather", "2", "9.50", "19.00")]
    rows += [*row(110, "Spoons", "4", "1.00", "4.00"), (0, 150, "Of wool and linen"), *row(190, "Socks", "1", "2", "2")]
    found = items_on(*HEADER, *rows, **ARTICLE)
    assert [one["description"] for one in found] == ["Clogs with a rim of leather", "Spoons", "Socks"]


def test_a_sentence_between_two_rows_does_not_end_a_table() -> None:
    sentence = (0, 70, "These clogs of birch wood have a rim of leather, " + "and they have not been dyed, " * 3)
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), sentence, *row(110, "Socks", "1", "2.50", "2.50")]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


def test_a_table_fills_the_list_that_it_answers_best() -> None:
    taxes = [(0, 300, "Base"), (300, 300, "Rate"), (600, 300, "Tax")]
    taxes += [(0, 330, "19.00"), (300, 330, "20"), (600, 330, "3.80")]
    taxes += [(0, 360, "2.50"), (300, 360, "5"), (600, 360, "0.13")]
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), (1200, 30, "20"), (1400, 30, "19.00")]
    rows += [*row(60, "Socks", "1", "2.50", "2.50"), (1200, 60, "5"), (1400, 60, "2.50")]
    rows += [*row(90, "Hats", "1", "4.00", "4.00"), (1200, 90, "5"), (1400, 90, "4.00")]

    def listed(**columns: Any) -> Any:
        item = {"type": "object", "properties": columns, "required": list(columns)}
        return {"type": "array", "items": item}

    lists = {"taxes": listed(base=NUMBER, rate=NUMBER, tax=NUMBER), "items": listed(**ARTICLE, tax=NUMBER)}
    schema = {"type": "object", "properties": lists, "required": list(lists)}
    entry = page_of(*HEADER, (1200, 0, "Tax"), (1400, 0, "Base"), *rows, *taxes)
    copied = copy_fields(schema, TaskResults([], False), [entry], None)
    assert [one["tax"] for one in copied.values[("taxes",)]] == [3.8, 0.13]
    assert len(copied.values[("items",)]) == 3


def test_figures_are_no_units() -> None:
    header = [(0, 0, "Description"), (500, 0, "Qty"), (700, 0, "Un"), (1000, 0, "C.unit")]
    rows = [*row(30, "Clogs", "2", "pair", "9.50"), *row(60, "Socks", "1", "pair", "2.50")]
    found = items_on(*header, *rows, description=TEXT, quantity=NUMBER, unit=TEXT, cost=NUMBER)
    assert [(one["unit"], one["cost"]) for one in found] == [("pair", 9.5), ("pair", 2.5)]


def test_a_box_beside_a_table_is_no_part_of_it_and_a_day_stands_for_the_rows_below() -> None:
    box = ["Account name", "Ms Ruth Adeyemi-Holt", "Sort code 20-44-16", "Account no. 30077194", "Overdraft 500.00"]
    box += ["Lost your card?", "Call us at once", "Rates are changing", "See our web site"]
    booked = [
        ("02.09.2026", "Card payment", "46.20", ""),
        ("", "Direct debit", "148.00", "1010.46"),
        ("05.09.2026", "Faster payment", "60.00", "1070.46"),
        ("09.09.2026", "Standing order", "725.00", "345.46"),
        ("", "Cash withdrawal", "100.00", "245.46"),
    ]
    lines = [(0, 27 * at, text) for at, text in enumerate(box)]
    for at, texts in enumerate([("Date", "Description", "Amount", "Balance"), *booked]):
        lines += [(left, 11 + 39 * at, text) for left, text in zip((400, 560, 860, 1010), texts, strict=True) if text]
    day = {"type": "string", "format": "date"}
    found = items_on(*lines, date=day, description=TEXT, amount=NUMBER, balance=OR_NULL)
    assert [tuple(one.values()) for one in found] == [
        ("2026-09-02", "Card payment", 46.2, None),
        ("2026-09-02", "Direct debit", 148, 1010.46),
        ("2026-09-05", "Faster payment", 60, 1070.46),
        ("2026-09-09", "Standing order", 725, 345.46),
        ("2026-09-09", "Cash withdrawal", 100, 245.46),
    ]


COVER = """Section        Sum insured    Excess
Buildings        £325,000      £250
Contents          £60,000      £150
"""


def test_rows_like_the_others_go_on_below_a_gap() -> None:
    columns = {"section": TEXT, "sum_insured": OR_NULL, "excess": OR_NULL}
    below = "Jewels             £5,000       £50\nGlass              £1,000\n"
    assert len(list_in(f"{COVER}\n{below}", "sections", **columns)) == 4


def test_a_size_that_had_no_room_in_the_longest_line_continues_it() -> None:
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), *row(60, "Screws, countersunk", "1", "2.50", "2.50")]
    found = items_on(*HEADER, *rows, (0, 85, "8x200"), **ARTICLE)
    assert [one["description"] for one in found] == ["Clogs", "Screws, countersunk 8x200"]
