"""LLMDet in transformers: loading, prompts, places."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from models.capability import Built, EngineConfig
from models.vision.detection import grounding
from models.vision.detection.capability import LLMDET, OPEN_VOCABULARY, DetectionSettings
from models.vision.detection.detector import Detector
from models.vision.detection.grounding import prompt_of, tokens_of
from tests.extras.engines.torch.small_networks import save_grounding_dino

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]

PICTURE = np.random.default_rng(0).integers(0, 255, (120, 200, 3), np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("weights")
    save_grounding_dino(root / "llmdet")
    return root


async def closed(built: Built) -> None:
    for part in built.parts:
        await part.close()


@pytest.fixture
async def detector(weights: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Detector]:
    # Random weights are sure of nothing.
    monkeypatch.setattr(grounding, "_LEAST_SCORE", 0.0)
    built = OPEN_VOCABULARY.engines[0].build(EngineConfig(weights_dir=weights, device="cpu"))
    yield built.service
    await closed(built)


async def test_only_the_labels_that_are_asked_for_are_found_inside_the_picture(detector: Detector) -> None:
    found = await detector.detect(PICTURE, labels=["red unicorn", "dog"])
    assert found
    assert {one.label for one in found} <= {"red unicorn", "dog"}
    for one in found:
        assert 0 <= one.score <= 1
        x, y = (one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2
        assert 0 <= x <= 200
        assert 0 <= y <= 120


async def test_more_labels_than_the_text_encoder_sees_are_asked_for_in_turns(
    detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounding, "_MAX_TOKENS", 6)
    found = await detector.detect(PICTURE, labels=["dog", "cat", "bus", "traffic light", "person"])
    assert len({one.label for one in found}) > 2


def test_each_label_has_its_own_tokens(weights: Path) -> None:
    from transformers import AutoTokenizer

    labels = ["Red unicorn", "dog", "traffic light"]
    assert prompt_of(labels) == "red unicorn. dog. traffic light."
    tokenizer = AutoTokenizer.from_pretrained(weights / "llmdet")
    encoded = tokenizer(prompt_of(labels), return_offsets_mapping=True)
    words = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    spans = tokens_of(labels, encoded["offset_mapping"])
    assert [[words[at] for at in span] for span in spans] == [["red", "unicorn"], ["dog"], ["traffic", "light"]]


def test_without_its_folder_the_remedy_names_what_belongs_there(tmp_path: Path) -> None:
    config = EngineConfig(weights_dir=tmp_path, own=[DetectionSettings(object_detection="llmdet")])
    for candidate in (LLMDET, OPEN_VOCABULARY.engines[0]):
        remedy = candidate.remedy(config) or ""
        assert "in the folder OPENFAZE_WEIGHTS_DIR" in remedy
        assert str(tmp_path) not in remedy
