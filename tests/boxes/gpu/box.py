"""A GPU box without its card: the compose files as they are, with only that replaced which needs one."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from models.language.capability import embedded_gguf
from tests.boxes.containers import base, clear_leftovers, environment, podman
from tests.boxes.gpu import hub
from tests.boxes.image.building import ROOT
from tests.boxes.image.installation import Installation, data_url, until
from tests.extras.llm_servers.upstreams import ENVIRONMENT, vllms_python
from tests.kit.project import gpu_cards
from tests.kit.servers.server import held_port

HUB = "http://hub:8000"
SAID = "It works."
"""What the small model answers, of either kind."""
THOUGHT = "Let me see"
LLM_LIMIT_S = 900.0
"""For vLLM to start, which takes half a minute where nothing else runs."""
TORCHVISION = ENVIRONMENT / "torchvision"
_HERE = Path(__file__).parent
_DEBIAN = {"3.11": 12, "3.13": 13}
"""Which has which Python."""


@dataclass(frozen=True)
class Parts:
    """What takes the place of what a card needs, and of the hubs: made once for all boxes."""

    image: str
    vllm: Path
    hub: Path
    lists: Mapping[str, Path]
    """By their paths in the image."""


def parts_made(folder: Path, image: str) -> Parts:
    vllm, served, lists, work = (folder / name for name in ("vllm", "hub", "lists", "work"))
    for below in (vllm, served, lists, work):
        below.mkdir()
    variables = {**os.environ, "PYTHONPATH": f"{_HERE / 'vllm'}:{TORCHVISION}"}
    for kind in ("instruct", "thinking"):
        command = [vllms_python(), _HERE / "vllm/small_model.py", embedded_gguf(), vllm / kind, kind]
        made = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=variables)
        assert made.returncode == 0, made.stderr
    hub.fill(served, work)
    asked = ("python", "-c", "import models; print(models.__path__[0])")
    package = podman("run", "--rm", image, *asked).stdout.strip()
    found = {f"{package}/{place}": own for own, place in hub.lists(served, lists, HUB)}
    return Parts(image, vllm, served, found)


class Box(Installation):
    """`size` is the card's, in gigabytes; `variables` are those of the shell that calls compose."""

    def __init__(self, folder: Path, port: int, parts: Parts, size: int, **variables: str) -> None:
        files = "docker-compose.yml:docker/gpu.yml:docker/llm.yml:podman.yml"
        detected = gpu_cards.settings_of(size)
        chosen = {name: value for name, value in detected.items() if name.startswith(("LLM_", "GPU_SPEECH"))}
        given = {"COMPOSE_FILE": files, "COMPOSE_PROFILES": "llm", "HF_ENDPOINT": HUB, **chosen, **variables}
        super().__init__(folder, port, parts.image, ROOT, **given)
        self.add("rehearsal.yml", _rehearsal(parts))

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        ours = ("OPENFAZE_", "COMPOSE_", "PODMAN_COMPOSE_", "GPU_", "LLM_", "HF_")
        inherited = {name: value for name, value in environment().items() if not name.startswith(ours)}
        done = subprocess.run(
            [sys.executable, _HERE / "compose.py", *arguments],
            cwd=self.folder,
            env={**inherited, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 or not check, f"compose {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *services: str) -> None:
        """`docker compose up -d` of these and what they depend on."""
        self.compose("up", "--detach", "--no-build", *services)

    def state_of(self, capability: str) -> tuple[str, str]:
        """What `/ready` says of it: its state, and what to do."""
        with self.client() as client:
            said = client.get("/ready").json()["capabilities"][capability]
        return said["state"], said.get("remedy") or ""

    def engine_of(self, capability: str) -> str:
        """By the name that `/ready` has for it."""
        with self.client() as client:
            return str(client.get("/ready").json()["capabilities"][capability]["engine"])

    def wait_for_llm(self) -> None:
        until(
            "taken in",
            lambda: self.state_of("llm")[0] != "unavailable",
            told=lambda: self.logs("vllm")[-6000:],
            limit_s=LLM_LIMIT_S,
        )

    def events(self) -> list[str]:
        """Of the server's log."""
        return [json.loads(line).get("event", "") for line in self.logs().splitlines() if line.startswith("{")]

    def kill(self, service: str) -> None:
        """All of a container's processes, as the kernel does it where the memory is out."""
        pid = int(self.inspected(".State.Pid", service))
        with contextlib.suppress(ProcessLookupError):
            subprocess.run(["kill", "-KILL", str(pid)], check=True)


@contextlib.contextmanager
def boxed(folder: Path, parts: Parts, size: int = 24, **variables: str) -> Iterator[Box]:
    """An installation in which nothing runs yet, and that is gone when the block ends."""
    clear_leftovers()
    folder.mkdir(parents=True, exist_ok=True)
    with held_port() as port:
        box = Box(folder, port, parts, size, **variables)
        try:
            yield box
        finally:
            box.remove()


def asked(
    client: httpx.Client, question: object, *, headers: Mapping[str, str] | None = None, **fields: Any
) -> httpx.Response:
    messages: list[dict[str, Any]] = [{"role": "user", "content": question}]
    if system := fields.pop("system", None):
        messages.insert(0, {"role": "system", "content": system})
    body = {"model": "interfaze-beta", "messages": messages, "temperature": 0, **fields}
    return client.post("/v1/chat/completions", json=body, headers=headers)


def picture_question(client: httpx.Client, question: str, **fields: Any) -> httpx.Response:
    """About the playground's receipt."""
    picture = {"type": "image_url", "image_url": {"url": data_url("receipt.png")}}
    return asked(client, [{"type": "text", "text": question}, picture], **fields)


def _rehearsal(parts: Parts) -> str:
    python = Path(vllms_python())
    asked = [python, "-c", "import sys; print(sys.base_prefix, '%d.%d' % sys.version_info[:2])"]
    prefix, version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    debian = base(_DEBIAN.get(version, 12), "libgomp1", "libnuma1", "python3")
    lists = [f"{own}:{place}:ro" for place, own in parts.lists.items()]
    mounted = {str(_HERE / "vllm"): "/rehearsal", str(parts.vllm): "/models"}
    # An environment knows its own path, and that of the Python that made it.
    mounted |= {path: path for path in (str(ENVIRONMENT), prefix) if path != "/usr"}
    vllm = {
        "image": debian,
        "entrypoint": [str(python), "/rehearsal/on_cpu.py"],
        "volumes": [f"{here}:{there}:ro" for here, there in mounted.items()],
        "environment": {
            "PYTHONPATH": f"/rehearsal:{TORCHVISION}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            # The tags around calls allow any white space, of which a model that knows nothing makes no end.
            "VLLM_ENFORCE_STRICT_TOOL_CALLING": "0",
        },
    }
    served = {
        "image": debian,
        "command": ["python3", "-m", "http.server", "8000", "--directory", "/hub"],
        "volumes": [f"{parts.hub}:/hub:ro"],
    }
    weights = {"image": parts.image, "volumes": lists}
    services = {"openfaze": {"volumes": lists}, "weights": weights, "vllm": vllm, "hub": served}
    return _without_cards({"services": services})


def _without_cards(content: Mapping[str, object]) -> str:
    """JSON is YAML, but for what is reset."""
    text = json.dumps(content, indent=1)
    for service in ("openfaze", "vllm"):
        text = text.replace(f'"{service}": {{', f'"{service}": {{"deploy": !reset {{}}, ', 1)
    return text
