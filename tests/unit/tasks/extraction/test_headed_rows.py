"""Tables on pages that their header's words tell."""

from collections.abc import Sequence
from typing import Any

from models.vision.text import Ruling
from tasks.extraction.extract import copy_fields
from tasks.extraction.fields import WantedField
from tasks.extraction.given_values import GivenValues
from tasks.extraction.headed_rows import tables_on_pages
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.ocr_result import PageLayout, page_section, picture_result
from tasks.precontext import Entry
from tests.conftest import each_case
from tests.kit.papers.read_pages import text_line

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
OR_NULL = {"type": ["number", "null"]}


def page_of(*lines: tuple[int, int, str], rulings: Sequence[Ruling] = ()) -> Entry:
    """A page with texts at their left and top."""
    found = [text_line(text, left, top, 0.95) for left, top, text in lines]
    return Entry("ocr", picture_result(page_section(found, 1, 2000, 2000), PageLayout(rulings)))


def items_on(*lines: tuple[int, int, str], rulings: Sequence[Ruling] = (), **columns: Any) -> Any:
    return items_of(page_of(*lines, rulings=rulings), **columns)


def items_of(page: Entry, **columns: Any) -> Any:
    item = {"type": "object", "properties": columns, "required": list(columns), "additionalProperties": False}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    copied = copy_fields(schema, GivenValues(), [page], None)
    return copied.values.get(("items",))


HEADER = ((0, 0, "Description"), (500, 0, "Qty"), (700, 0, "Unit price"), (1000, 0, "Amount"))
ARTICLE = {"description": TEXT, "quantity": NUMBER, "unit_price": NUMBER, "amount": NUMBER}
CLOGS = {"description": "Clogs", "quantity": 2, "unit_price": 9.5, "amount": 19}
SOCKS = {"description": "Socks", "quantity": 1, "unit_price": 2.5, "amount": 2.5}


def row(top: int, name: str, *figures: str) -> list[tuple[int, int, str]]:
    return [(0, top, name), *((left, top, text) for left, text in zip((500, 700, 1000), figures, strict=True))]


def test_a_line_that_had_no_room_above_continues_its_cell() -> None:
    rows = row(30, "Clogs of birch wood, with a rim", "2", "9.50", "19.00")
    more = [(0, 60, "of leather"), (0, 90, "Made in Lyon"), *row(120, "Socks", "1", "2.50", "2.50")]
    found = items_on(*HEADER, *rows, *more, **ARTICLE)
    assert [one["description"] for one in found] == ["Clogs of birch wood, with a rim of leather", "Socks"]


def test_a_text_above_its_figures_belongs_to_their_row() -> None:
    rows = [(0, 30, "Clogs"), *row(50, "", "2", "9.50", "19.00")[1:], *row(90, "Socks", "1", "2.50", "2.50")]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


WRAPPED = ("Power supply for a lamp,", "small and black, with two", "plugs for Europe")


@each_case(
    ("beside", "heading", "descriptions"),
    [
        (0, "", ["Socks", " ".join(WRAPPED), "Gloves"]),
        (1, "", ["Socks", " ".join(WRAPPED), "Gloves"]),
        (2, "", ["Socks", " ".join(WRAPPED), "Gloves"]),
        # A heading has room for the word below it.
        (0, "Spare parts", ["Socks", " ".join(WRAPPED), "Gloves"]),
    ],
)
def test_the_figures_of_a_row_stand_beside_any_line_of_its_text(
    beside: int, heading: str, descriptions: list[str]
) -> None:
    lines = [*row(30, "Socks", "1", "2.50", "2.50")]
    lines += [(0, 65, heading)] if heading else []
    lines += [(0, 90 + 22 * at, text) for at, text in enumerate(WRAPPED)]
    lines += row(90 + 22 * beside, "", "2", "9.50", "19.00")[1:]
    lines += row(200, "Gloves", "1", "5.00", "5.00")
    found = items_on(*HEADER, *lines, **ARTICLE)
    assert [one["description"] for one in found] == descriptions
    assert [one["amount"] for one in found] == [2.5, 19, 5]


@each_case(
    ("seconds", "columns"), [(("FLAT 1 RENT",) * 4, {0}), (("FLAT 1 RENT", "", "", ""), set()), (("",) * 4, set())]
)
def test_texts_below_nearly_all_items_leave_their_column_in_doubt(seconds: Sequence[str], columns: set[int]) -> None:
    lines = []
    for at, second in enumerate(seconds):
        lines += row(30 + 60 * at, f"T OYELARAN {at}", "1", "2.50", "2.50")
        lines += [(0, 52 + 60 * at, second)] if second else []
    lines += row(270, "B WELLS OF HARBOUR ROAD", "1", "2.50", "2.50")
    fields = [WantedField((name,), TEXT, names_of((name,), TEXT), lambda _: True) for name in ARTICLE]
    [(_, table)] = tables_on_pages(passages_to_search([page_of(*HEADER, *lines)]), [fields])
    assert table.with_more == columns
    assert ["T OYELARAN 0", "1", "2.50", "2.50"] in table.texts


def test_names_of_columns_that_were_read_as_one_line_are_cut_where_the_rows_are() -> None:
    header = [(0, 0, "Description"), (500, 0, "Qty Unit price Amount")]
    clogs = [(0, 30, "Clogs"), (510, 30, "2"), (590, 30, "9.50"), (660, 30, "19.00")]
    socks = [(0, 60, "Socks"), (510, 60, "1"), (590, 60, "2.50"), (670, 60, "2.50")]
    assert items_on(*header, *clogs, *socks, **ARTICLE) == [CLOGS, SOCKS]


def test_what_stands_beside_a_table_is_not_in_it() -> None:
    beside = [(0, 20, "Wim Haan"), (0, 50, "Quay 9")]
    table = [(left + 600, top, text) for left, top, text in (*HEADER, *row(30, "Clogs", "2", "9.50", "19.00"))]
    assert items_on(*beside, *table, **ARTICLE) == [CLOGS]


def test_a_sum_and_what_is_below_it_are_no_rows() -> None:
    below = [(700, 90, "Grand total"), (1000, 90, "21.50"), *row(120, "VAT", "1", "2.00", "2.00")]
    rows = [*row(30, "Clogs", "2", "9.50", "19.00"), *row(60, "Socks", "1", "2.50", "2.50"), *below]
    assert items_on(*HEADER, *rows, **ARTICLE) == [CLOGS, SOCKS]


def test_a_section_below_the_sum_of_another_has_items() -> None:
    above = [*row(30, "Clogs", "2", "9.50", "19.00"), *row(60, "Socks", "1", "2.50", "2.50")]
    below = [(700, 90, "Subtotal"), (1000, 90, "21.50"), (0, 120, "Hats"), *row(150, "Cap", "3", "1.00", "3.00")]
    cap = {"description": "Cap", "quantity": 3, "unit_price": 1, "amount": 3}
    ends = [(700, 180, "Total"), (1000, 180, "24.50"), (0, 210, "VAT 10 %"), (1000, 210, "2.45")]
    assert items_on(*HEADER, *above, *below, *ends, **ARTICLE) == [CLOGS, SOCKS, cap]


def test_a_sentence_with_words_of_the_fields_is_no_header() -> None:
    lines = [(0, 0, "The description of 3 items, their quantity and the amount are below.")]
    assert not items_on(*lines, (0, 30, "Clogs"), (500, 30, "2"), **ARTICLE)


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
