"""Settings that commands read, and the variables that they accept besides."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import read_settings
from app.cli.main import cli


@pytest.fixture(autouse=True)
def with_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENFAZE_API_KEY", "k")


def test_the_key_for_a_server_is_no_misspelt_setting_of_other_commands() -> None:
    assert read_settings().api_keys == ()


def test_a_server_for_others_does_not_take_it_for_its_own_keys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(for_clients=True)
    assert "did you mean OPENFAZE_API_KEYS?" in capsys.readouterr().err


def test_other_misspelt_variables_are_still_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENFAZE_PROT", "80")
    with pytest.raises(SystemExit):
        read_settings()
    assert "did you mean OPENFAZE_PORT?" in capsys.readouterr().err


def test_only_a_server_for_others_reads_the_file_of_settings_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENFAZE_API_KEY")
    (tmp_path / ".env").write_text("OPENFAZE_PORT=8123\n")
    assert (read_settings(for_clients=True).port, read_settings().port) == (8123, 8000)


def test_other_commands_say_that_they_leave_the_file_unread_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())  # what the command sets goes with the test
    (tmp_path / ".env").write_text("OPENFAZE_WEIGHTS_DIR=elsewhere\n")
    unread = CliRunner().invoke(cli, ["pull"])
    assert ".env" in unread.stderr
    assert "Weights in elsewhere" not in unread.stdout
    named = CliRunner().invoke(cli, ["--env-file", ".env", "pull"])
    assert named.stderr == ""
    assert named.stdout.startswith("Weights in elsewhere")
