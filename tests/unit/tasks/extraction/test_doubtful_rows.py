"""Rows and cells of lists that are printed but do not count."""

from typing import Any

from tasks.extraction.doubts import DOUBTFUL
from tests.conftest import each_case
from tests.unit.tasks.extraction.test_table_lists import DAY, NUMBER, TEXT, copied_by, copied_from, rows_of

ARTICLES = {"article": TEXT, "quantity": NUMBER, "price": NUMBER}
DATED = {"article": TEXT, "date": DAY}
HEAD = "| Article | Quantity | Price |\n|---|---|---|\n"
HEADINGS = (
    f"## Order\n\n{HEAD}| Lamp | 2 | 10.00 |\n| Desk | 3 | 70.00 |\n\n"
    f"## Returned goods\n\n{HEAD}| Chair | 1 | 50.00 |\n"
)


def probability_of(text: str, column: str, row: int, **columns: Any) -> float:
    copied = copied_from(text, **columns)
    place = copied.place(("rows", row, column), copied.values[("rows",)][row][column])
    assert place is not None
    return min(place.probability, place.most)


def articles_of(text: str, name: str) -> list[str]:
    """The articles in the list `name`, which is the only one of its schema."""
    item = {"type": "object", "properties": ARTICLES, "required": list(ARTICLES), "additionalProperties": False}
    schema = {"type": "object", "properties": {name: {"type": "array", "items": item}}, "required": [name]}
    return [row["article"] for row in copied_by(schema, text).values[(name,)]]


def test_a_row_that_is_struck_through_is_no_item() -> None:
    text = f"{HEAD}| Lamp | 2 | 10.00 |\n| ~~Chair~~ | ~~1~~ | ~~50.00~~ |\n| Desk | 3 | 70.00 |\n"
    assert [row["article"] for row in rows_of(text, **ARTICLES)] == ["Lamp", "Desk"]


def test_a_value_beside_a_struck_one_is_copied() -> None:
    text = f"{HEAD}| Lamp | 2 | ~~12.00~~ 10.00 |\n| ~~Chair~~ Stool | 1 | 50.00 |\n"
    assert [(row["article"], row["price"]) for row in rows_of(text, **ARTICLES)] == [("Lamp", 10), ("Stool", 50)]


def test_a_row_with_one_struck_cell_is_doubtful() -> None:
    text = f"{HEAD}| Lamp | 2 | 10.00 |\n| ~~Chair~~ | 1 | 50.00 |\n"
    assert rows_of(text, **ARTICLES)[1] == {"article": "Chair", "quantity": 1, "price": 50}
    assert probability_of(text, "price", 1, **ARTICLES) == DOUBTFUL
    assert probability_of(text, "price", 0, **ARTICLES) > DOUBTFUL


@each_case(
    "article",
    ["Chair (cancelled)", "Chair - storniert", "Chaise, annulée", "VOID Chair", "Cancelled: Chair", "Chair (optional)"],
)
def test_a_row_that_says_that_it_is_cancelled_is_doubtful(article: str) -> None:
    text = f"Article;Quantity;Price\nLamp;2;10.00\n{article};1;50.00\n"
    assert probability_of(text, "price", 1, **ARTICLES) == DOUBTFUL
    assert probability_of(text, "price", 0, **ARTICLES) > DOUBTFUL


@each_case(
    "label", ["Average", "Min", "Max.", "Standard deviation", "Mittelwert", "Moyenne :", "Overall", "% of total"]
)
def test_a_row_of_figures_of_the_rows_above_is_doubtful(label: str) -> None:
    text = f"Article;Quantity;Price\nLamp;2;10.00\nDesk;3;70.00\n{label};2.5;40.00\n"
    assert probability_of(text, "price", 2, **ARTICLES) == DOUBTFUL
    assert probability_of(text, "price", 0, **ARTICLES) > DOUBTFUL


@each_case(
    ("column", "text"),
    [
        ("article", "Article;Quantity;Price\nLamp;2;10.00\nMin table;3;40.00\n"),
        ("average", "Average;Quantity;Price\nMean;2;10.00\nAverage;3;40.00\n"),
    ],
)
def test_a_row_that_only_begins_so_or_is_asked_for_is_not_doubtful(column: str, text: str) -> None:
    assert probability_of(text, "price", 1, **{column: TEXT, "quantity": NUMBER, "price": NUMBER}) > DOUBTFUL


def test_a_status_of_its_own_cancels_no_row() -> None:
    text = "Article;Status;Price\nLamp;cancelled;10.00\nDesk;paid;70.00\n"
    assert probability_of(text, "price", 0, article=TEXT, status=TEXT, price=NUMBER) > DOUBTFUL


def test_days_of_which_nothing_shows_the_order_are_doubtful() -> None:
    text = "Article;Date\nLamp;03/04/2026\nDesk;05/06/2026\n"
    assert probability_of(text, "date", 0, **DATED) == DOUBTFUL


