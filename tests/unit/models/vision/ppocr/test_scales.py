"""The choice of the scales at which a picture is searched."""

import numpy as np
import pytest

from models.vision.ppocr.detector import Scales, choose_scales
from models.vision.text import Image
from tests.pages import blank_page, paragraph_page, pasted, table_page, turned


def scales_of(image: Image) -> Scales:
    return choose_scales(image)


@pytest.mark.parametrize(("size", "width"), [(24, 1240), (42, 2480)])
def test_an_ordinary_sheet_is_searched_once(size: int, width: int) -> None:
    assert scales_of(paragraph_page(size=size, width=width, lines=35).pixels).fine is None


def test_small_print_is_searched_finer() -> None:
    scales = scales_of(paragraph_page(size=20, width=3000, lines=40).pixels)
    assert scales.fine is not None
    assert 20 * scales.fine >= 8


def test_small_print_in_a_table_is_searched_finer() -> None:
    sheet = pasted(blank_page(3000, 4000), table_page(size=20, rows=6), 300, 300)
    assert scales_of(sheet.pixels).fine is not None


def test_small_print_that_runs_sideways_is_searched_finer() -> None:
    assert scales_of(turned(paragraph_page(size=20, width=3000, lines=40), 90).pixels).fine is not None


@pytest.mark.deep
def test_a_large_picture_is_looked_at_in_bands_that_see_the_same() -> None:
    sheet = paragraph_page(size=20, width=3000, lines=40).pixels
    tall = np.concatenate((blank_page(3000, 8000).pixels, sheet))
    scales = choose_scales(tall)
    assert scales.fine is not None
    assert 20 * scales.fine >= 8
