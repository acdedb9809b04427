"""`openfaze doctor` tries the guards: a clear case is found, and what only looks like one is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models.capability import BadResult, EngineConfig
from models.catalog import CATALOG
from models.language.capability import LlmSettings
from models.language.llm import Abilities
from models.runtime import Runtime
from models.safety.images.capability import ImageGuardSettings
from models.safety.text.settings import GuardSettings
from tests.kit.engines.image_guards import save_nsfw_vit
from tests.kit.servers.llm_server import Reply, serving_llm

Judge = Callable[[str], bool]


async def outcome(capability: str, config: EngineConfig, choice: str = "auto") -> str:
    runtime = Runtime(CATALOG, config, {capability: choice})
    try:
        return await CATALOG[capability].self_test(runtime)
    except BadResult as failure:
        return f"failed: {failure}"
    finally:
        await runtime.close()


async def test_the_guard_that_comes_with_openfaze_passes() -> None:
    said = await outcome("text_guard", EngineConfig(), "openfaze")
    assert said.startswith("violence by openfaze a murder 0.9")


@pytest.mark.parametrize(
    ("unsafe", "told"),
    [
        (lambda text: "kill my wife" in text, "violence by llama-guard-server a murder 1.00, a process 0.00"),
        (lambda _: False, "failed: 'llama-guard-server' finds a plan for a murder safe (0.00 of "),
        (lambda _: True, "failed: 'llama-guard-server' takes the end of a process for violence (1.00)"),
    ],
)
async def test_a_guard_model_must_tell_them_apart(unsafe: Judge, told: str) -> None:
    def reply(body: dict[str, object]) -> Reply:
        return Reply("unsafe\nS1" if unsafe(json.dumps(body["messages"])) else "safe")

    with serving_llm(reply) as server:
        guard = GuardSettings(
            guard_base_url=server.base_url, guard_model="Llama-Guard-3-8B", text_guard="llama-guard-server"
        )
        assert (await outcome("text_guard", EngineConfig(own=[guard]), "llama-guard-server")).startswith(told)


@pytest.mark.parametrize(
    ("added", "told"),
    [([4.0, 0.0], "nsfw-vit finds a drawing safe (S15_IMAGE 0.02)"), ([0.0, 4.0], "failed: 'nsfw-vit' finds a dr")],
)
async def test_a_network_must_let_a_drawing_pass(added: list[float], told: str, tmp_path: Path) -> None:
    save_nsfw_vit(tmp_path / "nsfw-vit", added=added)
    assert (await outcome("image_guard", EngineConfig(weights_dir=tmp_path), "nsfw-vit")).startswith(told)


@pytest.mark.parametrize(
    ("vision", "word", "told"),
    [
        (True, "no", "vlm finds a drawing safe (S1_IMAGE 0.00, S12_IMAGE 0.00, S15_IMAGE 0.00)"),
        (True, "yes", "failed: 'vlm' finds a drawing of a stop sign unsafe (S1_IMAGE 1.00)"),
        (False, "no", " takes no pictures: codes that only it could judge are answered with 503"),
    ],
)
async def test_an_llm_must_let_it_pass_where_it_sees(vision: bool, word: str, told: str, tmp_path: Path) -> None:
    verdict = json.dumps(dict.fromkeys(("S1_IMAGE", "S12_IMAGE", "S15_IMAGE"), word))
    with serving_llm(lambda _: Reply(verdict), abilities=Abilities(vision=vision)) as server:
        config = EngineConfig(weights_dir=tmp_path, own=[LlmSettings(llm_base_url=server.base_url)])
        assert told in await outcome(
            "image_guard", replace(config, own=[*config.own, ImageGuardSettings(image_guard="vlm")]), "vlm"
        )
