"""Image classifiers of the real architectures with random weights: our scores against transformers' own pipeline."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.safety.guard import ImageGuard
from models.safety.images.capability import CLASSIFIER, NSFW_VIT, ImageGuardSettings
from models.safety.images.preprocessing import preprocessing_of

# Deprecations within transformers and PyTorch are theirs.
pytestmark = [pytest.mark.filterwarnings("ignore")]

LABELS = {
    "nsfw": ["normal", "nsfw"],
    "kinds": ["drawings", "hentai", "neutral", "porn", "sexy"],
}
Open = Callable[[EngineConfig, Any], ImageGuard]


def save_vit(folder: Path, labels: list[str], **config: Any) -> Path:
    """A ViT of some thousand weights, large enough that pictures differ in their scores."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    torch.manual_seed(0)
    shape = ViTConfig(
        image_size=48,
        patch_size=8,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.4,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        **config,
    )
    network = ViTForImageClassification(shape)
    torch.nn.init.normal_(network.classifier.weight, std=0.6)
    network.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 48, "width": 48}).save_pretrained(folder)
    return folder


def export(folder: Path) -> Path:
    """Into the folder's model.onnx, in the form of Optimum's exports; takes the weights away."""
    import torch
    from transformers import AutoModelForImageClassification

    class Logits(torch.nn.Module):
        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixel_values: Any) -> Any:
            return self.network(pixel_values=pixel_values).logits

    network = AutoModelForImageClassification.from_pretrained(folder, local_files_only=True)
    torch.onnx.export(
        Logits(network.eval()),
        (torch.rand(2, 3, 48, 48),),
        str(folder / "model.onnx"),
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    (folder / "model.safetensors").unlink()
    return folder


def pictures() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """Colours, stripes and noise, larger and smaller than what the network sees; none so long that it is cut."""
    random = np.random.default_rng(0)
    noise = [
        random.integers(0, 255, (height, width, 3), np.uint8) for height, width in ((40, 30), (120, 200), (301, 150))
    ]
    flat = [np.full((64, 90, 3), colour, np.uint8) for colour in ((255, 0, 0), (10, 200, 30), (240, 240, 240))]
    stripes = np.tile(np.arange(0, 240, 3, dtype=np.uint8)[:, None, None], (2, 100, 3))
    return [*noise, *flat, stripes]


def by_pipeline(folder: Path) -> list[dict[str, float]]:
    from transformers import pipeline

    pipe = pipeline("image-classification", model=str(folder), device="cpu")
    answers = [pipe(PIL.Image.fromarray(picture), top_k=9) for picture in pictures()]
    return [{one["label"]: one["score"] for one in answer} for answer in answers]


def own(folder: Path) -> EngineConfig:
    return EngineConfig(
        device="cpu", threads=1, own=[ImageGuardSettings(image_guard="classifier", image_guard_model=folder)]
    )


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        def build(config: EngineConfig, candidate: Any = CLASSIFIER) -> ImageGuard:
            assert candidate.remedy(config) is None
            built = candidate.build(config)
            for part in built.parts:
                stack.push_async_callback(part.close)
            guard: ImageGuard = built.service
            return guard

        yield build


async def judged(guard: ImageGuard, code: str) -> list[float]:
    judgements = await asyncio.gather(*(guard.judge(picture, [code], wait=True) for picture in pictures()))
    return [judgement.scores[code] for judgement in judgements]


@pytest.mark.parametrize("form", ["safetensors", "onnx"])
async def test_its_scores_are_those_of_the_raw_pipeline(tmp_path: Path, opened: Any, form: str) -> None:
    folder = save_vit(tmp_path / "m", LABELS["nsfw"])
    raw = [answer["nsfw"] for answer in by_pipeline(folder)]
    assert max(raw) - min(raw) > 0.05  # else any scores would do
    guard = opened(own(folder if form == "safetensors" else export(folder)))
    assert guard.codes == {"S15_IMAGE"}
    assert await judged(guard, "S15_IMAGE") == pytest.approx(raw, abs=1e-4)


async def test_labels_of_one_code_are_added_up(tmp_path: Path, opened: Any) -> None:
    folder = save_vit(tmp_path / "m", LABELS["kinds"])
    raw = by_pipeline(folder)
    guard = opened(own(folder))
    assert await judged(guard, "S12_IMAGE") == pytest.approx([one["hentai"] + one["porn"] for one in raw], abs=1e-4)
    unfit = [one["hentai"] + one["porn"] + one["sexy"] for one in raw]
    assert await judged(guard, "S15_IMAGE") == pytest.approx(unfit, abs=1e-4)


async def test_labels_with_a_certainty_of_their_own_are_not(tmp_path: Path, opened: Any) -> None:
    folder = save_vit(tmp_path / "m", LABELS["kinds"], problem_type="multi_label_classification")
    raw = by_pipeline(folder)
    guard = opened(own(folder))
    assert await judged(guard, "S12_IMAGE") == pytest.approx([max(one["hentai"], one["porn"]) for one in raw], abs=1e-4)


async def test_the_folder_among_the_weights_serves_without_a_setting(tmp_path: Path, opened: Any) -> None:
    save_vit(tmp_path / "nsfw-vit", LABELS["nsfw"])
    guard = opened(EngineConfig(weights_dir=tmp_path, device="cpu"), NSFW_VIT)
    assert guard.name == "nsfw-vit"
    assert all(0 < score < 1 for score in await judged(guard, "S15_IMAGE"))


async def test_a_gpu_that_is_not_there_is_named(tmp_path: Path, opened: Any) -> None:
    from torch import cuda

    if cuda.is_available():
        pytest.skip("there is a CUDA device")
    folder = save_vit(tmp_path / "m", LABELS["nsfw"])
    config = EngineConfig(device="cuda", own=[ImageGuardSettings(image_guard="classifier", image_guard_model=folder)])
    with pytest.raises(EngineUnavailable, match="'image_guard'.*PyTorch cannot compute on 'cuda' here") as failure:
        await opened(config).judge(pictures()[0], ["S15_IMAGE"])
    assert failure.value.capability == "image_guard"


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    import torch

    folder = save_vit(tmp_path / "m", LABELS["nsfw"])
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    assert "model.safetensors" in (CLASSIFIER.remedy(own(folder)) or "")


def processors() -> list[Any]:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    return [
        ViTImageProcessorPil(size={"height": 48, "width": 48}),
        ViTImageProcessorPil(size={"height": 60, "width": 40}, resample=3, do_normalize=False),
        DeiTImageProcessorPil(size={"height": 64, "width": 64}, crop_size={"height": 48, "width": 48}),
        CLIPImageProcessorPil(size={"shortest_edge": 48}, crop_size={"height": 48, "width": 48}),
        CLIPImageProcessorPil(size={"shortest_edge": 31}, crop_size={"height": 48, "width": 47}),
        SiglipImageProcessorPil(size={"height": 64, "width": 64}),
    ]


@pytest.mark.parametrize("number", range(6))
def test_pictures_are_prepared_as_transformers_prepares_them(tmp_path: Path, number: int) -> None:
    processor = processors()[number]
    processor.save_pretrained(tmp_path)
    ours = preprocessing_of(json.loads((tmp_path / "preprocessor_config.json").read_text()))
    for picture in pictures():
        theirs = processor(images=[picture], return_tensors="np")["pixel_values"][0]
        assert ours.planes(picture) == pytest.approx(theirs, abs=1e-5)
