"""Settings: their forms, their refusals, and that each is documented."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import PREFIX, Settings, is_loopback, unknown_variables

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_defaults_serve_on_loopback_without_keys() -> None:
    settings = Settings(_env_file=None)
    assert (settings.host, settings.port, settings.api_keys) == ("127.0.0.1", 8000, ())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])
def test_listening_beyond_loopback_needs_keys_or_open(host: str) -> None:
    with pytest.raises(ValidationError, match=f"refusing to listen on {host} without keys"):
        Settings(_env_file=None, host=host)
    assert Settings(_env_file=None, host=host, open=True).host == host
    assert Settings(_env_file=None, host=host, api_keys=("k",)).host == host


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("a", False)])
def test_loopback_is_recognised(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEYS", "one, two,")
    monkeypatch.setenv("OPENFAZE_FETCH_ALLOW", "10.0.0.0/8")
    settings = Settings(_env_file=None)
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]
    assert settings.fetch_allow == ("10.0.0.0/8",)


def test_keys_are_not_printed() -> None:
    assert "hunter2" not in repr(Settings(_env_file=None, api_keys=("hunter2",)))


def test_a_misspelt_variable_is_reported_with_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEY", "k")
    assert unknown_variables() == ["OPENFAZE_API_KEY is no setting; did you mean OPENFAZE_API_KEYS?"]


def test_other_programs_variables_in_the_env_file_are_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("POSTGRES_USER=x\nOPENFAZE_PORT=8123\nOPENFAZE_PROT=1\n")
    assert Settings().port == 8123
    assert unknown_variables() == ["OPENFAZE_PROT is no setting; did you mean OPENFAZE_PORT?"]


def documented(name: str) -> str:
    """The row of the table in docs/settings.md."""
    field = Settings.model_fields[name]
    default = field.default
    default = int(default) if default is False else default
    shown = ",".join(map(str, default)) if isinstance(default, tuple | dict) else str(default)
    cells = [
        f"`{PREFIX}{name.upper()}`",
        f"`{shown}`" if shown else "",
        " ".join((field.description or "").split()),
    ]
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert Settings.model_fields[name].description
    assert documented(name) in DOCS.read_text().splitlines()