@each_case(
    ("text", "first"),
    [
        ("Article;Date\nLamp;03/04/2026\nDesk;25/06/2026\n", "2026-04-03"),
        ("Article;Date\nLamp;03/04/2026\nDesk;06/25/2026\n", "2026-03-04"),
        ("Article;Date;Price\nLamp;03/04/2026;10 €\nDesk;05/06/2026;20 €\n", "2026-04-03"),
        ("Printed on 25/06/2026\n\nArticle;Date\nLamp;03/04/2026\nDesk;05/06/2026\n", "2026-04-03"),
        ("Article;Date\nLamp;03.04.2026\nDesk;05.06.2026\n", "2026-04-03"),
    ],
)
def test_days_whose_order_is_shown_are_read_in_this_order(text: str, first: str) -> None:
    assert rows_of(text, **DATED)[0]["date"] == first
    assert probability_of(text, "date", 0, **DATED) > DOUBTFUL


def test_one_of_two_columns_that_both_name_a_field_is_doubtful() -> None:
    text = "Article;Quantity;List price;Net price\nLamp;2;12.00;10.00\nDesk;3;80.00;70.00\n"
    assert probability_of(text, "price", 0, **ARTICLES) == DOUBTFUL
    text = "Article;Quantity;Unit price;Total price\nLamp;2;12.00;24.00\nDesk;3;80.00;240.00\n"
    assert probability_of(text, "price", 0, **ARTICLES) > DOUBTFUL


@each_case(
    ("name", "articles"),
    [
        ("ordered_items", ["Lamp", "Desk"]),
        ("returned_items", ["Chair"]),
        ("items", ["Lamp", "Desk", "Chair"]),
        ("goods", ["Lamp", "Desk", "Chair"]),
    ],
)
def test_the_heading_that_names_a_list_chooses_its_table(name: str, articles: list[str]) -> None:
    assert articles_of(HEADINGS, name) == articles


@each_case("heading", ["Order", "Ordered items, continued", "Page 2", ""])
def test_a_table_goes_on_below_a_heading_that_names_nothing_else(heading: str) -> None:
    text = HEADINGS.replace("## Returned goods", f"## {heading}")
    assert articles_of(text, "ordered_items") == ["Lamp", "Desk", "Chair"]


@each_case(
    "label", ["Übertrag", "Übertrag Seite 2", "Carried forward", "Carry over", "À reporter", "Suma y sigue", "Riporto"]
)
def test_a_sum_carried_to_the_next_page_is_no_item(label: str) -> None:
    text = f"Article;Quantity;Price\nLamp;2;10.00\n{label};;20.00\nDesk;3;70.00\n"
    assert [row["article"] for row in rows_of(text, **ARTICLES)] == ["Lamp", "Desk"]
    aligned = f"Article              Quantity    Price\nLamp                        2    10.00\n{label:28}     20.00\n"
    aligned += "Desk                        3    70.00\nTotal                           230.00\n"
    assert [row["article"] for row in rows_of(aligned, **ARTICLES)] == ["Lamp", "Desk"]


def test_a_full_row_whose_name_has_the_word_of_a_sum_is_an_item() -> None:
    text = "Article       Quantity   Price\nLamp                 1   10.00\nNet curtain          1   20.00\n"
    text += "Desk                 1   30.00\nBed                  1   60.00\n"
    assert [row["price"] for row in rows_of(text, **ARTICLES)] == [10, 20, 30, 60]


@each_case(
    ("text", "items"),
    [
        ("Lamp 10.00\nPen 20.00\nDesk 30.00\nBed 5.00\nTotal 65.00\n", ["Lamp", "Pen", "Desk", "Bed"]),
        ("Lamp 10.00\nPen 20.00\nZwsu 30.00\nCash 50.00\nChange 20.00\n", ["Lamp", "Pen"]),
        ("Lamp 10.00\nPen 20.00\nVOID Pen -20.00\nDesk 31.00\nTotal 41.00\n", ["Lamp", "Desk"]),
        ("Lamp 10.00\nPen 20.00\nStorno -20.00\nDesk 31.00\nTotal 41.00\n", ["Lamp", "Desk"]),
        ("Lamp 10.00\nPen 20.00\nDiscount -5.00\nDesk 31.00\nTotal 56.00\n", ["Lamp", "Pen", "Desk"]),
        ("Lamp 10.00\nPen 20.00\nCarried forward 30.00\nDesk 31.00\nTotal 61.00\n", ["Lamp", "Pen", "Desk"]),
        ("- Lamp: 10.00\n- Pen: 20.00\n- Desk: 31.00\nTotal 61.00\n", ["Lamp", "Pen", "Desk"]),
    ],
)
def test_the_items_of_a_receipt_are_those_that_its_sum_has(text: str, items: list[str]) -> None:
    assert [row["item"] for row in rows_of(f"SHOP\n{text}", item=TEXT, price=NUMBER)] == items


@each_case(
    ("text", "is_doubtful"),
    [
        ("Article;Price\nLamp;10.00 USD\nDesk;70.00 EUR\n", True),
        ("Article;Price (cents)\nLamp;1000\nDesk;7000\n", True),
        ("Article;Price\nLamp;10.00 EUR\nDesk;70.00 EUR\n", False),
        ("Article;Price\nLamp;10.00\nDesk;70.00\n", False),
    ],
)
def test_an_amount_in_another_currency_is_doubtful(text: str, *, is_doubtful: bool) -> None:
    chance = probability_of(text, "price_eur", 0, article=TEXT, price_eur=NUMBER)
    assert (chance <= DOUBTFUL) == is_doubtful
