"""The Python that `make` finds: of several on a machine, and where there is none."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.project.test_locks import PROMISED

FINDER = ROOT / "requirements" / "python"


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def python(folder: Path, name: str, minor: int, missing: str = "") -> None:
    """This Python, which says that it is 3.`minor`, and has no module `missing`."""
    before = f"import sys; sys.version_info = (3, {minor}, 1); sys.modules[{missing!r}] = None"
    program(
        folder,
        name,
        f'if test "$1" = --version; then echo Python 3.{minor}.1; exit; fi\n'
        f'{shlex.quote(sys.executable)} -c {shlex.quote(before)}"; $2" "$3"',
    )


def found(folder: Path, *named: str) -> tuple[int, str, str]:
    """Exit status, output and error of the finder on a machine that has nothing but what is in `folder`."""
    done = subprocess.run(
        ["/bin/sh", FINDER, *named], env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_it_accepts_what_the_distribution_promises(tmp_path: Path) -> None:
    accepted = []
    for minor in range(9, 18):
        python(tmp_path, "python3", minor)
        if found(tmp_path)[0] == 0:
            accepted.append(f"3.{minor}.1")
    assert accepted == [f"3.{minor}.1" for minor in range(9, 18) if f"3.{minor}.1" in PROMISED]
    assert accepted[-1] == "3.14.1"


@pytest.mark.parametrize(
    ("installed", "best"),
    [
        ({"python3": 10, "python3.11": 11, "python3.12": 12}, "python3.12"),
        ({"python3": 14, "python3.13": 13}, "python3.13"),
        ({"python3": 15, "python3.14": 14}, "python3.14"),
    ],
)
def test_the_best_of_several_is_found(installed: dict[str, int], best: str, tmp_path: Path) -> None:
    for name, minor in installed.items():
        python(tmp_path, name, minor)
    assert found(tmp_path) == (0, best, "")


def test_what_cannot_make_environments_is_passed_over(tmp_path: Path) -> None:
    python(tmp_path, "python3", 13, missing="ensurepip")
    python(tmp_path, "python3.11", 11)
    assert found(tmp_path) == (0, "python3.11", "")


def test_one_that_is_named_is_taken_or_refused(tmp_path: Path) -> None:
    python(tmp_path, "python3", 12)
    python(tmp_path, "mine", 14)
    python(tmp_path, "old", 10)
    assert found(tmp_path, "mine") == (0, "mine", "")
    status, output, error = found(tmp_path, "old")
    assert (status, output) == (1, "")
    assert "Python 3.10.1" in error


@pytest.mark.parametrize(
    ("installer", "says", "remedy"),
    [
        ("brew", "", "brew install python@3.13"),
        ("apt-cache", 'test "$2" = python3.12-venv', "sudo apt-get install python3.12-venv"),
        (
            "apt-cache",
            "exit 100",
            "curl -LsSf https://astral.sh/uv/install.sh | sh && ~/.local/bin/uv python install 3.13",
        ),
    ],
)
def test_where_there_is_none_one_command_is_named(installer: str, says: str, remedy: str, tmp_path: Path) -> None:
    program(tmp_path, installer, says)
    status, output, error = found(tmp_path)
    assert (status, output) == (1, "")
    assert re.findall(r"^    (.+)$", error, re.MULTILINE) == [remedy]
