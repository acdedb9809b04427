"""Rulings in pictures of pages whose words do not tell exactly how the page lies."""

from math import cos, radians, sin

import cv2
import numpy as np

from models.vision.page_geometry import PageGeometry
from models.vision.text import Ruling
from tasks.layout.rulings import rulings_in, skew_of_rulings
from tasks.layout.tables import tables_on
from tasks.layout.upright import UprightGrey
from tests.kit.chats.entries import text_line

WIDTH, LEFT, TOP, PITCH, ROWS = 1300, 60, 100, 60, 4
COLUMNS = (0, 200, 500, 900, WIDTH)


def placed(x: float, y: float, angle: float) -> tuple[float, float]:
    """A point of the table on a page that is turned about the table's first corner."""
    across, down = cos(radians(angle)), sin(radians(angle))
    return LEFT + x * across - y * down, TOP + x * down + y * across


def picture_of_grid(angle: float) -> UprightGrey:
    """A grid of thin rulings that is turned by an angle. The second and third cell of the first column are one."""
    picture = np.full((500, 1450, 3), 255, np.uint8)

    def ruled(x0: float, y0: float, x1: float, y1: float) -> None:
        ends = [tuple(round(8 * at) for at in placed(x, y, angle)) for x, y in ((x0, y0), (x1, y1))]
        cv2.line(picture, ends[0], ends[1], (60, 60, 60), 1, cv2.LINE_AA, 3)

    for row in range(ROWS + 1):
        ruled(COLUMNS[1] if row == 2 else 0, PITCH * row, WIDTH, PITCH * row)
    for column in COLUMNS:
        ruled(column, 0, column, PITCH * ROWS)
    return UprightGrey(picture, PageGeometry.of_lines([]))


def words_of_grid(angle: float) -> list[tuple[str, float, float]]:
    rows = [
        ("No.", "Mon", "Tue", "Wed"),
        ("1", "Art", "Art", "Music"),
        ("", "Art", "Chess", "Art"),
        ("2", "", "", "Art"),
    ]
    cells = [
        (text, *placed((COLUMNS[column] + COLUMNS[column + 1]) / 2, PITCH * (row + 0.5), angle))
        for row, own in enumerate(rows)
        for column, text in enumerate(own)
    ]
    return [cell for cell in cells if cell[0]]


def test_a_table_is_found_where_its_rulings_run_off_the_text_by_half_a_degree() -> None:
    angle = -0.6
    lines = [text_line(text, x - 6 * len(text), y - 10, 20) for text, x, y in words_of_grid(angle)]
    rulings = rulings_in(picture_of_grid(angle), lines)
    assert abs(skew_of_rulings(rulings, 0.0, 20.0) - angle) < 0.1
    [table] = tables_on(lines, rulings)
    assert (table.rows, table.columns) == (ROWS, len(COLUMNS) - 1)
    found = {(cell.row, cell.column): (cell.text, cell.row_span) for cell in table.cells if cell.text}
    assert found[1, 0] == ("1", 2)
    assert [found[row, 3][0] for row in range(ROWS)] == ["Wed", "Music", "Art", "Art"]


def grid_of(xs: list[int], ys: list[int]) -> list[Ruling]:
    """The rulings of a whole grid."""
    across: list[Ruling] = [((xs[0], y), (xs[-1], y)) for y in ys]
    return [*across, *(((x, ys[0]), (x, ys[-1])) for x in xs)]


def test_the_edges_of_a_sheet_are_no_table_with_the_page_in_a_cell() -> None:
    rows = [text_line(f"{at} word figure", 120, 120 + 30 * at) for at in range(12)]
    outside = [text_line("Left", 10, 40), text_line("Top", 300, 40)]
    assert not [
        table for table in tables_on([*outside, *rows], grid_of([0, 100, 700], [0, 100, 600])) if table.rows < 9
    ]
