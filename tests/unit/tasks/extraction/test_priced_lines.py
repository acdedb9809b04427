"""Items of receipts, which have no header above them."""

from typing import Any

from tests.conftest import each_case
from tests.filling import filled, pasted
from tests.lists_in_text import list_in
from tests.unit.tasks.extraction.test_headed_rows import NUMBER, OR_NULL, TEXT, items_on

HEIGHT = 30
OR_NULL_NUMBER = {"type": ["number", "null"]}


def receipt(*lines: tuple[str, ...], **columns: Any) -> Any:
    """The items on a receipt: the texts of each line stand at its left and right."""
    placed = [
        (left, HEIGHT * at, text) for at, line in enumerate(lines) for left, text in zip((0, 600), line, strict=False)
    ]
    return items_on(*placed, **columns)


HEAD = (("Corner Shop",), ("14 Mill Lane",))
SOLD = {"name": TEXT, "quantity": NUMBER, "amount": NUMBER}
PEAS = {"name": "GARDEN PEAS", "amount": 1.2}


def test_lines_of_a_description_and_an_amount_are_items_up_to_the_sum() -> None:
    found = receipt(
        *HEAD, ("GARDEN PEAS", "1.20"), ("RYE BREAD", "3.10"), ("TOTAL", "4.30"), ("CASH", "5.00"),
        name=TEXT, amount=NUMBER,
    )  # fmt: skip
    assert found == [PEAS, {"name": "RYE BREAD", "amount": 3.1}]


def test_lines_without_a_count_below_counted_ones_are_no_items() -> None:
    text = (
        "Your order:\n\n2 x The Salt Road     17.98\n{} x Ordnance Map      11.50\n{}Postage                3.50\n"
        "Gift voucher         -10.00\nYou paid              22.98\n"
    )
    columns = {"title": TEXT, "quantity": OR_NULL_NUMBER, "amount": NUMBER}
    for count, gap in ((1, ""), (1, "\n"), (3, "\n")):
        items = list_in(text.format(count, gap), "items", **columns)
        assert [item["title"] for item in items] == ["The Salt Road", "Ordnance Map"]


def test_the_sum_of_the_items_without_the_discounts_ends_them() -> None:
    lines = (*HEAD, ("GARDEN PEAS", "1.20"), ("RYE BREAD", "3.10"), ("VOUCHER", "-1.00"), ("YOU PAID", "3.30"))
    found = receipt(*lines, ("POINTS VALUE", "0.03"), name=TEXT, amount=NUMBER)
    assert found == [PEAS, {"name": "RYE BREAD", "amount": 3.1}]


def test_the_code_of_a_tax_in_brackets_before_a_description_is_no_part_of_it() -> None:
    found = receipt(
        *HEAD, ("(A) GARDEN PEAS", "1.20"), ("(C) LEEKS",), ("0.512 x 2.99", "1.53"), ("TOTAL", "2.73"),
        name=TEXT, amount=NUMBER, tax_code=TEXT,
    )  # fmt: skip
    assert found == [{**PEAS, "tax_code": "A"}, {"name": "LEEKS", "amount": 1.53, "tax_code": "C"}]


def test_a_quantity_below_a_description_without_an_amount_has_the_amount() -> None:
    found = receipt(
        *HEAD, ("OAT MILK",), ("2 x 1.29", "2.58 B"), ("LEEKS",), ("0.512 kg x 2.99", "1.53 B"), ("TOTAL", "4.11"),
        **SOLD, tax_code=TEXT,
    )  # fmt: skip
    assert found == [
        {"name": "OAT MILK", "quantity": 2, "amount": 2.58, "tax_code": "B"},
        {"name": "LEEKS", "quantity": 0.512, "amount": 1.53, "tax_code": "B"},
    ]


def test_arithmetic_tells_whether_a_quantity_belongs_to_the_line_above_or_below() -> None:
    milk, bread = {"name": "OAT MILK", "quantity": 2, "amount": 2.58}, {"name": "BREAD", "quantity": 1, "amount": 3.1}
    above = receipt(*HEAD, ("2 x 1.29",), ("OAT MILK", "2.58"), ("BREAD", "3.10"), ("TOTAL", "5.68"), **SOLD)
    below = receipt(*HEAD, ("OAT MILK", "2.58"), ("2 x 1.29",), ("BREAD", "3.10"), ("TOTAL", "5.68"), **SOLD)
    assert above == below == [milk, bread]


WITH_PRICE = {"name": TEXT, "quantity": NUMBER, "unit_price": NUMBER, "amount": NUMBER}


@each_case(
    ("figure", "implied"),
    [(NUMBER, {"quantity": 1, "unit_price": 3.1}), (OR_NULL, {"quantity": None, "unit_price": None})],
)
def test_a_count_that_is_not_printed_is_one_unless_it_may_be_null(
    figure: dict[str, Any], implied: dict[str, float | None]
) -> None:
    lines = (*HEAD, ("OAT MILK", "2.58"), ("2 x 1.29",), ("BREAD", "3.10"), ("TOTAL", "5.68"))
    found = receipt(*lines, **{**WITH_PRICE, "quantity": figure, "unit_price": figure})
    milk = {"name": "OAT MILK", "quantity": 2, "unit_price": 1.29, "amount": 2.58}
    assert found == [milk, {"name": "BREAD", "amount": 3.1, **implied}]


