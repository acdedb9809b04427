"""Cutting lines out of a picture."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.vision.ppocr.reader import ways_to_read
from models.vision.ppocr.recognizer import LINE_HEIGHT
from models.vision.text import Image

PICTURE: Image = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)


def box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float32]:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def quads(*boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32)


WIDE = [box(50, 40 * i, 650, 40 * i + 30) for i in range(1, 8)]
TALL = [box(60 * i, 50, 60 * i + 40, 550) for i in range(1, 8)]


def test_a_wide_box_on_a_level_page_is_read_one_way() -> None:
    assert [len(ways) for ways in ways_to_read(PICTURE, quads(*WIDE))] == [1] * 7


def test_a_tall_box_on_a_level_page_is_read_up_and_down() -> None:
    down, up = ways_to_read(PICTURE, quads(*WIDE, box(700, 100, 730, 300)))[-1]
    assert down.corners[0] == pytest.approx([730, 100])
    assert down.corners[1] == pytest.approx([730, 300])
    assert up.corners[0] == pytest.approx([700, 300])
    assert up.corners[1] == pytest.approx([700, 100])


def test_a_box_twice_as_high_as_wide_may_also_hold_an_upright_character() -> None:
    upright, *_ = ways = ways_to_read(PICTURE, quads(*WIDE, box(700, 100, 730, 160)))[-1]
    assert len(ways) == 3
    assert upright.corners[0] == pytest.approx([700, 100])


def test_on_a_page_of_tall_boxes_all_text_runs_down_at_first() -> None:
    for [way] in ways_to_read(PICTURE, quads(*TALL)):
        assert way.corners[1][1] > way.corners[0][1]


def test_a_crop_has_the_recogniser_s_height_and_the_box_s_proportions() -> None:
    [[way]] = ways_to_read(PICTURE, quads(box(100, 100, 400, 130)))
    assert way.picture.shape == (LINE_HEIGHT, 480, 3)


def test_a_crop_of_the_recogniser_s_height_is_the_picture_itself() -> None:
    [[way]] = ways_to_read(PICTURE, quads(box(100, 100, 400, 148)))
    assert np.array_equal(way.picture, PICTURE[100:148, 100:400])


def test_text_that_runs_down_is_turned_level() -> None:
    crops = ways_to_read(PICTURE, quads(box(100, 100, 148, 400)))[0]
    assert np.array_equal(crops[0].picture, np.rot90(PICTURE[100:400, 100:148]))


def test_a_tilted_box_is_straightened() -> None:
    picture = np.full((400, 400, 3), 255, np.uint8)
    # A black diagonal band from (100, 100) along 30 degrees, 200 long and 48 high.
    along, down = np.array((np.cos(np.pi / 6), 0.5)), np.array((-0.5, np.cos(np.pi / 6)))
    start = np.array((100, 100))
    y, x = np.mgrid[:400, :400]
    places = np.stack((x + 0.5 - start[0], y + 0.5 - start[1]), 2)
    band = (abs(places @ along - 100) < 100) & (abs(places @ down - 24) < 24)
    picture[band] = 0
    corners = [start, start + 200 * along, start + 200 * along + 48 * down, start + 48 * down]
    [[way]] = ways_to_read(picture, quads(np.array(corners, np.float32)))
    assert way.picture.shape == (48, 200, 3)
    assert way.picture[2:-2, 2:-2].max() < 60


def test_upside_down_turns_corners_and_picture_together() -> None:
    [[way]] = ways_to_read(PICTURE, quads(box(100, 100, 400, 148)))
    turned = way.upside_down()
    assert turned.corners[0] == pytest.approx([400, 148])
    assert np.array_equal(turned.picture, PICTURE[100:148, 100:400][::-1, ::-1])
    assert np.array_equal(turned.upside_down().picture, way.picture)


@pytest.mark.parametrize(
    "edge", [box(795, 0, 800, 600), box(0, 0, 800, 1), box(799, 599, 800, 600), box(800, 600, 800, 600)]
)
def test_boxes_at_the_edge_of_the_picture_are_cut(edge: NDArray[np.float32]) -> None:
    for way in ways_to_read(PICTURE, quads(edge))[0]:
        assert way.picture.shape[0] == LINE_HEIGHT
        assert way.picture.shape[1] >= 1
