"""The command `openfaze`, as an operator calls it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.catalog import CATALOG

WEIGHTS = "weights"


def openfaze(*arguments: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        env={**os.environ, "OPENFAZE_AUTO_PULL": "0", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_doctor_tries_what_is_there_and_says_what_is_missing(tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path)
    assert result.returncode == 0, result.stdout
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert set(lines) >= set(CATALOG)
    for part in ("pp-ocrv6-small", "Apache-2.0", "inside the package 'rapidocr'", "ok: read 'openfaze 2026'"):
        assert part in lines["ocr"]
    assert "Run `openfaze pull fastestdet`, or put https://" in lines["object_detection"]
    assert f"weights in {WEIGHTS}: none" in result.stdout


def test_doctor_shows_the_weights_that_are_there_and_what_is_wrong_with_them(tmp_path: Path, shared: Path) -> None:
    result = openfaze("doctor", folder=tmp_path, OPENFAZE_WEIGHTS_DIR=str(shared / "weights"))
    assert result.returncode == 0, result.stdout
    assert "ok: found a stop sign" in result.stdout
    assert "fastestdet (1.0 MB)" in result.stdout
    (tmp_path / WEIGHTS).mkdir()
    (tmp_path / WEIGHTS / "fastestdet.onnx").write_bytes(b"not it")
    result = openfaze("doctor", folder=tmp_path)
    assert result.returncode == 1
    assert "is not loaded" in " ".join(result.stdout.split())


def test_doctor_names_the_command_that_provides_a_chosen_engine(tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path, OPENFAZE_OCR="pp-ocrv6-medium")
    assert "Run `openfaze pull pp-ocrv6-medium`." in result.stdout


def test_pull_lists_the_weights_with_their_licences(tmp_path: Path) -> None:
    result = openfaze("pull", folder=tmp_path)
    assert result.returncode == 0
    [row] = [line for line in result.stdout.splitlines() if line.startswith("pp-ocrv6-medium")]
    assert row.split() == ["pp-ocrv6-medium", "Apache-2.0", "missing"]


def test_pull_of_a_capability_checks_what_a_copied_folder_holds(tmp_path: Path, shared: Path) -> None:
    shutil.copytree(shared / "weights", tmp_path / WEIGHTS, copy_function=shutil.copyfile)
    for _ in range(2):
        result = openfaze("pull", "object_detection", folder=tmp_path)
        assert result.returncode == 0, result.stderr
        assert f"fastestdet is in {WEIGHTS}, every file with its checksum" in result.stderr


def test_pull_says_what_it_could_not_fetch_and_where_it_belongs(tmp_path: Path) -> None:
    # A proxy that is not there: nothing leaves this machine.
    result = openfaze("pull", "fastestdet", folder=tmp_path, HTTPS_PROXY="http://127.0.0.1:9", ALL_PROXY="")
    assert result.returncode == 2
    for part in ("Could not fetch https://raw.githubusercontent.com/", "sha256 31cb14c0", f"{WEIGHTS}/fastestdet.onnx"):
        assert part in result.stderr


def test_pull_refuses_a_name_it_does_not_know(tmp_path: Path) -> None:
    result = openfaze("pull", "crystal-ball", folder=tmp_path)
    assert result.returncode == 2
    assert "no weights 'crystal-ball'; there are:" in result.stderr


@pytest.mark.parametrize("command", ["serve", "doctor", "pull"])
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    assert openfaze(command, "--help", folder=tmp_path).returncode == 0
