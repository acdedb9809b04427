"""Speech to text over HTTP: every way in which a recording can be sent, on real speech."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import api_client, data_url
from tests.e2e.full_model import FullModel, text_part
from tests.kit.audio.speech import JFK, plain_words
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import Server

Json = dict[str, Any]
CHAT = "/v1/chat/completions"
SAYS = plain_words(JFK)


@pytest.fixture
def client(open_server: Server) -> Iterator[httpx.Client]:
    with api_client(open_server) as client:
        yield client


@pytest.fixture
def jfk(shared: Path) -> bytes:
    return (shared / "samples" / "speech_jfk.flac").read_bytes()


def asking(*parts: Json, text: str = "Transcribe this.", task: str = "stt", **fields: Any) -> Json:
    return {
        "model": "interfaze-beta",
        "messages": [
            {"role": "system", "content": f"<task>{task}</task>"},
            {"role": "user", "content": [text_part(text), *parts]},
        ],
        **fields,
    }


def input_audio(file: bytes, audio_format: str = "flac") -> Json:
    return {"type": "input_audio", "input_audio": {"data": data_url(file, "audio/flac"), "format": audio_format}}


def result_of(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    content = json.loads(response.json()["choices"][0]["message"]["content"])
    assert list(content) == ["name", "result"]
    result: Json = content["result"]
    assert result["text"] == " ".join(chunk["text"] for chunk in result["chunks"])
    assert all(chunk["text"] == chunk["text"].strip() for chunk in result["chunks"])
    return result


def test_chunks_are_phrases_or_words(client: httpx.Client, jfk: bytes) -> None:
    phrases = result_of(client.post(CHAT, json=asking(input_audio(jfk))))
    words = result_of(client.post(CHAT, json=asking(input_audio(jfk), text="Transcribe by word")))
    assert phrases["text"] == words["text"]
    assert 3 <= len(phrases["chunks"]) <= 6
    assert [chunk["text"].strip(" ,.").lower() for chunk in words["chunks"]] == SAYS
    assert phrases["language"] == "en"


def test_a_stream_says_the_same_and_how_far_it_is(client: httpx.Client, jfk: bytes) -> None:
    whole = result_of(client.post(CHAT, json=asking(input_audio(jfk))))
    body = asking(input_audio(jfk), stream=True)
    response = client.post(CHAT, json=body, headers={"x-interfaze-progress": "true"})
    events = [line for line in response.text.split("\n\n") if line]
    progress = [json.loads(line.removeprefix(": progress ")) for line in events if line.startswith(": progress ")]
    assert progress[-1] == {"stage": "speech_to_text", "done": 11, "total": 11}
    deltas = [json.loads(line[6:]) for line in events if line.startswith("data: {")]
    text = "".join(choice["delta"].get("content", "") for delta in deltas for choice in delta["choices"])
    assert json.loads(text)["result"] == whole


def error_of(response: httpx.Response, status: int) -> Json:
    assert response.status_code == status, response.text
    error: Json = response.json()["error"]
    return error


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((), "needs a recording"),
        (({"type": "image_url", "image_url": {"url": data_url(b"\x89PNG\r\n\x1a\n")}},), ""),
    ],
)
def test_a_request_without_sound_is_the_clients_mistake(client: httpx.Client, parts: Sequence[Json], says: str) -> None:
    assert says in error_of(client.post(CHAT, json=asking(*parts)), 400)["message"]


def test_the_full_model_answers_by_a_schema_from_the_transcript(model: FullModel, jfk: bytes) -> None:
    properties = {"asked_of": {"type": "string"}}
    schema = {"type": "object", "properties": properties, "required": ["asked_of"], "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "speech", "schema": schema}}
    model.script(Reply('{"asked_of": "Americans"}'))
    asked = [text_part("Transcribe the audio file and summarize it"), input_audio(jfk)]
    body = model.ask(asked, response_format=form).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {"asked_of": "Americans"}
    [entry] = body["precontext"]
    assert (entry["name"], plain_words(entry["result"]["text"])) == ("stt", SAYS)
