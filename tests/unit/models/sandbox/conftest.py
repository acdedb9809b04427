"""Who runs scripts in the tests: root, and an ordinary user."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from models.sandbox.bubblewrap import missing
from tests.conftest import ROOT

USER = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")

TRIAL = """
import sys
from models.sandbox.bubblewrap import missing
sys.exit(missing())
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs a script: a Python with this project's packages, and what is put before it."""

    command: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*self.command, "-c", program, *arguments]
        return subprocess.run(command, env=dict(self.variables), cwd=ROOT, capture_output=True, text=True, check=False)


def an_ordinary_user() -> Caller:
    """Skips where that user may not run any Python of this version."""
    libraries = f"{sysconfig.get_path('purelib')}:{ROOT}"
    reason = "setpriv is not installed"
    for program in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        variables = {"PATH": os.environ["PATH"], "PYTHONPATH": libraries, "PYTHONDONTWRITEBYTECODE": "1"}
        caller = Caller((*USER, program), variables)
        try:
            tried = caller.run(TRIAL)
        except FileNotFoundError:
            break
        if tried.returncode == 0:
            return caller
        reason = (tried.stderr.splitlines() or ["no Python"])[-1]
    pytest.skip(f"user 65534 cannot make a sandbox here: {reason}")


@pytest.fixture(scope="module", params=["root", "an ordinary user"])
def caller(request: pytest.FixtureRequest) -> Caller:
    if remedy := missing():
        pytest.skip(remedy)
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("the tests do not run as root")
    if request.param == "root" or os.geteuid() != 0:
        return Caller((sys.executable,), os.environ)
    return an_ordinary_user()
