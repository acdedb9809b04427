"""Quadrilaterals on the pixel grid."""

import json

from pydantic_core import to_json

from models.vision.text import Quad
from tasks.result import bounds_of


def upright(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def test_the_keys_come_in_the_order_of_the_contract() -> None:
    assert to_json(bounds_of(upright(10, 20, 110, 45), 640, 480)) == (
        b'{"top_left":{"x":10,"y":20},"top_right":{"x":110,"y":20},"bottom_right":{"x":110,"y":45},'
        b'"bottom_left":{"x":10,"y":45},"width":100,"height":25}'
    )


def test_corners_are_whole_pixels() -> None:
    bounds = bounds_of(((10.4, 19.6), (110.2, 20.1), (109.7, 44.8), (10.1, 45.2)), 640, 480)
    assert bounds["top_left"] == {"x": 10, "y": 20}
    assert bounds["bottom_right"] == {"x": 110, "y": 45}


def test_sides_that_differ_are_averaged_in_half_pixels() -> None:
    bounds = bounds_of(((0, 0), (101, 0), (100, 20), (0, 21)), 640, 480)
    assert (bounds["width"], bounds["height"]) == (100.5, 20.5)


def test_whole_sizes_have_no_decimal_point() -> None:
    written = json.dumps(bounds_of(upright(0, 0, 12, 8), 640, 480))
    assert '"width": 12, "height": 8' in written


def test_a_turned_quadrilateral_is_as_wide_as_its_text_is_long() -> None:
    # Runs downwards: its top left corner is the top right of the upright box.
    bounds = bounds_of(((60, 10), (60, 210), (30, 210), (30, 10)), 640, 480)
    assert bounds["top_left"] == {"x": 60, "y": 10}
    assert (bounds["width"], bounds["height"]) == (200, 30)


def test_a_slanted_side_is_measured_along_itself() -> None:
    bounds = bounds_of(((0, 0), (30, 40), (22, 46), (0, 10)), 640, 480)
    assert bounds["width"] == 46  # the mean of 50 and 42.19, to the nearest half


def test_corners_outside_the_picture_are_moved_to_its_edge() -> None:
    bounds = bounds_of(((-3, -2), (650, 4), (645, 490), (2, 481)), 640, 480)
    assert bounds["top_left"] == {"x": 0, "y": 0}
    assert bounds["top_right"] == {"x": 640, "y": 4}
    assert bounds["bottom_right"] == {"x": 640, "y": 480}
    assert bounds["bottom_left"] == {"x": 2, "y": 480}
