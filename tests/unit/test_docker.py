"""The container files agree with the code. (No container engine runs here: the files are read, not built.)"""

import re
from pathlib import Path
from typing import Any

import yaml

from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
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


def compose(file: str = "docker-compose.yml") -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load((ROOT / file).read_text())["services"]["openfaze"]
    return service


def test_the_variables_that_the_container_files_set_are_settings() -> None:
    # Of .env, compose hands on any other name that begins so, and the server would refuse to start.
    files = (ROOT / "Dockerfile", ROOT / "docker-compose.yml", ROOT / "docker" / "code-sandbox.yml")
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
    [profile] = [one for one in compose("docker/code-sandbox.yml")["security_opt"] if one.startswith("seccomp=")]
    assert (ROOT / profile.removeprefix("seccomp=")).is_file()


def test_compose_publishes_to_this_machine_only_and_drops_what_it_does_not_need() -> None:
    service = compose()
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_the_image_installs_by_hash_runs_as_nobody_in_particular_and_checks_itself() -> None:
    assert DOCKERFILE.count("--require-hashes") == 3
    assert "\nUSER openfaze\n" in DOCKERFILE
    assert "\nHEALTHCHECK " in DOCKERFILE
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())


def test_the_container_gets_longer_to_stop_than_requests_get_to_end() -> None:
    grace = re.fullmatch(r"\$\{STOP_GRACE_PERIOD:-(\d+)s\}", compose()["stop_grace_period"])
    assert grace is not None
    assert int(grace[1]) > Settings.model_fields["shutdown_grace_s"].default


def test_packages_get_into_the_image_by_arguments_of_its_build() -> None:
    assert compose()["build"]["args"] == {"EXTRAS": "${EXTRAS:-}", "APT_PACKAGES": "${APT_PACKAGES:-}"}
    for name in ("EXTRAS", "APT_PACKAGES"):
        assert f'\nARG {name}=""\n' in DOCKERFILE
        assert DOCKERFILE.count(f"${name}") == 1
    assert "container=openfaze" in DOCKERFILE  # by which `app/calling.py` knows it


def test_libraries_are_compiled_when_the_image_is_built() -> None:
    build = DOCKERFILE.split("\nFROM ")[1]
    assert 0 < build.index("ENV UV_COMPILE_BYTECODE=1") < build.index("uv pip install")
