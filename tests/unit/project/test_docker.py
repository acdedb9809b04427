"""The container files agree with the code, and keep rules of hadolint's. (No container engine runs here: the files are
read, not built.)"""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from app.chat.pictures import MAX_PICTURES
from app.settings import PREFIX, Settings
from tests import gpu_cards
from tests.conftest import ROOT
from tests.fences import fences

VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields}


COMPOSE = "docker-compose.yml"
SANDBOX = "docker/code-sandbox.yml"
GPU = "docker/gpu.yml"
FILES = [(COMPOSE,), (COMPOSE, SANDBOX), (COMPOSE, GPU), (COMPOSE, GPU, SANDBOX)]
"""What is to be combined by COMPOSE_FILE."""
PROFILES = {"search": ["searxng"], "browser": ["browser"], "observability": ["prometheus", "grafana"]}
"""The services of each."""
PIXELS_OF_A_TOKEN = 32 * 32
"""Qwen3-VL's and Qwen3.6's: patches of 16 × 16, four of them together."""
DEFAULT = re.compile(r"\$\{\w+:?-([^}]*)\}")
"""A variable of a compose file, with what it is where nobody sets it."""


def document(file: str) -> dict[str, Any]:
    """As compose reads it: a service that extends one of another file is merged with that, which is found from the
    folder of the first file."""
    content: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())
    for name, service in content["services"].items():
        if extended := service.pop("extends", None):
            other = document(DEFAULT.sub(r"\1", extended["file"]))
            content["services"][name] = merged(other["services"][extended["service"]], service)
    return content


def compose(file: str = COMPOSE) -> dict[str, Any]:
    service: dict[str, Any] = document(file)["services"]["openfaze"]
    return service


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
    files = [ROOT / "Dockerfile", *(ROOT / name for name in FILES[-1]), *gpu_cards.FOLDER.iterdir()]
    named = {name for file in files for name in re.findall(rf"{PREFIX}\w+", file.read_text())}
    assert named
    assert named <= VARIABLES


def test_compose_publishes_to_this_machine_only_and_drops_what_it_does_not_need() -> None:
    service = compose()
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Each with what it is told, its lines joined and comments left out."""
    lines = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    whole = (line.partition(" ") for line in lines.replace("\\\n", " ").splitlines() if line.strip())
    return [(name.upper(), told.strip()) for name, _, told in whole]


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker/gpu.yml"])
def test_images_of_others_are_of_one_version(name: str) -> None:
    images = [str(one["image"]) for one in document(name)["services"].values() if "image" in one]
    others = [image for image in images if not image.startswith("openfaze")]
    assert others
    for image in others:
        assert re.search(r":v?\d[\w.-]+@sha256:[0-9a-f]{64}$", image)


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
    services = together((COMPOSE, GPU))["services"]
    llm = services["vllm"]
    assert re.fullmatch(r"vllm/vllm-openai:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}", llm["image"])
    assert "ports" not in llm
    environment = services["openfaze"]["environment"]
    assert environment["OPENFAZE_LLM_BASE_URL"] == "http://vllm:8000/v1"
    # A clone that others may not read: vLLM's container has no capability to read it all the same.
    assert not [one for one in llm["volumes"] if one.startswith("./")]
    assert {path.name for path in gpu_cards.FOLDER.iterdir()} == {f"{size}gb.yml" for size in gpu_cards.SIZES}
    for size in gpu_cards.SIZES:
        options = gpu_cards.options_of(size)
        assert options["served-model-name"] == environment["OPENFAZE_LLM_MODEL"]
        # The abilities that openfaze is told of: pictures, calls of tools.
        assert int(options["limit-mm-per-prompt.image"]) == MAX_PICTURES
        assert "enable-auto-tool-choice" in options
        assert options["tool-call-parser"]
        assert re.fullmatch(r"[0-9a-f]{40}", options["revision"])
        assert 0.5 < float(options["gpu-memory-utilization"]) < 0.75
        # Four pictures of the largest size and a conversation: a photo of 12 megapixels as it is has 11,900 tokens.
        least, most = (int(options[f"mm-processor-kwargs.size.{edge}_edge"]) for edge in ("shortest", "longest"))
        assert least < most <= int(options["max-model-len"]) * PIXELS_OF_A_TOKEN / 4
        assert f"{most // PIXELS_OF_A_TOKEN:,}" in (ROOT / "docs/gpu-memory.md").read_text()
    assert set(environment["OPENFAZE_LLM_ABILITIES"].split(",")) == {"vision", "tools", "json_schema"}


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


def test_what_the_manifest_of_a_cluster_sets_are_settings_that_share_all_state() -> None:
    [cluster, service] = yaml.safe_load_all((ROOT / "docker" / "ray" / "kuberay.yml").read_text())
    pods = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    containers = [one for pod in pods for one in pod["template"]["spec"]["containers"]]
    [api] = [one for one in containers if one["name"] == "api"]
    given = {one["name"]: one.get("value", "a-key-of-a-secret") for one in api["env"]}
    own = {
        name.removeprefix("OPENFAZE_").lower(): value for name, value in given.items() if name.startswith("OPENFAZE_")
    }
    assert own.keys() <= Settings.model_fields.keys()
    settings = Settings(_env_file=None, **own)
    assert settings.cluster == "ray"
    assert settings.cache == "exact", "an address alone keeps no answers"
    assert str(settings.files_dir).startswith("s3:")
    assert settings.state_url is not None
    assert settings.rates_url is not None
    assert settings.state_url.get_secret_value().startswith("postgresql:")
    assert settings.rates_url.get_secret_value().startswith("redis:")
    assert service["spec"]["ports"][0]["targetPort"] == api["ports"][0]["containerPort"]
    shared = {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_USAGE_STATS_ENABLED", "RAY_worker_niceness"}
    for one in containers:
        missing = shared - {variable["name"] for variable in one["env"]}
        assert missing <= {"RAY_worker_niceness"} and (one is api or not missing), one["name"]  # noqa: PT018


def _mb(size: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(mb?|gb?)", size).groups()  # type: ignore[union-attr]
    return int(number) * {"m": 1, "g": 1024}[unit[0]]


def test_the_cache_of_the_documented_servers_shares_no_memory_with_their_rates() -> None:
    code = [fence.code for fence in fences(ROOT / "docs" / "deployment.md")]
    [compose] = [yaml.safe_load(one) for one in code if "scale: 2" in one]
    [given] = [dict(line.split("=", 1) for line in one.splitlines()) for one in code if "OPENFAZE_RATES_URL=" in one]
    services = compose["services"]
    hosts = {name: urlsplit(given[f"OPENFAZE_{name}_URL"]).hostname for name in ("STATE", "RATES", "CACHE")}
    assert services["openfaze"]["depends_on"] == list(hosts.values())
    for name, policy in (("RATES", "noeviction"), ("CACHE", "allkeys-lru")):
        service = services[hosts[name]]
        options = dict(zip(service["command"][1::2], service["command"][2::2], strict=True))
        assert options["--maxmemory-policy"] == policy
        assert _mb(service["mem_limit"]) >= 2 * _mb(options["--maxmemory"])
