"""Words from a reading and its crop."""

import numpy as np
import pytest

from models.vision.ppocr.reader import Crop, lines_of_words
from models.vision.ppocr.recognizer import RecognizedLine

Stroke = tuple[int, int]


def crop(*strokes: Stroke, width: int = 400, corners: list[tuple[float, float]] | None = None) -> Crop:
    """White paper, 48 high, with black bars from row 12 to 36 between the given columns."""
    picture = np.full((48, width, 3), 255, np.uint8)
    for start, stop in strokes:
        picture[12:36, start:stop] = 0
    return Crop(np.array(corners or [(0, 0), (width, 0), (width, 48), (0, 48)], np.float32), picture)


def reading(text: str, *centres: float, width: int = 400, probabilities: list[float] | None = None) -> RecognizedLine:
    places = np.array([centre / width for centre in centres], np.float32)
    return RecognizedLine(text, np.array(probabilities or [1.0] * len(text), np.float32), places)


def texts(crop: Crop, reading: RecognizedLine) -> list[str]:
    return [word.text for line in lines_of_words(crop, reading) for word in line.words]


def test_spaces_part_words_and_are_in_none() -> None:
    assert texts(crop((20, 60), (90, 130)), reading("ab cd", 30, 50, 75, 100, 120)) == ["ab", "cd"]


def test_a_word_s_confidence_is_the_mean_of_its_characters() -> None:
    (line,) = lines_of_words(
        crop((20, 60), (90, 130)),
        reading("ab cd", 30, 50, 75, 100, 120, probabilities=[1.0, 0.5, 0.1, 0.8, 0.6]),
    )
    assert [word.confidence for word in line.words] == pytest.approx([0.75, 0.7])


def test_a_wide_blank_gap_parts_words_where_the_space_was_not_read() -> None:
    assert texts(crop((20, 36), (104, 180)), reading("1559", 28, 112, 140, 168)) == ["1", "559"]


def row(text: str, blank: int, space: int) -> tuple[Crop, RecognizedLine]:
    """`text` set in strokes that are `blank` columns apart, read by a recogniser that sees no space."""
    strokes: list[Stroke] = []
    x = 10
    for character in text:
        if character == " ":
            x += space - blank
            continue
        wide = 8 if character in "1li:" else 14
        strokes.append((x, x + wide))
        x += wide + blank
    centres = [(start + stop) / 2 for start, stop in strokes]
    return crop(*strokes), reading(text.replace(" ", ""), *centres)


@pytest.mark.parametrize("text", ["6258 7191", "ARE NOT", "2018 15", "THANK YOU", "CS 24198", "ID: 689"])
def test_a_narrow_space_parts_words_where_it_stands_out(text: str) -> None:
    assert texts(*row(text, 3, 12)) == text.split()


@pytest.mark.parametrize("text", ["62587191", "RETURNABLE", "ID:689"])
def test_letters_that_are_spaced_widely_are_one_word(text: str) -> None:
    assert texts(*row(text, 12, 12)) == [text]


def test_a_colon_between_digits_parts_no_words() -> None:
    assert texts(*row("11: 33", 3, 12)) == ["11:33"]


def test_slender_letters_that_stand_apart_are_in_one_word() -> None:
    slender = row("2011", 3, 12)
    apart = crop((10, 24), (27, 41), (44, 52), (61, 69))
    assert texts(*slender) == texts(apart, reading("2011", 17, 34, 48, 65)) == ["2011"]


def test_evenly_spaced_digits_stay_one_word() -> None:
    assert texts(crop((20, 32), (44, 56), (68, 80)), reading("111", 26, 50, 74)) == ["111"]


def test_a_gap_full_of_ink_does_not_part_words() -> None:
    assert texts(crop((20, 200)), reading("a-b", 30, 60, 112)) == ["a-b"]


def test_an_unread_leader_parts_words() -> None:
    dots = [(column, column + 3) for column in range(90, 300, 10)]
    assert texts(crop((20, 80), *dots, (310, 350)), reading("CASHRM", 28, 44, 60, 76, 320, 340)) == ["CASH", "RM"]


def test_no_space_is_invented_between_chinese_and_latin() -> None:
    inked = crop((10, 44), (54, 88), (100, 116), (120, 136), (152, 186))
    assert texts(inked, reading("合计RM元", 27, 71, 108, 128, 169)) == ["合计RM元"]


def test_boxes_are_shrunk_to_the_ink() -> None:
    (line,) = lines_of_words(crop((20, 60), (90, 130)), reading("ab cd", 30, 50, 75, 100, 120))
    assert line.words[0].quad == pytest.approx(np.array([(20, 12), (60, 12), (60, 36), (20, 36)]))
    assert line.words[1].quad == pytest.approx(np.array([(90, 12), (130, 12), (130, 36), (90, 36)]))
    assert line.quad == pytest.approx(np.array([(20, 12), (130, 12), (130, 36), (20, 36)]))


def test_boxes_follow_a_line_that_runs_down_the_page() -> None:
    down = crop((20, 60), corners=[(148, 0), (148, 400), (100, 400), (100, 0)])
    (line,) = lines_of_words(down, reading("ab", 30, 50))
    assert line.quad == pytest.approx(np.array([(136, 20), (136, 60), (112, 60), (112, 20)]))


def test_ink_of_the_neighbouring_lines_does_not_enlarge_the_box() -> None:
    inked = crop((20, 60))
    inked.picture[:4, 20:60] = 0
    inked.picture[45:, 20:60] = 0
    (line,) = lines_of_words(inked, reading("ab", 30, 50))
    assert line.quad == pytest.approx(np.array([(20, 12), (60, 12), (60, 36), (20, 36)]))


def test_paper_without_ink_still_yields_boxes_around_the_characters() -> None:
    (line,) = lines_of_words(crop(), reading("ab", 100, 120))
    left, right = line.quad[0][0], line.quad[1][0]
    assert 80 <= left < 100
    assert 120 < right <= 140


def test_spaces_alone_are_no_line() -> None:
    assert lines_of_words(crop(), reading("  ", 100, 120)) == []


def test_words_in_two_sizes_that_the_detector_took_for_one_line_are_two() -> None:
    both = crop((20, 44), (50, 74), (80, 104), (140, 152), (155, 167), (170, 182))
    both.picture[12:24, 140:182] = 255
    large, small = lines_of_words(both, reading("ABD CDF", 32, 62, 92, 122, 146, 161, 176))
    assert (large.text, small.text) == ("ABD", "CDF")
    assert small.quad == pytest.approx(np.array([(140, 24), (182, 24), (182, 36), (140, 36)]))


def test_a_word_without_ascenders_is_in_the_size_of_the_others() -> None:
    both = crop((20, 44), (50, 74), (80, 104), (140, 164), (170, 194), (200, 224))
    both.picture[12:20, 140:224] = 255
    (line,) = lines_of_words(both, reading("ABD ame", 32, 62, 92, 122, 152, 182, 212))
    assert line.text == "ABD ame"
