"""Long texts are searched window by window, and nothing at the border of two windows is lost or found twice."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.fair_executor import Slices, all_of
from models.safety import sliced_search
from models.safety.personal_data import find, find_in_slices
from models.safety.sliced_search import MARGIN, find_each, find_runs, is_found

SHORT_WINDOWS = st.integers(5, 60)
"""The longest piece of a run of digits has 5 characters."""
DATA = (
    *("ann@example.org", "o'brien%40mail.example.co.uk", "+49 170 1234567", "+1 (212) 736-5000", "0170/123 45 67"),
    *("Tel.: 030 901820", "(11) 91234-5678", "138-1234-5678", "4111 1111 1111 1111", "4111111111111111"),
    *("GB29 NWBK 6016 1331 9268 19", "536-22-1234", "AB 12 34 56 C", "RSSMRA85T10A562S", "BSN: 123456782"),
    *("https://example.org/+491701234567", "www.example.org/536-22-1234", "order 4111111111111111", "2026-03-14"),
    *("+4 - (9) - 1 - 7 - 0 - 1 - 2 - 3 - 4 - 5 - 6 - 7", "1 2 3 4 5 6 7 8 9", "+4/(4)~~~~2~~~~0~~~~7~~~~9~~~~4~~~~6"),
)
BETWEEN = ("", " ", "\n", "\n\n", ", ", "-", ".", "1", "x", "é", "٣", " no. ")
TEXTS = st.lists(st.sampled_from(DATA + BETWEEN), max_size=12).map("".join)


def steps_of(slices: Slices[object]) -> int:
    return sum(1 for _ in slices)


@given(TEXTS, TEXTS, SHORT_WINDOWS)
@example("536-22-1234 " * 30, "", 7)
@example("+4~~~~4~~~~2~~~~0~~~~7~~~~9~~~~4~~~~6~~~~0~~~~9~~~~5~~~~8", "tel ", 5)
def test_the_same_personal_data_is_found_in_windows_of_any_size(text: str, before: str, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliced_search, "WINDOW", len(text) + len(before) + 1000)
        expected = find(text, before)
        patch.setattr(sliced_search, "WINDOW", window)
        assert find(text, before) == expected


@given(st.text("ab1 ", max_size=200), SHORT_WINDOWS, st.integers(0, 20), st.integers(0, 200))
def test_each_match_is_found_once(text: str, window: int, start: int, end: int) -> None:
    pattern = re.compile(r"(?<!a)b?1{1,3}(?!b)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliced_search, "WINDOW", window)
        found = all_of(find_each(pattern, text, start, end, lambda match: match.span()))
        assert all_of(is_found(pattern, text, start, end)) or not found
    assert found == [match.span() for match in pattern.finditer(text, start, end)]


@given(st.text("a1 \n", max_size=400), SHORT_WINDOWS)
def test_runs_are_as_long_as_one_search_finds_them(text: str, window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sliced_search, "WINDOW", window)
        runs = all_of(find_runs(re.compile(r"a?1[^\n1]{0,4}1"), re.compile(r"(?:[^\n1]{0,4}1)+"), text))
    assert runs == [match.span() for match in re.finditer(r"a?1(?:[^\n1]{0,4}1)+", text)]


@pytest.mark.parametrize("text", ["1 ", "a", "é", "(212) 736-5000 ", "https://a1"])
def test_no_step_takes_in_more_than_a_window(text: str) -> None:
    windows = 20
    long = text * (windows * sliced_search.WINDOW // len(text))
    assert steps_of(find_in_slices(long)) >= windows


def test_what_a_pattern_may_match_is_shorter_than_a_window() -> None:
    assert MARGIN < sliced_search.WINDOW
