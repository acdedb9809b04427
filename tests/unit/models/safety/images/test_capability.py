"""Which engines judge pictures, where several can, and what is pulled."""

from dataclasses import replace
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.language.capability import LLM, OPENAI_SERVER, LlmSettings
from models.runtime import Runtime
from models.safety.images.capability import IMAGE_GUARD, VLM
from tests.kit.engines.image_guards import save_nsfw_vit


def runtime(config: EngineConfig) -> Runtime:
    catalog = {"image_guard": IMAGE_GUARD, "llm": replace(LLM, engines=(OPENAI_SERVER,))}
    return Runtime(catalog, config, {"image_guard": IMAGE_GUARD.choice(config)})


def test_without_weights_or_an_llm_the_remedies_say_what_would_help(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable) as failure:
        runtime(EngineConfig(weights_dir=tmp_path)).use_all(IMAGE_GUARD)
    assert failure.value.capability == "image_guard"
    assert "openfaze pull nsfw-vit" in failure.value.remedy
    assert "OPENFAZE_LLM_BASE_URL" in failure.value.remedy


async def test_auto_takes_all_that_can_run(tmp_path: Path) -> None:
    save_nsfw_vit(tmp_path / "nsfw-vit")
    llm = LlmSettings(llm_base_url="http://127.0.0.1:9/v1")
    built = runtime(EngineConfig(weights_dir=tmp_path, device="cpu", own=[llm]))
    assert [guard.name for guard in built.use_all(IMAGE_GUARD)] == ["nsfw-vit", "vlm"]
    await built.close()


def test_an_llm_known_not_to_see_is_no_guard(tmp_path: Path) -> None:
    llm = LlmSettings(llm_base_url="http://127.0.0.1:9/v1", llm_abilities=("tools",))
    assert "takes no pictures" in (VLM.remedy(EngineConfig(weights_dir=tmp_path, own=[llm])) or "")
    able = llm.model_copy(update={"llm_abilities": ("vision",)})
    assert VLM.remedy(EngineConfig(weights_dir=tmp_path, own=[able])) is None
