"""Tiles of large pictures."""

import pytest

from models.vision.ppocr.detector import tiles


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
