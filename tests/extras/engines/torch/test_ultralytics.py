"""YOLO by ultralytics, with random weights: loading, labels, masks. Opt-in: AGPL-3.0."""

import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from models.capability import Built, EngineConfig
from models.vision.detection import yolo
from models.vision.detection.capability import ULTRALYTICS, DetectionSettings
from models.vision.detection.detector import NAMES, Detector
from tests.extras.engines.torch.small_networks import stand_in_for_torchvision

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ultralytics") is None, reason="needs the package ultralytics"),
    # Deprecations within ultralytics and PyTorch are theirs.
    pytest.mark.filterwarnings("ignore"),
]

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)


def chosen(model: Path) -> EngineConfig:
    return EngineConfig(
        device="cpu",
        own=[DetectionSettings.model_construct(object_detection="ultralytics", object_detection_model=model)],
    )


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[str], Detector]]:
    """From the name of an architecture to a detector of it with random weights, which are sure of nothing."""
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    stand_in_for_torchvision(monkeypatch)
    monkeypatch.setattr(yolo, "_LEAST_SCORE", 1e-6)
    import ultralytics

    async with AsyncExitStack() as stack:

        def make(name: str) -> Detector:
            [config] = Path(ultralytics.__file__).parent.joinpath("cfg", "models").rglob(name.replace("n", "", 1))
            # The letter chooses the size; the file is one for all.
            (tmp_path / name).write_text(config.read_text())
            built: Built = ULTRALYTICS.build(chosen(tmp_path / name))
            for part in built.parts:
                stack.push_async_callback(part.close)
            service: Detector = built.service
            return service

        yield make


async def test_objects_have_cocos_labels_and_lie_in_the_picture(opened: Callable[[str], Detector]) -> None:
    detector = opened("yolo11n.yaml")
    assert detector.labels == NAMES
    found = await detector.detect(PICTURE)
    assert found
    for one in found:
        assert one.label
        x0, y0, x1, y1 = one.box
        assert -1 <= x0 <= x1 <= 201
        assert -1 <= y0 <= y1 <= 121
        assert one.mask is None


async def test_masks_lie_in_their_boxes(opened: Callable[[str], Detector]) -> None:
    found = await opened("yolo11n-seg.yaml").detect(PICTURE, masks=True)
    masks = [one.mask for one in found if one.mask is not None]
    assert masks
    for mask in masks:
        assert mask.top + mask.pixels.shape[0] <= 120
        assert mask.left + mask.pixels.shape[1] <= 200
