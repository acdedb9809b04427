"""The container files agree with the code, and keep rules of hadolint's. (No container engine runs here: the files are
read, not built.)"""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from app.chat.pictures import MAX_PICTURES
from app.settings import PREFIX, Settings
from models.safety.text.dialects import Qwen3GuardDialect
from models.safety.text.server import CONTEXT_TOKENS
from tasks.scrape.browser import FLAGS
from tests.conftest import ROOT
from tests.kit.project import gpu_cards

VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields}


COMPOSE = "docker-compose.yml"
SANDBOX = "docker/code-sandbox.yml"
BROWSER = "docker/browser.yml"
GPU = "docker/gpu.yml"
LLM = "docker/llm.yml"
GUARD = "docker/guard.yml"
FILES = [
    *[(COMPOSE,), (COMPOSE, SANDBOX), (COMPOSE, BROWSER), (COMPOSE, GPU), (COMPOSE, GPU, LLM)],
    (COMPOSE, GPU, LLM, GUARD),
    (COMPOSE, GPU, LLM, GUARD, BROWSER, SANDBOX),
]
"""What is to be combined by COMPOSE_FILE."""
PIXELS_OF_A_TOKEN = 32 * 32
"""Qwen3.5's and Qwen3.8's: patches of 16 × 16, four of them together."""


