"""What of a request's text is read for wishes: in time linear in a bounded part of it."""

import datetime as dt
import re
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasks.base import TaskRequest
from tasks.notation import dates, words
from tasks.series import inline
from tasks.wording.gui_elements import Wording
from tasks.wording.phrases import PHRASES
from tests.conftest import each_case


def test_a_short_text_is_read_whole() -> None:
    assert TaskRequest("Find the cats.").wording(1000) == "Find the cats."


def test_a_long_text_is_read_at_its_beginning_and_its_end() -> None:
    text = "Find the cats. " + "x" * 5_000_000 + " Only on page 3."
    read = TaskRequest(text).wording(20_000)
    assert len(read) <= 20_001
    assert read.startswith("Find the cats. x")
    assert read.endswith("x Only on page 3.")


def test_little_words_are_left_out_at_the_ends_only() -> None:
    assert Wording.of("the a the sign in").written == "sign in"
    assert Wording.of("a," * 200_000).written == ""


@given(st.text("ab1:=, .-;)(\n", max_size=200))
def test_pairs_are_found_around_their_signs_as_they_are_in_the_whole(text: str) -> None:
    def spans(found: object) -> list[tuple[int, int]]:
        return [pair.span() for pair in found if isinstance(pair, re.Match)]  # type: ignore[attr-defined]

    assert spans(inline.find_pairs(text)) == spans(inline.PAIR.finditer(text))


def test_a_text_without_pairs_is_not_searched_at_each_character() -> None:
    assert list(inline.find_pairs('"' * 1_000_000)) == []
    pairs = ", ".join(f"2024-01-{day:02}: {day}" for day in range(1, 29))
    assert len(list(inline.find_pairs('"' * 1_000_000 + pairs))) == 28


def test_a_word_of_the_vocabulary_means_one_thing() -> None:
    table = tomllib.loads(Path(words.__file__).with_suffix(".toml").read_text("utf-8"))
    for subject in ("months", "numbers", "places"):
        names = [name for row in table[subject].values() for name in row.split(", ")]
        assert len(names) == len(set(names)) == len(getattr(words, subject.upper()))
        assert names == [name.strip().lower() for name in names]
    assert set(words.MONTHS.values()) == set(range(1, 13))


def test_phrases_are_expressions_that_fit_something_and_not_everything() -> None:
    for subject, table in PHRASES.items():
        for name, said in table.items():
            pattern = re.compile(said, re.IGNORECASE | (re.VERBOSE if subject == "search" else re.NOFLAG))
            assert pattern.groups == 0, (subject, name)
            assert pattern.fullmatch("") is None, (subject, name)


@each_case(
    ("word", "unit"),
    [("Tage", "day"), ("semaines", "week"), ("个月", "month"), ("trading days", "weekday"), ("часов", "hour")],
)
def test_units_of_time_are_known_by_their_names(word: str, unit: str) -> None:
    assert words.unit_named(word) == unit


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
