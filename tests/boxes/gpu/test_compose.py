"""What Docker's own compose, as Debian 13 has it, makes of the files of a GPU box.

How it reads them, and what it starts, with podman in the place of Docker's daemon.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.boxes.containers import Container, base, environment, podman, project_name, started
from tests.boxes.image.building import ROOT
from tests.boxes.image.installation import until
from tests.kit.project import gpu_cards
from tests.kit.servers.server import held_port

STAND_IN = """
services:
  openfaze:
    image: {image}
    entrypoint: [sleep, infinity]
    deploy: !reset {{}}
    # Podman knows `host-gateway` from 4.7 on.
    extra_hosts: !reset []
  weights:
    image: {image}
    entrypoint: ["false"]
  vllm:
    image: {image}
    entrypoint: ["false"]
    deploy: !reset {{}}
  guard:
    image: {image}
    entrypoint: ["false"]
    deploy: !reset {{}}
"""
"""What ends, in the place of what fetches, of the LLM and of its guard."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Path]:
    """A folder with the socket of Docker's API, which podman serves."""
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "docker.sock"
        served = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{socket}"], env=environment())
        try:
            until("served", socket.exists)
            yield socket.parent
        finally:
            served.terminate()
            served.wait()


@pytest.fixture(scope="module")
def machine(engine: Path) -> Iterator[Container]:
    """A machine with a clone in /openfaze, and with nothing of Docker's but compose and the socket."""
    mounted = (
        f"--volume={ROOT}:/openfaze:ro",
        f"--volume={engine}:/engine",
        "--env=DOCKER_HOST=unix:///engine/docker.sock",
    )
    with started(base(13, "docker-compose"), *mounted, "--workdir=/openfaze") as machine:
        yield machine


def services(machine: Container, size: int, **variables: str) -> dict[str, Any]:
    chosen = {**gpu_cards.settings_of(size), "COMPOSE_PROFILES": "llm", **variables}
    said = machine.run("docker-compose config --format json", variables=chosen).stdout
    services: dict[str, Any] = json.loads(said)["services"]
    return services


@pytest.mark.parametrize("size", gpu_cards.SIZES)
def test_a_cards_size_means_the_same_for_all_services(machine: Container, size: int) -> None:
    found = services(machine, size)
    with_llm, with_guard = size in gpu_cards.WITH_LLM, size in gpu_cards.WITH_GUARD
    assert sorted(found) == [*(["guard"] * with_guard), "openfaze", *(["vllm"] * with_llm), "weights"]
    speech = gpu_cards.TABLE["card"][str(size)]["speech"]
    assert found["openfaze"]["environment"]["OPENFAZE_SPEECH_BATCH"] == str(speech)
    assert (int(found["openfaze"]["environment"]["OPENFAZE_CARD_MB"]) > 0) == with_llm
    if with_llm:
        assert found["vllm"]["command"] == gpu_cards.arguments_of(size)
    if with_guard:
        guard = found["guard"]
        assert guard["command"] == gpu_cards.arguments_of(size, service="guard")
        for same in ("image", "deploy", "profiles", "volumes", "healthcheck", "cap_drop"):
            assert guard[same] == found["vllm"][same]
        assert found["openfaze"]["environment"]["OPENFAZE_GUARD_MODEL"] in guard["command"]


def test_what_an_operator_sets_goes_before_what_the_card_chooses(machine: Container) -> None:
    found = services(machine, 24, OPENFAZE_SPEECH_BATCH="3", VLLM_ARGS="--max-model-len 4096")
    assert found["openfaze"]["environment"]["OPENFAZE_SPEECH_BATCH"] == "3"
    assert found["vllm"]["command"][-2:] == ["--max-model-len", "4096"]


@pytest.fixture
def standing_in(machine: Container, engine: Path) -> Iterator[Mapping[str, str]]:
    """The variables with which compose starts STAND_IN."""
    project = project_name()
    (engine / "stand-in.yml").write_text(STAND_IN.format(image=base(13, "docker-compose")))
    with held_port() as port:
        chosen = gpu_cards.settings_of(80)
        variables = {
            **chosen,
            "COMPOSE_FILE": f"{chosen['COMPOSE_FILE']}:/engine/stand-in.yml",
            "COMPOSE_PROJECT_NAME": project,
            "OPENFAZE_PORT": str(port),
        }
        try:
            yield variables
        finally:
            machine.run("docker-compose --profile llm down --volumes --timeout 0", variables=variables)


def test_the_llm_is_started_with_its_guard(machine: Container, standing_in: Mapping[str, str]) -> None:
    said = machine.run("docker-compose up --detach --no-build vllm", variables=standing_in).stderr
    for service in ("guard", "vllm"):
        assert f"Container {standing_in['COMPOSE_PROJECT_NAME']}-{service}-1  Started" in said


def is_running(variables: Mapping[str, str]) -> bool:
    shown = podman("inspect", "--format={{.State.Running}}", f"{variables['COMPOSE_PROJECT_NAME']}-openfaze-1")
    return shown.stdout.strip() == "true"


def test_weights_that_could_not_be_fetched_do_not_keep_the_server_from_starting(
    machine: Container, standing_in: Mapping[str, str]
) -> None:
    said = machine.run("docker-compose up --detach --no-build", variables=standing_in).stderr
    assert 'optional dependency "weights" didn\'t complete successfully: exit 1' in said
    assert is_running(standing_in)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"image": "localhost/openfaze-test/none:1", "pull_policy": "never"}, id="no-image"),
        pytest.param({"image": "localhost:1/none:1"}, id="image-cannot-be-pulled"),
        pytest.param({"devices": ["/dev/no-such-device"]}, id="no-device"),
        pytest.param({"entrypoint": ["/no-such-program"]}, id="cannot-be-started"),
    ],
)
def test_an_llm_that_cannot_be_created_keeps_nothing_from_starting(
    machine: Container, engine: Path, standing_in: Mapping[str, str], broken: Mapping[str, object]
) -> None:
    (engine / "broken.yml").write_text(json.dumps({"services": {"vllm": broken}}))
    variables = {**standing_in, "COMPOSE_FILE": f"{standing_in['COMPOSE_FILE']}:/engine/broken.yml"}
    machine.run("docker-compose up --detach --no-build", variables=variables)
    assert is_running(variables)
    failed = machine.run("docker-compose up --detach --no-build vllm", variables=variables, check=False)
    assert failed.returncode != 0
    # Nor does a second start of all that runs end any of it.
    machine.run("docker-compose up --detach --no-build", variables=variables)
    assert is_running(variables)
