"""The grey levels of a picture on its upright page."""

import numpy as np

from models.vision.page_geometry import UPRIGHT
from tasks.layout.upright_grey import UprightGrey


def test_a_strip_that_is_scaled_down_keeps_a_pixel_of_height() -> None:
    strip = np.full((1, 30_000, 3), 200, np.uint8)
    grey, corner, scale = UprightGrey(strip, UPRIGHT).at_most(2_000)
    assert (grey.shape, corner, scale) == ((1, 2_000), (0.0, 0.0), 2_000 / 30_000)
    assert (grey == 200).all()
