"""Days in texts."""

from datetime import date

from tasks.notation.dates import day_of_week_near
from tests.conftest import each_case


@each_case(
    ("text", "known_day", "day"),
    [
        ("Fri 9", date(2026, 10, 7), date(2026, 10, 9)),
        ("Fri 9", date(2026, 10, 12), date(2026, 10, 9)),
        ("Sat 9", date(2026, 10, 7), None),
        ("Fri 31", date(9999, 12, 31), date(9999, 12, 31)),
        ("Mon 1", date(1, 1, 2), date(1, 1, 1)),
        ("Rain 9", date(2026, 10, 7), None),
    ],
)
def test_a_day_without_a_month_is_the_nearest_with_its_day_of_the_week(
    text: str, known_day: date, day: date | None
) -> None:
    assert day_of_week_near(text, known_day) == day
