"""deploy/openfaze.service is a unit that systemd takes, as confined as the container is, and agrees with the page and
with deploy/openfaze.env."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.settings import PREFIX, Settings
from tests.kit.project.fences import ROOT

UNIT = ROOT / "deploy" / "openfaze.service"
MAX_EXPOSED = 3.0
"""Of 10: what `systemd-analyze security` says of an ordinary service is above 9."""


@pytest.fixture(scope="module")
def service() -> "configparser.SectionProxy":
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(UNIT)
    return unit["Service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_every_line_and_calls_it_confined(tmp_path: Path) -> None:
    # The program is not installed here.
    there = UNIT.read_text().replace("/opt/openfaze/bin/openfaze", sys.executable)
    (tmp_path / UNIT.name).write_text(there)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name], capture_output=True, text=True
    )
    # What it says of other units of this machine does not count.
    said = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert (said, verified.returncode) == ([], 0)
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", tmp_path / UNIT.name], capture_output=True, text=True
    ).stdout
    found = re.search(r"Overall exposure level for openfaze.service: ([\d.]+)", exposure)
    assert found is not None, exposure
    assert float(found[1]) <= MAX_EXPOSED


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units_of_a_watched_folder(tmp_path: Path) -> None:
    units = [ROOT / "deploy" / f"openfaze-folder.{kind}" for kind in ("service", "timer")]
    for unit in units:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/openfaze/bin/openfaze", sys.executable))
    there = [tmp_path / unit.name for unit in units]
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", *there], capture_output=True, text=True)
    said = [line for line in verified.stderr.splitlines() if "openfaze-folder" in line]
    assert (said, verified.returncode) == ([], 0)
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", there[0]], capture_output=True, text=True
    ).stdout
    found = re.search(r"Overall exposure level for openfaze-folder.service: ([\d.]+)", exposure)
    assert found is not None, exposure
    assert float(found[1]) <= MAX_EXPOSED


def test_its_settings_are_settings_and_lie_where_it_may_write(service: "configparser.SectionProxy") -> None:
    given = dotenv_values(ROOT / "deploy" / "openfaze.env")
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert given.keys() <= known
    state = f"/var/lib/{service['StateDirectory']}"
    assert service["WorkingDirectory"] == state
    places = [value for name, value in given.items() if name.endswith(("_DIR", "_FILE"))]
    assert len(places) == 3
    assert [place for place in places if not str(place).startswith(f"{state}/")] == []
