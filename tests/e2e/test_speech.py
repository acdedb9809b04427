"""Speech to text over HTTP: every way in which a recording can be sent, on real speech."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest

from tests.e2e.conftest import KEY, api_client, data_url, printed_by_client
from tests.e2e.full_model import FullModel, serving_full_model, text_part
from tests.llm_server import Reply
from tests.recordings import AUDIO, RATE, encoded, filmed, plain_wav
from tests.server import REMEMBERING, Server, serving
from tests.speech import JFK, decoded, pause, plain_words, say

Json = dict[str, Any]
CHAT = "/v1/chat/completions"
SAYS = plain_words(JFK)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("speech") / "log", REMEMBERING, api_keys=KEY, llm="off") as running:
        yield running


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


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


def bare_base64(file: bytes) -> str:
    return data_url(file).partition(",")[2]


# By the other parts come recordings in test_inputs.py.
@pytest.mark.parametrize(
    "kind",
    [
        "input_audio",
        *(pytest.param(one, marks=pytest.mark.deep) for one in ("file", "bare input_audio", "audio_url", "video_url")),
    ],
)
def test_every_kind_of_part_is_heard(client: httpx.Client, jfk: bytes, kind: str) -> None:
    part = {
        "input_audio": input_audio(jfk),
        "bare input_audio": {"type": "input_audio", "input_audio": {"data": bare_base64(jfk), "format": "flac"}},
        "file": {"type": "file", "file": {"filename": "talk.flac", "file_data": data_url(jfk, "audio/flac")}},
        "audio_url": {"type": "audio_url", "audio_url": {"url": data_url(jfk, "audio/flac")}},
        "video_url": {"type": "video_url", "video_url": {"url": data_url(jfk, "audio/flac")}},
    }[kind]
    assert plain_words(result_of(client.post(CHAT, json=asking(part)))["text"]) == SAYS


@pytest.mark.deep
@pytest.mark.parametrize("extension", ["mp3", "m4a", "opus", "webm"])
def test_the_format_makes_no_difference(client: httpx.Client, shared: Path, extension: str) -> None:
    samples = decoded(shared / "samples" / "speech_jfk.flac")
    file = encoded(samples[None], extension, rate=16_000)
    part = {"type": "file", "file": {"filename": f"a.{extension}", "file_data": data_url(file, AUDIO[extension][2])}}
    assert plain_words(result_of(client.post(CHAT, json=asking(part)))["text"]) == SAYS


@pytest.mark.deep
@pytest.mark.parametrize("extension", ["mp4", "webm"])
def test_a_video_is_heard(client: httpx.Client, shared: Path, extension: str) -> None:
    samples = decoded(shared / "samples" / "speech_jfk.flac")
    times = np.arange(len(samples) * RATE // 16_000) / RATE
    sound = np.interp(times, np.arange(len(samples)) / 16_000, samples).astype(np.float32)
    grey = np.full((64, 64, 3), 128, np.uint8)
    video = filmed([grey], extension, frames_each=25 * 11, sound=sound[None])
    part = {"type": "video_url", "video_url": {"url": data_url(video, f"video/{extension}")}}
    assert plain_words(result_of(client.post(CHAT, json=asking(part)))["text"]) == SAYS


def test_chunks_are_phrases_or_words(client: httpx.Client, jfk: bytes) -> None:
    phrases = result_of(client.post(CHAT, json=asking(input_audio(jfk))))
    words = result_of(client.post(CHAT, json=asking(input_audio(jfk), text="Transcribe by word")))
    assert phrases["text"] == words["text"]
    assert 3 <= len(phrases["chunks"]) <= 6
    assert [chunk["text"].strip(" ,.").lower() for chunk in words["chunks"]] == SAYS
    assert phrases["language"] == "en"


@pytest.mark.deep
def test_the_task_is_called_as_it_was_asked_for(client: httpx.Client) -> None:
    hello = input_audio(plain_wav(say("Hello.")[None]), "wav")
    for name in ("stt", "speech_to_text"):
        body = client.post(CHAT, json=asking(hello, task=name)).json()
        assert json.loads(body["choices"][0]["message"]["content"])["name"] == name


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


def test_the_openai_sdk_gets_it(server: Server, jfk: bytes) -> None:
    with openai.OpenAI(base_url=f"{server.base_url}/v1", api_key=KEY, max_retries=0) as client:
        completion = client.chat.completions.create(**asking(input_audio(jfk)))
        result = json.loads(completion.choices[0].message.content or "")["result"]
        assert plain_words(result["text"]) == SAYS


def test_two_speakers_are_told_apart_at_the_right_times(client: httpx.Client, shared: Path) -> None:
    file = (shared / "samples" / "speech_two_speakers.wav").read_bytes()
    result = result_of(client.post(CHAT, json=asking(input_audio(file, "wav"), text="Identify the speakers")))
    said = {chunk["speaker"]: chunk for chunk in result["chunks"]}
    assert "curtain" in said["SPEAKER_00"]["text"]
    assert said["SPEAKER_00"]["timestamp"] == pytest.approx([0.3, 4.6], abs=0.3)
    assert "horizon" in said["SPEAKER_01"]["text"]
    assert said["SPEAKER_01"]["timestamp"] == pytest.approx([0.4, 2.4], abs=0.3)


def test_silence_is_empty(client: httpx.Client) -> None:
    file = plain_wav(pause(5.0)[None])
    result = result_of(client.post(CHAT, json=asking(input_audio(file, "wav"))))
    assert result == {"text": "", "chunks": [], "language": None}


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


@pytest.mark.deep
def test_several_clients_are_heard_at_once(server: Server, jfk: bytes) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(_: int) -> list[str]:
        with api_client(server) as own:
            return plain_words(result_of(own.post(CHAT, json=asking(input_audio(jfk))))["text"])

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [SAYS] * 6


@pytest.mark.deep
def test_the_full_model_reads_the_transcript(model: FullModel, jfk: bytes) -> None:
    model.script(Reply("About service."))
    body = model.ask([text_part("What is this about?"), input_audio(jfk)]).json()
    [entry] = body["precontext"]
    assert entry["name"] == "stt"
    assert plain_words(entry["result"]["text"]) == SAYS
    assert "what your country can do for you" in json.dumps(model.prompts[0])


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


def test_the_interfaze_sdk_transcribes(server: Server, shared: Path) -> None:
    program = (
        "import interfaze, json, sys; base_url, key, path = sys.argv[1:]; "
        "client = interfaze.Interfaze(base_url=base_url, api_key=key, max_retries=0); "
        "print(json.dumps(client.tasks.transcribe(interfaze.inputs.from_path(path))))"
    )
    file = shared / "samples" / "speech_jfk.flac"
    result = json.loads(printed_by_client(program, f"{server.base_url}/v1", KEY, str(file)))
    assert plain_words(result["text"]) == SAYS
    assert result["chunks"][0]["timestamp"][0] == pytest.approx(0.32, abs=0.2)


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("apertium") is None, reason="needs Apertium and its pair eng-spa")
def test_the_full_model_writes_down_and_translates_in_one_request(jfk: bytes) -> None:
    fields = {"transcript": {"type": "string"}, "translation": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    answer = json.dumps({"transcript": "And so …", "translation": "Y así …"})
    with serving_full_model(translate="apertium") as model:
        model.script(Reply(answer))
        response = model.ask(
            [text_part("Transcribe the audio file and translate it to Spanish"), input_audio(jfk)],
            response_format={"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        )
        written, translated = response.json()["precontext"]
    assert (written["name"], plain_words(written["result"]["text"])) == ("stt", SAYS)
    assert translated["name"] == "translate"
    assert translated["result"]["target_language"] == "es"
    assert "país" in translated["result"]["translated_text"]
    assert json.loads(response.json()["choices"][0]["message"]["content"]) == json.loads(answer)
