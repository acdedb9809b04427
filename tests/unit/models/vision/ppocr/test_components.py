"""The connected components of a mask that comes in bands."""

import cv2
import numpy as np
import pytest

from models.fair_executor import all_of
from models.vision.ppocr.components import component_stats


@pytest.mark.parametrize("density", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("rows", [1, 3, 7, 60])
def test_bands_have_the_components_of_the_whole(density: float, rows: int) -> None:
    mask = (np.random.default_rng(rows).random((50, 70)) < density).astype(np.uint8)
    bands = (mask[top : top + rows] for top in range(0, len(mask), rows))
    _, _, whole, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    assert sorted(all_of(component_stats(bands)).tolist()) == sorted(whole[1:].tolist())


def test_a_spiral_through_all_bands_is_one_component() -> None:
    mask = np.zeros((9, 9), np.uint8)
    for inset in (0, 2, 4):
        cv2.rectangle(mask, (inset, inset), (8 - inset, 8 - inset), 1)
    for column, row in ((0, 1), (2, 3)):
        mask[row, column], mask[row + 1, column + 1] = 0, 1
    [one] = all_of(component_stats(mask[row : row + 1] for row in range(9)))
    assert one.tolist() == [0, 0, 9, 9, int(mask.sum())]


def test_work_pauses_between_bands() -> None:
    assert sum(1 for _ in component_stats([np.ones((2, 2), np.uint8)] * 4)) == 3
