"""How `openfaze doctor` shows what it finds."""

import json
from collections.abc import AsyncGenerator, Callable

import pytest

from app.calling import as_called_here
from app.cli import doctor
from app.cli.doctor import Finding
from app.settings import Settings

REMEDY = "Run `openfaze install gpu`, then put https://example.com/" + "weights/" * 20 + " (sha256 " + "0" * 64 + ")."
FOUND = [
    Finding("ocr", "ok", "pp-ocrv6-small", "MIT", "inside", "read 'x' " * 30, loaded_ms=2345, ran_ms=12),
    Finding("speech_to_text", "missing", "whisper-large-v3-turbo", "MIT", "elsewhere", said=REMEDY),
    Finding("browser", "off", said="OPENFAZE_BROWSER=off"),
]
BROKEN = Finding("llm", "failed", "x", said="It broke.")


def finds(monkeypatch: pytest.MonkeyPatch, *found: Finding) -> list[str]:
    """What is found instead of trying it; returns the names that are told while it is tried."""
    told: list[str] = []

    async def findings(_: Settings, trying: Callable[[str], None]) -> AsyncGenerator[Finding, None]:
        for finding in found:
            trying(finding.capability)
            told.append(finding.capability)
            yield finding

    monkeypatch.setattr(doctor, "_findings", findings)
    return told


async def examined(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[int, str]:
    status = await doctor.examine(Settings(_env_file=None), as_json=as_json)
    return status, capsys.readouterr().out


async def test_rows_begin_with_what_came_of_it_and_fit_a_hundred_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, *FOUND, BROKEN)
    status, text = await examined(capsys)
    head, table, *_ = text.split("\n\n")
    assert status == 1
    assert max(map(len, f"{head}\n{table}".splitlines())) <= 100
    firsts = [row.split()[0] for row in table.splitlines() if not row.startswith(" ")]
    assert firsts == ["ok", "missing", "off", "FAILED"]
    assert "loaded in 2.3 s, ran in 12 ms" in " ".join(table.split())


async def test_what_is_to_be_done_stands_below_in_one_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finds(monkeypatch, *FOUND, BROKEN)
    status, text = await examined(capsys)
    assert status == 1
    assert f"\nspeech_to_text: {as_called_here(REMEDY)}\n" in text
    assert "\nllm: It broke.\n" in text
    assert "\n1 ok, 1 missing, 1 failed, 1 off\n" in text


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
async def test_colours_and_progress_are_for_terminals(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
    no_color: str,
    coloured: bool,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", no_color)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    finds(monkeypatch, *FOUND)
    _, text = await examined(capsys)
    assert ("\x1b[32mok" in text) is coloured
    assert ("trying ocr" in text) is is_terminal


@pytest.mark.parametrize(("found", "status"), [(FOUND, 0), ([*FOUND, BROKEN], 1)])
async def test_programs_get_the_same_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, found: list[Finding], status: int
) -> None:
    finds(monkeypatch, *found)
    left, text = await examined(capsys, as_json=True)
    report = json.loads(text)
    assert (left, report["ok"]) == (status, status == 0)
    assert [(one["capability"], one["outcome"]) for one in report["capabilities"]] == [
        (finding.capability, finding.outcome) for finding in found
    ]
    assert report["capabilities"][1]["said"] == REMEDY