def document(file: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
    return content


def merged(first: Any, second: Any) -> Any:
    """As compose merges files: mappings by their keys, sequences one after the other."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **{key: merged(first[key], new) if key in first else new for key, new in second.items()}}
    return [*first, *second] if isinstance(first, list) and isinstance(second, list) else second


def together(names: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        found = merged(found, document(name))
    return found


def test_the_variables_that_the_container_files_set_are_settings() -> None:
    # Of .env, compose hands on any other name that begins so, and the server would refuse to start.
    files = [ROOT / "Dockerfile", *(ROOT / name for name in FILES[-1])]
    named = {name for file in files for name in re.findall(rf"{PREFIX}\w+", file.read_text())}
    assert named
    assert named <= VARIABLES


@pytest.mark.parametrize("names", FILES, ids="+".join)
def test_the_compose_files_and_what_they_become_together_are_as_the_specification_wants_them(
    names: tuple[str, ...],
) -> None:
    [package] = find_spec("check_jsonschema").submodule_search_locations  # type: ignore[union-attr, misc]
    schema = json.loads(Path(package, "builtin_schemas", "vendor", "compose-spec.json").read_text())
    checker = jsonschema.validators.validator_for(schema)(schema)
    for content in (*map(document, names), together(names)):
        assert [f"{error.json_path}: {error.message}" for error in checker.iter_errors(content)] == []


def test_the_llm_of_each_card_is_the_one_that_the_server_asks_for() -> None:
    services = together((COMPOSE, GPU, LLM))["services"]
    llm = services["vllm"]
    assert "ports" not in llm
    environment = services["openfaze"]["environment"]
    assert environment["OPENFAZE_LLM_BASE_URL"] == "http://vllm:8000/v1"
    # A clone that others may not read: vLLM's container has no capability to read it all the same.
    assert not [one for one in llm["volumes"] if one.startswith("./")]
    # Compose starts nothing of which it cannot create all, and nothing waits for vLLM.
    assert llm["profiles"] == ["llm"]
    assert "vllm" not in services["openfaze"]["depends_on"]
    for size in gpu_cards.WITH_LLM:
        options = gpu_cards.options_of(gpu_cards.arguments_of(size))
        assert options["served-model-name"] == environment["OPENFAZE_LLM_MODEL"]
        assert int(options["limit-mm-per-prompt.image"]) == MAX_PICTURES
        assert re.fullmatch(r"[0-9a-f]{40}", options["revision"])
        # Four pictures of the largest size and a conversation fit.
        most = int(options["mm-processor-kwargs.size.longest_edge"])
        assert most <= int(options["max-model-len"]) * PIXELS_OF_A_TOKEN / 4
    assert set(environment["OPENFAZE_LLM_ABILITIES"].split(",")) == {"vision", "tools", "json_schema"}


def test_the_guard_of_a_card_is_one_that_the_server_knows_and_has_room_for_its_longest_call() -> None:
    content = together((COMPOSE, GPU, LLM, GUARD))["services"]
    environment, guard = content["openfaze"]["environment"], content["guard"]
    assert environment["OPENFAZE_GUARD_BASE_URL"] == "http://guard:8000/v1"
    assert environment["OPENFAZE_GUARD_MODEL"].startswith("${LLM_GUARD_MODEL:")
    # As the LLM: nothing is published, and openfaze waits for neither. `docker compose up vllm` starts both.
    assert guard["extends"] == {"file": LLM, "service": "vllm"}
    assert not {"ports", "profiles", "image"} & guard.keys()
    assert content["vllm"]["depends_on"] == ["guard"]
    assert "guard" not in content["openfaze"]["depends_on"]
    assert gpu_cards.WITH_GUARD
    for size in gpu_cards.WITH_GUARD:
        options = gpu_cards.options_of(gpu_cards.arguments_of(size, service="guard"))
        assert Qwen3GuardDialect.family.search(options["model"])
        assert int(options["max-model-len"]) == CONTEXT_TOKENS
        known = gpu_cards.TABLE["guard"]
        assert int(options["kv-cache-memory-bytes"]) > CONTEXT_TOKENS * known["token_kib"] * 1024


def pinned(lock: str) -> dict[str, str]:
    """What a lock installs, by name, but for what no system ever gets."""
    lines = (ROOT / "requirements" / lock).read_text().splitlines()
    listed = [line.removesuffix(" \\") for line in lines if re.match(r"[a-z0-9]", line)]
    return dict(line.split(" ;")[0].split("==") for line in listed if "'never'" not in line)


def test_the_gpu_lock_has_one_cuda_one_onnxruntime_and_else_what_the_embedded_one_has() -> None:
    embedded, gpu = pinned("embedded.txt"), pinned("gpu.txt")
    assert set(embedded) - set(gpu) == {"onnxruntime"}
    assert "onnxruntime-gpu" in gpu
    differing = {name for name in set(embedded) & set(gpu) if embedded[name] != gpu[name]}
    assert differing == set()
    libraries = {name for name in gpu if name.startswith("nvidia-")}
    assert {"nvidia-cublas-cu12", "nvidia-cudnn-cu12"} <= libraries
    assert all(name.endswith("-cu12") for name in libraries)
    # AGPL: only who asks for it gets it.
    assert "ultralytics" not in gpu
    assert not re.search(r"https?://", (ROOT / "requirements" / "gpu.txt").read_text())


def test_the_browser_reaches_openfaze_alone_and_of_that_not_the_api() -> None:
    content = together((COMPOSE, GPU, BROWSER))
    services = content["services"]
    assert content["networks"] == {"default": {}, "browser": {"internal": True}}
    assert {name for name, one in services.items() if "browser" in one.get("networks", ())} == {"openfaze", "browser"}
    browser, openfaze = services["browser"], services["openfaze"]
    assert browser["networks"] == ["browser"]
    assert not {"network_mode", "ports", "volumes", "extra_hosts"} & browser.keys()
    # The server listens on the address of this name, which is its own in the other network.
    assert openfaze["environment"]["OPENFAZE_HOST"] in openfaze["networks"]["default"]["aliases"]
    assert not openfaze["networks"]["browser"]
    port = openfaze["environment"]["OPENFAZE_BROWSER"].removeprefix("http://browser:")
    dockerfile = (ROOT / "docker" / "browser" / "Dockerfile").read_text()
    assert f"TCP-LISTEN:{port}," in dockerfile
    missing = [flag for flag in FLAGS if f'"{flag}"' not in dockerfile and "host-resolver" not in flag]
    assert missing == []
