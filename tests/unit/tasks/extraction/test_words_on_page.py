"""Rows of a page or of a text."""

from tasks.extraction.passages import passages_of
from tasks.extraction.words_on_page import (
    MAX_ROWS,
    MAX_WORDS,
    WordOnPage,
    rows_by_column,
    rows_of,
    segments_of_row,
)
from tests.filling import pasted


def rows_in(text: str) -> tuple[int, int]:
    """Return the number of rows, and of rows column by column."""
    document = pasted(f"Extract the fields.\n\n{text}").document
    assert document is not None
    [passage] = passages_of([document])
    return len(rows_of(passage)), sum(map(len, rows_by_column(passage)))


def test_a_line_with_the_words_of_a_book_is_no_row() -> None:
    assert rows_in("Total: 5\n" + "a " * MAX_WORDS + "\nDate: 2026-01-02") == (3, 3)
    assert rows_in("Total: 5\n" + "a " * (MAX_WORDS + 1) + "\nDate: 2026-01-02") == (2, 2)


def test_lists_are_searched_for_in_the_first_rows() -> None:
    assert rows_in("Total: 5\n" * (MAX_ROWS + 10))[1] == MAX_ROWS


def test_a_flat_dash_is_as_near_to_the_words_beside_it_as_other_words_are() -> None:
    boxes = ((0, 0, 30, 20), (36, 9, 42, 11), (48, 0, 78, 20), (108, 0, 138, 20))
    row = [WordOnPage(at, box) for at, box in enumerate(boxes)]
    assert [len(segment) for segment in segments_of_row(row)] == [3, 1]
