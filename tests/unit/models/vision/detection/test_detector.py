"""Overlaps, and which boxes stay."""

import numpy as np
import pytest

from models.vision.detection.boxes import overlaps


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "of_union", "of_smaller"),
    [
        ((0, 0, 10, 10), 1, 1),
        ((5, 0, 15, 10), 1 / 3, 1 / 2),
        ((2, 2, 4, 4), 0.04, 1),
        ((10, 0, 20, 10), 0, 0),
        ((30, 30, 40, 40), 0, 0),
        ((5, 5, 5, 5), 0, 0),
    ],
)
def test_overlap_is_a_part_of_the_union_or_of_the_smaller(
    other: tuple[float, float, float, float], of_union: float, of_smaller: float
) -> None:
    one = boxes((0, 0, 10, 10))
    assert overlaps(one, boxes(other))[0, 0] == pytest.approx(of_union)
    assert overlaps(one, boxes(other), of_smaller=True)[0, 0] == pytest.approx(of_smaller)
