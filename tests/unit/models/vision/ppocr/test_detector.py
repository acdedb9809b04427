"""Scales and tiles in which the detector searches a picture."""

import numpy as np
import pytest

from models.vision.ppocr.detector import Scales, choose_scales, tiles
from models.vision.text import Image
from tests.kit.papers.pages import blank_page, paragraph_page, pasted, single_line, table_page, turned


def scales_of(image: Image) -> Scales:
    return choose_scales(image)


def test_a_small_picture_is_searched_once_as_it_is() -> None:
    scales = scales_of(paragraph_page(size=10, width=600, lines=6).pixels)
    assert (scales.coarse, scales.fine) == (1.0, None)


@pytest.mark.parametrize(("size", "width"), [(24, 1240), (42, 2480)])
def test_an_ordinary_sheet_is_searched_once(size: int, width: int) -> None:
    assert scales_of(paragraph_page(size=size, width=width, lines=35).pixels).fine is None


def test_small_print_is_searched_finer() -> None:
    scales = scales_of(paragraph_page(size=20, width=3000, lines=40).pixels)
    assert scales.fine is not None
    assert 20 * scales.fine >= 8


def test_one_small_line_is_enough() -> None:
    sheet = pasted(blank_page(3000, 4000), single_line("Printed in Germany 2024", size=20), 1500, 3800)
    assert scales_of(sheet.pixels).fine is not None


def test_small_print_in_a_table_is_searched_finer() -> None:
    sheet = pasted(blank_page(3000, 4000), table_page(size=20, rows=6), 300, 300)
    assert scales_of(sheet.pixels).fine is not None


def test_small_print_that_runs_sideways_is_searched_finer() -> None:
    assert scales_of(turned(paragraph_page(size=20, width=3000, lines=40), 90).pixels).fine is not None


def test_nothing_is_never_searched_finer() -> None:
    assert scales_of(blank_page(4000, 3000).pixels).fine is None


@pytest.mark.deep
def test_a_large_picture_is_looked_at_in_bands_that_see_the_same() -> None:
    sheet = paragraph_page(size=20, width=3000, lines=40).pixels
    tall = np.concatenate((blank_page(3000, 8000).pixels, sheet))
    scales = choose_scales(tall)
    assert scales.fine is not None
    assert 20 * scales.fine >= 8


@pytest.mark.parametrize("length", [1, 500, 1024, 1025, 3000, 65_000])
def test_tiles_cover_the_picture_once(length: int) -> None:
    kept = [position for tile in tiles(length, side=1024, overlap=64) for position in range(length)[tile.kept]]
    assert kept == list(range(length))


@pytest.mark.parametrize("length", [1025, 3000, 65_000])
def test_no_tile_is_larger_than_allowed_and_each_sees_its_neighbours(length: int) -> None:
    for tile in tiles(length, side=1024, overlap=64):
        assert tile.seen.stop - tile.seen.start <= 1024
        assert tile.seen.start == max(0, tile.kept.start - 64)
        assert tile.seen.stop == min(length, tile.kept.stop + 64)


def test_inside_counts_from_the_start_of_what_is_seen() -> None:
    for tile in tiles(3000, side=1024, overlap=64):
        seen = range(3000)[tile.seen]
        assert seen[tile.inside] == range(3000)[tile.kept]
