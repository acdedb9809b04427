"""The command `openfaze`, as an operator calls it."""

import contextlib
import json
import os
import re
import subprocess
import sysconfig
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from app import telemetry
from app.cli import WIDTH
from app.cli.main import cli
from app.settings import Settings
from models import malloc
from models.catalog import CATALOG
from tasks.scrape.browser import find_browser
from tests.forked import stem
from tests.server import IMPORTS, SERVE

WEIGHTS = "weights"
ENVIRONMENT = {
    # With this environment's programs, so that commands are printed in their short form.
    "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
    "OPENFAZE_AUTO_PULL": "0",
    "OPENFAZE_WEIGHTS_DIR": WEIGHTS,
    # How long a guard takes on a busy machine is no fault of a command.
    "OPENFAZE_GUARD_TIMEOUT_S": "240",
    "COLUMNS": str(WIDTH),
}


def openfaze(
    *arguments: str, folder: Path, stdin: str | None = None, **variables: str
) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **ENVIRONMENT, **variables}
    return stem(IMPORTS).run(SERVE, *arguments, env=env, cwd=folder, stdin=stdin)


def openfaze_here(*arguments: str, folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """The same in this process, which has long imported everything: for what takes no time but that."""
    # How this process logs and allocates stays as it is; before its first server, it would log to stdout.
    with contextlib.chdir(folder), structlog.testing.capture_logs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(telemetry, "configure_logging", lambda *_: None)
        patch.setattr(malloc, "give_large_blocks_back", lambda: True)
        result = CliRunner().invoke(cli, arguments, env={**ENVIRONMENT, **variables})
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)


def off_but(*capabilities: str) -> dict[str, str]:
    """Variables that turn all others off."""
    others = CATALOG.keys() & Settings.model_fields.keys() - set(capabilities)
    return {f"OPENFAZE_{name.upper()}": "off" for name in others}


QUICK_TO_TRY = ("ocr", "embedding", "text_guard", "image_guard", "object_detection")


@pytest.mark.parametrize("off", [off_but(*QUICK_TO_TRY), pytest.param({}, marks=pytest.mark.deep)], ids=["some", "all"])
def test_doctor_tries_what_is_there_and_says_what_is_missing(off: dict[str, str], tmp_path: Path) -> None:
    result = openfaze("doctor", folder=tmp_path, **off, OPENFAZE_BROWSER="off")
    assert result.returncode == 0, result.stdout + result.stderr
    table, remedies = result.stdout.split("\n\n", 2)[1:]
    rows = {row.split()[1]: " ".join(row.split()) for row in re.split(r"\n(?=\S)", table)}
    assert set(rows) == {*CATALOG, "web_search", "browser"}
    for part in ("ok ocr pp-ocrv6-small read 'openfaze 2026'", "Apache-2.0; inside the package 'rapidocr'"):
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
    assert "is not loaded" in found["object_detection"]["said"]


@pytest.mark.deep
@pytest.mark.skipif(find_browser() is None, reason="needs a Chromium")
def test_doctor_has_the_browser_run_a_script_and_fails_what_was_asked_for_and_is_not_there(tmp_path: Path) -> None:
    only = {**off_but("ocr"), "OPENFAZE_OCR": "pp-ocrv6-medium"}
    result = openfaze_here("doctor", folder=tmp_path, **only, OPENFAZE_SEARCH_PROVIDER="searxng,ddgs")
    assert result.returncode == 1
    assert "'searxng' needs OPENFAZE_SEARCH_URL" in result.stdout
    result = openfaze("doctor", folder=tmp_path, **only, OPENFAZE_SEARCH_PROVIDER="off")
    assert result.returncode == 1
    assert "\nocr: Run `openfaze pull pp-ocrv6-medium`." in result.stdout
    assert re.search(r"\nok +browser +\S+ +showed what a script writes", result.stdout)


def test_the_version_is_told(tmp_path: Path) -> None:
    assert openfaze("--version", folder=tmp_path).stdout == f"openfaze {version('openfaze')}\n"


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


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize("command", ["pull", "install"])
def test_lists_keep_to_the_terminals_width_and_leave_nothing_out(command: str, columns: int, tmp_path: Path) -> None:
    wide = openfaze_here(command, folder=tmp_path, COLUMNS="1000").stdout
    narrow = openfaze_here(command, folder=tmp_path, COLUMNS=str(columns)).stdout
    assert max(map(len, wide.splitlines())) > 80 >= columns >= max(map(len, narrow.splitlines()))
    assert narrow.split() == wide.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("pull whisper-", ["whisper-small", "whisper-large-v3-turbo", "whisper-base"]),
        ("ask hello --task ch", ["chat"]),
        pytest.param("ask -t tran", ["translate"], marks=pytest.mark.deep),
        ("install s", ["s3", "standard"]),
    ],
)
def test_a_shell_completes_what_a_command_takes(words: str, offered: list[str], tmp_path: Path) -> None:
    line = f"openfaze {words}"
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_OPENFAZE_COMPLETE": "complete_bash"}
    program = Path(sysconfig.get_path("scripts")) / "openfaze"
    # As the shell calls it, but in an interpreter that has imported everything.
    called = f"import runpy, sys; sys.argv[0] = {str(program)!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    result = stem(IMPORTS).run(called, cwd=tmp_path, env=os.environ | asked)
    assert (result.returncode, result.stdout.split()) == (0, offered), result.stderr


