"""The clients that people have: both majors of the OpenAI SDK, and the official Interfaze SDK."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import KEY, printed_by_client
from tests.forked import stem
from tests.pages import single_line
from tests.server import Server

CALLS = Path(__file__).parent / "client_calls.py"
WORDS = "Clients read this line"


def calls(printed: Callable[..., str], server: Server, folder: Path) -> dict[str, Any]:
    picture = folder / "line.png"
    picture.write_bytes(single_line(WORDS).encoded())
    report: dict[str, Any] = json.loads(printed(CALLS.read_text(), f"{server.base_url}/v1", KEY, str(picture)))
    return report


def printed_here(program: str, *arguments: str) -> str:
    result = stem("import openai").run(program, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("printed", "major"),
    [(printed_here, "3"), pytest.param(printed_by_client, "2", marks=pytest.mark.deep)],
    ids=["openai 3", "openai 2"],
)
def test_the_openai_sdk_reads_streams_and_raises_its_own_exceptions(
    printed: Callable[..., str], major: str, server: Server, tmp_path: Path
) -> None:
    report = calls(printed, server, tmp_path)["openai"]
    assert report["version"].split(".")[0] == major
    assert report["models"] == ["interfaze-beta", "openfaze-embedding"]
    assert report["text"] == report["streamed_text"] == WORDS
    assert report["streamed_usage"] > 0
    assert report["request_id_matches"]
    assert report["errors"] == {
        "model": ["NotFoundError", 404, "model_not_found"],
        "empty": ["BadRequestError", 400, "invalid_request"],
        "llm": ["InternalServerError", 503, "engine_unavailable"],
        "key": ["AuthenticationError", 401, "invalid_api_key"],
        "stream": ["NotFoundError", 404, "model_not_found"],
    }


def test_the_interfaze_sdk_reads_with_its_tasks_and_its_streams(server: Server, tmp_path: Path) -> None:
    report = calls(printed_by_client, server, tmp_path)["interfaze"]
    assert report["tasks_ocr"] == report["file_part"] == report["text"] == report["streamed_text"] == WORDS
    assert report["guarded_text"] == WORDS
    assert report["vcache"] is False
