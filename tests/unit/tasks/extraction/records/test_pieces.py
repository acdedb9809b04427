"""Pieces of a line, and the ends of periods."""

from tasks.extraction.records.pieces import cut_line, ends_of
from tasks.extraction.words_on_page import rows_of
from tests.conftest import each_case
from training.extraction.examples import passage_of


def pieces_of(text: str) -> list[tuple[str, str]]:
    read = passage_of([(0, 0, 10 * len(text), 20, text)])
    return [(one.kind, one.text) for row in rows_of(read) for one in cut_line(read, row).pieces]


@each_case(
    ("text", "first", "last"),
    [
        ("2019/05 - 2020/06", "2019/05", "2020/06"),
        ("01-01-2023 t/m 31-12-2023", "01-01-2023", "31-12-2023"),
        ("mar/2019 – atual", "mar/2019", ""),
    ],
)
def test_a_period_is_one_piece_and_its_ends_have_month_and_year(text: str, first: str, last: str) -> None:
    assert [kind for kind, _ in pieces_of(text)] == ["period"]
    assert ends_of(text) == (first, last)


@each_case("text", ["9 h 30", "13u30", "3 p.m.", "19 Uhr", "7.30 Uhr"])
def test_times_are_pieces_in_the_notation_of_many_languages(text: str) -> None:
    assert pieces_of(text) == [("time", text)]


def test_an_iban_is_one_piece_and_other_groups_of_letters_and_figures_are_not() -> None:
    assert len(pieces_of("PC10 BLUE WIDE 1000")) > 1
    assert pieces_of("GB29 NWBK 6016 1331 9268 19") == [("code", "GB29 NWBK 6016 1331 9268 19")]


def test_addresses_are_pieces_without_the_sign_after_them() -> None:
    assert pieces_of("Ana Lima, ana@lima.example, www.lima.example/cv.") == [
        ("text", "Ana Lima"),
        ("email", "ana@lima.example"),
        ("uri", "www.lima.example/cv"),
    ]
