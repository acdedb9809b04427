"""What of a request's text is read for wishes: in time linear in a bounded part of it."""

import datetime as dt
import re

from tasks.notation import dates
from tasks.wording.gui_elements import parse_gui
from tasks.wording.options import ends_of
from tests.conftest import each_case


def test_a_long_text_is_read_at_its_beginning_and_its_end() -> None:
    assert ends_of("a" * 30 + "b" * 30 + "c" * 30, 40) == "a" * 30 + "\n" + "c" * 10
    assert ends_of("a" * 40, 40) == "a" * 40


def test_little_words_are_left_out_at_the_ends_only() -> None:
    assert parse_gui("the a the sign in").text == "sign in"
    assert parse_gui("a," * 200_000).text == ""


@each_case(
    ("text", "begin", "end"),
    [
        ("2024", "2024-01-01", "2025-01-01"),
        ("2024-12", "2024-12-01", "2025-01-01"),
        ("Q4 2024", "2024-10-01", "2025-01-01"),
        ("5 de março de 2024", "2024-03-05", "2024-03-06"),
        ("Mar 5, 2024", "2024-03-05", "2024-03-06"),
        ("décembre 2024", "2024-12-01", "2025-01-01"),
    ],
)
def test_a_date_in_prose_is_a_stretch_of_days(text: str, begin: str, end: str) -> None:
    found = re.fullmatch(dates.DATE, text, re.IGNORECASE)
    assert found is not None
    assert dates.date_range_of(found) == (dt.date.fromisoformat(begin), dt.date.fromisoformat(end))
