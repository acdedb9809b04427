"""The container files agree with the code. (No container engine runs here: the files are read, not built.)"""

import re
from pathlib import Path

import yaml

from app.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def compose() -> dict[str, object]:
    service: dict[str, object] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["openfaze"]
    return service


def test_the_variables_that_the_container_files_set_are_settings() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    files = (ROOT / "Dockerfile", ROOT / "docker-compose.yml")
    named = {name for file in files for name in re.findall(rf"{PREFIX}\w+", file.read_text())}
    assert named
    assert named <= known


def test_compose_publishes_to_this_machine_only_and_drops_what_it_does_not_need() -> None:
    service = compose()
    assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])  # type: ignore[attr-defined]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_the_image_installs_by_hash_runs_as_nobody_in_particular_and_checks_itself() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert dockerfile.count("--require-hashes") == 3
    assert "\nUSER openfaze\n" in dockerfile
    assert "\nHEALTHCHECK " in dockerfile
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())


def test_the_container_gets_longer_to_stop_than_requests_get_to_end() -> None:
    grace = str(compose()["stop_grace_period"])
    assert int(grace.removesuffix("s")) > Settings.model_fields["shutdown_grace_s"].default
