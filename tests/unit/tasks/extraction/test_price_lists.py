"""Lists of prices: a text at the left, its price at the right."""

from typing import Any

from models.fair_executor import all_of
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.extraction.price_lists import price_lists
from tests.entries import entry_of
from tests.turns import calls_of
from tests.unit.tasks.extraction.test_headed_rows import NUMBER, TEXT, items_on

FLAG = {"type": "boolean"}


def priced(*lines: tuple[str, str], beside: tuple[tuple[int, int, str], ...] = (), **columns: Any) -> Any:
    placed = [(left, 30 * at, text) for at, line in enumerate(lines) for left, text in zip((0, 500), line, strict=True)]
    return items_on(*placed, *beside, **columns)


SERVICES = (("Tap repair", "from 150 €"), ("Drain cleaning", "from 220 €"), ("Boiler service", "450 €"))


def test_each_text_beside_a_price_is_an_item() -> None:
    found = priced(*SERVICES, service=TEXT, price=NUMBER)
    assert found == [
        {"service": "Tap repair", "price": 150},
        {"service": "Drain cleaning", "price": 220},
        {"service": "Boiler service", "price": 450},
    ]


def test_a_price_says_whether_it_is_the_least_and_of_which_unit() -> None:
    unit = {"type": ["string", "null"]}
    found = priced(*SERVICES, ("Travel", "2.50 € / km"), service=TEXT, price=NUMBER, starting_at=FLAG, unit=unit)
    assert [(one["starting_at"], one["unit"]) for one in found] == [
        (True, None),
        (True, None),
        (False, None),
        (False, "km"),
    ]


def test_another_column_of_the_page_is_not_in_the_list() -> None:
    beside = ((1000, 0, "Opening hours"), (1000, 30, "Monday to Friday"), (1000, 60, "Closed on Sunday"))
    found = priced(*SERVICES, beside=beside, service=TEXT, price=NUMBER)
    assert [one["price"] for one in found] == [150, 220, 450]


def test_two_prices_are_no_list() -> None:
    assert not priced(*SERVICES[:2], service=TEXT, price=NUMBER)


def test_prices_that_no_row_continues_are_compared_with_those_of_the_rows_above_alone() -> None:
    def compared(rows: int) -> int:
        text = "".join(" " * (7 * row % 91) + "a  1.00  " * 8 + "\n" for row in range(rows))
        [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
        names = names_of(("price",), NUMBER)
        wanted = [WantedField(("price",), NUMBER, names, lambda value: isinstance(value, float))]
        return calls_of(lambda: list(price_lists(passage, [wanted])))

    assert compared(400) < 2.5 * compared(200)
