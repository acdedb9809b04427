"""Cells of tables on pages."""

from models.vision.text import Word
from tasks.layout.cells import Cell
from tests.conftest import each_case


def placed(text: str, left: float, top: float, bottom: float) -> Word:
    right = left + 10 * len(text)
    return Word(text, ((left, top), (right, top), (right, bottom), (left, bottom)), 0.9)


def test_a_dash_is_in_the_line_of_the_words_beside_it() -> None:
    words = [placed("130", 0, 100, 120), placed("–", 40, 110, 112), placed("170", 60, 100, 120)]
    assert Cell(0, 0, 1, 1, words[0].quad, words).text_and_note() == ("130 – 170", "")


def test_lines_in_small_type_are_apart() -> None:
    words = [placed("Bio", 0, 100, 120), placed("B", 0, 124, 136), placed("12", 20, 124, 136)]
    assert Cell(0, 0, 1, 1, words[0].quad, words).text_and_note() == ("Bio", "B 12")


def test_a_turned_cell_keeps_its_text() -> None:
    words = [placed("Amount", 0, 120, 100)]
    assert Cell(0, 0, 1, 1, words[0].quad, words).text_and_note() == ("Amount", "")


@each_case(("first", "second"), [("\u6708", "12/4"), ("\u65e5", "Sun"), ("\u8a08", "1,200")])
def test_an_ideograph_above_figures_or_letters_is_text(first: str, second: str) -> None:
    words = [placed(first, 0, 60, 80), placed(second, 0, 84, 104)]
    assert Cell(0, 0, 1, 1, words[0].quad, words).text_and_note() == (f"{first} {second}", "")
