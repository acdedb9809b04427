"""Where a table ends above other lines that fill some of its columns."""

from tasks.layout.table_ends import PlacedRow, end_of_rows
from tests.conftest import each_case

HEIGHT = 20
LEFTS = (0, 200, 300, 400)
LETTER = 10


def placed(*rows: tuple[int, str]) -> list[PlacedRow]:
    """Rows with their gap above, and the texts of their columns between bars."""
    found = []
    bottom = 0
    for gap, line in rows:
        texts = {column: text for column, text in enumerate(map(str.strip, line.split("|"))) if text}
        spans = {column: (LEFTS[column], LEFTS[column] + LETTER * len(text)) for column, text in texts.items()}
        found.append(PlacedRow(bottom + gap, bottom + gap + HEIGHT, HEIGHT, texts, spans))
        bottom += gap + HEIGHT
    return found


@each_case(
    ("below", "kept"),
    [
        ([(30, "Policy fee | 33.30 |"), (10, "Tax | 37.30 |")], 2),
        ([(30, "Packages: 3 | 4 | 412.5")], 2),
        ([(10, "Policy fee | 33.30 |")], 3),
        ([(30, "Policy | fee (12 %) | 33.30")], 2),
        ([(30, "Glass | unlimited | 33.30")], 3),
        ([(30, "Glass | 20 | 1"), (10, "Policy fee | 33.30 |")], 4),
        ([(30, "Outdoors"), (10, "Shed | 20 | 1")], 4),
        ([(10, "Shed | 20 | 1"), (30, "Policy fee | 33.30 |")], 3),
    ],
)
def test_a_table_ends_above_a_larger_gap_below_which_no_row_is_like_its_rows(
    below: list[tuple[int, str]], kept: int
) -> None:
    rows = placed((15, "House | 325 | 25"), (10, "Things | 60 | 15"), *below)
    assert end_of_rows(rows) == kept


def test_a_table_whose_rows_are_all_apart_goes_on() -> None:
    rows = placed((15, "House | 325 | 25"), (30, "Things | 60 | 15"), (30, "Glass | 20 |"))
    assert end_of_rows(rows) == len(rows)


def test_a_row_beside_the_columns_ends_a_table_without_a_gap() -> None:
    rows = placed((15, "House | 325 | 25"), (10, "Things | 605 | 15"), (10, "Last premium | 288 |"))
    rows[-1] = rows[-1]._replace(spans={0: (0, 120), 1: (240, 270)})
    assert end_of_rows(rows) == len(rows) - 1
