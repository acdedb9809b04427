"""Which of overlapping boxes stay."""

import numpy as np

from models.vision.detection.boxes import overlaps, suppressed


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


def test_no_boxes_stay_of_none() -> None:
    assert suppressed(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.intp), most=0.5).size == 0
