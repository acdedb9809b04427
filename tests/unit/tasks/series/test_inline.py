"""Lists of numbers are those that one regular expression would find, and looking for them lets other threads in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.series import inline
from tasks.series.inline import longest_list
from tests.turns import calls_of

_NUMBER = r"[-+−]?(?:\d+(?:\.\d+)*|\.\d+)(?:[eE][-+]?\d{1,3})?%?"
_COMMA = r"[-+−]?\d+,\d+"
_LISTS = [
    (number, re.compile(rf"(?<![\w.,]){number}(?:{gap}{number})+(?!\w)"))
    for number, gap in ((_COMMA, r"(?:\s*;\s*|\s+)"), (_NUMBER, r"(?:\s*[;,|]\s*|\s+)"))
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


@pytest.mark.parametrize("sign", ['"', "(", "a ", "- ", "1 ", "1,5 "])
def test_looking_for_them_lets_other_threads_in(sign: str) -> None:
    assert calls_of(lambda: longest_list(sign * (500_000 // len(sign)))) > 30
