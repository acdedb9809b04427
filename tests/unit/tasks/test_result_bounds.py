"""Quadrilaterals on the pixel grid."""

import json

import pytest

from models.vision.text import Quad
from tasks.result import bounds_of


def test_the_keys_come_in_the_order_of_the_contract_and_whole_sizes_have_no_decimal_point() -> None:
    upright = (10.4, 19.6), (110.2, 19.6), (110.2, 45.2), (10.4, 45.2)
    assert json.dumps(bounds_of(upright, 640, 480)) == (
        '{"top_left": {"x": 10, "y": 20}, "top_right": {"x": 110, "y": 20}, "bottom_right": {"x": 110, "y": 45},'
        ' "bottom_left": {"x": 10, "y": 45}, "width": 100, "height": 25}'
    )


@pytest.mark.parametrize(
    ("quad", "first", "third", "size"),
    [
        # Sides that differ are averaged in half pixels, and slanted ones are measured along themselves.
        (((0, 0), (101, 0), (100, 20), (0, 21)), (0, 0), (100, 20), (100.5, 20.5)),
        (((0, 0), (30, 40), (22, 46), (0, 10)), (0, 0), (22, 46), (46, 10)),
        # Text that runs downwards: its top left corner is the top right of the upright box.
        (((60, 10), (60, 210), (30, 210), (30, 10)), (60, 10), (30, 210), (200, 30)),
        # Corners outside of the picture are moved to its edge.
        (((-3, -2), (650, 4), (645, 490), (2, 481)), (0, 0), (640, 480), (639, 478)),
    ],
)
def test_corners_and_sizes(
    quad: Quad, first: tuple[int, int], third: tuple[int, int], size: tuple[float, float]
) -> None:
    bounds = bounds_of(quad, 640, 480)
    assert tuple(bounds["top_left"].values()) == first
    assert tuple(bounds["bottom_right"].values()) == third
    assert (bounds["width"], bounds["height"]) == size
