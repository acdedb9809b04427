"""The locks, and the Pythons that they are for."""

import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

PROMISED = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
PYTHONS = [f"3.{minor}.{patch}" for minor in range(20) for patch in (2, 30) if f"3.{minor}.{patch}" in PROMISED]
"""An early and a late release of each; Debian 12 has 3.11.2."""
SERVED = ("embedded", "gpu", "weights", "build")
"""The locks of what serves, in place or in an image."""
OF_TESTS = ("dev", "client")


def pins(lock: str) -> list[Requirement]:
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    return [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]


def versions(lock: str, python: str) -> dict[str, set[str]]:
    """What is installed on Linux by each package's name."""
    environment = {"python_full_version": python, "python_version": python.rpartition(".")[0], "sys_platform": "linux"}
    found: dict[str, set[str]] = defaultdict(set)
    for pin in pins(lock):
        if pin.marker is None or pin.marker.evaluate(environment):
            found[pin.name].add(str(pin.specifier))
    return found


@pytest.mark.parametrize("lock", [*SERVED, *OF_TESTS])
def test_each_python_that_is_promised_gets_the_same_versions(lock: str) -> None:
    assert PYTHONS == ["3.11.2", "3.11.30", "3.12.2", "3.12.30", "3.13.2", "3.13.30"]
    by_name: dict[str, set[str]] = defaultdict(set)
    for python in PYTHONS:
        for name, found in versions(lock, python).items():
            by_name[name] |= found
    assert by_name
    assert {name: sorted(found) for name, found in by_name.items() if len(found) > 1} == {}


def test_documents_promise_the_pythons_of_the_project_and_no_other() -> None:
    for file in ("README.md", "docs/index.md"):
        assert "Python 3.11, 3.12 or 3.13 is all you need" in (ROOT / file).read_text()
    for file in ("CONTRIBUTING.md", "Makefile"):
        assert "Python 3.11 to 3.13" in (ROOT / file).read_text()
    [image] = re.findall(r"^ARG PYTHON_IMAGE=python:(3\.\d+)-", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert image in ("3.11", "3.13"), "one of those that the tests run on"


@pytest.mark.parametrize("version", ["3.10.9", "3.14.0"])
def test_make_names_the_pythons_that_will_do(version: str, tmp_path: Path) -> None:
    python = tmp_path / "another"
    pretended = f"import sys; sys.version_info = ({version.replace('.', ', ')}); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{pretended}" "$2"\n')
    python.chmod(0o755)
    environment = tmp_path / "venv"
    command = ["make", f"{environment}/.ready", f"CLIENT_VENV={environment}", f"PYTHON={python}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    short = version.rpartition(".")[0]
    assert result.stderr.splitlines()[0] == (
        f"openfaze runs on Python 3.11 to 3.13, and {python} is {short}: "
        "name another, as in `make run PYTHON=python3.13`"
    )
    assert not environment.exists()
