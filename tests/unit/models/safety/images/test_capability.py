"""Which engines judge pictures, where several can; what labels mean, and what is pulled."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.language.capability import LLM, OPENAI_SERVER, LlmSettings
from models.runtime import Runtime
from models.safety.images.capability import IMAGE_GUARD, VLM, ImageGuardSettings
from models.safety.images.labels import codes_of
from models.safety.images.preprocessing import preprocessing_of
from models.weights.files import WEIGHT_SETS
from tests.conftest import each_case
from tests.image_guards import ABLE, BOX, RED, VIT, WHITE, answers, nudenet, save_classifier, save_nudenet, verdict
from tests.llm_server import serving_llm


@each_case(
    ("label", "codes"),
    [
        ("nsfw", {"S15_IMAGE"}),
        ("NSFW", {"S15_IMAGE"}),
        ("sexy", {"S15_IMAGE"}),
        ("Enticing or Sensual", {"S15_IMAGE"}),
        ("unsafe", {"S15_IMAGE"}),
        ("not_safe_for_work", {"S15_IMAGE"}),
        ("Not Safe", {"S15_IMAGE"}),
        ("porn", {"S12_IMAGE", "S15_IMAGE"}),
        ("Pornography", {"S12_IMAGE", "S15_IMAGE"}),
        ("hentai", {"S12_IMAGE", "S15_IMAGE"}),
        ("nude", {"S12_IMAGE", "S15_IMAGE"}),
        ("ExplicitNudity", {"S12_IMAGE", "S15_IMAGE"}),
        ("gore", {"S1_IMAGE"}),
        ("gore_bloodshed_violent", {"S1_IMAGE"}),
        ("graphic-violence", {"S1_IMAGE"}),
        ("violent_sexual", {"S1_IMAGE", "S15_IMAGE"}),
        ("normal", set()),
        ("sfw", set()),
        ("safe", set()),
        ("safe for work", set()),
        ("neutral", set()),
        ("drawings", set()),
        ("not_nsfw", set()),
        ("Non-Violent", set()),
        ("NonViolence", set()),
        ("nonnude", set()),
        ("no blood", set()),
        ("Sussex", set()),
        ("LABEL_1", set()),
        ("", set()),
    ],
)
def test_a_label_means_the_codes_that_it_says(label: str, codes: set[str]) -> None:
    assert codes_of(label) == codes


def runtime(config: EngineConfig) -> Runtime:
    catalog = {"image_guard": IMAGE_GUARD, "llm": replace(LLM, engines=(OPENAI_SERVER,))}
    return Runtime(catalog, config, {"image_guard": IMAGE_GUARD.choice(config)})


def test_without_weights_or_an_llm_the_remedies_say_what_would_help(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as failure:
        runtime(EngineConfig(weights_dir=tmp_path)).use_all(IMAGE_GUARD)
    assert failure.value.capability == "image_guard"
    assert "openfaze pull nsfw-vit" in failure.value.remedy
    assert "OPENFAZE_LLM_BASE_URL" in failure.value.remedy
    assert "NudeNet" not in failure.value.remedy


async def test_auto_takes_all_that_can_run_but_never_nudenet(tmp_path: Path) -> None:
    folder = save_classifier(tmp_path / "mine", ["safe", "gore"], [[0, 0, 0], [2, 0, 0]])
    save_classifier(tmp_path / "nsfw-vit", ["normal", "nsfw"], [[0, 0, 0], [2, 0, 0]])
    save_nudenet(tmp_path / "nudenet" / "320n.onnx", answers((BOX, {})))
    config = EngineConfig(
        weights_dir=tmp_path,
        device="cpu",
        own=[LlmSettings(llm_base_url="http://127.0.0.1:9/v1"), ImageGuardSettings(image_guard_model=folder)],
    )
    all_of_them = runtime(config)
    assert [guard.name for guard in all_of_them.use_all(IMAGE_GUARD)] == ["classifier", "nsfw-vit", "vlm"]
    await all_of_them.close()
    chosen = runtime(replace(config, own=[ImageGuardSettings(image_guard="nudenet")]))
    assert [guard.name for guard in chosen.use_all(IMAGE_GUARD)] == ["nudenet"]
    await chosen.close()


def test_a_file_given_without_choosing_nudenet_is_explained(tmp_path: Path) -> None:
    model = save_nudenet(tmp_path / "320n.onnx", answers((BOX, {})))
    config = EngineConfig(weights_dir=tmp_path, own=[ImageGuardSettings(image_guard_model=model)])
    with pytest.raises(EngineUnavailable, match="OPENFAZE_IMAGE_GUARD=nudenet takes the file.*AGPL-3.0"):
        runtime(config).use_all(IMAGE_GUARD)


def test_nudenet_without_its_file_names_it_and_its_licence(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match=r"320n\.onnx.*AGPL-3\.0"):
        runtime(nudenet(None, tmp_path)).use_all(IMAGE_GUARD)


def test_an_llm_known_not_to_see_is_no_guard(tmp_path: Path) -> None:
    llm = LlmSettings(llm_base_url="http://127.0.0.1:9/v1", llm_abilities=("tools",))
    assert "takes no pictures" in (VLM.remedy(EngineConfig(weights_dir=tmp_path, own=[llm])) or "")
    able = llm.model_copy(update={"llm_abilities": ("vision",)})
    assert VLM.remedy(EngineConfig(weights_dir=tmp_path, own=[able])) is None


async def test_the_guard_asks_the_llm_that_answers(tmp_path: Path) -> None:
    with serving_llm([verdict(S1_IMAGE="yes")], abilities=ABLE) as server:
        config = EngineConfig(weights_dir=tmp_path, own=[LlmSettings(llm_base_url=server.base_url)])
        built = runtime(config)
        [guard] = built.use_all(IMAGE_GUARD)
        assert (await guard.judge(RED, ["S1_IMAGE"])).scores == {"S1_IMAGE": 1}
        await built.close()


def test_the_published_preprocessing_is_known() -> None:
    config = {**VIT, "do_convert_rgb": None, "image_processor_type": "ViTFeatureExtractor"}
    published = json.dumps({**config, "size": {"height": 224, "width": 224}}, indent=2, sort_keys=True) + "\n"
    [checksum] = [
        file.sha256 for file in WEIGHT_SETS["nsfw-vit"].files if file.path.endswith("preprocessor_config.json")
    ]
    assert hashlib.sha256(published.encode()).hexdigest() == checksum
    assert preprocessing_of(json.loads(published)).planes(WHITE).shape == (3, 224, 224)


def test_what_pull_fetches_lies_where_the_engine_looks() -> None:
    weight_set = WEIGHT_SETS["nsfw-vit"]
    assert all(file.path.startswith(f"{weight_set.name}/") for file in weight_set.files)
    assert all(len(file.sha256) == 64 for file in weight_set.files)
    assert all("/resolve/main/" not in file.url for file in weight_set.files)
