"""What people are told to run: that it exists, and that it works where they are told it."""

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from app.assembly.building import build_config
from app.cli import extras
from app.cli.pulling import sets_named
from app.cli.serving import announce
from app.errors import BadRequest
from app.main import create_app
from app.runnable_commands import adapt_commands, adapt_for_client
from app.settings import Settings
from models.catalog import CATALOG
from tests.conftest import ROOT

COMMAND = re.compile(r"openfaze (pull|install)((?: [a-z0-9.]+(?:[-_][a-z0-9.]+)*)+)")


def said(path: Path) -> Iterator[str]:
    """What a module may print: its strings, but for docstrings; what is put into them at last is `{}`."""
    tree = ast.parse(path.read_text())
    documents = {
        id(statement.value)
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value


@pytest.fixture(scope="module")
def all_said() -> dict[str, list[str]]:
    """By module."""
    return {
        path.relative_to(ROOT).as_posix(): list(said(path))
        for package in ("app", "tasks", "models")
        for path in (ROOT / package).rglob("*.py")
        if "phrases" not in path.parts
    }


def check(text: str) -> None:
    """That each of its commands names something that there is."""
    for verb, names in COMMAND.findall(text):
        for name in names.split():
            if verb == "pull":
                assert all(known.files for known in sets_named(name, Settings(_env_file=None)))
            else:
                assert name in extras.PURPOSES


def test_every_command_in_a_message_names_something_that_there_is(all_said: dict[str, list[str]]) -> None:
    commands = [text for texts in all_said.values() for text in texts if COMMAND.search(text)]
    assert len(commands) > 10
    for text in commands:
        check(text)


@pytest.mark.parametrize(
    ("capability", "name"),
    [(capability, one.spec.name) for capability, declared in CATALOG.items() for one in declared.engines],
)
def test_the_remedies_of_an_engine_name_commands_that_there_are(
    capability: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = {capability: name} if capability in Settings.model_fields and capability != "code_sandbox" else {}
    config = build_config(Settings(_env_file=None, weights_dir=str(tmp_path), **chosen))  # type: ignore[arg-type]
    [candidate] = [one for one in CATALOG[capability].engines if one.spec.name == name]
    texts = [candidate.remedy(config) or "", candidate.spec.weights]
    for text in texts:
        check(text)
        for command in re.findall(r"`([^` ]+ [^`]+)`", text):
            assert command.startswith(("openfaze pull ", "openfaze install ", "apt-get install ", "hf download "))


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this environment's programs are: not in PATH."""
    folder = tmp_path / "clone" / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("openfaze", "hf"):
        (folder / name).touch(0o755)
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(folder))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("container", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


REMEDY = "Run `openfaze install gpu`, then `openfaze pull paddleocr`."


def test_commands_are_printed_as_they_work_in_the_clone(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scripts.parents[1])
    shown = "Run `.venv/bin/openfaze install gpu`, then `.venv/bin/openfaze pull paddleocr`."
    assert adapt_commands(REMEDY) == shown


def test_clients_are_sent_commands_as_they_work_in_the_clone_and_no_other_folder(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere := scripts.parents[2] / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert adapt_for_client(REMEDY) == REMEDY
    monkeypatch.chdir(scripts.parents[1])
    shown = "Run `.venv/bin/openfaze install gpu`, then `.venv/bin/openfaze pull paddleocr`."
    assert adapt_for_client(REMEDY) == shown
    assert BadRequest(REMEDY).message == shown
    assert adapt_for_client("`hf download a/b --local-dir b`") == "`hf download a/b --local-dir b`"
    monkeypatch.setenv("container", "openfaze")
    monkeypatch.setenv("OPENFAZE_WEIGHTS_DIR", "/weights")
    assert adapt_for_client("`openfaze pull ocr`") == "`docker compose run --rm openfaze openfaze pull ocr`"
    assert "/weights" not in adapt_for_client("`hf download a/b --local-dir b`")


async def test_everything_that_a_server_says_names_the_command_as_it_works(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scripts.parents[1])
    app = create_app(Settings(_env_file=None, weights_dir="weights", files_dir="files"))
    translate = [
        {"role": "system", "content": "<task>translate</task>"},
        {"role": "user", "content": "Translate to German: Good morning"},
    ]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server", timeout=120) as client:
        ready = (await client.get("/ready")).text
        refused = await client.post("/v1/chat/completions", json={"model": "auto", "messages": translate})
        hello = {"model": "auto", "messages": [{"role": "user", "content": "Write a haiku."}], "max_tokens": 2}
        answered = await client.post("/v1/chat/completions", json=hello)
        streamed = await client.post("/v1/chat/completions", json={**hello, "stream": True})
    with structlog.testing.capture_logs() as logs:
        announce(app.state.services, "http://127.0.0.1:1")
    await app.state.services.close()
    [caution] = [entry["caution"] for entry in logs if entry["event"] == "llm_caution"]
    for text in (ready, refused.text, answered.text, streamed.text, caution):
        assert "`.venv/bin/openfaze pull " in text
        assert "`openfaze " not in text


def test_in_the_image_commands_are_those_of_its_machine(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("container", "openfaze")
    monkeypatch.setenv("OPENFAZE_WEIGHTS_DIR", "/weights")
    for command, shown in {
        "openfaze pull ocr": "docker compose run --rm openfaze openfaze pull ocr",
        "openfaze install gpu": "EXTRAS='gpu' docker compose up -d --build",
        "apt-get install a b": "APT_PACKAGES='a b' docker compose up -d --build",
        "hf download a/b --local-dir b": "docker compose run --rm --workdir /weights openfaze hf download a/b "
        "--local-dir b",
    }.items():
        assert adapt_commands(f"Run `{command}`.") == f"Run `{shown}`."
    with pytest.raises(extras.CannotInstall, match="Packages are part of the image"):
        extras.install("gpu")
