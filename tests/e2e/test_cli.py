"""The command `openfaze`, as an operator calls it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.catalog import CATALOG


def openfaze(*arguments: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        env={**os.environ, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_doctor_tries_what_is_there_and_says_what_is_missing(tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path)
    assert result.returncode == 0, result.stdout
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert set(lines) == set(CATALOG)
    for part in ("pp-ocrv6-small", "Apache-2.0", "inside the package 'rapidocr'", "ok: read 'openfaze 2026'"):
        assert part in lines["ocr"]
    assert "no engine" in lines["object_detection"]


def test_doctor_names_the_command_that_provides_a_chosen_engine(tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path, OPENFAZE_OCR="pp-ocrv6-medium")
    assert "Run `openfaze pull pp-ocrv6-medium`." in result.stdout


def test_pull_lists_the_weights_with_their_licences(tmp_path: Path) -> None:
    result = openfaze("pull", folder=tmp_path)
    assert result.returncode == 0
    [row] = [line for line in result.stdout.splitlines() if line.startswith("pp-ocrv6-medium")]
    assert row.split() == ["pp-ocrv6-medium", "Apache-2.0", "missing"]


def test_pull_refuses_a_name_it_does_not_know(tmp_path: Path) -> None:
    result = openfaze("pull", "crystal-ball", folder=tmp_path)
    assert result.returncode == 2
    assert "no weights 'crystal-ball'; there are:" in result.stderr


@pytest.mark.parametrize("command", ["serve", "doctor", "pull"])
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    assert openfaze(command, "--help", folder=tmp_path).returncode == 0
