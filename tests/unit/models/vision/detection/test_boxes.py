"""Overlaps, and which boxes stay."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.vision.detection.boxes import from_centres, overlaps, suppressed


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_centres_become_corners() -> None:
    assert from_centres(boxes((50, 40, 20, 10))).tolist() == [[40, 35, 60, 45]]


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


@pytest.mark.parametrize(
    ("found", "certain", "classes", "kept"),
    [
        (boxes((0, 0, 10, 10), (1, 0, 11, 10), (50, 0, 60, 10)), scores(0.7, 0.9, 0.8), [0, 0, 0], [1, 2]),
        (boxes((0, 0, 10, 10), (0, 0, 10, 10)), scores(0.7, 0.9), [0, 1], [1, 0]),
        (boxes((0, 0, 10, 10), (3, 0, 13, 10), (6, 0, 16, 10)), scores(0.9, 0.8, 0.7), [0, 0, 0], [0, 2]),
        (boxes(), scores(), [], []),
    ],
    ids=["the best", "another class", "beside a suppressed one", "none"],
)
def test_the_best_of_those_of_a_class_that_overlap_stays(
    found: NDArray[np.float32], certain: NDArray[np.float32], classes: list[int], kept: list[int]
) -> None:
    assert suppressed(found, certain, np.array(classes, np.intp), most=0.5).tolist() == kept


def test_equal_scores_keep_their_order() -> None:
    found = boxes(*((20 * index, 0, 20 * index + 10, 10) for index in range(50)))
    assert suppressed(found, scores(*[0.5] * 50), np.zeros(50, int), most=0.5).tolist() == list(range(50))


def test_a_box_inside_another_is_the_same_object_by_the_smaller_area() -> None:
    found = boxes((0, 0, 100, 100), (10, 10, 30, 30))
    assert suppressed(found, scores(0.9, 0.8), np.array([0, 0]), most=0.5).tolist() == [0, 1]
    assert suppressed(found, scores(0.9, 0.8), np.array([0, 0]), most=0.5, of_smaller=True).tolist() == [0]


def test_no_kept_box_overlaps_a_better_one_of_its_class() -> None:
    random = np.random.default_rng(3)
    corners = random.uniform(0, 100, (300, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 30, (300, 2))], axis=1).astype(np.float32)
    scores, classes = random.uniform(size=300).astype(np.float32), random.integers(0, 3, 300)
    kept = suppressed(boxes, scores, classes, most=0.3)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)
    clash = (overlaps(boxes, boxes[kept]) > 0.3) & (classes[:, None] == classes[kept][None])
    better = scores[kept][None] > scores[:, None]
    # A box is left out exactly if a kept one that is better overlaps it.
    assert {*np.flatnonzero(~(clash & better).any(axis=1)).tolist()} == {*kept.tolist()}
