"""Classifiers of pictures as guards: what a folder holds, and how its pictures are prepared."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from models.base import EngineFailed, EngineUnavailable
from models.capability import EngineConfig
from models.runtime import Runtime
from models.safety.guard import IMAGE_CODES
from models.safety.images.capability import CLASSIFIER, IMAGE_GUARD, NSFW_VIT
from models.safety.images.classifier import parts_of
from models.safety.images.preprocessing import UnknownStep, preprocessing_of
from tests.conftest import each_case
from tests.image_guards import BLACK, RED, VIT, Open, opening, own, plain, save_classifier, shown


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with opening() as build:
        yield build


async def test_a_classifier_of_two_labels_judges_what_is_not_safe_for_work_alone(tmp_path: Path, opened: Open) -> None:
    guard = opened(CLASSIFIER, own(save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]])))
    assert guard.codes == {"S15_IMAGE"}
    assert guard.thresholds == {"S15_IMAGE": 0.5}
    # The channel's mean is 1 for red and -1 for black.
    assert shown(await guard.judge(RED, ["S15_IMAGE"])) == {"S15_IMAGE": round(1 / (1 + np.exp(-2)), 3)}
    assert shown(await guard.judge(BLACK, ["S15_IMAGE"])) == {"S15_IMAGE": round(1 / (1 + np.exp(2)), 3)}


async def test_labels_that_exclude_each_other_add_up(tmp_path: Path, opened: Open) -> None:
    labels = ["drawings", "hentai", "neutral", "porn", "sexy"]
    folder = save_classifier(tmp_path, labels, [[0, 0, 0]] * 5, np.log([0.1, 0.2, 0.3, 0.15, 0.25]).tolist())
    guard = opened(CLASSIFIER, own(folder))
    assert guard.codes == {"S12_IMAGE", "S15_IMAGE"}
    judgement = await guard.judge(RED, ["S12_IMAGE", "S15_IMAGE"])
    assert shown(judgement) == {"S12_IMAGE": 0.35, "S15_IMAGE": 0.6}
    assert [layer.name for layer in judgement.layers] == ["classifier"]


async def test_labels_that_may_apply_together_count_by_the_surest(tmp_path: Path, opened: Open) -> None:
    folder = save_classifier(
        tmp_path,
        ["gore", "violence", "nudity"],
        [[0, 0, 0]] * 3,
        [0.4, 1.5, -2],
        problem_type="multi_label_classification",
    )
    judgement = await opened(CLASSIFIER, own(folder)).judge(RED, IMAGE_CODES)
    sure, unsure = 1 / (1 + np.exp(-1.5)), 1 / (1 + np.exp(2))
    assert judgement.scores == pytest.approx({"S1_IMAGE": sure, "S12_IMAGE": unsure, "S15_IMAGE": unsure})
    assert judgement.layers[0].found == ("violence", "gore")


async def test_only_the_codes_that_were_asked_for_are_judged(tmp_path: Path, opened: Open) -> None:
    folder = save_classifier(tmp_path, ["neutral", "porn"], [[0, 0, 0], [2, 0, 0]])
    assert set((await opened(CLASSIFIER, own(folder)).judge(RED, ["S12_IMAGE"])).scores) == {"S12_IMAGE"}


async def test_pictures_reach_the_network_by_the_folders_own_preprocessing(tmp_path: Path, opened: Open) -> None:
    kept = {**VIT, "do_normalize": False, "rescale_factor": 0.01}
    folder = save_classifier(tmp_path, ["nsfw"], [[1, 0.1, 0.01]], preprocessing=kept)
    judgement = await opened(CLASSIFIER, own(folder)).judge(plain(100, 50, 200), ["S15_IMAGE"])
    assert judgement.scores["S15_IMAGE"] == pytest.approx(1 / (1 + np.exp(-(1 + 0.05 + 0.02))), abs=1e-6)


@pytest.mark.parametrize("together", [True, False])
async def test_each_picture_has_its_own_scores_alone_or_beside_others(
    tmp_path: Path, opened: Open, together: bool
) -> None:
    folder = save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]], together=together)
    guard = opened(CLASSIFIER, own(folder))
    pictures = [plain(red, 0, 0, height, 90) for red in (0, 90, 180, 255) for height in (40, 60, 90)]
    judged = await asyncio.gather(*(guard.judge(picture, ["S15_IMAGE"], wait=True) for picture in pictures))
    expected = [1 / (1 + np.exp(-2 * (2 * int(picture[0, 0, 0]) / 255 - 1))) for picture in pictures]
    assert [judgement.scores["S15_IMAGE"] for judgement in judged] == pytest.approx(expected, abs=1e-6)


async def test_a_part_of_a_long_picture_is_enough(tmp_path: Path, opened: Open) -> None:
    guard = opened(CLASSIFIER, own(save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [4, 0, 0]])))
    strip = plain(0, 0, 0, 40, 280)
    strip[:, 120:160] = 255, 0, 0
    for picture in (strip, np.ascontiguousarray(strip.transpose(1, 0, 2))):
        assert (await guard.judge(picture, ["S15_IMAGE"])).scores["S15_IMAGE"] > 0.9
    short = strip[:, 100:220]
    assert (await guard.judge(short, ["S15_IMAGE"])).scores["S15_IMAGE"] < 0.5


async def test_what_a_network_of_the_middle_would_not_see_is_judged_by_parts(tmp_path: Path, opened: Open) -> None:
    middle = {**VIT, "size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    folder = save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [4, 0, 0]], preprocessing=middle)
    picture = plain(0, 0, 0, 60, 120)
    picture[:, :30] = 255, 0, 0
    judgement = await opened(CLASSIFIER, own(folder)).judge(picture, ["S15_IMAGE"])
    assert judgement.scores["S15_IMAGE"] == pytest.approx(0.5, abs=0.05)  # half of its square


def test_the_parts_of_a_long_picture_cover_it() -> None:
    assert [view.shape for view in parts_of(plain(0, 0, 0, 100, 300))] == [(100, 300, 3)]
    whole, *parts = parts_of(plain(0, 0, 0, 100, 330))
    assert whole.shape == (100, 330, 3)
    assert [part.shape for part in parts] == [(100, 100, 3)] * 4
    numbered = np.tile(np.arange(5000, dtype=np.uint16)[:, None, None], (1, 7, 3))
    _, *parts = parts_of(numbered)  # type: ignore[arg-type]
    assert len(parts) == 8
    assert set(np.concatenate([part[:, 0, 0] for part in parts]).tolist()) == set(range(5000))


async def test_a_network_that_answers_no_numbers_fails_and_gives_no_score(tmp_path: Path, opened: Open) -> None:
    folder = save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [float("inf"), 0, 0]])
    with pytest.raises(EngineFailed):
        await opened(CLASSIFIER, own(folder)).judge(plain(128, 0, 0), ["S15_IMAGE"])


async def test_a_network_of_other_labels_than_the_folders_is_not_used(tmp_path: Path, opened: Open) -> None:
    folder = save_classifier(tmp_path, ["normal", "nsfw", "gore"], [[0, 0, 0], [2, 0, 0]])
    with pytest.raises(EngineUnavailable, match="not an image classifier with the 3 labels"):
        await opened(CLASSIFIER, own(folder)).judge(RED, ["S15_IMAGE"])


@pytest.mark.parametrize("network", ["model.onnx", "onnx/model.onnx", "onnx/model_quantized.onnx"])
async def test_the_pulled_folder_needs_no_setting(tmp_path: Path, opened: Open, network: str) -> None:
    save_classifier(tmp_path / "nsfw-vit", ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]], network=network)
    guard = opened(NSFW_VIT, EngineConfig(weights_dir=tmp_path, device="cpu", threads=1))
    assert guard.name == "nsfw-vit"
    assert (await guard.judge(RED, ["S15_IMAGE"])).scores["S15_IMAGE"] > 0.8


def test_the_exact_export_is_preferred_to_the_quantised_one(tmp_path: Path) -> None:
    from models.safety.images.folder import classifier_in

    save_classifier(tmp_path, ["nsfw"], [[0, 0, 0]], network="onnx/model_quantized.onnx")
    save_classifier(tmp_path, ["nsfw"], [[0, 0, 0]], network="onnx/model.onnx")
    assert classifier_in(tmp_path, "x").network == tmp_path / "onnx" / "model.onnx"


def broken(**files: str | None) -> Callable[[Path], None]:
    """Replaces files of a folder, or takes them away; `config` is config.json."""

    def do(folder: Path) -> None:
        for name, content in files.items():
            file = folder / f"{name}.json"
            file.unlink() if content is None else file.write_text(content)

    return do


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (broken(config=None), "it has no config.json"),
        (broken(config='{"id2label": {'), "its config.json cannot be read"),
        (broken(config="[1]"), "its config.json is not a JSON object"),
        (broken(config="{}"), "no 'id2label'"),
        (broken(config='{"id2label": {"1": "nsfw"}}'), "no 'id2label' with a label for each output"),
        (broken(config='{"id2label": {"0": "cat", "1": "dog"}}'), r"none of its labels \(cat, dog\)"),
        (broken(preprocessor_config=None), "it has no preprocessor_config.json"),
        (broken(preprocessor_config='{"crop_pct": 0.9}'), "the step 'crop_pct' is not known here"),
        (broken(preprocessor_config="{}"), "'size' should be 'height' and 'width'"),
        (lambda folder: (folder / "onnx" / "model.onnx").unlink(), "has neither model.onnx"),
    ],
)
def test_a_folder_that_does_not_do_says_why_and_not_where(
    tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    folder = save_classifier(tmp_path / "mine", ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]])
    damage(folder)
    runtime = Runtime({"image_guard": IMAGE_GUARD}, own(folder), {"image_guard": "classifier"})
    with pytest.raises(EngineUnavailable, match=reason) as failure:
        runtime.use_all(IMAGE_GUARD)
    assert str(tmp_path) not in str(failure.value)


def test_weights_without_an_export_need_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_classifier(tmp_path, ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]])
    (folder / "onnx" / "model.onnx").unlink()
    (folder / "model.safetensors").touch()
    monkeypatch.setattr("models.safety.images.capability.is_installed", lambda *packages: False)
    assert "`openfaze install gpu`" in (CLASSIFIER.remedy(own(folder)) or "")


# Preprocessing.


def test_the_middle_is_cut_out_of_the_resized_picture() -> None:
    steps = preprocessing_of(
        {**VIT, "size": {"shortest_edge": 20}, "do_center_crop": True, "crop_size": 10, "do_normalize": False}
    )
    picture = plain(0, 0, 0, 40, 80)
    picture[10:30, 30:50] = 255
    planes = steps.planes(picture)
    assert planes.shape == (3, 10, 10)
    assert planes.mean() == pytest.approx(1, abs=0.1)


def test_what_is_smaller_than_the_middle_stands_on_black() -> None:
    steps = preprocessing_of(
        {**VIT, "do_resize": False, "do_center_crop": True, "crop_size": {"height": 9, "width": 5}}
    )
    planes = steps.planes(plain(255, 255, 255, 4, 8))
    assert planes.shape == (3, 9, 5)
    assert (planes[0] == 1).all(axis=1).tolist() == [False] * 3 + [True] * 4 + [False] * 2


def test_a_very_long_picture_is_not_enlarged_along_its_length() -> None:
    steps = preprocessing_of({**VIT, "size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": 32})
    assert steps.planes(plain(255, 0, 0, 1, 60_000)).shape == (3, 32, 32)


@each_case(
    ("config", "reason"),
    [
        ({"do_pad": True}, "do_pad"),
        ({"size": {"longest_edge": 384}}, "size"),
        ({"size": {"shortest_edge": 384}}, "size"),
        ({"size": 224, "do_center_crop": True, "crop_size": 224}, "shortest_edge"),
        ({"size": {"height": 10**6, "width": 10**6}}, "1 to 4096 pixels"),
        ({"resample": 17}, "resample"),
        ({"image_mean": None}, "image_mean"),
        ({"image_std": [0.5]}, "image_std"),
        ({"image_std": [0.5, 0, 0.5]}, "image_std"),
        ({"rescale_factor": "x"}, "rescale_factor"),
    ],
)
def test_steps_that_are_not_known_are_named(config: dict[str, object], reason: str) -> None:
    with pytest.raises(UnknownStep, match=reason):
        preprocessing_of({**VIT, **config})
