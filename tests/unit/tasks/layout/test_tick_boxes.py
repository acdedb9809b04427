"""Boxes and circles to be ticked are found in pictures, and letters and tables are not taken for them."""

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from models.vision.page_geometry import UPRIGHT
from models.vision.text import Quad, TextLine, Word
from tasks.layout.rulings import skew_of
from tasks.layout.tick_boxes import TickBox, tick_boxes_in
from tasks.layout.upright import UprightGrey, UprightInk
from tests.kit.chats.entries import text_line
from tests.kit.papers.drawn_forms import form_of
from tests.kit.papers.pages import typeface_of

HEIGHT = 32.0
"""Height of the lines of a form whose letters have size 26."""


def centre(quad: Quad) -> tuple[float, float]:
    return (quad[0][0] + quad[2][0]) / 2, (quad[0][1] + quad[2][1]) / 2


def boxes_on(sheet: Pillow.Image, *words: Word) -> list[TickBox]:
    lines = [TextLine((word,), word.quad) for word in words] or [text_line("Text", 600, 5, HEIGHT)]
    ink = UprightInk.of_grey(UprightGrey(np.asarray(sheet.convert("RGB")), UPRIGHT), skew_of(lines)[1])
    return tick_boxes_in(ink, lines)


def word(text: str, left: float, top: float, right: float, bottom: float, confidence: float = 0.9) -> Word:
    return Word(text, ((left, top), (right, top), (right, bottom), (left, bottom)), confidence)


@pytest.mark.deep
@pytest.mark.parametrize("rounds", [False, True])
def test_boxes_of_drawn_forms_are_found_and_told_apart(rounds: bool) -> None:
    lines = [text_line("Text", 900, 5, HEIGHT)]
    for seed in range(40):
        form = form_of(seed, rounds=rounds, size=26, rows=3)
        found = {
            centre(box.quad): box.is_ticked
            for box in tick_boxes_in(UprightInk.of_grey(UprightGrey(form.picture, UPRIGHT), skew_of(lines)[1]), lines)
        }
        for (left, top, right, bottom), is_ticked in form.boxes:
            near = [
                ticked
                for (x, y), ticked in found.items()
                if abs(x - (left + right) / 2) <= 3 and abs(y - (top + bottom) / 2) <= 3
            ]
            assert near == [is_ticked], (seed, left, top)


def test_cells_of_tables_and_combs_are_no_boxes() -> None:
    sheet = Pillow.new("L", (700, 400), 255)
    draw = ImageDraw.Draw(sheet)
    for at in range(8):
        draw.rectangle((100 + 26 * at, 80, 126 + 26 * at, 106), outline=0, width=2)
    for row in range(4):
        for column in range(4):
            draw.rectangle((100 + 120 * column, 200 + 30 * row, 220 + 120 * column, 230 + 30 * row), outline=0)
    assert boxes_on(sheet) == []


def test_letters_in_words_are_no_boxes_and_no_circles() -> None:
    sheet = Pillow.new("L", (900, 200), 255)
    draw = ImageDraw.Draw(sheet)
    draw.text((40, 60), "COMMON DOOR &8 eight Qo", 0, typeface_of("vera", 40))
    at, words = 40.0, []
    for text in ("COMMON", "DOOR", "&8", "eight", "Qo"):
        end = at + typeface_of("vera", 40).getlength(text)
        words.append(word(text, at, 60, end, 110))
        at = end + typeface_of("vera", 40).getlength(" ")
    assert boxes_on(sheet, *words) == []


def test_a_letter_that_the_file_carries_is_no_box() -> None:
    sheet = Pillow.new("L", (700, 300), 255)
    ImageDraw.Draw(sheet).rectangle((100, 80, 126, 106), outline=0, width=2)
    assert len(boxes_on(sheet, word("O", 98, 78, 128, 108))) == 1
    assert boxes_on(sheet, word("O", 98, 78, 128, 108, confidence=1.0)) == []
    assert len(boxes_on(sheet, word("X", 98, 78, 128, 108, confidence=1.0))) == 1


def test_circles_none_of_which_is_ticked_are_letters() -> None:
    sheet = Pillow.new("L", (700, 300), 255)
    for left in (100, 200):
        ImageDraw.Draw(sheet).ellipse((left, 80, left + 26, 106), outline=0, width=2)
    assert boxes_on(sheet) == []


def test_circles_of_one_size_are_none_if_none_is_ticked() -> None:
    drawn = [(100, False), (200, False), (300, False)]
    assert boxes_of_circles(drawn) == []
    assert boxes_of_circles([*drawn, (400, True)]) == [False, False, False, True]


def boxes_of_circles(drawn: list[tuple[int, bool]]) -> list[bool]:
    picture = np.full((400, 600, 3), 255, np.uint8)
    for x, is_ticked in drawn:
        cv2.circle(picture, (x, 100), 10, (0, 0, 0), 1)
        if is_ticked:
            cv2.circle(picture, (x, 100), 5, (0, 0, 0), -1)
    found = tick_boxes_in(UprightInk.of_grey(UprightGrey(picture, UPRIGHT), skew_of(())[1]), ())
    return [box.is_ticked for box in sorted(found, key=lambda one: one.quad[0][0])]
