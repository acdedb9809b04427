"""Tests that a number is not certain if something beside it is drawn that may be a part of it."""

import numpy as np
import PIL.Image
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.unit.tasks.inputs.pdf.drawn import Draw, area, box, layer_of, words

TOTAL = [words("Total", 72, 700), words("250.00 EUR", 120, 700)]
"""The number begins at 120 points, and is 12 points high."""


def doubtful(*steps: Draw) -> list[str]:
    """The words that are not certain."""
    layer = layer_of(*steps)
    return [word.text for line in layer.lines for word in line.words if word.confidence < 1]


def picture(x: float, y: float, width: float, height: float) -> Draw:
    black = ImageReader(PIL.Image.fromarray(np.zeros((9, 5, 3), np.uint8)))
    return lambda canvas: canvas.drawImage(black, x, y, width, height)


def one(x: float) -> Draw:
    """A figure 1 that is drawn as a path."""
    return area((x, 706), (x + 2, 709), (x + 3, 709), (x + 3, 700), (x + 2, 700), (x + 2, 707))


def strokes(*lines: tuple[float, float, float, float], width: float = 1, dash: tuple[float, ...] = ()) -> Draw:
    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setLineWidth(width)
        canvas.setDash(*dash)
        for line in lines:
            canvas.line(*line)
        canvas.restoreState()

    return draw


@pytest.mark.parametrize(
    "drawn",
    [one(115), one(114), picture(116, 700, 3, 9), strokes((113.5, 703.5, 117.5, 703.5)), box(117.5, 700, 1.2, 1.2)],
    ids=["path", "path before a space", "picture", "minus", "point"],
)
def test_a_number_beside_a_drawn_character_is_not_certain(drawn: Draw) -> None:
    assert doubtful(*TOTAL) == []
    assert doubtful(*TOTAL, drawn) == ["250.00"]


def test_a_number_in_which_a_point_is_drawn_is_not_certain() -> None:
    assert doubtful(words("125", 120), words("00", 143.5), box(141.3, 700, 1.2, 1.2)) == ["125", "00"]


@pytest.mark.parametrize(
    "drawn",
    [
        strokes((120, 698, 155, 698)),
        strokes((118, 690, 118, 715), (60, 690, 300, 690), (60, 715, 300, 715)),
        box(118, 697, 40, 14, filled=0),
        strokes((60, 699, 119, 699), width=1, dash=(1, 2)),
        box(100, 700, 6, 6),
        lambda canvas: canvas.circle(110, 704, 6, fill=1),
        lambda canvas: canvas.roundRect(105, 699, 11, 11, 2),
        picture(60, 720, 100, 30),
    ],
    ids=["underline", "table", "frame", "leader", "bullet", "icon", "box to tick", "logo"],
)
def test_lines_frames_and_signs_are_no_reason_to_doubt_a_number(drawn: Draw) -> None:
    assert doubtful(*TOTAL, drawn) == []


def test_words_without_figures_are_certain() -> None:
    assert doubtful(words("Total", 72, 700), one(68)) == []
