"""Decoding of the recogniser's columns, and lines that are cut in pieces for it."""

import numpy as np
import pytest

from models.vision.ppocr.line_pieces import LinePiece, cut_line, join_lines
from models.vision.ppocr.line_text import RecognizedLine, alphabet, decode
from models.vision.text import Image
from tests.conftest import each_case

SYMBOLS = alphabet("a\nb\nc")  # classes: 0 blank, 1 a, 2 b, 3 c, 4 space


def read(*classes: int, columns: float | None = None) -> RecognizedLine:
    probabilities = np.linspace(0.5, 1, len(classes), dtype=np.float32)
    return decode(np.array(classes, np.int32), probabilities, SYMBOLS, columns or len(classes))


@each_case(
    ("classes", "columns", "text"),
    [
        ((0, 1, 1, 0, 2, 2, 2, 4, 3, 0), None, "ab c"),
        ((1, 0, 1), None, "aa"),
        ((0, 1, 0, 2, 0, 3), 4, "ab"),
        ((0, 0, 0), None, ""),
    ],
)
def test_runs_of_a_class_before_the_padding_are_characters(
    classes: tuple[int, ...], columns: int | None, text: str
) -> None:
    assert read(*classes, columns=columns).text == text


def test_a_character_has_the_probability_of_its_first_column_and_the_middle_of_its_run() -> None:
    assert read(0, 1, 1, 0, 2).probabilities == pytest.approx([0.625, 1.0])
    assert read(0, 1, 1, 0, 2, 0, 0, 0).centres == pytest.approx([2 / 8, 4.5 / 8])
    assert read(0, 0, 0).confidence == 0.0


def test_the_line_separator_may_be_a_character_of_the_alphabet() -> None:
    assert alphabet("a\n\u2028\nb") == ("", "a", "\u2028", "b", " ")


def line(*gaps: tuple[int, int], width: int = 3000) -> Image:
    """Black text with white gaps, 48 high."""
    picture = np.full((48, width, 3), 255, np.uint8)
    picture[14:34] = 0
    for start, stop in gaps:
        picture[:, start:stop] = 255
    return picture


def test_a_long_line_is_cut_in_the_middle_of_its_widest_gaps() -> None:
    assert cut_line(line(width=1280), 1280) == [LinePiece(0, 1280)]
    cut = cut_line(line((900, 904), (1000, 1012), (1100, 1104), (2000, 2012)), 1280)
    assert [(piece.start, piece.stop) for piece in cut] == [(0, 1006), (1006, 2006), (2006, 3000)]
    assert [piece.gap for piece in cut] == [0, 12, 12]
    without_gaps = cut_line(line(), 1280)
    assert all(0 < piece.stop - piece.start <= 1280 for piece in without_gaps)
    assert [piece.stop for piece in without_gaps[:-1]] == [piece.start for piece in without_gaps[1:]]


@each_case(
    ("first", "second", "gap", "whole"),
    [
        ("one", "two", 12, "one two"),
        ("wo", "rd", 3, "word"),
        ("合", "计", 12, "合计"),
        ("one ", "two", 12, "one two"),
    ],
)
def test_a_cut_through_a_space_is_a_space(first: str, second: str, gap: int, whole: str) -> None:
    readings = [
        RecognizedLine(text, np.full(len(text), 0.9, np.float32), np.linspace(0.1, 0.9, len(text), dtype=np.float32))
        for text in (first, second)
    ]
    joined = join_lines([LinePiece(0, 100), LinePiece(100, 200, gap=gap)], readings)
    assert joined.text == whole
    assert len(joined.probabilities) == len(joined.centres) == len(whole)
    assert joined.centres == pytest.approx(np.sort(joined.centres))
