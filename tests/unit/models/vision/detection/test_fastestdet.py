"""FastestDet on real photos, and on pictures of any shape."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from models.capability import EngineConfig
from models.vision.detection.capability import FASTESTDET
from models.vision.detection.detector import Detection, Detector
from models.vision.detection.fastestdet import FastestDetHead
from tests.kit.pictures.photos import THREE_PEOPLE, best_iou, photo


@pytest.fixture
async def detector() -> AsyncIterator[Detector]:
    built = FASTESTDET.build(EngineConfig(threads=2))
    yield built.service
    for part in built.parts:
        await part.close()


def seen(found: list[Detection]) -> set[tuple[str, float, tuple[float, ...]]]:
    return {(one.label, one.score, one.box) for one in found}


def test_pictures_are_fed_side_by_side_as_blue_green_and_red_planes_of_0_to_1() -> None:
    pictures = [np.full((height, 20, 3), (255, 102, 51), np.uint8) for height in (10, 400)]
    (planes,) = FastestDetHead().feeds(pictures).values()
    assert (planes.shape, planes.dtype) == ((2, 3, 352, 352), np.float32)
    # What is laid out otherwise, onnxruntime copies.
    assert planes.flags.c_contiguous
    for picture in planes:
        np.testing.assert_allclose(picture[:, 176, 176], [0.2, 0.4, 1.0])


async def test_the_labels_are_in_the_order_of_its_authors(detector: Detector, shared: Path) -> None:
    respelt = {"motorbike": "motorcycle", "aeroplane": "airplane", "sofa": "couch", "pottedplant": "potted plant",
               "diningtable": "dining table", "tvmonitor": "tv"}  # fmt: skip
    theirs = (shared / "weights" / "coco.names").read_text().split("\n")
    assert detector.labels == tuple(respelt.get(name, name) for name in theirs if name)


async def test_three_people_are_found_where_they_are(detector: Detector, shared: Path) -> None:
    found = await detector.detect(photo(shared, "people"))
    assert [one.label for one in found] == ["person"] * 3
    for person in THREE_PEOPLE:
        assert best_iou(person, [one.box for one in found]) >= 0.7


async def test_labels_restrict_what_is_found(detector: Detector, shared: Path) -> None:
    assert await detector.detect(photo(shared, "people"), labels=["bus", "cat"]) == []
    found = await detector.detect(photo(shared, "bus"), labels=["bus", "cat"])
    assert [one.label for one in found] == ["bus"]


async def test_the_same_picture_gives_the_same_objects_whoever_else_asks(detector: Detector, shared: Path) -> None:
    pictures = [photo(shared, "bus"), photo(shared, "people")]
    alone = [seen(await detector.detect(picture)) for picture in pictures]
    together = await asyncio.gather(*(detector.detect(pictures[index % 2]) for index in range(12)))
    assert [seen(found) for found in together] == alone * 6


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (20_000, 300), (1, 3000), (33_000, 40)])
async def test_pictures_of_any_shape_are_searched(detector: Detector, width: int, height: int) -> None:
    assert await detector.detect(np.zeros((height, width, 3), np.uint8)) == []