@each_case(
    "lines",
    [
        [("2 GARDEN PEAS 1.20", "2.40"), ("3 RYE BREAD 3.10", "9.30")],
        [("2GARDEN PEAS 1.20", "2.40"), ("3RYE BREAD 3.10", "9.30")],
        [("2 x GARDEN PEAS à 1.20", "= 2.40"), ("3 x RYE BREAD à 3.10", "= 9.30")],
        [("GARDEN PEAS 2 pcs. 1.20", "2.40"), ("RYE BREAD 3 loaf 3.10", "9.30")],
    ],
)
def test_a_count_and_a_unit_price_whose_product_is_the_amount_are_no_part_of_the_description(
    lines: list[tuple[str, str]],
) -> None:
    assert receipt(*HEAD, *lines, ("TOTAL", "11.70"), **WITH_PRICE) == [
        {"name": "GARDEN PEAS", "quantity": 2, "unit_price": 1.2, "amount": 2.4},
        {"name": "RYE BREAD", "quantity": 3, "unit_price": 3.1, "amount": 9.3},
    ]


def test_a_name_with_a_letter_or_a_figure_stays_whole() -> None:
    lines = [("1 Vitamin A 3.10", "3.10"), ("1Password licence 36.00", "36.00")]
    found = receipt(*HEAD, *lines, ("TOTAL", "39.10"), **WITH_PRICE)
    assert [item["name"] for item in found] == ["Vitamin A", "1Password licence 36.00"]


def test_numbers_of_lines_are_no_part_of_their_descriptions() -> None:
    found = receipt(
        *HEAD, ("1 GARDEN PEAS 2 1.20", "2.40"), ("2 RYE BREAD 1 3.10", "3.10"), ("3 LEEKS 4 1.00", "4.00"),
        ("TOTAL", "9.50"), **SOLD,
    )  # fmt: skip
    assert [(item["name"], item["quantity"]) for item in found] == [("GARDEN PEAS", 2), ("RYE BREAD", 1), ("LEEKS", 4)]


def test_a_discount_is_no_item() -> None:
    found = receipt(
        *HEAD, ("GARDEN PEAS", "1.20"), ("SPECIAL OFFER", "-0.20"), ("TOTAL", "1.00"), name=TEXT, amount=NUMBER
    )
    assert found == [PEAS]


def test_a_line_whose_amount_is_the_sum_of_those_above_is_no_item() -> None:
    found = receipt(("Site visits", "320.00"), ("Drawings", "80.00"), ("Fees", "400.00"), name=TEXT, amount=NUMBER)
    assert [one["name"] for one in found] == ["Site visits", "Drawings"]


def test_lines_that_sum_up_a_tax_code_are_no_items() -> None:
    found = receipt(
        *HEAD, ("GARDEN PEAS", "1.20B"), ("RYE BREAD", "3.10B"), ("SOLD AT RATE B", "4.30"), ("VAT B 8.00%", "0.32"),
        ("TOTAL", "4.30"), name=TEXT, amount=NUMBER,
    )  # fmt: skip
    assert found == [PEAS, {"name": "RYE BREAD", "amount": 3.1}]


QUOTE = """Quote for the summer party, valid until 3 May 2026
Dear Ann, Bob
Thanks, Carl

Buffet                     40 x 12.50 €   =   500.00 €
Long tables                6 tables x 15 € =   90.00 €
Table cloths                              included
Delivery                                   35.00 €
Total                                     625.00 €
"""
LINES = {"item": TEXT, "quantity": OR_NULL_NUMBER, "unit_price": OR_NULL_NUMBER, "amount": OR_NULL_NUMBER}


def test_a_line_that_is_included_is_an_item_without_an_amount() -> None:
    assert [tuple(one.values()) for one in list_in(QUOTE, "lines", **LINES)] == [
        ("Buffet", 40, 12.5, 500.0),
        ("Long tables", 6, 15, 90.0),
        ("Table cloths", None, None, None),
        ("Delivery", None, None, 35.0),
    ]


async def test_the_items_below_the_name_of_a_list_go_on_below_a_partial_sum() -> None:
    slip = """Pay slip of Ida Brandt, May 2026

I. Earnings
Basic pay                 2,000.00
Night shifts                150.00
A. Gross pay              2,150.00

II. Deductions
1. National insurance
Health         8.00 %       172.00
Old age        9.00 %       193.50
Contributions               365.50
2. Wage tax   12.00 %       214.20
3. Advance                  100.00
B. All of these             679.70
Paid out                  1,470.30
"""
    line = {"label": TEXT, "amount": NUMBER}
    lists = {
        name: {"type": "array", "items": {"type": "object", "properties": fields, "required": list(fields)}}
        for name, fields in (("earnings", line), ("deductions", line | {"percent": OR_NULL_NUMBER}))
    }
    found = await filled(pasted(f"Extract the fields.\n\n{slip}"), **lists)
    assert [[tuple(item.values()) for item in found[name]] for name in lists] == [
        [("Basic pay", 2000.0), ("Night shifts", 150.0)],
        [("Health", 172.0, 8.0), ("Old age", 193.5, 9.0), ("Wage tax", 214.2, 12.0), ("Advance", 100.0, None)],
    ]
