"""What `openfaze install` installs, and how."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

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
        self.constraints = ""

    def __call__(self, command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        self.commands.append(command)
        if "--constraint" in command:
            self.constraints = Path(command[command.index("--constraint") + 1]).read_text()
        return subprocess.CompletedProcess(command, self.statuses.pop(0))


def test_the_packages_with_weights_are_those_that_make_installs() -> None:
    listed = (ROOT / "requirements" / "weights.in").read_text().splitlines()
    names = {Requirement(line).name for line in listed if line and not line.startswith("#")}
    assert {Requirement(one).name for one in extras.PACKAGED_WEIGHTS} == names
    lock = (ROOT / "requirements" / "embedded.txt").read_text()
    pinned = dict(re.findall(r"^([\w-]+)==([^ ;]+)", lock, re.MULTILINE))
    assert all(Requirement(one).specifier.contains(pinned[Requirement(one).name]) for one in extras.PACKAGED_WEIGHTS)


@pytest.mark.parametrize("name", PROJECT["optional-dependencies"])
def test_an_extra_is_installed_within_the_versions_that_the_server_can_use(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(0, 0)
    monkeypatch.setattr(subprocess, "run", calls)
    assert extras.install(name) == 0
    command = calls.commands[0]
    assert command[:5] == [sys.executable, "-P", "-m", "pip", "install"]
    wanted = {Requirement(one).name.replace(".", "-") for one in PROJECT["optional-dependencies"][name]}
    assert {Requirement(one).name.replace(".", "-") for one in command[7:]} == wanted
    constrained = {Requirement(line).name for line in calls.constraints.splitlines()}
    assert {"fastapi", "numpy", "onnxruntime"} <= constrained
    assert not constrained & {"torch", "paddleocr"}


def test_the_onnxruntime_for_a_card_takes_the_place_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(0, 0)
    monkeypatch.setattr(subprocess, "run", calls)
    assert extras.install("cuda") == 0
    assert set(extras.CUDA_PACKAGES) <= set(calls.commands[0])
    assert "onnxruntime" in calls.constraints
    assert calls.commands[1][5:] == ["--force-reinstall", "--no-deps", "onnxruntime-gpu"]


def test_an_environment_without_pip_is_served_by_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
