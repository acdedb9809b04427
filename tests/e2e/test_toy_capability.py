"""A capability is declared in one folder, its task in one module and the task's wording in another: the server needs no
other line to have them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.settings import Settings
from models.catalog import CATALOG
from tests.kit.processes.forked import stem
from tests.kit.servers.server import IMPORTS, SERVE, serving

pytestmark = pytest.mark.deep

CAPABILITY = '''"""The `toy` capability."""

from functools import partial

from models.base import EngineSpec
from models.capability import Built, Candidate, Capability, EngineConfig, Engines, OwnSettings, BadResult
from models.hosts.host import EngineHost
from models.weights.files import WEIGHT_SETS
from models.toy.engine import Squeaker

SPEC = EngineSpec("squeaker", "toy", "MIT", "`openfaze pull squeaker`")


class ToySettings(OwnSettings):
    toy: str = "auto"
    """The engine that squeaks: `squeaker` or `auto`."""
    toy_times: int = 1
    """How often."""


def _build(config: EngineConfig) -> Built:
    host = EngineHost(SPEC, partial(Squeaker, config.of(ToySettings).toy_times))
    return Built(host, (host,))


async def _squeak(engines: Engines) -> str:
    said = await engines.use(TOY).run("it")
    if "squeak: it" not in said:
        raise BadResult(f"said {said}")
    return f"said {said!r}"


TOY: Capability[EngineHost[str, str]] = Capability(
    "toy", (Candidate(SPEC, lambda _: None, _build),), _squeak, ToySettings
)
'''
ENGINE = '''"""Squeaks."""


class Squeaker:
    def __init__(self, times):
        self.times = times

    def load(self):
        pass

    def run(self, batch):
        return [" ".join(["squeak:"] * self.times + [one]) for one in batch]

    def close(self):
        pass
'''
WEIGHTS = f'''[squeaker]
licence = "MIT"
purpose = "squeaks"
recommended_for = "toy"

[[squeaker.files]]
path = "squeaker.bin"
url = "https://weights.invalid/squeaker.bin"
sha256 = "{"0" * 64}"
size = 1000000
'''
TASK = '''"""Squeaking: the `toy` task."""

from functools import partial

from models.toy.capability import TOY
from tasks.base import Specialist
from tasks.result import JsonResult
from tasks.tools import Tool
from tasks.wording.toy import ToyOptions, parse_toy


class ToyTask:
    name = "toy"

    def __init__(self, toy):
        self._toy = toy

    async def run(self, request):
        said = await self._toy().run(request.options.said)
        return JsonResult({"said": said.upper() if request.options.loud else said})


TASK = Specialist(
    ToyTask.name,
    lambda parts: ToyTask(partial(parts.engines.use, TOY)),
    ToyOptions,
    parse_toy,
    Tool("Squeak.", dict, input="text"),
    uses=(TOY,),
    aliases=("squeaky",),
)
'''
WORDING = '''"""The options of the `toy` task, and how words become them."""

from tasks.wording.options import TaskOptions


class ToyOptions(TaskOptions):
    said: str
    """Words to squeak."""
    loud: bool = False
    """Squeak in capitals."""


def parse_toy(words, has_sources):
    return ToyOptions(said=words.removesuffix(" loudly"), loud=words.endswith(" loudly"))
'''


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python that imports openfaze with a toy in it."""
    root = tmp_path_factory.mktemp("toy")
    files = {
        "models/toy/__init__.py": "",
        "models/toy/capability.py": CAPABILITY,
        "models/toy/engine.py": ENGINE,
        "models/toy/weights.toml": WEIGHTS,
        "tasks/toy.py": TASK,
        "tasks/wording/toy.py": WORDING,
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    packages = {"models": "models", "tasks": "tasks", "tasks.wording": "tasks/wording"}
    grown = "; ".join(f"{name}.__path__.append({str(root / folder)!r})" for name, folder in packages.items())
    return f"import models, tasks.wording; {grown}; {IMPORTS}"


def asked(base_url: str, task: str, words: str = "hello", **options: Any) -> httpx.Response:
    messages = [{"role": "system", "content": f"<task>{task}</task>"}, {"role": "user", "content": words}]
    body = {"model": "interfaze-beta", "messages": messages, "task_options": options}
    return httpx.post(f"{base_url}/v1/chat/completions", json=body, trust_env=False)


def openfaze(imports: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "OPENFAZE_SEARCH_PROVIDER": "off", **variables}
    return stem(imports).run(SERVE, *arguments, env=environment)


@pytest.mark.in_process("its modules are on the server's path alone: a replica would not find them")
def test_a_server_has_the_toy_without_another_line(imports: str, tmp_path: Path) -> None:
    with serving(tmp_path / "log", imports=imports, toy_times=2) as server:
        for name, words, options, said in (
            ("toy", "hello", {}, "squeak: squeak: hello"),
            ("squeaky", "hello loudly", {}, "SQUEAK: SQUEAK: HELLO"),
            ("toy", "hello loudly", {"loud": False}, "squeak: squeak: hello"),
        ):
            response = asked(server.base_url, name, words, **options)
            assert response.status_code == 200, response.text
            content = json.loads(response.json()["choices"][0]["message"]["content"])
            assert content == {"name": name, "result": {"said": said}}
        assert asked(server.base_url, "toy", quiet=True).status_code == 400
        ready = httpx.get(f"{server.base_url}/ready", trust_env=False).json()["capabilities"]
        assert ready["toy"] == {"state": "loaded", "engine": "squeaker"}
        assert list(ready)[-2:] == ["llm", "toy"]
        refused = asked(server.base_url, "tay")
        assert refused.json()["error"]["message"].endswith("translate, forecast, toy")


def test_doctor_tries_it_and_pull_knows_its_weights(imports: str, tmp_path: Path) -> None:
    # The others are tried in test_cli.py.
    off = {f"OPENFAZE_{name.upper()}": "off" for name in (*(CATALOG.keys() & Settings.model_fields.keys()), "browser")}
    examined = openfaze(imports, "doctor", "--json", OPENFAZE_WEIGHTS_DIR=str(tmp_path), **off)
    found: dict[str, Any] = {one["capability"]: one for one in json.loads(examined.stdout)["capabilities"]}
    assert (found["toy"]["outcome"], found["toy"]["said"]) == ("ok", "said 'squeak: it'")
    listed = openfaze(imports, "pull", OPENFAZE_WEIGHTS_DIR=str(tmp_path)).stdout.splitlines()
    assert listed[listed.index("toy") + 1].split() == ["squeaker", "1", "MB", "MIT", "missing", "squeaks"]
