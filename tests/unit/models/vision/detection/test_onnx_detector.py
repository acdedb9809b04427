"""Masks of many and of large objects."""

import numpy as np
import pytest

from models.vision.detection.detector import Mask
from models.vision.detection.onnx_detector import mask_in_box, masks_in_boxes


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
