"""Settings: their forms, their refusals, and that each is documented."""

import re
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from pydantic import BaseModel, ValidationError
from pydantic._internal._docs_extraction import extract_docstrings_from_cls

from app import settings as settings_module
from app.settings import PREFIX, Settings, is_loopback, unknown_variables
from tests.conftest import ROOT, each_case

DOCS = ROOT / "docs" / "settings.md"
DOCSTRINGS = {
    name: text
    for one in reversed(Settings.__mro__)
    if issubclass(one, BaseModel)
    for name, text in extract_docstrings_from_cls(one, use_inspect=True).items()
}


def test_the_defaults_serve_on_loopback_without_keys() -> None:
    settings = Settings(_env_file=None)
    assert (settings.host, settings.port, settings.api_keys) == ("127.0.0.1", 8000, ())


@each_case("name", ["llm_base_url", "guard_base_url", "search_url"])
@each_case("address", ["localhost:11434/v1", "127.0.0.1", "http://", "ftp://host/v1"])
def test_an_address_without_its_scheme_or_host_is_refused(name: str, address: str) -> None:
    given: dict[str, Any] = {name: address, "text_guard": "off"}
    with pytest.raises(ValidationError, match="begins with http:// or https://"):
        Settings(_env_file=None, **given)
    assert getattr(Settings(_env_file=None, **given | {name: "http://localhost:1/v1"}), name) == "http://localhost:1/v1"


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("a", False)])
def test_loopback_is_recognised(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEYS", "one, two,")
    monkeypatch.setenv("OPENFAZE_FETCH_ALLOW", "10.0.0.0/8")
    settings = Settings(_env_file=None)
    assert [key.get_secret_value() for key in settings.api_keys] == ["one", "two"]
    assert settings.fetch_allow == ("10.0.0.0/8",)


def test_an_empty_variable_is_as_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLM_BASE_URL", "PORT", "SEARCH_PROVIDER", "KEYS_FILE", "API_KEYS"):
        monkeypatch.setenv(PREFIX + name, "")
    assert Settings(_env_file=None) == Settings(_env_file=None, port=8000)


def test_keys_are_not_printed() -> None:
    assert "hunter2" not in repr(Settings(_env_file=None, api_keys=("hunter2",)))


def test_a_misspelt_variable_is_reported_with_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_API_KEY", "k")
    assert unknown_variables() == ["OPENFAZE_API_KEY is not a setting; did you mean OPENFAZE_API_KEYS?"]


def test_a_variable_that_is_like_no_setting_is_reported_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_MAX_TOOL_CALLS", "1")
    assert unknown_variables() == ["OPENFAZE_MAX_TOOL_CALLS is not a setting"]


def test_a_setting_that_has_no_effect_any_more_stops_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_AUTO_PULL", "0")
    assert unknown_variables() == []


def test_other_programs_variables_in_the_env_file_are_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("POSTGRES_USER=x\nOPENFAZE_PORT=8123\nOPENFAZE_PROT=1\n")
    assert Settings(_env_file=".env").port == 8123
    assert unknown_variables(env_file=".env") == ["OPENFAZE_PROT is not a setting; did you mean OPENFAZE_PORT?"]
    assert (Settings().port, unknown_variables()) == (8000, [])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, for openfaze as a wheel installs it: beside its code lies no project."""
    monkeypatch.setattr(settings_module, "ROOT", tmp_path / "site-packages")
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    return tmp_path / "data"


def folders() -> tuple[Path, Path]:
    settings = Settings(_env_file=None)
    return Path(settings.weights_dir), Path(settings.files_dir)


def test_weights_and_files_lie_in_the_clone_wherever_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "ROOT", tmp_path / "clone")
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "pyproject.toml").touch()
    for start in ("clone", "elsewhere"):
        (tmp_path / start).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / start)
        assert folders() == (tmp_path / "clone" / "weights", tmp_path / "clone" / "files")


def test_weights_and_files_of_an_installed_openfaze_lie_with_the_users_data(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Folders of other people's, which hold nothing of ours.
    (tmp_path / "weights").mkdir()
    (tmp_path / "files" / "taxes").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert folders() == (installed / "weights", installed / "files")


def test_a_folder_that_a_setting_names_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENFAZE_WEIGHTS_DIR", "w")
    monkeypatch.setenv("OPENFAZE_FILES_DIR", "s3://bucket/prefix")
    settings = Settings(_env_file=None)
    assert (settings.weights_dir, settings.files_dir) == ("w", "s3://bucket/prefix")


@each_case("name", sorted(Settings.model_fields))
def test_every_setting_is_documented_with_its_default_and_its_docstring(name: str) -> None:
    default = Settings.model_fields[name].default
    default = int(default) if default is False else default
    shown = ",".join(map(str, default)) if isinstance(default, tuple | dict) else str(default)
    cells = ["" if default is None or not shown else f"`{shown}`", " ".join(DOCSTRINGS[name].split())]
    assert f"| `{PREFIX}{name.upper()}` | {' | '.join(cells)} |" in DOCS.read_text().splitlines()


def test_no_setting_is_documented_that_is_not_there() -> None:
    named = re.findall(rf"^\| `{PREFIX}([A-Z_]+)`", DOCS.read_text(), re.MULTILINE)
    assert sorted(map(str.lower, named)) == sorted(Settings.model_fields)


def test_the_cache_of_rephrased_questions_is_refused_by_the_name_of_what_is_there() -> None:
    with pytest.raises(ValueError, match="'exact'"):
        Settings(_env_file=None, cache="verified")


def test_a_short_secret_is_refused_with_the_limit_its_length_and_how_to_make_one() -> None:
    with pytest.raises(ValueError) as refused:
        Settings(_env_file=None, cache_secret="too short")
    assert "at least 16 characters, not of 9: `openssl rand -base64 32` makes one" in str(refused.value)
    assert "too short" not in str(refused.value)
    assert Settings(_env_file=None, cache_secret="x" * 16).cache_secret is not None


@pytest.mark.parametrize(
    "origin", ["*", "null", "app.example.com", "https://app.example.com/page", "https://", "file:///a"]
)
def test_an_origin_is_named_whole(origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin, which is a scheme, a host and a port"):
        Settings(_env_file=None, cors_origins=origin)
    assert Settings(_env_file=None, cors_origins="https://A.test/, http://b:1, app://obsidian.md").cors_origins == (
        "https://a.test",
        "http://b:1",
        "app://obsidian.md",
    )


@pytest.mark.parametrize("proxy", ["*", "proxy.example.com", "10.0.0.0/33"])
def test_a_proxy_is_named_by_its_address_or_network(proxy: str) -> None:
    with pytest.raises(ValueError, match="is neither an address nor a network, such as 172.18.0.2"):
        Settings(_env_file=None, trusted_proxies=proxy)
    named = Settings(_env_file=None, trusted_proxies="127.0.0.1, 10.1.2.3/8").trusted_proxies
    assert named == ("127.0.0.1/32", "10.0.0.0/8")
