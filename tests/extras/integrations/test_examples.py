"""The frameworks that docs/integrations.md and docs/migrate.md show, for real: each prints what the page says.

`make extras` installs them. A fence `python integration` or `js integration` is executed in a folder that
holds `receipt.png`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.test_docs import ADDRESS, SAMPLE
from tests.kit.project.fences import ROOT, Fence, fences
from tests.kit.servers.server import Server

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


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_a_framework_prints_what_the_page_says(example: Fence, embedded_server: Server, tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path)
    code = example.code.replace(ADDRESS, embedded_server.base_url)
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
