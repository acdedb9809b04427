"""IBANs that go on in the next line."""

import pytest

from tasks.extraction import wrapped_ibans
from tasks.extraction.wrapped_ibans import iban_lines
from tasks.result import SourceLine
from tests.conftest import each_case
from tests.filling import STRING, filled, pasted


def told(*lines: str) -> list[str]:
    return [" ".join(one.line.words) for one in iban_lines([SourceLine(tuple(line.split()), "", {}) for line in lines])]


@each_case(
    "lines",
    [
        ("rent is paid to DE89 3704 0044", "0532 0130 00, by the first of a month"),
        ("DE89 3704", "0044 0532", "0130 00"),
        ("DE8937040044", "0532013000"),
    ],
)
def test_the_groups_in_the_next_lines_belong_to_an_iban(lines: tuple[str, ...]) -> None:
    assert "".join(told(*lines)[0].split()) == "IBAN:DE89370400440532013000"


@each_case(
    "lines",
    [
        ("DE89 3704 0044 0532 0130 00",),
        ("DE88 3704 0044", "0532 0130 00"),
        ("DE89 3704 0044", "Mainz 0532 0130 00"),
        ("DE89 3704 0044", "0532 0130 00", "GB82 WEST 1234 5698 7654 32"),
        ("order DE89",),
    ],
)
def test_an_iban_in_one_line_a_wrong_one_and_two_are_none(lines: tuple[str, ...]) -> None:
    assert told(*lines) == []


def test_few_words_are_looked_at_that_may_begin_an_iban(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(wrapped_ibans, "iban_length", lambda text: looked_at.append(text) or 0)
    assert told(*["GB82 " * 200] * 100) == []
    assert len(looked_at) <= wrapped_ibans.MAX_BEGINNINGS * wrapped_ibans.LONGEST_IBAN // len("GB82")
    assert max(map(len, looked_at)) <= wrapped_ibans.LONGEST_IBAN


async def test_the_field_gets_the_whole_iban() -> None:
    text = "Please pay rent to FR14 2004 1010\n0505 0001 3M02 606 by the first.\n"
    assert await filled(pasted(f"Extract the fields.\n\n{text}"), iban=STRING) == {
        "iban": "FR14 2004 1010 0505 0001 3M02 606"
    }
