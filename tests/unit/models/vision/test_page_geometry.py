import math
from collections.abc import Callable

import numpy as np
import pytest

from models.vision.page_geometry import UPRIGHT, PageGeometry
from models.vision.text import Point, Quad, TextLine, Word

Move = Callable[[float, float], Point]
HEIGHT, PITCH, LETTER = 20.0, 34.0, 11.0
ROWS = [(f"article {row} of this page", f"{row}.50", f"{3 * row} pieces", f"{17 * row}.00") for row in range(1, 19)]


def line(text: str, left: float, top: float, move: Move) -> TextLine:
    """A line of words whose places on the flat page are moved into the picture."""
    words, at = [], left
    for part in text.split():
        end = at + LETTER * len(part)
        words.append(Word(part, quad(at, top, end, move), 1.0))
        at = end + LETTER
    return TextLine(tuple(words), quad(left, top, at - LETTER, move))


def quad(left: float, top: float, right: float, move: Move) -> Quad:
    return move(left, top), move(right, top), move(right, top + HEIGHT), move(left, top + HEIGHT)


def table(move: Move, rows: int = len(ROWS)) -> list[TextLine]:
    return [
        line(cell, 60 + 280 * column, 60 + PITCH * number, move)
        for number, row in enumerate(ROWS[:rows])
        for column, cell in enumerate(row)
    ]


def turned(degrees: float) -> Move:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda x, y: (700 + (x - 500) * c - (y - 350) * s, 700 + (x - 500) * s + (y - 350) * c)


def photographed(x: float, y: float) -> Point:
    depth = 1 + 0.00016 * x + 0.00024 * y
    return (100 + 0.98 * x + 0.05 * y) / depth, (60 + 0.08 * x + y) / depth


def curled(x: float, y: float) -> Point:
    return x, y + 45 * math.sin(math.pi * x / 1200)


MOVES = [turned(3), turned(-10), turned(15), turned(90), turned(180), turned(270), turned(85), photographed, curled]


@pytest.mark.parametrize("move", MOVES)
def test_rows_are_level_and_columns_upright_on_the_upright_page(move: Move) -> None:
    lines = table(move)
    upright = PageGeometry.of_lines(lines).upright_lines(lines)
    for row in range(len(ROWS)):
        tops = [corner[1] for one in upright[4 * row : 4 * row + 4] for corner in one.quad[:2]]
        assert max(tops) - min(tops) < 0.3 * HEIGHT
    for column in range(4):
        lefts = [one.quad[0][0] for one in upright[column::4]]
        assert max(lefts) - min(lefts) < 0.6 * HEIGHT
    assert next(one.text for one in sorted(upright, key=lambda one: one.quad[0][1])) in ROWS[0]


def test_an_upright_page_stays_as_it_is() -> None:
    assert PageGeometry.of_lines(table(turned(0))) is UPRIGHT


def test_one_word_on_its_side_turns_no_page_of_numbers() -> None:
    label = line("Thousands of euros a year", 0, 0, lambda x, y: (30 + y, 600 - x))
    ticks = [line(f"{number}00", 60, 60 + 90 * number, turned(0)) for number in range(1, 5)]
    assert PageGeometry.of_lines([label, *ticks]).angle == pytest.approx(0, abs=1)


def test_heads_that_run_upwards_do_not_turn_a_table() -> None:
    heads = [line("Quarter of the year", 0, 0, lambda x, y, n=n: (300 + 40 * n + y, 600 - x)) for n in range(6)]
    assert PageGeometry.of_lines([*heads, *table(turned(0))]).angle == 0


def test_lines_of_paragraphs_that_begin_anywhere_do_not_slant_the_page() -> None:
    starts = np.random.default_rng(9).uniform(0, 300, 30)
    lines = [line("so and so many words here", 60 + start, 60 + PITCH * n, turned(0)) for n, start in enumerate(starts)]
    assert PageGeometry.of_lines(lines) is UPRIGHT


@pytest.mark.parametrize("move", [turned(7), turned(90), photographed])
def test_a_flattened_picture_shows_each_point_where_the_upright_page_has_it(move: Move) -> None:
    picture = np.full((1500, 1500, 3), 255, np.uint8)
    x, y = map(round, move(500, 300))
    picture[y - 3 : y + 3, x - 3 : x + 3] = 0
    geometry = PageGeometry.of_lines(table(move))
    for scale in (1.0, 0.5):
        flat, corner, used = geometry.flattened(picture, scale)
        rows, columns = np.nonzero(flat[..., 0] < 128)
        expected = geometry.upright((x, y))
        found = (columns.mean() + 0.5) / used + corner[0], (rows.mean() + 0.5) / used + corner[1]
        assert found == pytest.approx(tuple(expected), abs=1.5)


def test_a_flattened_picture_takes_a_bounded_multiple_of_the_memory() -> None:
    geometry = PageGeometry.of_lines(table(turned(45)))
    picture = np.zeros((20, 6000, 3), np.uint8)
    flat, _, scale = geometry.flattened(picture)
    assert flat.size <= 3.1 * picture.size
    assert scale < 1


def words_of(count: int, move: Move) -> list[TextLine]:
    return [line("article", 60 + 90 * (n % 20), 60 + PITCH * (n // 20), move) for n in range(count)]


def test_the_geometry_of_thousands_of_words_is_that_of_a_part_of_them_in_any_order() -> None:
    words = words_of(5000, turned(3))
    geometry = PageGeometry.of_lines(words)
    assert geometry.angle == pytest.approx(3, abs=0.01)
    assert PageGeometry.of_lines(words[::-1]) == geometry


@pytest.mark.parametrize("move", MOVES)
def test_a_point_returns_to_its_pixel(move: Move) -> None:
    geometry = PageGeometry.of_lines(table(move))
    points = np.random.default_rng(1).uniform(-200, 1600, (500, 2))
    assert np.abs(geometry.source(geometry.upright(points)) - points).max() < 0.01
    assert np.abs(geometry.upright(geometry.source(points)) - points).max() < 0.01
