"""From a recogniser's probabilities to words, without Paddle."""

import numpy as np
import pytest

from models.vision.ocr.paddle_lines import LineDecoder, Symbol, along_text, decode, line_of, part
from tests.conftest import each_case

SYMBOLS = ("blank", "a", "b", "ωก", "", " ")
FLAT = np.array([(0, 0), (100, 0), (100, 20), (0, 20)], np.float32)


def columns(classes: str, probability: float = 1.0) -> np.ndarray:
    """One column a digit, which is the class that gets `probability`."""
    table = np.full((len(classes), len(SYMBOLS)), (1 - probability) / (len(SYMBOLS) - 1), np.float32)
    table[np.arange(len(classes)), [int(digit) for digit in classes]] = probability
    return table


def spelled(classes: str, filled: float | None = None) -> list[str]:
    return [symbol.text for symbol in decode(columns(classes), SYMBOLS, filled or len(classes))]


@each_case(
    ("classes", "filled", "expected"),
    [
        ("0011100200", None, ["a", "b"]),
        ("0110110", None, ["a", "a"]),
        ("1000", None, ["a"]),
        ("0010000020", 5, ["a"]),
        ("10400", None, ["a"]),
    ],
)
def test_runs_of_a_class_before_the_padding_are_symbols(
    classes: str, filled: float | None, expected: list[str]
) -> None:
    assert spelled(classes, filled) == expected


def test_a_line_of_nothing_but_white_space_is_no_line() -> None:
    assert line_of(decode(columns("0000"), SYMBOLS, 4), FLAT) is None
    assert line_of([Symbol(" ", 0.3, 1.0), Symbol("\u3000", 0.6, 1.0)], FLAT) is None


def test_an_entry_of_two_characters_keeps_the_words_behind_it_in_place() -> None:
    line = line_of(decode(columns("0300050010"), SYMBOLS, 10), FLAT)
    assert line is not None
    assert [word.text for word in line.words] == ["ωก", "a"]
    assert line.words[1].quad[0][0] == pytest.approx(70)


def test_words_meet_half_way_to_the_space_and_reach_the_ends_of_the_line() -> None:
    line = line_of([Symbol("a", 0.2, 1.0), Symbol(" ", 0.4, 1.0), Symbol("b", 0.8, 1.0)], FLAT)
    assert line is not None
    assert [(word.quad[0][0], word.quad[1][0]) for word in line.words] == [
        (0, pytest.approx(30)),
        (pytest.approx(60), 100),
    ]


def test_a_word_has_the_mean_probability_of_its_symbols() -> None:
    line = line_of([Symbol("a", 0.1, 0.5), Symbol("b", 0.3, 0.9), Symbol(" ", 0.5, 0.1), Symbol("c", 0.7, 1.0)], FLAT)
    assert line is not None
    assert [word.confidence for word in line.words] == [pytest.approx(0.7), 1.0]


def test_the_decoder_places_each_line_of_a_padded_batch_on_its_own_columns() -> None:
    batch = np.stack([columns("0100500200"), columns("0100000200")])
    texts, scores = LineDecoder(SYMBOLS)([batch], wh_ratio_list=[2.5, 5.0], max_wh_ratio=5.0)
    (narrow_text, narrow), (wide_text, wide) = texts
    assert (narrow_text, wide_text) == ("a ", "ab")
    assert narrow[0].middle == pytest.approx(2 * wide[0].middle)
    assert scores == [pytest.approx(1.0), pytest.approx(1.0)]


def test_a_part_of_a_slanted_line_is_slanted() -> None:
    slanted = np.array([(0, 0), (100, 50), (90, 70), (-10, 20)], np.float32)
    assert part(slanted, 0.2, 0.5) == ((20, 10), (50, 25), (40, 45), (10, 30))


def test_a_tall_box_holds_text_that_runs_downwards_and_a_square_one_upright_text() -> None:
    tall = np.array([(0, 0), (20, 0), (20, 100), (0, 100)], np.float32)
    square = np.array([(0, 0), (20, 0), (20, 25), (0, 25)], np.float32)
    assert along_text(tall).tolist() == [[20, 0], [20, 100], [0, 100], [0, 0]]
    assert along_text(square).tolist() == square.tolist()
