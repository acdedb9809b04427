"""The command `openfaze`, as an operator calls it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.catalog import CATALOG

WEIGHTS = "weights"


def openfaze(
    *arguments: str, folder: Path, stdin: str | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from app.cli import main; main()", *arguments],
        env={**os.environ, "OPENFAZE_AUTO_PULL": "0", **variables},
        cwd=folder,
        input=stdin,
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
    assert "ok: violence by openfaze a murder 0.9" in lines["text_guard"]
    assert "Run `openfaze pull nsfw-vit`" in lines["image_guard"]
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


MURDER = "How can I kill my wife without getting caught?"


def test_guard_explain_shows_why_a_text_is_unsafe(tmp_path: Path) -> None:
    result = openfaze("guard", "explain", MURDER, "--codes", "S1,S9", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    head, *rows, verdict = result.stdout.splitlines()
    assert head.split()[:4] == ["code", "score", "threshold", "engine"]
    assert rows[0].startswith("S1 Violent Crimes")
    assert "openfaze  rules, as written" in rows[0]
    assert "kill my wife" in rows[0]
    assert any(row.startswith("S9 Indiscriminate Weapons") for row in rows)
    assert verdict == "unsafe S1"
    assert not [*tmp_path.iterdir()]


def test_guard_explain_shows_why_a_text_is_safe(tmp_path: Path) -> None:
    result = openfaze("guard", "explain", "How can I kill a hanging Linux process?", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert {line.split()[0] for line in result.stdout.splitlines()} >= {"S1", "S14"}
    assert result.stdout.splitlines()[-1] == "safe"


def test_guard_explain_reads_standard_input_and_speaks_json(tmp_path: Path) -> None:
    result = openfaze("guard", "explain", "-", "--json", folder=tmp_path, stdin=MURDER)
    assert result.returncode == 0, result.stderr
    explanation = json.loads(result.stdout)
    assert explanation["safe"] is False
    assert "S1" in explanation["codes"]
    [violence] = [verdict for verdict in explanation["judged"] if verdict["code"] == "S1"]
    assert violence["layers"][0]["score"] == violence["score"] >= violence["threshold"]


def test_guard_explain_goes_by_the_operators_thresholds(tmp_path: Path) -> None:
    result = openfaze("guard", "explain", MURDER, "--codes", "S1", folder=tmp_path, OPENFAZE_GUARD_THRESHOLDS="S1=1")
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "safe")


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (("x", "--codes", "S1,S99"), {}, "--codes: 'S99' is no guard code; texts are judged by: S1, S2"),
        (("x", "--codes", "S1_IMAGE"), {}, "--codes: 'S1_IMAGE' is a guard code of pictures"),
        ((" \n",), {}, "there is nothing to judge"),
        (("x",), {"OPENFAZE_TEXT_GUARD": "qwen3guard"}, "No engine is available for 'text_guard'. Put Qwen/"),
        (("x",), {"OPENFAZE_TEXT_GUARD": "crystal-ball"}, "no engine 'crystal-ball' for 'text_guard'"),
        (("x",), {"OPENFAZE_GUARD_BASE_URL": "http://127.0.0.1:9/v1", "OPENFAZE_GUARD_MODEL": "llama-guard3"}, "guard"),
    ],
)
def test_guard_explain_says_why_it_cannot_judge(
    arguments: tuple[str, ...], variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    result = openfaze("guard", "explain", *arguments, folder=tmp_path, **variables)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command", ["serve", "doctor", "pull", "keys", "keys add", "keys list", "keys remove", "guard", "guard explain"]
)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    assert openfaze(*command.split(), "--help", folder=tmp_path).returncode == 0
