import cv2
import numpy as np
import pytest

from tasks.layout.components import components_of


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (57, 83)])
def test_components_are_those_of_opencv(share: float, shape: tuple[int, int]) -> None:
    ink = np.where(np.random.default_rng(7).random(shape) < share, 255, 0).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    boxes, middles = components_of(ink)
    assert (boxes == stats[1:, :4]).all()
    assert (middles == centres[1:]).all()


def test_a_turned_picture_is_measured_as_it_is_turned() -> None:
    ink = np.zeros((30, 20), np.uint8)
    ink[3:7, 5:20] = 255
    boxes, middles = components_of(ink.T)
    assert boxes.tolist() == [[3, 5, 4, 15]]
    assert middles.tolist() == [[4.5, 12.0]]