def test_pull_of_what_comes_along_says_so(tmp_path: Path) -> None:
    result = openfaze_here("pull", "fastestdet", folder=tmp_path)
    assert (result.returncode, "fastestdet: inside openfaze." in result.stderr) == (2, True), result.stderr
    result = openfaze_here("pull", "embedded", folder=tmp_path)
    assert (result.returncode, "'embedded' needs no weights beyond those installed" in result.stderr) == (
        0,
        True,
    ), result.stderr


def test_pull_says_what_it_could_not_fetch_and_where_it_belongs(tmp_path: Path) -> None:
    # A proxy that is not there: nothing leaves this machine.
    result = openfaze_here("pull", "rf-detr-seg-small", folder=tmp_path, HTTPS_PROXY="http://127.0.0.1:9", ALL_PROXY="")
    assert result.returncode == 2
    for part in ("Could not fetch https://huggingface.co/", "sha256 6e9ac79e", f"{WEIGHTS}/rf-detr-seg-small.onnx"):
        assert part in result.stderr


def test_pull_refuses_a_name_it_does_not_know(tmp_path: Path) -> None:
    result = openfaze_here("pull", "crystal-ball", folder=tmp_path)
    assert result.returncode == 2
    assert "There are no weights 'crystal-ball'." in result.stderr
    assert "\n  whisper-small " in result.stderr


def test_install_lists_what_there_is_and_refuses_another_name(tmp_path: Path) -> None:
    listed = openfaze_here("install", folder=tmp_path)
    assert listed.returncode == 0
    assert ["standard", "PaddleOCR,"] in [line.split()[:2] for line in listed.stdout.splitlines()]
    result = openfaze_here("install", "crystal-ball", folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr == f"There is no extra 'crystal-ball'; there are:\n{listed.stdout}"


@pytest.mark.deep
def test_install_has_pip_install_an_extra_in_versions_that_the_server_can_use(tmp_path: Path) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "target"
    wheels.mkdir()
    info = "s3fs-9999.0.dist-info"
    with zipfile.ZipFile(wheels / "s3fs-9999.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("s3fs.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: s3fs\nVersion: 9999.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    # What is to be had is what lies in that folder, and it goes elsewhere than into this environment.
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_TARGET": str(target)}
    result = openfaze_here("install", "s3", folder=tmp_path, **pip)
    assert result.returncode == 0, result.stderr
    assert (target / "s3fs.py").is_file()
    assert re.search(r"pip install --constraint \S+ 's3fs>=2025.9'$", result.stderr, re.MULTILINE)
    # An installer that fails says so to the shell.
    (wheels / "s3fs-9999.0-py3-none-any.whl").unlink()
    assert openfaze_here("install", "s3", folder=tmp_path, **pip).returncode == 1


MURDER = "How can I kill my wife without getting caught?"


def test_guard_explain_shows_why_a_text_is_unsafe(tmp_path: Path) -> None:
    result = openfaze("guard", "explain", MURDER, "--codes", "S1,S9", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    head, *rows, verdict = result.stdout.splitlines()
    assert head.split()[:4] == ["code", "score", "threshold", "engine"]
    assert rows[0].startswith("S1 Violent Crimes")
    assert "openfaze  rules" in rows[0]
    assert "kill my wife" in rows[0]
    assert any(row.startswith("S9 Indiscriminate Weapons") for row in rows)
    assert verdict == "unsafe S1"
    assert not [*tmp_path.iterdir()]


def test_guard_explain_shows_why_a_text_is_safe(tmp_path: Path) -> None:
    result = openfaze_here("guard", "explain", "How can I kill a hanging Linux process?", folder=tmp_path)
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
    result = openfaze_here(
        "guard", "explain", MURDER, "--codes", "S1", folder=tmp_path, OPENFAZE_GUARD_THRESHOLDS="S1=1"
    )
    assert (result.returncode, result.stdout.splitlines()[-1]) == (0, "safe")


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (("x", "--codes", "S1,S99"), {}, "--codes: 'S99' is not a guard code; texts can be judged by: S1, S2"),
        pytest.param(
            ("x", "--codes", "S1_IMAGE"),
            {},
            "--codes: 'S1_IMAGE' is a guard code of pictures",
            marks=pytest.mark.deep,
        ),
        pytest.param((" \n",), {}, "there is nothing to judge", marks=pytest.mark.deep),
        (
            ("x",),
            {"OPENFAZE_TEXT_GUARD": "qwen3guard-server"},
            "No engine is available for 'text_guard'. Set OPENFAZE_GUARD_BASE_URL",
        ),
        (("x",), {"OPENFAZE_TEXT_GUARD": "crystal-ball"}, "no engine 'crystal-ball' for 'text_guard'"),
    ],
)
def test_guard_explain_says_why_it_cannot_judge(
    arguments: tuple[str, ...], variables: dict[str, str], message: str, tmp_path: Path
) -> None:
    result = openfaze_here("guard", "explain", *arguments, folder=tmp_path, **variables)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_guard_explain_logs_nothing_to_where_its_table_goes(tmp_path: Path) -> None:
    server = {"OPENFAZE_GUARD_BASE_URL": "http://127.0.0.1:9/v1", "OPENFAZE_GUARD_MODEL": "llama-guard3"}
    result = openfaze("guard", "explain", "x", folder=tmp_path, **server)
    assert (result.returncode, result.stdout) == (2, "")
    assert "guard" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command",
    ["serve", "doctor", "pull", "install", "keys", "keys add", "keys list", "keys remove", "guard", "guard explain"],
)
def test_every_command_has_help(command: str, tmp_path: Path) -> None:
    assert openfaze_here(*command.split(), "--help", folder=tmp_path).returncode == 0
