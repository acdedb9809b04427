"""Searching a picture piece by piece."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.capability import EngineConfig
from models.vision.detection.capability import FASTESTDET
from models.vision.detection.detector import Detection, Detector, Mask
from models.vision.text import Image
from tasks.detection.search import Slice, detect_in_slices, slices_of
from tests.kit.pictures.photos import THREE_PEOPLE, Box, best_iou, photo


def covered(slices: Sequence[Slice], width: int, height: int) -> bool:
    seen = np.zeros((height, width), bool)
    for piece in slices:
        seen[piece.top : piece.bottom, piece.left : piece.right] = True
    return bool(seen.all())


@pytest.mark.parametrize(("width", "height"), [(640, 480), (3000, 2000), (352, 352), (8, 8), (600, 300)])
def test_an_ordinary_picture_is_searched_whole(width: int, height: int) -> None:
    assert slices_of(width, height, 352, small=False) == []


@pytest.mark.parametrize(("width", "height"), [(3000, 480), (480, 3000), (20_000, 3_000), (20_000, 30), (1, 5000)])
def test_a_panorama_is_cut_across_its_length(width: int, height: int) -> None:
    slices = slices_of(width, height, 352, small=False)
    assert covered(slices, width, height)
    for piece in slices:
        assert (piece.right - piece.left == width) or (piece.bottom - piece.top == height)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (3000, 2000), (12_000, 9_000), (353, 100)])
def test_small_objects_are_looked_for_in_squares_that_cover_the_picture(width: int, height: int) -> None:
    slices = slices_of(width, height, 352, small=True)
    assert covered(slices, width, height)
    assert len(slices) < 250


@dataclass
class Finder:
    """Finds red pixels: the box around them, in the picture that it is shown."""

    name: str = "finder"
    labels: Sequence[str] | None = ("red",)
    has_masks: bool = True
    side: int = 100

    async def detect(
        self, image: Image, *, labels: Sequence[str] | None = None, masks: bool = False, wait: bool = False
    ) -> list[Detection]:
        rows, columns = np.nonzero(image[..., 0])
        if not len(rows):
            return []
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        mask = Mask(int(x0), int(y0), image[y0:y1, x0:x1, 0] > 0)
        return [Detection("red", 0.5 + len(rows) / 100_000, (float(x0), float(y0), float(x1), float(y1)), mask)]


def with_red(*boxes: tuple[int, int, int, int], width: int = 400, height: int = 300) -> Image:
    picture = np.zeros((height, width, 3), np.uint8)
    for x0, y0, x1, y1 in boxes:
        picture[y0:y1, x0:x1, 0] = 255
    return picture


async def test_an_object_that_several_slices_show_is_reported_once_and_where_it_is() -> None:
    picture = with_red((190, 140, 210, 160))
    [found] = await detect_in_slices(Finder(), picture, slices_of(400, 300, 100, small=True))
    assert found.box == (190, 140, 210, 160)
    assert found.mask is not None
    assert (found.mask.left, found.mask.top, found.mask.pixels.shape) == (190, 140, (20, 20))


@pytest.fixture
async def detector(shared: Path) -> AsyncIterator[Detector]:
    built = FASTESTDET.build(EngineConfig(threads=2))
    yield built.service
    for part in built.parts:
        await part.close()


def placed(box: Box, scale: float, left: int, top: int) -> Box:
    x0, y0, x1, y1 = box
    return x0 * scale + left, y0 * scale + top, x1 * scale + left, y1 * scale + top


async def test_people_that_are_small_in_a_large_picture_are_found_in_slices_only(
    detector: Detector, shared: Path
) -> None:
    scale, places = 0.3, [(100, 80), (700, 500), (1200, 200), (400, 800)]
    canvas = np.full((1080, 1920, 3), 128, np.uint8)
    small = cv2.resize(photo(shared, "people"), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for left, top in places:
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    truth = [placed(person, scale, left, top) for left, top in places for person in THREE_PEOPLE]

    async def found(slices: Sequence[Slice]) -> int:
        people = [one.box for one in await detect_in_slices(detector, canvas, slices) if one.label == "person"]
        return sum(best_iou(person, people) >= 0.5 for person in truth)

    assert await found([]) == 0
    assert await found(slices_of(1920, 1080, detector.side, small=True)) >= 10
