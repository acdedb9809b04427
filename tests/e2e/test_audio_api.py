"""/v1/audio on a real server, as OpenAI's SDK and plain HTTP use it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.e2e.conftest import KEY
from tests.kit.audio.recordings import plain_wav
from tests.kit.audio.speech import JFK, plain_words, say
from tests.kit.servers.server import Server


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


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_speech_is_translated_right_after_install(sdk: openai.OpenAI, tmp_path: Path) -> None:
    german = tmp_path / "german.wav"
    german.write_bytes(plain_wav(say("Guten Morgen. Heute ist ein schöner Tag.", "de")[None]))
    answer = sdk.audio.translations.create(file=german, model="whisper-1")
    assert "good morning" in answer.text.casefold()
