"""`openfaze ask`, against a running server: answers for people, bodies for programs, and what to do when it fails."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import KEY
from tests.e2e.full_model import FullModel, serving_full_model
from tests.e2e.test_cli import openfaze_here
from tests.kit.papers.pages import single_line
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import free_port, serving

FIELDS = {
    "type": "object",
    "properties": {"platform": {"type": "string"}, "track": {"type": "string"}},
    "required": ["platform", "track"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def model() -> Iterator[FullModel]:
    with serving_full_model(api_keys=(KEY,), forecast="statsmodels") as model:
        yield model


@pytest.fixture
def sign(tmp_path: Path) -> str:
    (tmp_path / "sign.png").write_bytes(single_line("Platform nine").encoded())
    return "sign.png"


def ask(
    model: FullModel | str, folder: Path, *arguments: str, key: str | None = KEY
) -> "subprocess.CompletedProcess[str]":
    url = model if isinstance(model, str) else model.base_url
    keys = {"OPENFAZE_API_KEY": key} if key else {}
    return openfaze_here("ask", *arguments, "--url", url, folder=folder, **keys)


def test_a_picture_is_read(model: FullModel, sign: str, tmp_path: Path) -> None:
    result = ask(model, tmp_path, "-f", sign, "--task", "ocr")
    assert (result.returncode, result.stdout) == (0, "Platform nine\n")


def test_without_a_server_this_process_answers_and_leaves_nothing(
    sign: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    settings = {
        "OPENFAZE_LLM": "off",
        "OPENFAZE_FILES_DIR": "files",
        "OPENFAZE_CACHE": "exact",
        "OPENFAZE_API_KEYS": "a-key-of-a-server",
    }
    result = openfaze_here("ask", "-f", sign, "--task", "ocr", "--here", folder=tmp_path, **settings)
    assert (result.returncode, result.stdout) == (0, "Platform nine\n"), result.stderr
    assert not (tmp_path / "files").exists()
    assert [*temporary.iterdir()] == []


def test_a_server_is_found_by_its_port_and_another_program_there_gets_nothing(sign: str, tmp_path: Path) -> None:
    with serving(tmp_path / "log", llm="off", files_dir=str(tmp_path / "files")) as server, serving_llm() as other:
        for url, expected in ((server.base_url, (0, "Platform nine\n")), (other.base_url.removesuffix("/v1"), (2, ""))):
            port = url.rpartition(":")[2]
            result = openfaze_here("ask", "-f", sign, "--task", "ocr", folder=tmp_path, OPENFAZE_PORT=port)
            assert (result.returncode, result.stdout) == expected
        assert other.requests == []


@pytest.mark.parametrize("schema", ["s.json", "platform, track"])
def test_a_schema_gives_a_table_of_fields_with_their_sources(
    model: FullModel, sign: str, tmp_path: Path, schema: str
) -> None:
    (tmp_path / "s.json").write_text(json.dumps(FIELDS))
    model.script(Reply('{"platform": "nine", "track": "[red]forty"}'))
    result = ask(model, tmp_path, "Which?", "--file", sign, "--schema", schema)
    assert result.returncode == 0, result.stderr
    head, platform, track = [line.split() for line in result.stdout.splitlines()]
    assert head[:2] == ["field", "value"]
    assert platform[:2] == ["platform", "nine"]
    assert platform[-1] == "“nine”"
    assert track == ["track", "[red]forty", "unsure"]


def test_an_answer_that_breaks_off_says_so(model: FullModel, tmp_path: Path) -> None:
    model.script(Reply(chunks=["One ", "two ", "three"], cut_after=3))
    result = ask(model, tmp_path, "Count.")
    assert result.returncode == 1
    assert result.stdout.startswith("One two")
    assert result.stderr.strip()


def test_each_failure_says_what_to_do_next(model: FullModel, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[1")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    nobody = f"http://127.0.0.1:{free_port()}"
    for result, said in (
        (ask(model, tmp_path, "hi", key=None), "export OPENFAZE_API_KEY="),
        (ask(model, tmp_path, "hi", "--task", "nope"), "Supported tasks: ocr, "),
        (ask(model, tmp_path, "hi", "--guard", "S99"), "Valid codes: S1, "),
        (ask(model, tmp_path, "hi", "--schema", "no.json"), "no.json cannot be read as JSON"),
        (ask(model, tmp_path, "hi", "--schema", "deep.json"), "deep.json has too many levels"),
        (ask(model, tmp_path), "there is nothing to ask"),
        (ask(nobody, tmp_path, "hi"), "openfaze serve`, or name another one with --url"),
    ):
        assert (result.returncode, result.stdout) == (2, "")
        assert said in result.stderr
        assert "Traceback" not in result.stderr
