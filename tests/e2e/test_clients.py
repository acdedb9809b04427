"""The clients that people have: both majors of the OpenAI SDK, and the official Interfaze SDK."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.e2e.conftest import KEY, printed_by_client
from tests.kit.audio.speech import JFK, plain_words
from tests.kit.papers.pages import single_line
from tests.kit.pictures.photos import THREE_PEOPLE, best_iou, box_of
from tests.kit.processes.forked import stem
from tests.kit.servers.server import Server

CALLS = Path(__file__).parent / "client_calls.py"
WORDS = "Clients read this line"


def calls(printed: Callable[..., str], server: Server, folder: Path) -> dict[str, Any]:
    picture = folder / "line.png"
    picture.write_bytes(single_line(WORDS).encoded())
    given = (f"{server.base_url}/v1", KEY, str(picture), str(SHARED / "samples"))
    report: dict[str, Any] = json.loads(printed(CALLS.read_text(), *given))
    return report


def printed_here(program: str, *arguments: str) -> str:
    result = stem("import openai").run(program, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def check_openai(report: dict[str, Any], major: str) -> None:
    """Check that the SDK of this major has read, streamed, and raised its own exceptions."""
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


def test_the_openai_sdk_reads_streams_and_raises_its_own_exceptions(open_server: Server, tmp_path: Path) -> None:
    check_openai(calls(printed_here, open_server, tmp_path)["openai"], "3")


@pytest.mark.usefixtures("shared")
def test_the_interfaze_sdk_has_its_tasks_and_streams_beside_an_older_openai(
    open_server: Server, tmp_path: Path
) -> None:
    report = calls(printed_by_client, open_server, tmp_path)
    check_openai(report["openai"], "2")
    found = report["interfaze"]
    assert found["tasks_ocr"] == found["file_part"] == found["text"] == found["streamed_text"] == WORDS
    assert found["guarded_text"] == WORDS
    assert found["vcache"] is False
    assert plain_words(found["heard"]["text"]) == plain_words(JFK)
    for person in THREE_PEOPLE:
        assert best_iou(person, [box_of(one) for one in found["people"]]) >= 0.7
