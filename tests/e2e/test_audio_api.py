"""/v1/audio on a real server, as OpenAI's SDK and plain HTTP use it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.conftest import each_case
from tests.e2e.conftest import KEY
from tests.kit.audio.recordings import plain_wav
from tests.kit.audio.speech import JFK, pause, plain_words, say
from tests.kit.servers.server import Server

URL = "/v1/audio/transcriptions"


@pytest.fixture
def sdk(open_server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{open_server.base_url}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def client(open_server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=open_server.base_url, headers={"authorization": f"Bearer {KEY}"}, timeout=120, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def jfk(shared: Path) -> Path:
    return shared / "samples" / "speech_jfk.flac"


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    file = tmp_path / "hello.wav"
    file.write_bytes(plain_wav(say("Hello.")[None]))
    return file


def test_verbose_json_has_segments_and_words(sdk: openai.OpenAI, jfk: Path) -> None:
    answer = sdk.audio.transcriptions.create(
        file=jfk, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert (answer.language, answer.duration) == ("english", 11.0)
    assert " ".join(segment.text for segment in answer.segments or []) == answer.text
    assert all(segment.tokens and segment.avg_logprob < 0 for segment in answer.segments or [])
    times = {word.word.strip(",."): word for word in answer.words or []}
    assert times["Americans"].end == pytest.approx(2.25, abs=0.3)


@pytest.mark.parametrize(
    ("form", "begin"),
    [
        ("text", r"Hello"),
        ("srt", r"1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\nHello"),
        ("vtt", r"WEBVTT\n\n00:00:00\.\d{3} --> 00:00:0\d\.\d{3}\nHello"),
    ],
)
def test_plain_forms_are_plain_text(sdk: openai.OpenAI, hello: Path, form: Any, begin: str) -> None:
    raw = sdk.audio.transcriptions.with_raw_response.create(file=hello, model="whisper-1", response_format=form)
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert re.match(begin, raw.text)
    assert raw.parse() == raw.text


def test_speakers_are_told_apart(sdk: openai.OpenAI, shared: Path) -> None:
    answer = sdk.audio.transcriptions.create(
        file=shared / "samples" / "speech_two_speakers.wav",
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
    )
    assert [segment.speaker for segment in answer.segments] == ["A", "B"]


def test_a_stream_says_the_same(sdk: openai.OpenAI, jfk: Path) -> None:
    events = list(sdk.audio.transcriptions.create(file=jfk, model="whisper-1", stream=True))
    assert events[-1].type == "transcript.text.done"
    assert plain_words(events[-1].text) == plain_words(JFK)
    assert "".join(event.delta for event in events if event.type == "transcript.text.delta") == events[-1].text


def test_silence_is_an_empty_text(client: httpx.Client) -> None:
    answer = client.post(
        URL,
        files={"file": ("quiet.wav", plain_wav(pause(3.0)[None]))},
        data={"model": "whisper-1", "response_format": "verbose_json"},
    )
    assert answer.json() == {
        "task": "transcribe",
        "language": "",
        "duration": 3.0,
        "text": "",
        "segments": [],
        "usage": {"type": "duration", "seconds": 3.0},
    }


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_speech_is_translated_right_after_install(sdk: openai.OpenAI, tmp_path: Path) -> None:
    german = tmp_path / "german.wav"
    german.write_bytes(plain_wav(say("Guten Morgen. Heute ist ein schöner Tag.", "de")[None]))
    answer = sdk.audio.translations.create(file=german, model="whisper-1")
    assert "good morning" in answer.text.casefold()


@each_case(
    ("file", "fields", "status", "code"),
    [
        (b"", {}, 400, "invalid_request"),
        (b"Hello there!", {}, 400, "unsupported_media_type"),
        (b"RIFF\x24\x00\x00\x00WAVEjunk", {}, 400, "invalid_request"),
        (None, {}, 400, "invalid_request"),
        (b"x", {"model": ""}, 400, "invalid_request"),
        (b"x", {"model": "whisper-9"}, 404, "model_not_found"),
        (b"x", {"temperature": "2"}, 400, "invalid_request"),
        (b"x", {"stream": "true", "response_format": "vtt"}, 400, "invalid_request"),
        (b"x", {"keywords[]": "name " * 1000}, 400, "invalid_request"),
    ],
)
def test_what_is_wrong_with_a_request_is_refused(
    client: httpx.Client, file: bytes | None, fields: dict[str, str], status: int, code: str
) -> None:
    form: dict[str, Any] = {"model": (None, "whisper-1"), **{name: (None, value) for name, value in fields.items()}}
    answer = client.post(URL, files={**form, **({} if file is None else {"file": ("x.wav", file)})})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert error["request_id"] == answer.headers["x-request-id"]


def test_stages_are_told_and_logged_and_what_is_said_is_not(
    client: httpx.Client, open_server: Server, jfk: Path
) -> None:
    answer = client.post(
        URL,
        files={"file": ("private.flac", jfk.read_bytes())},
        data={"model": "whisper-1"},
        headers={"x-interfaze-zdr": "true"},
    )
    assert re.fullmatch(r"read;dur=[\d.]+, task;dur=[\d.]+, render;dur=[\d.]+", answer.headers["server-timing"])
    client.get("/health")  # on the same connection: the request before it has been logged by now
    [line] = [line for line in open_server.log if line.get("request_id") == answer.headers["x-request-id"]]
    assert (line["path"], line["model"], line["status"]) == (URL, "whisper-1", 200)
    assert "private.flac" not in open_server.log_file.read_text()
    assert "Americans" not in open_server.log_file.read_text()
