"""A bare Debian machine, a clone of this checkout on it, and the server that the first command of the README starts."""

import base64
import contextlib
import json
import shlex
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.boxes.containers import VM, Container, base, scratch, started
from tests.kit.project.fences import ROOT, fences

PACKAGES = ("make", "git", "curl", "python3", "python3-venv")
"""What somebody has installed who follows the README: nothing that openfaze itself would need of a system."""
START_S = 900.0
"""Room to make an environment on a busy machine, of packages that have to be fetched first."""
ANSWER_S = 300
STOP_S = 60
SAMPLES = ROOT / "app/playground/samples"
CLONED = "/scratch/openfaze.git"

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a server sent."""

    status: int
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content(self) -> str:
        """The text of a chat completion."""
        assert self.status == 200, self.body
        return str(self.json["choices"][0]["message"]["content"])

    @property
    def result(self) -> Any:
        """The result of a run task."""
        return json.loads(self.content)["result"]

    @property
    def refusal(self) -> str:
        """The message of an error."""
        assert self.status >= 400, self.body
        return str(self.json["error"]["message"])


@dataclass(frozen=True)
class Machine:
    """A Debian on which nothing was installed but PACKAGES, and on which `user` is logged in."""

    container: Container
    user: str
    home: str
    """A folder of the user's on the same mount as uv's cache, so that environments are made of links where they may."""

    def run(
        self, command: str, *, check: bool = True, variables: Mapping[str, str] | None = None, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`command` in the user's shell, with `text` on its standard input."""
        return self.container.run(command, user=self.user, variables=variables, check=check, input=text or "")

    def install(self, package: str) -> None:
        """Installs one of Debian's packages, as only root may."""
        quietly = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"
        self.container.run(f"{quietly} {package}")

    def clone(self, folder: str, umask: str = "022") -> str:
        """The path of a new clone of what has been committed here."""
        path = f"{self.home}/{folder}"
        self.run(f"umask {umask} && mkdir -p {shlex.quote(path)} && git clone --quiet {CLONED} {shlex.quote(path)}")
        return path

    @contextlib.contextmanager
    def serving(
        self, checkout: str, port: int, umask: str = "022", variables: Mapping[str, str] | None = None
    ) -> "Iterator[Server]":
        """The README's first command in `checkout`, until the block ends."""
        command = next(fences(ROOT / "README.md")).code.strip()
        note = f"/tmp/serving-{port}"
        process = self.container.start(
            f"umask {umask} && cd {shlex.quote(checkout)} && echo $$ > {note} && exec {command}",
            user=self.user,
            variables={**(variables or {}), "OPENFAZE_PORT": str(port)},
        )
        server = Server(self, f"http://127.0.0.1:{port}", process)
        try:
            server.wait_until_up()
            yield server
        finally:
            # What ends `podman exec` leaves the command running.
            self.run(f"kill -TERM $(cat {note})", check=False)
            server.wait_until_gone()


class Server:
    """A server on a machine, which is asked by that machine's own curl."""

    def __init__(self, machine: Machine, address: str, process: subprocess.Popen[str]) -> None:
        self.machine, self.address = machine, address
        self._process, self._lines, self._up = process, list[str](), threading.Event()
        # Nobody else reads what it says, and a full pipe would stop it.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def wait_until_up(self) -> None:
        """Returns when it serves. Raises AssertionError, with what it said, when it ended instead."""
        assert self._up.wait(START_S), f"no server after {START_S} s:\n{self.log}"
        assert f"serves on {self.address}\n" in self.log, f"it ended:\n{self.log}"

    def wait_until_gone(self) -> None:
        """Returns when it has ended, and everything that it said is in `log`."""
        self._process.wait(STOP_S)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def get(self, path: str) -> Answer:
        return self._asked(path, "")

    def post(self, path: str, body: Json) -> Answer:
        return self._asked(path, json.dumps(body))

    def task(self, name: str, text: str, sample: str = "") -> Answer:
        """A run task about one of the playground's samples, or about a text alone."""
        parts = [{"type": "text", "text": text}, *([part_of(sample)] if sample else [])]
        return self.chat(parts, system=f"<task>{name}</task>")

    def chat(self, content: object, system: str = "", **fields: object) -> Answer:
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": content})  # type: ignore[dict-item]
        return self.post("/v1/chat/completions", {"model": "interfaze-beta", "messages": messages, **fields})

    def _asked(self, path: str, body: str) -> Answer:
        # As a browser asks for a page, and a client of the API sends what it has to say.
        kind = "--header 'content-type: application/json' --data-binary @-" if body else "--header 'accept: text/html'"
        asked = f"curl --silent --show-error --max-time {ANSWER_S} --write-out '\\n%{{http_code}}' {kind}"
        received, _, status = self.machine.run(f"{asked} {self.address}{path}", text=body).stdout.rpartition("\n")
        return Answer(int(status), received)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
            if "serves on" in line:
                self._up.set()
        self._up.set()


def part_of(sample: str) -> Json:
    """A part of a message with one of the playground's samples."""
    content = base64.b64encode((SAMPLES / sample).read_bytes()).decode()
    kind = {".png": "image/png", ".mp3": "audio/mpeg", ".csv": "text/csv"}[Path(sample).suffix]
    if kind == "image/png":
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{content}"}}
    return {"type": "file", "file": {"filename": sample, "file_data": f"data:{kind};base64,{content}"}}


@contextlib.contextmanager
def machine(debian: int, user: str, *options: str) -> Iterator[Machine]:
    """A machine until the block ends. `options` are further ones of `podman run`."""
    with scratch() as folder:
        subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, folder / "openfaze.git"], check=True)
        mounted = (f"--volume={folder}:/scratch", "--env=UV_CACHE_DIR=/scratch/uv")
        # A home that is no user's: nothing can be written to it.
        read_only = ("--tmpfs=/read-only:ro",)
        with started(base(debian, *PACKAGES), *VM, *mounted, *read_only, *options) as container:
            if user != "root":
                container.run(f"useradd --create-home {user}")
            home = f"/scratch/{user}"
            # The clone is somebody else's, which git would not read for him.
            container.run(f"install --directory --owner={user} {home} && git config --system safe.directory '*'")
            yield Machine(container, user, home)
