"""Lists of numbers are those that one regular expression would find, and looking for them lets other threads in."""

import datetime as dt
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.series import inline
from tasks.series.inline import longest_list, message_of
from tests.turns import calls_of

_NUMBER = r"[-+−]?(?:\d+(?:\.\d+)*|\.\d+)(?:[eE][-+]?\d{1,3})?%?"
_COMMA = r"[-+−]?\d+,\d+"
_LISTS = [
    (number, re.compile(rf"(?<![\w.,]){number}(?:{gap}{number})+(?!\w)"))
    for number, gap in (
        (r"[-+−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!,\d)", r"(?:\s*;\s*|,?\s+)"),
        (_COMMA, r"(?:\s*;\s*|\s+)"),
        (_NUMBER, r"(?:\s*[;,|]\s*|\s+)"),
    )
]
TOKENS = ["1", "2", "12", ".", ",", ";", " ", "-", "e", "%", "a", "|", "\n", "−", "+", "1,5", "3.5", " 7"]


def expected(text: str) -> list[str] | None:
    found = [(one, number) for number, pattern in _LISTS for one in pattern.finditer(text)]
    if not found:
        return None
    longest, number = max(found, key=lambda one: one[0].end() - one[0].start())
    return [longest[0], *re.findall(number, longest[0])]


@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join), st.sampled_from([1, 2, 3, 7, 1000]))
def test_they_are_what_one_regular_expression_finds(text: str, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "_PIECE", piece)
        found = longest_list(text)
    assert expected(text) == (found and [text[found.start : found.end], *found.numbers(text)])


@pytest.mark.deep
@pytest.mark.parametrize("sign", ['"', "(", "a ", "- ", "1 ", "1,5 "])
def test_looking_for_them_lets_other_threads_in(sign: str) -> None:
    assert calls_of(lambda: longest_list(sign * (500_000 // len(sign)))) > 30


_PASTED = tomllib.loads((Path(__file__).parents[3] / "data" / "inline_series.toml").read_text("utf-8"))["series"]


@pytest.mark.parametrize("pasted", _PASTED, ids=[one["text"][:40] for one in _PASTED])
def test_a_series_is_found_as_people_paste_it(pasted: dict[str, Any]) -> None:
    table = message_of(pasted["text"], 1000, today=dt.date(2026, 7, 15)).table
    assert table is not None
    *dates, values = ([str(cell) for cell in column.cells] for column in table.columns)
    assert values == pasted["values"].split()
    assert dates == ([pasted["dates"].split()] if "dates" in pasted else [])


@pytest.mark.parametrize("before", range(11))
def test_a_date_of_eight_digits_is_found_just_before_a_cut_between_pieces(before: int) -> None:
    words = "a" * (inline._PIECE - before - 1) + "\n"
    table = message_of(words + "20260101,10 20260102,12 20260103,9", 1000).table
    assert table is not None
    assert [str(cell) for cell in table.columns[-1].cells] == ["10", "12", "9"]


def test_a_year_that_was_assumed_is_told() -> None:
    message = message_of("Jan 10, Feb 12, Mar 15, Apr 11, May 14", 1000, today=dt.date(2026, 2, 1))
    assert message.note == "No year was given: the last value is assumed to be from 2025."


def test_a_list_that_begins_with_the_latest_value_tells_the_year_of_its_first() -> None:
    message = message_of("Dec 10, Nov 12, Oct 15", 1000, today=dt.date(2026, 2, 1))
    assert message.note == "No year was given: the first value is assumed to be from 2025."


def test_years_that_contradict_the_order_are_told_and_give_no_dates() -> None:
    message = message_of("Jan 2025: 5, Feb: 6, Jan 2024: 7, Mar: 8", 1000)
    assert message.table is not None
    assert [column.cells for column in message.table.columns] == [["5", "6", "7", "8"]]
    assert message.note == (
        "The years do not agree with the order of the values, so the values are used without dates."
    )


def test_dates_in_a_sentence_do_not_hide_a_longer_list_of_numbers() -> None:
    text = "Closed on Jan 5, Feb 3 and Mar 2. Sales: 12, 14, 15, 16, 17"
    table = message_of(text, 1000, today=dt.date(2026, 7, 15)).table
    assert table is not None
    assert [list(column.cells) for column in table.columns] == [["12", "14", "15", "16", "17"]]
