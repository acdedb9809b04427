"""What killed tests of containers have left goes when the next ones start, and nothing else does."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import containers
from tests.containers import PROJECT, left_by_killed, podman, project_name


def ended() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def own_podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Podman with a storage of its own and, where it creates none, no test."""
    if shutil.which("podman") is None:
        pytest.skip("needs podman")
    monkeypatch.setattr(containers, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(containers, "_settings", containers._settings.__wrapped__)
    if (made := podman("network", "create", f"{project_name()}_tried", check=False)).returncode:
        pytest.skip(f"podman creates no network here: {made.stderr.strip()}")
    yield
    for name in podman("network", "ls", "--format={{.Name}}").stdout.split():
        if name.startswith(f"{PROJECT}{os.getpid()}-"):
            podman("network", "rm", name)


def test_only_what_ended_processes_have_made_was_left() -> None:
    killed = f"{PROJECT}{ended()}-0123abcd"
    mine = [f"{killed}_default", f"{killed}-openfaze-1"]
    others = [
        f"{project_name()}_default",
        "podman",
        "openfaze-test-site",
        f"my-{killed}_default",
        killed,
        "openfaze_default",
    ]
    assert left_by_killed([*others, *mine]) == mine


@pytest.mark.usefixtures("own_podman")
def test_networks_of_killed_tests_go() -> None:
    killed, running = f"{PROJECT}{ended()}-0123abcd_default", f"{project_name()}_default"
    for name in (killed, running):
        podman("network", "create", name)
    containers.clear_leftovers.__wrapped__()
    assert podman("network", "exists", killed, check=False).returncode == 1
    assert podman("network", "exists", running, check=False).returncode == 0
