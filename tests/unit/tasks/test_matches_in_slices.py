"""Searches of long texts in slices find what a search of the whole text finds."""

import re

from tasks.matches_in_slices import REACH, SEARCHED_AT_ONCE, matches_in_slices
from tests.conftest import each_case

WORDS = "".join(f"Name{number} 5 mg, once a day. " if number % 7 == 0 else "and so on " for number in range(2_000))


@each_case(
    "form, text",
    [
        (r"Name\d+ \d+ mg", WORDS),
        (r"(?<=\. )[^.]{1,900}(?=\.)", WORDS),
        (r"^\w.*$", "\n".join(["a", "b" * 5_000, "", "c" * SEARCHED_AT_ONCE, "d" * REACH] * 3)),
        (r"(?<!\d)\d+(?!\d)", "1" * 10_000 + " 2 " + "3" * 100_000),
        (r"zzz", WORDS),
        (r"a", ""),
    ],
)
def test_all_matches_are_found_wherever_the_slices_end(form: str, text: str) -> None:
    whole = re.compile(form, re.MULTILINE)
    told = list(matches_in_slices(whole, text))
    assert [one.span() for one in told if one is not None] == [one.span() for one in whole.finditer(text)]


def test_a_text_without_a_match_is_searched_in_slices() -> None:
    assert list(matches_in_slices(re.compile("z"), "a" * 10 * SEARCHED_AT_ONCE)) == [None] * 10
