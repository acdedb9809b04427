"""The first five minutes, as README.md has them: a clone, `make run`, a click.

It fetches what a newcomer fetches, 830 MB, into an environment of its own.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import needs_browser
from tests.fences import ROOT, fences
from tests.playground import Playground, watched
from tests.server import held_port

LIMIT_S = 1500
pytestmark = [
    needs_browser,
    pytest.mark.deep,
    pytest.mark.timeout(LIMIT_S + 200),
    pytest.mark.skipif(not (shutil.which("git") and shutil.which("make")), reason="needs git and make"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout, to clone it"),
]


def newcomers() -> dict[str, str]:
    """The variables of somebody who has nothing of ours set."""
    ours = ("OPENFAZE_", "PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS", "GIT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@contextlib.contextmanager
def running(command: str, clone: Path, log: Path) -> Iterator[str]:
    """`command` in a shell until the block ends; the address that it serves on."""
    with held_port() as port, log.open("wb") as said:
        variables = newcomers() | {"OPENFAZE_PORT": str(port), "OPENFAZE_AUTO_PULL": "0"}
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=clone, env=variables, stdout=said, stderr=said, start_new_session=True
        )
        address = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + LIMIT_S
            while f"serves on {address}" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.5)
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def test_a_clone_serves_and_shows_the_words_of_a_receipt(browser: Browser, tmp_path: Path) -> None:
    command = next(fences(ROOT / "README.md")).code.strip()
    assert command == "make run"
    clone, log = tmp_path / "openfaze", tmp_path / "log"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], env=newcomers(), check=True)
    with running(command, clone, log) as address, watched(browser, address) as page:
        assert httpx.get(f"{address}/ready", trust_env=False).json()["status"] == "ready"
        playground = Playground(page, address)
        playground.open()
        page.get_by_role("button", name="Receipt: read it").click()
        playground.done()
        assert "Corner Bakery" in playground.part("answer").inner_text()
        assert len(playground.polygons("word")) > 40
    assert "Setting up openfaze, this once" in log.read_text()
    # What the first start leaves is nothing that git would take for a change.
    status = subprocess.run(["git", "status", "--short"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""
    # 1.7 GB, which pytest would keep for three runs.
    shutil.rmtree(clone)
