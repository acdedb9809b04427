"""Decoding of the recogniser's columns."""

import numpy as np
import pytest

from models.vision.ppocr.recognizer import RecognizedLine, alphabet, decode

SYMBOLS = alphabet("a\nb\nc")  # classes: 0 blank, 1 a, 2 b, 3 c, 4 space


def read(*classes: int, columns: float | None = None) -> RecognizedLine:
    probabilities = np.linspace(0.5, 1, len(classes), dtype=np.float32)
    return decode(np.array(classes, np.int32), probabilities, SYMBOLS, columns or len(classes))


def test_runs_of_a_class_are_one_character_and_blanks_are_none() -> None:
    assert read(0, 1, 1, 0, 2, 2, 2, 4, 3, 0).text == "ab c"


def test_a_blank_parts_two_equal_characters() -> None:
    assert read(1, 0, 1).text == "aa"


def test_a_character_has_the_probability_of_its_first_column() -> None:
    assert read(0, 1, 1, 0, 2).probabilities == pytest.approx([0.625, 1.0])


def test_a_character_stands_in_the_middle_of_its_run() -> None:
    assert read(0, 1, 1, 0, 2, 0, 0, 0).centres == pytest.approx([2 / 8, 4.5 / 8])


def test_what_is_read_in_the_padding_is_dropped() -> None:
    reading = read(0, 1, 0, 2, 0, 3, columns=4)
    assert reading.text == "ab"
    assert reading.centres.max() <= 1


def test_an_empty_reading_has_no_confidence() -> None:
    assert read(0, 0, 0).text == ""
    assert read(0, 0, 0).confidence == 0.0


def test_the_line_separator_may_be_a_character_of_the_alphabet() -> None:
    assert alphabet("a\n\u2028\nb") == ("", "a", "\u2028", "b", " ")
