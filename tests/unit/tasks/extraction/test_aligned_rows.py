"""Tables on pages that are told by the places of their texts."""

from tasks.extraction.aligned_rows import aligned_tables
from tasks.extraction.passages import passages_to_search
from tests.conftest import each_case
from tests.unit.tasks.extraction.test_headed_rows import page_of

HEADER = ((0, 0, "Příjmení"), (400, 0, "Třída"), (700, 0, "Body"))


def rows_on(*lines: tuple[int, int, str]) -> list[list[list[str]]]:
    tables = aligned_tables(passages_to_search([page_of(*lines)]))
    return [[list(row) for row in table.texts] for _, table in tables]


def row(top: int, *texts: str) -> list[tuple[int, int, str]]:
    return [(left, top, text) for left, text in zip((0, 400, 700), texts, strict=True) if text]


def test_rows_with_a_text_in_each_column_are_a_table_with_the_incomplete_rows_between_them() -> None:
    lines = [*HEADER, *row(30, "Novák", "3.B", "41"), *row(60, "Dvořák", "", "38"), *row(90, "Malá", "3.A", "44")]
    assert rows_on(*lines) == [
        [["Příjmení", "Třída", "Body"], ["Novák", "3.B", "41"], ["Dvořák", "", "38"], ["Malá", "3.A", "44"]]
    ]


def test_a_header_without_a_text_in_its_corner_belongs_to_its_rows() -> None:
    lines = [(400, 0, "Leden"), (700, 0, "Únor")]
    lines += [*row(30, "Srážky", "31", "8"), *row(60, "Sníh", "22", "11"), *row(90, "Vítr", "12", "14")]
    assert rows_on(*lines) == [
        [["", "Leden", "Únor"], ["Srážky", "31", "8"], ["Sníh", "22", "11"], ["Vítr", "12", "14"]]
    ]


@each_case(
    "lines",
    [
        [*HEADER, *row(30, "Novák", "3.B", "41")],
        [*HEADER, *row(30, "Novák", "3.B", "41"), *row(500, "Malá", "3.A", "44")],
        [*row(0, "Novák", "3.B", ""), *row(30, "Malá", "3.A", ""), *row(60, "Dvořák", "3.C", "")],
    ],
)
def test_few_rows_rows_far_apart_and_rows_of_two_texts_are_no_table(lines: list[tuple[int, int, str]]) -> None:
    assert rows_on(*lines) == []
