"""Lines that are cut in pieces for recognition."""

import numpy as np
import pytest

from models.vision.ppocr.recognizer import LinePiece, RecognizedLine, cut_line, join_lines
from models.vision.text import Image


def line(*gaps: tuple[int, int], width: int = 3000) -> Image:
    """Black text with white gaps, 48 high."""
    picture = np.full((48, width, 3), 255, np.uint8)
    picture[14:34] = 0
    for start, stop in gaps:
        picture[:, start:stop] = 255
    return picture


def reading(text: str) -> RecognizedLine:
    return RecognizedLine(text, np.full(len(text), 0.9, np.float32), np.linspace(0.1, 0.9, len(text), dtype=np.float32))


def test_a_short_line_is_one_piece() -> None:
    assert cut_line(line(width=1280), 1280) == [LinePiece(0, 1280)]


def test_a_long_line_is_cut_in_the_middle_of_its_widest_gaps() -> None:
    cut = cut_line(line((900, 904), (1000, 1012), (1100, 1104), (2000, 2012)), 1280)
    assert [(piece.start, piece.stop) for piece in cut] == [(0, 1006), (1006, 2006), (2006, 3000)]
    assert [piece.gap for piece in cut] == [0, 12, 12]


def test_pieces_are_never_too_long_even_where_there_is_no_gap() -> None:
    cut = cut_line(line(), 1280)
    assert all(0 < piece.stop - piece.start <= 1280 for piece in cut)
    assert [piece.stop for piece in cut[:-1]] == [piece.start for piece in cut[1:]]


def test_a_cut_through_a_space_is_a_space() -> None:
    whole = join_lines([LinePiece(0, 100), LinePiece(100, 200, gap=12)], [reading("one"), reading("two")])
    assert whole.text == "one two"
    assert len(whole.probabilities) == len(whole.centres) == 7
    assert whole.centres == pytest.approx(np.sort(whole.centres))


def test_a_cut_between_two_letters_of_a_word_is_none() -> None:
    assert join_lines([LinePiece(0, 100), LinePiece(100, 200, gap=3)], [reading("wo"), reading("rd")]).text == "word"


def test_a_cut_between_chinese_characters_is_none() -> None:
    assert join_lines([LinePiece(0, 100), LinePiece(100, 200, gap=12)], [reading("合"), reading("计")]).text == "合计"


def test_a_space_that_was_read_is_not_doubled() -> None:
    assert (
        join_lines([LinePiece(0, 100), LinePiece(100, 200, gap=12)], [reading("one "), reading("two")]).text
        == "one two"
    )
