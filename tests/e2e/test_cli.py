"""The command `openfaze`, as an operator calls it."""

import contextlib
import json
import os
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from app import telemetry
from app.cli.main import cli
from app.settings import Settings
from models.catalog import CATALOG
from tests.conftest import each_case
from tests.kit.processes.forked import stem
from tests.kit.servers.server import IMPORTS, SERVE

WEIGHTS = "weights"
WIDTH = 100
ENVIRONMENT = {
    # With this environment's programs, so that commands are printed in their short form.
    "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
    "OPENFAZE_WEIGHTS_DIR": WEIGHTS,
    "COLUMNS": str(WIDTH),
}


def openfaze(
    *arguments: str, folder: Path, stdin: str | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **ENVIRONMENT, **variables}
    return stem(IMPORTS).run(SERVE, *arguments, env=env, cwd=folder, stdin=stdin)


def openfaze_here(*arguments: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The same in this process, which has long imported everything: for what takes no time but that."""
    # How this process logs stays as it is; before its first server, it would log to stdout.
    with contextlib.chdir(folder), structlog.testing.capture_logs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry, "configure_logging", lambda *_: None)
        result = CliRunner().invoke(cli, arguments, env={**ENVIRONMENT, **variables})
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def off_but(*capabilities: str) -> dict[str, str]:
    """Variables that turn all others off."""
    others = CATALOG.keys() & Settings.model_fields.keys() - set(capabilities)
    return {f"OPENFAZE_{name.upper()}": "off" for name in others}


QUICK_TO_TRY = ("ocr", "embedding", "text_guard", "image_guard", "object_detection")


def test_doctor_tries_what_is_there_and_says_what_is_missing(tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path, **off_but(*QUICK_TO_TRY), OPENFAZE_BROWSER="off")
    assert result.returncode == 0, result.stdout + result.stderr
    table, remedies = result.stdout.split("\n\n", 2)[1:]
    rows = {row.split()[1]: " ".join(row.split()) for row in re.split(r"\n(?=\S)", table)}
    assert set(rows) == {*CATALOG, "web_search", "browser"}
    for part in ("ok ocr pp-ocrv6-small read 'openfaze 2026'", "Apache-2.0; inside 'rapidocr'"):
        assert part in rows["ocr"]
    assert "violence by openfaze a murder 0.9" in rows["text_guard"]
    assert rows["object_detection"].startswith("ok object_detection fastestdet found a stop sign")
    assert rows["browser"] == "off browser – OPENFAZE_BROWSER=off"
    assert max(map(len, table.splitlines())) <= WIDTH
    assert "\n\nimage_guard: Run `openfaze pull nsfw-vit`" in remedies
    assert f"weights in {WEIGHTS}: none" in remedies


def test_doctor_tells_programs_what_serves_where_weights_lie_and_what_is_wrong_with_them(
    tmp_path: Path,
) -> None:
    def examined(**chosen: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
        only = {**off_but("object_detection"), **chosen, "OPENFAZE_SEARCH_PROVIDER": "off", "OPENFAZE_BROWSER": "off"}
        result = openfaze("doctor", "--json", folder=tmp_path, **only)
        report = json.loads(result.stdout)
        return result.returncode, report, {one["capability"]: one for one in report["capabilities"]}

    status, report, found = examined()
    assert (status, report["ok"]) == (0, True)
    assert found["object_detection"]["said"].startswith("found a stop sign")
    assert report["weights"] == []
    (tmp_path / WEIGHTS).mkdir()
    (tmp_path / WEIGHTS / "rf-detr-seg-small.onnx").write_bytes(b"not it")
    status, report, found = examined(OPENFAZE_OBJECT_DETECTION="rf-detr-seg-small")
    assert report["weights"] == [{"name": "rf-detr-seg-small", "missing_files": []}]
    assert (status, report["ok"]) == (1, False)
    assert found["object_detection"]["outcome"] == "failed"
    assert "did not load" in found["object_detection"]["said"]


def test_pull_lists_the_weights_with_their_sizes_licences_and_purposes(tmp_path: Path) -> None:
    result = openfaze_here("pull", folder=tmp_path)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[:3] == [f"Weights in {WEIGHTS} (OPENFAZE_WEIGHTS_DIR):", "", "ocr"]
    [row] = [line.split("  ") for line in lines if line.startswith("  whisper-small ")]
    assert [cell.strip() for cell in row if cell] == [
        "whisper-small",
        "486 MB",
        "MIT",
        "missing",
        "100 languages, and into English",
    ]


def test_a_command_that_listens_nowhere_needs_no_keys_where_a_server_would(tmp_path: Path) -> None:
    """As in a container of the image, which says the host: `docker run openfaze openfaze pull gpu`."""
    result = openfaze_here("pull", folder=tmp_path, OPENFAZE_HOST="0.0.0.0")
    assert (result.returncode, result.stderr) == (0, "")


@each_case(
    "command",
    ["serve", "doctor", "pull", "install", "keys", "keys add", "keys list", "keys remove"],
)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    assert openfaze_here(*command.split(), "--help", folder=tmp_path).returncode == 0
