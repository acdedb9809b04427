"""The classifier of pictures as a guard: its scores, long pictures, and how pictures are prepared."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from models.capability import EngineConfig
from models.safety.images.capability import NSFW_VIT
from models.safety.images.nsfw_vit import parts_of
from tests.kit.engines.image_guards import BLACK, RED, Open, opening, plain, save_nsfw_vit, shown


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with opening() as build:
        yield build


def pulled(folder: Path, red: float) -> EngineConfig:
    save_nsfw_vit(folder / "nsfw-vit", red)
    return EngineConfig(weights_dir=folder, device="cpu", threads=1)


async def test_it_judges_what_is_not_safe_for_work_alone(tmp_path: Path, opened: Open) -> None:
    guard = opened(NSFW_VIT, pulled(tmp_path, red=2))
    assert guard.codes == {"S15_IMAGE"}
    assert guard.thresholds == {"S15_IMAGE": 0.5}
    # The channel's mean is 1 for red and -1 for black.
    judgement = await guard.judge(RED, ["S15_IMAGE"])
    assert shown(judgement) == {"S15_IMAGE": round(1 / (1 + np.exp(-2)), 3)}
    assert shown(await guard.judge(BLACK, ["S15_IMAGE"])) == {"S15_IMAGE": round(1 / (1 + np.exp(2)), 3)}


async def test_a_part_of_a_long_picture_is_enough(tmp_path: Path, opened: Open) -> None:
    guard = opened(NSFW_VIT, pulled(tmp_path, red=4))
    strip = plain(0, 0, 0, 40, 280)
    strip[:, 120:160] = 255, 0, 0
    for picture in (strip, np.ascontiguousarray(strip.transpose(1, 0, 2))):
        assert (await guard.judge(picture, ["S15_IMAGE"])).scores["S15_IMAGE"] > 0.9
    short = strip[:, 100:220]
    assert (await guard.judge(short, ["S15_IMAGE"])).scores["S15_IMAGE"] < 0.5


def test_the_parts_of_a_long_picture_cover_it() -> None:
    assert [view.shape for view in parts_of(plain(0, 0, 0, 100, 300))] == [(100, 300, 3)]
    whole, *parts = parts_of(plain(0, 0, 0, 100, 330))
    assert whole.shape == (100, 330, 3)
    assert [part.shape for part in parts] == [(100, 100, 3)] * 4
    numbered = np.tile(np.arange(5000, dtype=np.uint16)[:, None, None], (1, 7, 3))
    _, *parts = parts_of(numbered)  # type: ignore[arg-type]
    assert len(parts) == 8
    assert set(np.concatenate([part[:, 0, 0] for part in parts]).tolist()) == set(range(5000))
