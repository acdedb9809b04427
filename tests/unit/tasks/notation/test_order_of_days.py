"""The order of day and month in a document."""

import pytest

from tasks.notation.dates import find_days
from tasks.notation.order_of_days import are_days_first, order_of


@pytest.mark.parametrize(
    ("text", "days_first"),
    [
        ("8/25/2026, 8/9/2026", False),
        ("05/13/2026, 06/12/2026", False),
        ("5-13-26, 6-12-26", False),
        ("25/8/2026, 8/9/2026", True),
        ("8/9/2026, 6/12/2026", True),
        ("8/25/2026, 25/8/2026, 9/9/2026", True),
        ("8/25/2026, 8/26/2026, 27/8/2026", False),
        ("May 25, 2026, 2026-08-25, 8/9/2026", True),
    ],
)
def test_dates_with_one_order_decide(text: str, days_first: bool) -> None:
    orders = [order_of(text[day.start : day.end], day) for day in find_days(text)]
    assert are_days_first(orders) is days_first
