"""The clients that people have: both majors of the OpenAI SDK, and the official Interfaze SDK."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import KEY
from tests.e2e.test_docs import CLIENT_PYTHON
from tests.pages import single_line
from tests.server import Server

CALLS = Path(__file__).parent / "client_calls.py"
WORDS = "Clients read this line"


def calls(python: Path, server: Server, folder: Path) -> dict[str, Any]:
    if not python.exists():
        pytest.skip("needs the official client's environment, which `make test` creates")
    picture = folder / "line.png"
    picture.write_bytes(single_line(WORDS).encoded())
    result = subprocess.run(
        [python, CALLS, f"{server.base_url}/v1", KEY, picture], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@pytest.mark.parametrize(
    ("python", "major"),
    [(Path(sys.executable), "3"), pytest.param(CLIENT_PYTHON, "2", marks=pytest.mark.deep)],
    ids=["openai 3", "openai 2"],
)
def test_the_openai_sdk_reads_streams_and_raises_its_own_exceptions(
    python: Path, major: str, server: Server, tmp_path: Path
) -> None:
    report = calls(python, server, tmp_path)["openai"]
    assert report["version"].split(".")[0] == major
    assert report["models"] == ["interfaze-beta"]
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
    report = calls(CLIENT_PYTHON, server, tmp_path)["interfaze"]
    assert report["tasks_ocr"] == report["file_part"] == report["text"] == report["streamed_text"] == WORDS
    assert report["guarded_text"] == WORDS
    assert report["vcache"] is False
