"""The container files agree with the code, and keep rules of hadolint's. (No container engine runs here: the files are
read, not built.)"""

import json
import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from app.chat.context.pictures import MAX_PICTURES
from app.cli.pulling import reader_of, sets_of
from app.settings import PREFIX, Settings
from tests import gpu_cards
from tests.conftest import ROOT
from tests.fences import fences

DOCKERFILE = (ROOT / "Dockerfile").read_text()


VARIABLES = {PREFIX + name.upper() for name in Settings.model_fields}
OF_THE_CONTAINER = {
    "OPENFAZE_HOST": "0.0.0.0",
    "OPENFAZE_PORT": "8000",
    "OPENFAZE_WEIGHTS_DIR": "/var/lib/openfaze/weights",
    "OPENFAZE_FILES_DIR": "/var/lib/openfaze/files",
}
"""What the machine's own settings must not change."""
WITH_A_DEFAULT = {"OPENFAZE_OPEN": "${OPENFAZE_OPEN:-1}", "OPENFAZE_PRELOAD": "${OPENFAZE_PRELOAD-ocr}"}


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


def test_compose_hands_every_setting_on_to_the_container() -> None:
    environment = compose()["environment"]
    missing = sorted(VARIABLES - set(environment))
    assert not missing, "\n".join(["add to `environment` in docker-compose.yml:", *(f"{name}:" for name in missing)])
    # A name without a value takes the value that the shell or .env gives it.
    handed_on = {name for name, value in environment.items() if value is None}
    assert handed_on == VARIABLES - set(OF_THE_CONTAINER) - set(WITH_A_DEFAULT)
    assert compose()["env_file"] == [{"path": ".env", "required": False}]


def test_what_the_container_is_made_for_stays_whatever_the_machine_is_set_to() -> None:
    environment = compose()["environment"]
    assert {name: environment[name] for name in OF_THE_CONTAINER} == OF_THE_CONTAINER
    assert {name: environment[name] for name in WITH_A_DEFAULT} == WITH_A_DEFAULT
    assert compose()["ports"] == ["127.0.0.1:${OPENFAZE_PORT:-8000}:8000"]
    mounted = [str(volume).rpartition(":")[2] for volume in compose()["volumes"]]
    assert mounted == re.findall(r'"(/[^"]+)"', re.search(r"^VOLUME .*", DOCKERFILE, re.MULTILINE)[0])  # type: ignore[index]
    assert {environment["OPENFAZE_WEIGHTS_DIR"], environment["OPENFAZE_FILES_DIR"]} < set(mounted)


def test_the_container_is_bounded_and_reaches_an_llm_on_its_machine() -> None:
    service = compose()
    assert re.fullmatch(r"\$\{MEMORY_LIMIT:-\d+g\}", service["mem_limit"])
    assert re.fullmatch(r"\$\{PIDS_LIMIT:-\d+\}", service["pids_limit"])
    assert service["extra_hosts"] == ["host.docker.internal:host-gateway"]


def test_only_who_asks_for_the_code_sandbox_gets_another_profile_of_system_calls() -> None:
    assert compose()["security_opt"] == ["no-new-privileges:true"]
    [profile] = [one for one in compose(SANDBOX)["security_opt"] if one.startswith("seccomp=")]
    assert (ROOT / profile.removeprefix("seccomp=")).is_file()


def test_compose_publishes_to_this_machine_only_and_drops_what_it_does_not_need() -> None:
    service = compose()
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_the_image_installs_by_hash_runs_as_nobody_in_particular_and_checks_itself() -> None:
    assert DOCKERFILE.count("--require-hashes") == 3
    assert "\nUSER openfaze\n" in DOCKERFILE
    assert "\nHEALTHCHECK " in DOCKERFILE
    for source in re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for lock in ("embedded", "gpu"):
            assert all((ROOT / name).exists() for name in source.replace("${LOCK}", lock).split())


