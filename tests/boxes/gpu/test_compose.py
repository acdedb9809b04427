"""What Docker's own compose, as Debian 13 has it, makes of the files of a GPU box.

How it reads them, and what it starts, with podman in the place of Docker's daemon.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import gpu_cards
from tests.boxes.image.building import ROOT
from tests.boxes.image.installation import until
from tests.containers import Container, base, environment, podman, project_name, started
from tests.server import held_port

FILES = "docker-compose.yml:docker/gpu.yml"
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
"""
"""What ends, in the place of what fetches and of the LLM."""


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


def services(machine: Container, **variables: str) -> dict[str, Any]:
    said = machine.run("docker-compose config --format json", variables={"COMPOSE_FILE": FILES, **variables}).stdout
    services: dict[str, Any] = json.loads(said)["services"]
    return services


@pytest.mark.parametrize("size", gpu_cards.SIZES)
def test_a_cards_size_means_the_same_for_all_services(machine: Container, size: int) -> None:
    found = services(machine, GPU_MEMORY=str(size))
    assert sorted(found) == ["openfaze", "vllm", "weights"]
    assert found["vllm"]["command"] == gpu_cards.arguments_of(size)
    for name in ("openfaze", "weights"):
        for setting, chosen in gpu_cards.services_of(size)[name]["environment"].items():
            [default] = re.findall(r":-(.*)}", chosen)
            assert found[name]["environment"][setting] == default


def test_what_an_operator_sets_goes_before_what_the_card_chooses(machine: Container) -> None:
    found = services(machine, OPENFAZE_SPEECH_BATCH="3", VLLM_ARGS="--max-model-len 4096")
    assert found["openfaze"]["environment"]["OPENFAZE_SPEECH_BATCH"] == "3"
    assert found["vllm"]["command"][-2:] == ["--max-model-len", "4096"]


def test_neither_weights_that_could_not_be_fetched_nor_an_llm_that_ends_keep_the_server_from_starting(
    machine: Container, engine: Path
) -> None:
    project, image = project_name(), base(13, "docker-compose")
    (engine / "stand-in.yml").write_text(STAND_IN.format(image=image))
    with held_port() as port:
        files = f"{FILES}:/engine/stand-in.yml"
        variables = {"COMPOSE_FILE": files, "COMPOSE_PROJECT_NAME": project, "OPENFAZE_PORT": str(port)}
        try:
            said = machine.run("docker-compose up --detach --no-build", variables=variables).stderr
            assert 'optional dependency "weights" didn\'t complete successfully: exit 1' in said
            shown = podman("inspect", "--format={{.State.Running}}", f"{project}-openfaze-1")
            assert shown.stdout.strip() == "true"
        finally:
            machine.run("docker-compose down --volumes --timeout 0", variables=variables)
