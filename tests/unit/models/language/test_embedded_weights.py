"""Where the embedded LLM's GGUF comes from."""

from pathlib import Path

from models.capability import EngineConfig
from models.catalog import CATALOG
from models.language.capability import QWEN3_4B_WEIGHTS, LlmSettings


def test_only_the_one_that_comes_along_is_not_to_be_relied_on(tmp_path: Path) -> None:
    pulled = tmp_path / QWEN3_4B_WEIGHTS.files[0].path
    pulled.parent.mkdir(parents=True)
    pulled.write_bytes(b"GGUF")
    llm = LlmSettings(llm_base_url="http://127.0.0.1:1/v1", llm_gguf=pulled)
    config = EngineConfig(weights_dir=tmp_path, own=[llm])
    built = {engine.spec.name: engine.build(config) for engine in CATALOG["llm"].engines if engine.build is not None}
    assert {name: llm.service.is_capable for name, llm in built.items()} == {
        "openai-server": True,
        "gguf": True,
        "qwen3-4b": True,
        "smollm2-135m": False,
    }
