"""NudeNet as a guard of pictures, with networks in its form."""

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.base import EngineUnavailable
from models.safety.images.capability import NUDENET
from models.safety.images.nudenet import CLASSES, MEANING, NudeNet
from tests.image_guards import (
    BLACK,
    BOX,
    RED,
    WHITE,
    Open,
    answers,
    nudenet,
    opening,
    plain,
    save_colour_network,
    save_nudenet,
    shown,
)


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with opening() as build:
        yield build


@pytest.mark.parametrize(
    ("found", "nudity", "unfit"),
    [
        ({"FEMALE_BREAST_EXPOSED": 0.8}, 0.8, 0.8),
        ({"MALE_GENITALIA_EXPOSED": 0.6}, 0.6, 0.6),
        ({"FEMALE_BREAST_COVERED": 0.9}, 0, 0.27),
        ({"FEMALE_GENITALIA_COVERED": 1.0}, 0, 0.45),
        ({"MALE_BREAST_EXPOSED": 0.9}, 0, 0.36),
        ({"FACE_FEMALE": 0.99}, 0, 0),
        ({"BUTTOCKS_EXPOSED": 0.2}, 0, 0),
        ({}, 0, 0),
    ],
)
async def test_bared_parts_are_nudity_and_covered_ones_a_little_unfit(
    tmp_path: Path, opened: Open, found: dict[str, float], nudity: float, unfit: float
) -> None:
    guard = opened(NUDENET, nudenet(save_nudenet(tmp_path / "320n.onnx", answers((BOX, found)))))
    assert guard.codes == {"S12_IMAGE", "S15_IMAGE"}
    assert shown(await guard.judge(BLACK, ["S12_IMAGE", "S15_IMAGE"])) == {"S12_IMAGE": nudity, "S15_IMAGE": unfit}


def test_covered_parts_alone_stay_below_the_threshold() -> None:
    from models.safety.images.nudenet import THRESHOLD

    assert {label for weights in MEANING.values() for label in weights} <= set(CLASSES)
    assert all(weight < THRESHOLD or label in MEANING["S12_IMAGE"] for label, weight in MEANING["S15_IMAGE"].items())


async def test_nudenet_sees_rgb_in_the_corner_of_a_black_square(tmp_path: Path, opened: Open) -> None:
    table = answers((BOX, {}))
    weights = np.zeros((table.size, 3))
    # The class's score is the mean of red.
    weights[4 + CLASSES.index("ANUS_EXPOSED")] = 1, 0, 0
    guard = opened(NUDENET, nudenet(save_nudenet(tmp_path / "320n.onnx", table, weights)))
    assert (await guard.judge(plain(255, 0, 0, 100, 100), ["S12_IMAGE"])).scores == pytest.approx({"S12_IMAGE": 1})
    assert (await guard.judge(plain(0, 255, 255, 100, 100), ["S12_IMAGE"])).scores == {"S12_IMAGE": 0}
    wide = await guard.judge(plain(255, 0, 0, 50, 100), ["S12_IMAGE"])
    assert wide.scores == pytest.approx({"S12_IMAGE": 0.5}, abs=0.005)


def test_its_boxes_are_those_that_opencv_leaves(tmp_path: Path) -> None:
    """The package leaves the choice to OpenCV; here, boxes are chosen together with those of other detectors."""
    random = np.random.default_rng(0)
    table = np.zeros((22, 2100), np.float32)
    table[:4] = random.uniform([[20], [20], [10], [10]], [[300], [220], [90], [90]], (4, 2100))
    table[4:] = random.uniform(0, 0.3, (18, 2100)) ** 2 * 11
    engine = NudeNet(lambda: save_nudenet(tmp_path / "320n.onnx", table))
    engine.load()
    parts = engine.parts(plain(0, 0, 0, 480, 640))
    corners = np.clip(np.concatenate([table[:2] - table[2:4] / 2, table[:2] + table[2:4] / 2]) * 2, 0, 640)
    corners[[1, 3]] = corners[[1, 3]].clip(0, 480)
    boxes = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in corners.T.tolist()]
    scores = table[4:].max(0)
    kept = cv2.dnn.NMSBoxes(boxes, scores.tolist(), 0.25, 0.45)
    assert len(kept) > 20
    assert [part.score for part in parts] == pytest.approx([float(scores[at]) for at in kept])
    assert [part.label for part in parts] == [CLASSES[int(table[4:, at].argmax())] for at in kept]
    found = np.array([part.box for part in parts])
    assert found == pytest.approx(corners.T[np.array(kept)], abs=1e-3)
    engine.close()


async def test_its_file_may_lie_among_the_weights(tmp_path: Path, opened: Open) -> None:
    save_nudenet(tmp_path / "nudenet" / "320n.onnx", answers((BOX, {"ANUS_EXPOSED": 0.7})))
    guard = opened(NUDENET, nudenet(None, tmp_path))
    assert shown(await guard.judge(WHITE, ["S12_IMAGE"])) == {"S12_IMAGE": 0.7}


async def test_another_network_is_not_taken_for_nudenet(tmp_path: Path, opened: Open) -> None:
    guard = opened(NUDENET, nudenet(save_colour_network(tmp_path / "m.onnx", [[1, 0, 0]], [0])))
    with pytest.raises(EngineUnavailable, match="is not NudeNet"):
        await guard.judge(RED, ["S12_IMAGE"])
