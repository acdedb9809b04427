"""openfaze as an operator has it: a folder with the files of a release, and what compose made of them."""

import base64
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai

from app.runnable_commands import BODY
from tests.boxes.containers import clear_leftovers, podman, project_name
from tests.boxes.image.building import PODMAN_COMPOSE, ROOT, called, compose
from tests.kit.servers.server import held_port

SAMPLES = ROOT / "app/playground/samples"
LIMIT_S = 180.0
"""For what is bound to happen, however busy the machine."""
_FOR_PODMAN = """
services:
  openfaze:
    # Which of those that were built.
    image: {image}
    # Podman knows `host-gateway` from 4.7 on.
    extra_hosts: !reset []
"""

_DOCKER = """#!/bin/sh
shift
exec {program} "$@"
"""


class Installation:
    """`variables` are those of the shell that calls compose."""

    def __init__(self, folder: Path, port: int, image: str, release: Path, **variables: str) -> None:
        self.folder = folder
        self.port = port
        self.project = project_name()
        self.variables = {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": "docker-compose.yml:podman.yml",
            "OPENFAZE_PORT": str(port),
            **variables,
        }
        self.install(image, release)

    def install(self, image: str, release: Path) -> None:
        """Puts a release's files in the place of those of another; `image` is what they built."""
        shutil.copy(release / "docker-compose.yml", self.folder)
        shutil.copytree(release / "docker", self.folder / "docker", dirs_exist_ok=True)
        (self.folder / "podman.yml").write_text(_FOR_PODMAN.format(image=image))

    def configure(self, **settings: object) -> None:
        """Writes `.env`."""
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def add(self, name: str, content: str | None = None) -> None:
        """One more compose file: one that comes along, or an operator's own."""
        if content is not None:
            (self.folder / name).write_text(content)
        self.variables["COMPOSE_FILE"] += f":{name}"

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return compose(self.folder, *arguments, variables=self.variables, check=check)

    def follow(self, code: str) -> None:
        """Runs commands of a page in this folder, podman-compose being its `docker compose`."""
        programs = self.folder / "programs"
        programs.mkdir(exist_ok=True)
        docker = programs / "docker"
        docker.write_text(_DOCKER.format(program=PODMAN_COMPOSE))
        docker.chmod(0o755)
        variables = {**self.variables, "PATH": f"{programs}:{os.environ['PATH']}"}
        called(self.folder, "bash", "-euxo", "pipefail", "-c", code, variables=variables)

    def up(self) -> None:
        """As `docker compose up -d`, and waits until the server is ready."""
        self.compose("up", "--detach", "--no-build")
        self.wait_until_ready()

    def wait_until_ready(self, port: int | None = None) -> None:
        until("ready", lambda: self.is_ready(port), told=self.logs)

    def is_ready(self, port: int | None = None) -> bool:
        with self.client(port) as client, contextlib.suppress(httpx.TransportError):
            return client.get("/ready").status_code == 200
        return False

    def container(self, service: str = "openfaze") -> str:
        return f"{self.project}_{service}_1"

    def logs(self, service: str = "openfaze") -> str:
        done = podman("logs", self.container(service), check=False)
        return f"{done.stdout}{done.stderr}"

    def inspected(self, what: str, service: str = "openfaze") -> str:
        return podman("inspect", "--format", f"{{{{{what}}}}}", self.container(service)).stdout.strip()

    def execute(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """In the server's container, as `docker compose exec`."""
        return podman("exec", self.container(), *command, check=check)

    def server_pid(self) -> int:
        """This machine's number of the server: the child of the container's init."""
        init = self.inspected(".State.Pid")
        [server] = Path(f"/proc/{init}/task/{init}/children").read_text().split()
        return int(server)

    def client(self, port: int | None = None, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        address = f"http://127.0.0.1:{port or self.port}"
        return httpx.Client(base_url=address, headers=headers, timeout=LIMIT_S, trust_env=False)

    def sdk(self, port: int | None = None, key: str = "none") -> openai.OpenAI:
        address = f"http://127.0.0.1:{port or self.port}/v1"
        return openai.OpenAI(base_url=address, api_key=key, max_retries=0, timeout=LIMIT_S)

    def reads(self, port: int | None = None, key: str | None = None) -> str:
        """What it reads on the picture of the first request that its log shows."""
        with self.client(port, key) as client:
            return read_text(client.post("/v1/chat/completions", json=BODY))

    def remove(self) -> None:
        """With its volumes."""
        self.compose("down", "--volumes", "--timeout", "0", check=False)
        left = podman("ps", "--all", "--quiet", "--filter", f"name={self.project}").stdout.split()
        if left:
            podman("rm", "--force", "--time=0", *left)


@contextlib.contextmanager
def installed(folder: Path, image: str, release: Path = ROOT, **variables: str) -> Iterator[Installation]:
    """An installation that `up` starts, and that is gone when the block ends."""
    clear_leftovers()
    folder.mkdir(parents=True, exist_ok=True)
    with held_port() as port:
        installation = Installation(folder, port, image, release, **variables)
        try:
            yield installation
        finally:
            installation.remove()


def read_text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(result(answer)["extracted_text"])


def result(answer: httpx.Response) -> Any:
    """A run task's."""
    assert answer.status_code == 200, answer.text
    content = httpx.Response(200, text=answer.json()["choices"][0]["message"]["content"])
    return content.json()["result"]


def error(answer: httpx.Response) -> tuple[int, str]:
    """Its status and its message."""
    assert answer.status_code >= 400, answer.text
    return answer.status_code, str(answer.json()["error"]["message"])


def task(name: str, text: str, sample: str | None = None) -> dict[str, object]:
    """The body of a run task about one of the playground's samples, or about a text alone."""
    parts: list[object] = [{"type": "text", "text": text}]
    if sample is not None:
        parts.append({"type": "file", "file": {"filename": sample, "file_data": data_url(sample)}})
    system = {"role": "system", "content": f"<task>{name}</task>"}
    return {"model": "interfaze-beta", "messages": [system, {"role": "user", "content": parts}]}


def data_url(sample: str) -> str:
    kind = {".png": "image/png", ".mp3": "audio/mpeg", ".csv": "text/csv"}[Path(sample).suffix]
    return f"data:{kind};base64,{base64.b64encode((SAMPLES / sample).read_bytes()).decode()}"


def until(what: str, holds: Callable[[], bool], told: Callable[[], str] = str, limit_s: float = LIMIT_S) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, f"not {what} within {limit_s:g} s\n{told()}"
        time.sleep(0.1)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
