"""RF-DETR in the form of its own exports."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import EngineUnavailable
from models.capability import Built, EngineConfig
from models.vision.detection.capability import LLMDET, OWN_ONNX, RF_DETR_SEG, DetectionSettings
from models.vision.detection.detector import Detection, Detector
from tests.kit.engines.networks import save_network

PICTURE = np.zeros((200, 400, 3), np.uint8)
MEAN = np.full_like(PICTURE, (124, 116, 104))
"""In ImageNet's mean colour: normalised, it is 0 everywhere."""
CENTRED = np.array([[0.5, 0.5, 0.5, 0.5], [0.25, 0.5, 0.1, 0.2]], np.float32)
"""The boxes of two objects; in PICTURE, (100, 50, 300, 150) and (80, 80, 120, 120)."""

Open = Callable[[Path], Detector]


@pytest.fixture
async def own() -> AsyncIterator[Open]:
    """From a file to the detector that OPENFAZE_OBJECT_DETECTION_MODEL makes of it."""
    async with AsyncExitStack() as stack:

        def opened(model: Path) -> Detector:
            config = EngineConfig(
                own=[DetectionSettings(object_detection="onnx", object_detection_model=model)], threads=1
            )
            assert OWN_ONNX.remedy(config) is None
            built: Built = OWN_ONNX.build(config)
            for part in built.parts:
                stack.push_async_callback(part.close)
            service: Detector = built.service
            return service

        yield opened


def logits(classes: int, *likely: tuple[int, int, float]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The logits of two queries; each of `likely` is a query, a class and its logit."""
    table = np.full((2, classes), -8, np.float32)
    for query, kind, value in likely:
        table[query, kind] = value
    return table


def shown(found: list[Detection]) -> list[tuple[str, float, tuple[int, ...]]]:
    return [(one.label, round(one.score, 2), tuple(round(value) for value in one.box)) for one in found]


def rf_detr(folder: Path, table: Any, masks: Any = None, *, together: bool = True) -> Path:
    answers = {"dets": CENTRED, "labels": table} | ({} if masks is None else {"masks": masks})
    return save_network(folder / "rf-detr.onnx", answers, picture="input", together=together)


COLOURS = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
"""Mean and deviation of ImageNet's colours."""
BLACK = float(np.mean((0 - COLOURS[0]) / COLOURS[1]))
"""The mean of a black picture that is normalised by ImageNet's colours, which the test's networks add to everything."""


async def test_rf_detr_numbers_its_labels_by_cocos_category_ids(tmp_path: Path, own: Open) -> None:
    model = rf_detr(tmp_path, logits(91, (0, 6, 4), (1, 67, 2)), together=False)
    found = await own(model).detect(MEAN)
    assert [one.label for one in found] == ["bus", "dining table"]


async def test_rf_detr_sees_pictures_in_imagenets_colours(tmp_path: Path, own: Open) -> None:
    # The networks add the mean of what they see to each output: so it moves every box.
    [found] = await own(rf_detr(tmp_path, logits(91, (0, 6, 8)))).detect(PICTURE)
    assert found.box == pytest.approx((100 + 400 * BLACK / 2, 50 + 200 * BLACK / 2, 300 + 1.5 * 400 * BLACK,
                                       150 + 1.5 * 200 * BLACK), abs=1)  # fmt: skip


async def test_labels_choose_the_best_class_that_is_wanted(tmp_path: Path, own: Open) -> None:
    detector = own(rf_detr(tmp_path, logits(80, (0, 5, 4), (0, 7, 2), (1, 0, 3))))
    assert [one.label for one in await detector.detect(MEAN)] == ["bus", "person"]
    assert [one.label for one in await detector.detect(MEAN, labels=["truck"])] == ["truck"]


async def test_pictures_that_are_computed_together_get_their_own_answers(tmp_path: Path, own: Open) -> None:
    detector = own(rf_detr(tmp_path, logits(80, (0, 5, 3))))
    pictures = [np.full((50, 50, 3), value, np.uint8) for value in (0, 60, 120, 180, 240)] * 4
    found = await asyncio.gather(*(detector.detect(picture, wait=True) for picture in pictures))
    normalised = [((picture[0, 0] / 255 - COLOURS[0]) / COLOURS[1]).mean() for picture in pictures]
    expected = [1 / (1 + np.exp(-(3 + value))) for value in normalised]
    assert [one.score for [one] in found] == pytest.approx(expected, abs=1e-4)


async def test_masks_are_cut_to_their_boxes(tmp_path: Path, own: Open) -> None:
    maps = np.full((2, 20, 40), -9, np.float32)
    maps[0, 5:15, 10:20] = 9  # The left half of the first object.
    [found] = await own(rf_detr(tmp_path, logits(91, (0, 6, 8)), maps)).detect(MEAN, masks=True)
    assert found.mask is not None
    x0, y0, x1, y1 = (round(value) for value in found.box)
    assert abs(found.mask.left - x0) <= 1
    assert abs(found.mask.top - y0) <= 1
    assert found.mask.pixels.shape == pytest.approx((y1 - y0, x1 - x0), abs=2)
    columns = np.flatnonzero(found.mask.pixels.any(axis=0)) + found.mask.left
    assert (columns.min(), columns.max()) == pytest.approx((100, 199), abs=3)


async def test_a_number_of_classes_that_nobody_named_is_refused(tmp_path: Path, own: Open) -> None:
    detector = own(rf_detr(tmp_path, logits(7)))
    with pytest.raises(EngineUnavailable, match=r"has 7 classes.*'labels\.txt' in the folder"):
        await detector.detect(PICTURE)


def test_a_pulled_set_is_what_runs_once_it_is_there(tmp_path: Path) -> None:
    config = EngineConfig(weights_dir=tmp_path, own=[DetectionSettings(object_detection="rf-detr-seg-small")])
    assert RF_DETR_SEG.remedy(config) == "Run `openfaze pull rf-detr-seg-small`."
    assert LLMDET.remedy(config) == ""  # Another one was chosen.
    (tmp_path / "rf-detr-seg-small.onnx").touch()
    assert RF_DETR_SEG.remedy(config) is None
