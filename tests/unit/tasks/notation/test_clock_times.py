"""Times of day beside calendar days."""

from datetime import time

from tasks.notation.clock_times import clock_beside
from tasks.notation.dates import find_days
from tests.conftest import each_case


@each_case(
    ("text", "clock"),
    [
        ("09.11.2024 10:07", time(10, 7)),
        ("09.11.2024, 10:07:31 Uhr", time(10, 7, 31)),
        ("9 Nov 2024 at 3:05 pm", time(15, 5)),
        ("2024-11-09T00:15", time(0, 15)),
        ("le 09/11/2024 à 14h30", time(14, 30)),
        ("2024-11-09 kl. 18.30", time(18, 30)),
        ("18:30, 9 November 2024", time(18, 30)),
        ("9 listopada 2024 o godz. 7:45", time(7, 45)),
        ("Paid 09.11.2024 12.50", None),
        ("09.11.2024", None),
        ("Importo 12.50 09.11.2024", None),
        ("09.11.2024 10:07+02:00", None),
        ("10:07 09.11.2024 11:30", None),
        ("09.11.2024 to 10.11.2024", None),
        ("09.11.2024 1:100", None),
    ],
)
def test_a_time_belongs_to_the_day_beside_it(text: str, clock: time | None) -> None:
    day = next(find_days(text))
    assert clock_beside(text, day.start, day.end) == clock
