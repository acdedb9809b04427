"""Where the embedded LLM's GGUF comes from."""

import sys
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.capability import EngineConfig
from models.catalog import CATALOG
from models.language import capability
from models.language.capability import QWEN3_4B_WEIGHTS, LlmSettings, embedded_gguf, pulled_gguf
from models.weights.files import WEIGHT_SETS


def test_the_small_model_is_found_without_importing_its_package() -> None:
    try:
        gguf = embedded_gguf()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert gguf.read_bytes()[:4] == b"GGUF"
    assert capability.EMBEDDED_PACKAGE not in sys.modules


def test_without_its_package_the_remedy_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capability, "EMBEDDED_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(EngineUnavailable) as error:
        embedded_gguf()
    assert "openfaze install weights" in error.value.remedy


def test_a_pulled_model_is_found_once_it_is_there(tmp_path: Path) -> None:
    assert pulled_gguf(tmp_path) is None
    target = tmp_path / QWEN3_4B_WEIGHTS.files[0].path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"GGUF")
    assert pulled_gguf(tmp_path) == target


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


def test_the_good_model_can_be_pulled_by_name() -> None:
    assert WEIGHT_SETS["qwen3-4b"] is QWEN3_4B_WEIGHTS