def test_whose_image_it_starts_from_is_said_once_and_to_the_release_of_debian() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    [default] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", default)
    assert compose()["build"]["args"]["PYTHON_IMAGE"] == f"${{PYTHON_IMAGE:-{default}}}"


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Each with what it is told, its lines joined and comments left out."""
    lines = "\n".join(line for line in dockerfile.splitlines() if not line.lstrip().startswith("#"))
    whole = (line.partition(" ") for line in lines.replace("\\\n", " ").splitlines() if line.strip())
    return [(name.upper(), told.strip()) for name, _, told in whole]


def breaches(dockerfile: str) -> Iterator[str]:
    """Sentences on what hadolint and the like would find."""
    told = instructions(dockerfile)
    defaults = dict(arg.partition("=")[::2] for name, arg in told if name == "ARG")
    stages, user, has_pipefail = set(), "root", False
    private: list[str] = []
    for name, arg in told:
        words = shlex.split(arg) if name != "RUN" else arg.split()
        if name == "FROM":
            base = re.sub(r"\$\{?(\w+)\}?", lambda found: defaults[found[1]], words[0])
            if base not in stages and not re.search(r"@sha256:[0-9a-f]{64}$", base):
                yield f"{base}: not pinned by digest"
            if ":latest" in base:
                yield f"{base}: latest"
            stages |= set(words[2:])
            user, has_pipefail, private = "root", False, []
        elif name == "COPY" and not re.search(r"--(from|chmod)=", arg):
            private.append(arg)
        elif name == "USER":
            user = arg
        elif name == "SHELL":
            has_pipefail = "pipefail" in arg
        elif name == "ADD":
            yield "ADD, where COPY says what it does"
        elif name == "WORKDIR" and not arg.startswith("/"):
            yield f"WORKDIR {arg}: relative"
        elif name in ("CMD", "ENTRYPOINT") or (name == "HEALTHCHECK" and " CMD " in f" {arg}"):
            if not arg.partition("CMD ")[2].startswith("[") and not arg.startswith("["):
                yield f"{name}: a shell would come between"
        elif name in ("ARG", "ENV") and re.search(r"\b\w*(KEY|TOKEN|SECRET|PASSWORD)\w*\b", arg, re.IGNORECASE):
            yield f"{name} {arg}: a secret would stay in the image"
        elif name == "RUN":
            yield from _of_a_command(arg, has_pipefail=has_pipefail)
    if user in ("root", "0"):
        yield "runs as root"
    for arg in private:
        yield f"COPY {arg}: of a clone that only its owner may read, the image's user could not"


def _of_a_command(command: str, *, has_pipefail: bool) -> Iterator[str]:
    parts = [part.strip() for part in re.split(r"&&|;|\|\|", command)]
    if re.search(r"(?<!\|)\|(?!\|)", re.sub(r"'[^']*'", "", command)) and not has_pipefail:
        yield "a pipe whose beginning may fail unseen"
    for part in parts:
        if re.match(r"(sudo|cd|apt) ", part):
            yield f"{part.split()[0]}: not for an image"
        if re.search(r"\b(curl|wget)\b.*https?://", part):
            yield "a download that nothing checks"
        if "apt-get install" in part and not ({"-y", "--no-install-recommends"} <= set(part.split())):
            yield "apt-get install asks, or brings what is only recommended"
        if re.search(r"\bpip install\b", part):
            if not re.search(r"--no-cache(-dir)?\b", part):
                yield "pip keeps what it fetched"
            if "-r " in part and "--require-hashes" not in part:
                yield "a lock without hashes"
    installs = [part for part in parts if "apt-get install" in part]
    if installs and (not any("apt-get update" in part for part in parts) or "rm -rf /var/lib/apt/lists/*" not in parts):
        yield "apt's lists are old, or stay"


DOCKERFILES = [ROOT / "Dockerfile", ROOT / "docker/browser/Dockerfile"]


def test_every_dockerfile_is_among_those_that_are_checked() -> None:
    assert {path for path in ROOT.rglob("*Dockerfile*") if not path.relative_to(ROOT).parts[0].startswith(".")} == {
        *DOCKERFILES
    }


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_dockerfile_keeps_the_rules(path: Path) -> None:
    assert list(breaches(path.read_text())) == []


@pytest.mark.parametrize(
    ("line", "breach"),
    [
        ("FROM debian:bookworm-slim", "not pinned"),
        ("ARG IMAGE=debian:latest\nFROM ${IMAGE}", "latest"),
        ("ADD https://example.com/x /x", "ADD"),
        ("USER 0", "root"),
        ("COPY settings.yml /etc/settings.yml", "only its owner may read"),
        ("WORKDIR src", "relative"),
        ("CMD openfaze serve", "a shell"),
        ("HEALTHCHECK --timeout=5s CMD openfaze health", "a shell"),
        ("ARG HF_TOKEN", "a secret"),
        ("ENV API_KEY=x", "a secret"),
        ("RUN set -e \\\n    && cat list | sort > sorted", "a pipe"),
        ("RUN cd /src && make", "cd: not for"),
        ("RUN curl -fsSL https://example.com/x -o x", "nothing checks"),
        ("RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*", "recommended"),
        ("RUN apt-get update && apt-get install -y --no-install-recommends git", "stay"),
        ("RUN apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*", "old"),
        ("RUN python -m pip install --require-hashes -r lock.txt", "keeps"),
        ("RUN python -m pip install --no-cache-dir -r lock.txt", "without hashes"),
    ],
)
def test_a_rule_that_is_broken_is_told(line: str, breach: str) -> None:
    kept = f"FROM debian:bookworm-slim@sha256:{'0' * 64}\nUSER nobody\n"
    assert list(breaches(kept)) == []
    assert [
        said
        for said in breaches(f"{kept}{line}\nUSER nobody\n" if "USER" not in line else kept + line)
        if breach in said
    ]


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker/gpu.yml"])
def test_images_of_others_are_of_one_version(name: str) -> None:
    images = [str(one["image"]) for one in document(name)["services"].values() if "image" in one]
    others = [image for image in images if not image.startswith("openfaze")]
    assert others
    for image in others:
        assert re.search(r":v?\d[\w.-]+@sha256:[0-9a-f]{64}$", image)


def test_the_container_gets_longer_to_stop_than_requests_get_to_end() -> None:
    grace = re.fullmatch(r"\$\{STOP_GRACE_PERIOD:-(\d+)s\}", compose()["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) > Settings.model_fields["shutdown_grace_s"].default


def test_packages_get_into_the_image_by_arguments_of_its_build() -> None:
    arguments = compose()["build"]["args"]
    assert set(arguments) - {"EXTRAS", "APT_PACKAGES"} == {"PYTHON_IMAGE"}
    for name in ("EXTRAS", "APT_PACKAGES"):
        assert arguments[name] == f"${{{name}:-}}"
        assert f'\nARG {name}=""\n' in DOCKERFILE
        assert DOCKERFILE.count(f"${name}") == 1
    assert "container=openfaze" in DOCKERFILE  # by which `app/runnable_commands.py` knows it


def test_libraries_are_compiled_when_the_image_is_built() -> None:
    build = DOCKERFILE.split("\nFROM ")[1]
    assert 0 < build.index("ENV UV_COMPILE_BYTECODE=1") < build.index("uv pip install")


@pytest.mark.parametrize("names", FILES, ids="+".join)
def test_the_compose_files_and_what_they_become_together_are_as_the_specification_wants_them(
    names: tuple[str, ...],
) -> None:
    [package] = find_spec("check_jsonschema").submodule_search_locations  # type: ignore[union-attr, misc]
    schema = json.loads(Path(package, "builtin_schemas", "vendor", "compose-spec.json").read_text())
    checker = jsonschema.validators.validator_for(schema)(schema)
    for content in (*map(document, names), together(names)):
        assert [f"{error.json_path}: {error.message}" for error in checker.iter_errors(content)] == []


@pytest.mark.parametrize("names", FILES, ids="+".join)
@pytest.mark.parametrize("chosen", [some for size in range(4) for some in combinations(PROFILES, size)], ids="+".join)
def test_with_any_profiles_what_runs_has_what_it_depends_on_and_a_port_of_its_own(
    names: tuple[str, ...], chosen: tuple[str, ...]
) -> None:
    whole = together(names)
    services = whole["services"]
    assert {profile for one in services.values() for profile in one.get("profiles", ())} == set(PROFILES)
    running = {name: one for name, one in services.items() if not one.get("profiles") or {*one["profiles"]} & {*chosen}}
    assert len(running) == (3 if GPU in names else 1) + sum(len(PROFILES[profile]) for profile in chosen)
    assert {name for profile in chosen for name in PROFILES[profile]} <= set(running)
    ports = []
    for service in running.values():
        ports += [DEFAULT.sub(r"\1", port).rsplit(":", 1)[0] for port in service.get("ports", ())]
        assert set(service.get("depends_on", ())) <= set(running)
        assert service.get("network_mode", "service:openfaze").removeprefix("service:") in running
        for volume in service.get("volumes", ()):
            source = DEFAULT.sub(r"\1", volume).split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in whole["volumes"]
    assert ports == ["127.0.0.1:8000", *(["127.0.0.1:3000"] if "observability" in chosen else [])]


def test_on_a_gpu_the_server_waits_for_weights_alone_and_keeps_all_that_confines_it() -> None:
    services = together((COMPOSE, GPU))["services"]
    on_cpu, on_gpu = compose(), services["openfaze"]
    changed = {key for key in on_gpu if on_gpu[key] != on_cpu.get(key)}
    assert changed == {"build", "image", "deploy", "mem_limit", "depends_on", "environment", "healthcheck"}
    assert on_gpu["build"]["args"] == {**on_cpu["build"]["args"], "LOCK": "gpu"}
    # One download that fails must not keep the server from starting with what is there, and nor must the LLM.
    assert on_gpu["depends_on"] == {"weights": {"condition": "service_completed_successfully", "required": False}}
    for name in ("openfaze", "vllm"):
        [device] = services[name]["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "device_ids": ["${GPU_DEVICE:-0}"], "capabilities": ["gpu"]}
    assert "deploy" not in services["weights"]
    assert services["weights"]["command"] == ["openfaze", "pull", "gpu"]
    # Built once; no registry has it.
    assert (services["weights"]["image"], services["weights"]["pull_policy"]) == (on_gpu["image"], "never")
    assert "build" not in services["weights"]
    for name in ("read_only", "cap_drop", "security_opt", "env_file", "tmpfs", "init"):
        assert services["weights"][name] == on_cpu[name]
    assert (services["vllm"]["cap_drop"], services["vllm"]["security_opt"]) == (["ALL"], on_cpu["security_opt"])


def test_what_fetches_on_a_gpu_knows_which_engines_were_chosen_and_the_ways_out() -> None:
    services = together((COMPOSE, GPU))["services"]
    weights = services["weights"]["environment"]
    read = {f"{PREFIX}{reader_of(known).spec.capability.upper()}" for known in sets_of("gpu")}
    chosen = {name: value for name, value in weights.items() if name in read}
    assert chosen == {name: services["openfaze"]["environment"][name] for name in read}
    ways_out = {"HF_ENDPOINT", "HTTPS_PROXY", "NO_PROXY"}
    assert ways_out <= set(weights)
    assert ways_out <= set(services["vllm"]["environment"])


@pytest.mark.parametrize(
    ("names", "given", "preload"),
    [
        ((COMPOSE,), {}, ("ocr",)),
        ((COMPOSE, GPU), {}, ()),  # the profile's engines, which a name here would replace
        ((COMPOSE, GPU), {"OPENFAZE_PRELOAD": "ocr,llm"}, ("ocr", "llm")),
        ((COMPOSE,), {"OPENFAZE_PRELOAD": ""}, ()),
    ],
)
def test_what_is_loaded_before_the_server_is_ready_by_the_compose_files(
    names: tuple[str, ...], given: dict[str, str], preload: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in together(names)["services"]["openfaze"]["environment"].items():
        if value is not None:
            monkeypatch.setenv(name, given.get(name) or DEFAULT.sub("" if name in given else r"\1", value))
    settings = Settings(_env_file=None)
    assert settings.preload == preload
    assert settings.profile == ("gpu" if GPU in names else None)


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
