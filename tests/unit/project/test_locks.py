"""The locks, and the Pythons that they are for."""

import re
import tomllib
from collections import defaultdict

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

PROMISED = SpecifierSet(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
PYTHONS = [f"3.{minor}.{patch}" for minor in range(20) for patch in (2, 30) if f"3.{minor}.{patch}" in PROMISED]
"""An early and a late release of each; Debian 12 has 3.11.2."""
SERVED = ("embedded", "gpu", "build")
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
@pytest.mark.parametrize("pythons", [PYTHONS[:-2], PYTHONS[-2:]], ids=["3.11 to 3.13", "3.14"])
def test_each_python_that_is_promised_gets_the_same_versions(lock: str, pythons: list[str]) -> None:
    """3.14 has later ones of some, which Python 3.11 or 3.12 cannot use."""
    assert [f"3.{minor}.{patch}" for minor in (11, 12, 13, 14) for patch in (2, 30)] == PYTHONS
    by_name: dict[str, set[str]] = defaultdict(set)
    for python in pythons:
        for name, found in versions(lock, python).items():
            by_name[name] |= found
    assert by_name
    assert {name: sorted(found) for name, found in by_name.items() if len(found) > 1} == {}
