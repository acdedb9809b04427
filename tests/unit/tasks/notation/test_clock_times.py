"""Times of day beside calendar days."""

import re
from datetime import time, timedelta, timezone

from tasks.notation.clock_times import clock_beside, is_clock_with_point, written_clock
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
        ("10:07 09.11.2024 11:30", None),
        ("09.11.2024 to 10.11.2024", None),
        ("09.11.2024 1:100", None),
    ],
)
def test_a_time_belongs_to_the_day_beside_it(text: str, clock: time | None) -> None:
    day = next(find_days(text))
    assert clock_beside(text, day.start, day.end) == clock


def _zoned(hours: float) -> time:
    return time(23, 50, tzinfo=timezone(timedelta(hours=hours)))


@each_case(
    ("text", "clock"),
    [
        # RFC 3339 and ISO 8601.
        ("2026-03-05T23:50:00Z", _zoned(0)),
        ("2026-03-05t23:50:00.000z.", _zoned(0)),
        ("2026-03-05T23:50+01:00,", _zoned(1)),
        ("2026-03-05T23:50-05:00", _zoned(-5)),
        ("2026-03-05T23:50:00-08", _zoned(-8)),
        ("20260305T235000+0530", _zoned(5.5)),
        ("20260305T2350Z", _zoned(0)),
        ("2026-03-05T23:50", time(23, 50)),
        # E-mails and logs.
        ("Thu, 05 Mar 2026 23:50:00 +0100 (CET)", _zoned(1)),
        ("5 Mar 2026 23:50 -0330", _zoned(-3.5)),
        ("05 Mar 2026 23:50:00 GMT", _zoned(0)),
        # In words.
        ("2026-03-05 23:50 +01:00", _zoned(1)),
        ("2026-03-05 23:50 (UTC+1)", _zoned(1)),
        ("2026-03-05 23:50 UTC−03:30", _zoned(-3.5)),
        ("5 March 2026 at 11:50 pm EST", _zoned(-5)),
        ("05.03.2026, 23:50 Uhr (MEZ)", _zoned(1)),
        ("23:50 CEST, 5 March 2026", _zoned(2)),
        # The end of a range, a telephone number, and words are no zones.
        ("2026-03-05 10:00-11:00", None),
        ("05.03.2026 23:50 +49 351 1234", time(23, 50)),
        ("05.03.2026 23:50 Zug", time(23, 50)),
        ("05.03.2026 23:50 ESTATE", time(23, 50)),
    ],
)
def test_a_time_has_its_zone(text: str, clock: time | None) -> None:
    day = next(find_days(text))
    assert repr(clock_beside(text, day.start, day.end)) == repr(clock)


@each_case(
    ("text", "is_clock"),
    [
        ("14.30 Uhr", True),
        ("14.30 - 16.00 uur", True),
        ("14.30 bis 16 Uhr", True),
        ("ore 14.30", True),
        ("om 14.30", True),
        ("dalle 9.00 alle 14.30", True),
        ("kl. 14.30", True),
        ("Uhrzeit: 14.30", True),
        ("2.30 pm", True),
        ("24.80 Uhr", False),
        ("Snack: 14.30", False),
        ("um 14.30 €", False),
        ("at 14.30 USD", False),
        ("14.30 Uhren", False),
        ("Colore 14.30", False),
    ],
)
def test_a_time_with_a_point_has_a_word_beside_it(text: str, is_clock: bool) -> None:
    digits = list(re.finditer(r"\d+\.\d\d", text))[-1 if text.startswith("dalle") else 0]
    assert is_clock_with_point(text, *digits.span()) is is_clock


@each_case(
    ("text", "clock"),
    [
        ("20H30", "20:30"),
        ("8.30 pm", "20:30"),
        ("9am", "09:00"),
        ("12 am", "00:00"),
        ("8:20p", "20:20"),
        ("5:42 p. m.", "17:42"),
        ("0312 PM", "15:12"),
        ("0645 hrs", "06:45"),
        ("4.45 Uhr", "04:45"),
        ("kl. 14", "14:00"),
        ("ore 17", "17:00"),
        ("klo 9.12", "09:12"),
        ("17 heures", "17:00"),
        ("09:14 CET", "09:14"),
        ("12", None),
        ("12 a", None),
        ("25:10", None),
        ("9 items", None),
    ],
)
def test_a_time_of_day_is_read_with_the_words_beside_it(text: str, clock: str | None) -> None:
    assert written_clock(text) == clock
