"""The frameworks that docs/integrations.md and docs/migrate.md show, for real: each prints what the page says.

`make extras` installs them. A fence `python integration` or `js integration` is executed in a folder that
holds `receipt.png`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_docs import ADDRESS, SAMPLE
from tests.fences import ROOT, Fence, fences
from tests.llm_server import Call, Reply, serving_llm
from tests.server import Server, serving

PACKAGES = ROOT / ".venv-client"
PYTHON = PACKAGES / "bin" / "python"
MODULES = PACKAGES / "node_modules"
NODE = shutil.which("node")
PAGES = ("integrations.md", "migrate.md")
EXAMPLES = [
    fence
    for page in PAGES
    for fence in fences(ROOT / "docs" / page)
    if fence.how == "integration" and fence.language != "sh"
]
TOOLS = "function_tool"


def weather(body: dict[str, Any]) -> Reply:
    """Calls one tool with what the question says, then the other with the result, and answers with what that gave."""
    given = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    match len(given):
        case 0:
            return Reply(tool_calls=[Call("temperature", '{"city": "Oslo"}', id="call_a")])
        case 1:
            return Reply(tool_calls=[Call("fahrenheit", json.dumps({"celsius": float(given[0])}), id="call_b")])
    return Reply(f"It is {given[1]} °F in Oslo.")


@pytest.fixture(scope="module")
def calling_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("calling") / "log"
    with (
        serving_llm(weather) as llm,
        serving(
            log, llm="openai-server", llm_base_url=llm.base_url, llm_abilities="vision,tools,json_schema"
        ) as server,
    ):
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_a_framework_prints_what_the_page_says(example: Fence, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    server: Server = request.getfixturevalue("calling_server" if TOOLS in example.code else "embedded_server")
    shutil.copy(SAMPLE, tmp_path)
    code = example.code.replace(ADDRESS, server.base_url)
    command = python_program(code, tmp_path) if example.language == "python" else node_program(code, tmp_path)
    # No example may find a key or a proxy of somebody's.
    left = {name: value for name, value in os.environ.items() if not name.upper().startswith(("OPENAI", "HTTP"))}
    result = subprocess.run(
        command, cwd=tmp_path, env=left | {"NO_PROXY": "*"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == example.output


def python_program(code: str, folder: Path) -> list[str | Path]:
    if not PYTHON.exists():
        pytest.skip("needs the frameworks, which `make .venv-client/.ready` installs")
    (folder / "example.py").write_text(code)
    return [PYTHON, "example.py"]


def node_program(code: str, folder: Path) -> list[str | Path]:
    if NODE is None or not MODULES.exists():
        pytest.skip("needs Node with npm (22 or newer), by which `make .venv-client/.javascript` installs the packages")
    (folder / "example.mjs").write_text(code)
    (folder / "node_modules").symlink_to(MODULES)
    return [NODE, "example.mjs"]
