"""How the text of a screen is parted, and how high its type is."""

import pytest

from models.vision.gui.regions import propose_boxes
from models.vision.gui.screen_view import USUAL_LINE_HEIGHT, views_of
from models.vision.gui.text_pieces import box_with_em_height, pieces_of
from models.vision.text import TextLine
from tests.kit.pictures.screens import BLUE, DrawnScreen


def texts(screen: DrawnScreen) -> list[str]:
    return [piece.text for piece in pieces_of(screen.image, screen.lines)]


def test_a_line_of_one_colour_is_one_piece() -> None:
    screen = DrawnScreen()
    screen.text(40, 60, "Free delivery on all orders")
    assert texts(screen) == ["Free delivery on all orders"]


def on_one_line(screen: DrawnScreen) -> None:
    """What was written on it last, as OCR sees it: one line."""
    first, second = screen.lines
    (left, top), (right, bottom) = first.quad[0], second.quad[2]
    screen.lines = [TextLine(first.words + second.words, ((left, top), (right, top), (right, bottom), (left, bottom)))]


def test_a_line_is_parted_where_the_colour_changes_and_kept_whole() -> None:
    screen = DrawnScreen()
    _, _, end, _ = screen.text(40, 60, "Read our")
    screen.text(end + 5, 60, "terms of use", BLUE)
    on_one_line(screen)
    assert texts(screen) == ["Read our terms of use", "Read our", "terms of use"]


def test_a_line_is_parted_at_wide_gaps() -> None:
    screen = DrawnScreen()
    screen.text(40, 60, "Home")
    screen.text(140, 60, "Products")
    on_one_line(screen)
    assert texts(screen) == ["Home", "Products"]


@pytest.mark.parametrize("text", ["so", "Also", "gypsy", "Apply"])
def test_type_is_as_high_whatever_letters_it_shows(text: str) -> None:
    screen = DrawnScreen()
    screen.text(40, 60, text, size=32)
    [piece] = pieces_of(screen.image, screen.lines)
    _, top, _, bottom = box_with_em_height(piece)
    assert bottom - top == pytest.approx(32, rel=0.2)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_screens_are_looked_at_in_one_size(scale: int) -> None:
    screen = DrawnScreen(scale=scale)
    screen.text(40, 60, "One line of text")
    [view] = views_of(screen.image, screen.lines)
    assert view.line == pytest.approx(USUAL_LINE_HEIGHT, rel=0.3)
    assert view.image.shape[1] == pytest.approx(900, rel=0.2)


def test_a_large_screen_is_looked_at_in_parts_that_overlap() -> None:
    screen = DrawnScreen(width=600, height=5000)
    screen.text(40, 1700, "Seen twice")
    views = list(views_of(screen.image, screen.lines))
    assert [view.corner for view in views] == [(0, 0), (0, 1500), (0, 3000), (0, 4500)][: len(views)]
    assert [len(view.pieces) for view in views][:2] == [1, 1]
    assert views[-1].corner[1] + views[-1].image.shape[0] == 5000


def test_borders_and_fills_are_proposed_exactly() -> None:
    screen = DrawnScreen()
    button, field = screen.button(40, 40, "Save"), screen.field(40, 120)
    [view] = views_of(screen.image, screen.lines)
    boxes = propose_boxes(view.right, view.below, view.pieces).boxes
    for wanted in (button, field):
        assert min(abs(box - wanted).max() for box in boxes) <= 1.5
