"""Masks of many and of large objects."""

import cv2
import numpy as np
import pytest

from models.vision.detection.detector import Mask
from models.vision.detection.onnx_detector import mask_in_box, masks_in_boxes, resized


def halves(side: int = 108) -> np.ndarray:
    """The object is the left half of the picture."""
    return np.where(np.arange(side) < side / 2, 1, -1).astype(np.float32)[None].repeat(side, 0)


def whole(mask: Mask | None) -> np.ndarray:
    assert mask is not None
    return mask.pixels


@pytest.mark.parametrize(("width", "height"), [(60_000, 900), (900, 60_000), (3000, 3000)])
def test_a_mask_as_large_as_a_large_picture_has_all_of_its_pixels(width: int, height: int) -> None:
    pixels = whole(mask_in_box(halves(), np.array([0, 0, width, height], np.float32), width, height))
    assert pixels.shape == (height, width)
    assert pixels[:, : width // 2 - width // 108].all()
    assert not pixels[:, width // 2 + width // 108 :].any()


def test_where_masks_are_larger_together_than_a_picture_the_surest_objects_have_theirs() -> None:
    boxes = np.array([[0, 0, 6000, 6000]] * 3 + [[0, 0, 10, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.7, 0.8], np.float32)
    masks = masks_in_boxes(np.stack([halves()] * 4), boxes, scores, 6000, 6000)
    assert [mask is not None for mask in masks] == [False, True, False, True]


@pytest.mark.parametrize(("width", "height"), [(100, 70), (350, 330), (999, 1701), (4096, 401)])
def test_a_reduced_picture_has_the_means_of_its_parts(width: int, height: int) -> None:
    random = np.random.default_rng(0)
    small = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    means = cv2.resize(picture, (64, 48), interpolation=cv2.INTER_AREA if width > 128 else cv2.INTER_LINEAR)
    reduced = resized(picture, 64, 48)
    assert reduced.shape == (48, 64, 3)
    assert np.abs(reduced.astype(int) - means).mean() < 4
