"""What is installed without a clone: the wheel and the source distribution hold all that the code opens."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from tests.kit.project.fences import ROOT

PACKAGES = ("app", "tasks", "models")
BUILD = """
import sys
from hatchling.build import build_sdist, build_wheel

print(build_wheel(sys.argv[1]))
print(build_sdist(sys.argv[1]))
"""
"""What pip and `python -m build` call."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A wheel and a source distribution of what git has of this checkout."""
    folder, clone = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("clone")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    pack = ["tar", "--create", "--null", "--files-from=-", "--ignore-failed-read"]
    packed = subprocess.run(pack, cwd=ROOT, input=names, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract"], cwd=clone, input=packed, check=True)
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(folder)], cwd=clone, capture_output=True, text=True, check=True
    )
    wheel, source = built.stdout.splitlines()[-2:]
    return folder / wheel, folder / source


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return {name for name in listed.decode().split("\0") if name and (ROOT / name).exists()}


def test_the_wheel_holds_every_file_of_the_three_packages_and_none_besides(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        told = {PurePosixPath(name).name for name in wheel.namelist() if ".dist-info/" in name}
        differing = [name for name in held if wheel.read(name) != (ROOT / name).read_bytes()]
    assert held == tracked(*PACKAGES)
    assert differing == []
    assert {"METADATA", "LICENSE", "NOTICE", "entry_points.txt"} <= told


def test_the_source_distribution_holds_what_a_wheel_is_built_from(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[1]) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    assert tracked(*PACKAGES, "pyproject.toml", "README.md", "LICENSE", "NOTICE") <= held
