"""RF-DETR of the real architecture, exported to ONNX with random weights."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")

from models.capability import EngineConfig
from models.vision.detection import detr
from models.vision.detection.capability import OWN_ONNX, DetectionSettings
from models.vision.detection.detector import NAMES
from tests.extras.engines.torch.small_networks import export_rf_detr

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]


async def test_its_export_loads_and_finds_objects_in_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Random weights are sure of nothing.
    monkeypatch.setattr(detr, "_LEAST_SCORE", 0.0)
    model = export_rf_detr(tmp_path / "model.onnx")
    built = OWN_ONNX.build(
        EngineConfig(device="cpu", own=[DetectionSettings(object_detection="onnx", object_detection_model=model)])
    )
    pictures = np.random.default_rng(0).integers(0, 255, (5, 120, 200, 3), np.uint8)
    answers = await asyncio.gather(*(built.service.detect(picture, wait=True) for picture in pictures))
    assert len(answers) == 5
    for found in answers:
        assert found
        for one in found:
            assert one.label in NAMES
            assert 0 <= one.score <= 1
            x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
            assert -1 <= x <= 201
            assert -1 <= y <= 121
    for part in built.parts:
        await part.close()
