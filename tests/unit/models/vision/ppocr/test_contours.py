"""From probability maps to quadrilaterals."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.vision.ppocr.contours import Quads, text_quads


def quads(probability: NDArray[np.float32]) -> Quads:
    return text_quads(probability)


def drawn(*rectangles: tuple[tuple[float, float], tuple[float, float], float], level: float = 1) -> NDArray[np.float32]:
    """A map of 200 × 300 with rectangles of (centre, size, clockwise degrees)."""
    probability = np.zeros((200, 300), np.float32)
    for rectangle in rectangles:
        cv2.fillPoly(probability, [cv2.boxPoints(rectangle).astype(np.int32)], level)
    return probability


def test_a_bar_becomes_a_box_that_reaches_beyond_it_by_the_same_margin_on_every_side() -> None:
    [quad] = quads(drawn(((150, 100), (200, 10), 0)))
    margin = 1.8 * 200 * 10 / (2 * (200 + 10))
    assert quad == pytest.approx(
        np.array([(50 - margin, 95 - margin), (250 + margin, 95 - margin),
                  (250 + margin, 105 + margin), (50 - margin, 105 + margin)]), abs=2
    )  # fmt: skip


@pytest.mark.parametrize("degrees", [-40, -10, -1, 0, 1, 10, 40])
def test_corners_go_clockwise_from_the_top_left(degrees: float) -> None:
    [quad] = quads(drawn(((150, 100), (120, 12), degrees)))
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    assert np.degrees(np.arctan2(along[1], along[0])) == pytest.approx(degrees, abs=3)
    assert along[0] * down[1] - along[1] * down[0] > 0


def test_faint_regions_are_left_out() -> None:
    assert len(quads(drawn(((150, 100), (200, 10), 0), level=0.35))) == 0


def test_specks_are_left_out() -> None:
    assert len(quads(drawn(((150, 100), (1, 1), 0), ((50, 50), (1, 60), 0)))) == 0


def test_text_is_found_among_thousands_of_specks() -> None:
    probability = drawn(((150, 150), (200, 10), 0))
    probability[:100:4, ::4] = 1
    assert len(quads(probability)) == 1


def test_an_empty_map_has_no_quadrilaterals() -> None:
    assert quads(np.zeros((64, 64), np.float32)).shape == (0, 4, 2)
