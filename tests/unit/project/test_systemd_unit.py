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

MAX_EXPOSED = 3.0
"""Of 10: what `systemd-analyze security` says of an ordinary service is above 9."""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("names", [["openfaze.service"], ["openfaze-folder.service", "openfaze-folder.timer"]])
def test_systemd_understands_every_line_and_calls_it_confined(names: list[str], tmp_path: Path) -> None:
    for name in names:
        # The program is not installed here.
        there = (ROOT / "deploy" / name).read_text().replace("/opt/openfaze/bin/openfaze", sys.executable)
        (tmp_path / name).write_text(there)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in names)], capture_output=True, text=True
    )
    # What it says of other units of this machine does not count.
    said = [line for line in verified.stderr.splitlines() if any(name in line for name in names)]
    assert (said, verified.returncode) == ([], 0)
    exposure = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", tmp_path / names[0]], capture_output=True, text=True
    ).stdout
    found = re.search(rf"Overall exposure level for {names[0]}: ([\d.]+)", exposure)
    assert found is not None, exposure
    assert float(found[1]) <= MAX_EXPOSED


def test_its_settings_are_settings_and_lie_where_it_may_write() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read(ROOT / "deploy" / "openfaze.service")
    service = unit["Service"]
    given = dotenv_values(ROOT / "deploy" / "openfaze.env")
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert given.keys() <= known
    state = f"/var/lib/{service['StateDirectory']}"
    assert service["WorkingDirectory"] == state
    places = [value for name, value in given.items() if name.endswith(("_DIR", "_FILE"))]
    assert len(places) == 3
    assert [place for place in places if not str(place).startswith(f"{state}/")] == []
