"""Settings that commands read, and the variables that they accept besides."""

from pathlib import Path

import pytest

from app.cli import read_settings


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
