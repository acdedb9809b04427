"""Structured answers where only the LLM that comes along serves: copied from the specialists, or their failure."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.calling import as_sent
from app.chat.answer import NO_OBJECTS
from models.language.llm import PASSAGES
from tests.conftest import SHARED
from tests.e2e.conftest import data_url
from tests.e2e.full_model import Streamed, client_of_app, content_of, error_of, picture_of, schema_of, text_part
from tests.server import Server, serving

STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
OR_NULL = {"anyOf": [STRING, {"type": "null"}]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("filled") / "log", weights_dir=SHARED / "weights") as server:
        yield server


@pytest.fixture
def client(server: Server, shared: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.base_url}/v1", timeout=300, trust_env=False) as client:
        yield client


def sample(name: str, media_type: str) -> dict[str, Any]:
    url = data_url((SHARED / "samples" / name).read_bytes(), media_type)
    if media_type.startswith("audio"):
        return {"type": "input_audio", "input_audio": {"data": url, "format": "flac"}}
    return {"type": "image_url", "image_url": {"url": url}}


def ask(client: httpx.Client, *content: Any, **fields: Any) -> httpx.Response:
    body = {"model": "auto", "messages": [{"role": "user", "content": list(content)}], **fields}
    return client.post("/chat/completions", json=body)


def answered(client: httpx.Client, text: str, *media: Any, **properties: Any) -> Any:
    return json.loads(content_of(ask(client, text_part(text), *media, response_format=schema_of(**properties))))


def names_of(response: httpx.Response) -> list[str]:
    return [entry["name"] for entry in response.json()["precontext"]]


@pytest.mark.deep
def test_a_transcript_is_what_was_heard(client: httpx.Client, server: Server) -> None:
    speech = sample("speech_jfk.flac", "audio/flac")
    response = ask(client, text_part("Transcribe this."), speech, response_format=schema_of(text=STRING), evidence=True)
    body = response.json()
    heard = body["precontext"][0]["result"]["text"]
    assert "ask what you can do for your country" in heard
    assert json.loads(content_of(response)) == {"text": heard}
    assert (body["unsupported"], body["choices"][0]["finish_reason"]) == ([], "stop")
    assert body["usage"]["completion_tokens"] > 20
    assert not [entry for entry in server.log if entry["event"] == "llm_loaded"]


def test_who_asks_for_nothing_but_results_gets_them_as_they_are(client: httpx.Client) -> None:
    """Without a schema, too: the LLM that comes along would make up a text of its own."""
    heard = ask(client, text_part("What is said here?"), sample("speech_jfk.flac", "audio/flac")).json()
    assert heard["choices"][0]["message"]["content"] == heard["precontext"][0]["result"]["text"]
    line = picture_of("The train leaves from platform nine.")
    read = ask(client, text_part("Read the text."), line).json()
    text = read["precontext"][0]["result"]["extracted_text"]
    assert read["choices"][0]["message"]["content"] == text
    [cut] = ask(client, text_part("Read the text."), line, max_tokens=5).json()["choices"]
    assert (cut["message"]["content"], cut["finish_reason"]) == (text[:20], "length")


@pytest.mark.skipif(shutil.which("apertium") is None, reason="needs Apertium with apertium-eng-spa")
def test_who_asks_for_nothing_but_a_translation_gets_it_as_it_is(client: httpx.Client) -> None:
    translated = ask(client, text_part("Translate to Spanish: The house is red.")).json()
    assert translated["choices"][0]["message"]["content"] == translated["precontext"][0]["result"]["translated_text"]
    assert "warnings" not in translated


def test_a_stream_carries_the_same(client: httpx.Client) -> None:
    speech = sample("speech_jfk.flac", "audio/flac")
    fields = {"response_format": schema_of(transcript=STRING, language=STRING), "stream": True}
    streamed = Streamed.read(ask(client, text_part("Who speaks?"), speech, **fields).text)
    assert json.loads(streamed.text)["language"] == "en"
    assert streamed.finish_reasons == ["stop"]


def test_counts_are_those_of_the_detections(client: httpx.Client) -> None:
    people, bus = sample("photo_people.jpg", "image/jpeg"), sample("photo_bus.jpg", "image/jpeg")
    assert answered(client, "How many people are in this picture?", people, count=INTEGER) == {"count": 3}
    assert answered(client, "Count the people and the cars.", people, people=INTEGER, cars=INTEGER) == {
        "people": 3,
        "cars": 0,
    }
    assert answered(client, "Count the buses.", bus, buses=INTEGER) == {"buses": 1}


@pytest.mark.parametrize("times", [1, pytest.param(10, marks=pytest.mark.deep)])
def test_labelled_fields_of_a_receipt_are_copied_every_time(client: httpx.Client, times: int) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    fields = {"date": STRING, "change": NUMBER, "cashier": STRING, "iban": OR_NULL}
    for _ in range(times):
        assert answered(client, "Extract these.", receipt, **fields) == {
            "date": "19/10/2018",
            "change": 10,
            "cashier": "CN",
            "iban": None,
        }


def test_a_document_in_the_message_is_copied_from_with_its_evidence(client: httpx.Client, server: Server) -> None:
    text = text_part("Extract the fields: Invoice 4711 from Acme GmbH, total 99.50 EUR")
    fields = {"invoice_number": STRING, "vendor": STRING, "total": NUMBER, "iban": OR_NULL}
    loaded = len([entry for entry in server.log if entry["event"] == "llm_loaded"])
    response = ask(client, text, response_format=schema_of(**fields), evidence=True)
    expected = {"invoice_number": "4711", "vendor": "Acme GmbH", "total": 99.5, "iban": None}
    assert json.loads(content_of(response)) == expected
    body = response.json()
    for name in ("invoice_number", "vendor", "total"):
        found = body["evidence"][f"/{name}"]
        assert (found["name"], found["pointer"]) == ("request", "/messages/0/content")
        assert 0 < found["probability"] <= 1
        assert not found.keys() & {"bounds", "precontext"}
    assert (body["unsupported"], body.get("precontext") or []) == ([], [])
    assert len([entry for entry in server.log if entry["event"] == "llm_loaded"]) == loaded


def test_what_is_left_is_the_llms_and_the_rest_stays_copied(client: httpx.Client, server: Server) -> None:
    """The receipt has a few lines: a whole one takes the LLM that comes along many seconds."""
    lines = "GOLDEN ARCHES RESTAURANTS\n\nDate: 19/10/2018\n\nTotal: 40.00\nCash: 50.00\nChange: 10.00\n"
    url = data_url(lines.encode(), "text/plain")
    receipt = {"type": "file", "file": {"filename": "receipt.txt", "file_data": url}}
    fields = {"summary": {"type": "string", "maxLength": 40}, "change": NUMBER}
    response = ask(client, text_part("Extract these."), receipt, response_format=schema_of(**fields))
    answer = json.loads(content_of(response))
    assert list(answer) == ["summary", "change"]
    assert answer["change"] == 10
    [told] = [text for text in response.json()["warnings"] if "not read" in text]
    assert "summary" in told
    assert "change" not in told
    assert [entry for entry in server.log if entry["event"] == "llm_loaded"]


def test_texts_behind_a_label_are_cut_each_with_its_evidence(client: httpx.Client) -> None:
    texts = {"type": "array", "items": STRING}
    resume = text_part("Extract: Name: Ann Lee\nSkills: Python, Go, Rust\nTags: a, b")
    response = ask(client, resume, response_format=schema_of(skills=texts, tags=texts), evidence=True)
    assert json.loads(content_of(response)) == {"skills": ["Python", "Go", "Rust"], "tags": ["a", "b"]}
    body = response.json()
    said = {pointer: found["text"].strip(",") for pointer, found in body["evidence"].items()}
    assert said == {"/skills/0": "Python", "/skills/1": "Go", "/skills/2": "Rust", "/tags/0": "a", "/tags/1": "b"}
    assert all(found["probability"] > 0.5 for found in body["evidence"].values())
    assert (body["unsupported"], [text for text in body.get("warnings") or [] if "not read" in text]) == ([], [])


FORM = "Patient intake\n\nSmoker: [ ]Yes [x]No [ ]Former"


def test_what_the_llm_writes_is_told_though_nothing_is_copied_and_nothing_supports_it(client: httpx.Client) -> None:
    """All three answers are printed: that its word stands there says nothing of the one that was chosen."""
    choices: dict[str, Any] = {"type": "string", "enum": ["Yes", "No", "Former"]}
    form = text_part(f"Extract: {FORM}")
    body = ask(client, form, response_format=schema_of(smoker=choices), evidence=True).json()
    [told] = [text for text in body["warnings"] if "not read" in text]
    assert told.endswith("not read: smoker.")
    assert (body["evidence"], body["unsupported"]) == ({}, ["/smoker"])
    long: dict[str, Any] = {"smoker": {"type": "boolean"}, "summary": {"type": "string", "minLength": 200}}
    cut = ask(client, form, response_format=schema_of(**long), evidence=True, max_tokens=20).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    assert any("not read: smoker" in text for text in cut["warnings"])
    assert cut["evidence"] == {}
    refused = ask(client, form, response_format=schema_of(smoker=choices), verbatim=True)
    error = error_of(refused, 400, "not_verbatim")
    assert (error["param"], "'/smoker'" in error["message"]) == ("/smoker", True)
    or_null = {"type": ["string", "null"], "enum": [*choices["enum"], None]}
    emptied = ask(client, form, response_format=schema_of(smoker=or_null), verbatim=True)
    assert json.loads(content_of(emptied)) == {"smoker": None}


def test_a_plain_question_is_answered_with_passages(client: httpx.Client) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    body = ask(client, text_part("What was the date of the purchase?"), receipt).json()
    said = body["choices"][0]["message"]["content"]
    read = body["precontext"][0]["result"]["extracted_text"]
    assert "19/10/2018" in said
    assert len(said) < len(read)
    # As Markdown, of which the words are those that were read.
    assert set(re.findall(r"\w+", said)) <= set(re.findall(r"\w+", read))
    assert as_sent(PASSAGES) in body["warnings"]


def test_a_specialist_that_fails_is_the_answer(client: httpx.Client, tmp_path: Path) -> None:
    broken = {"type": "image_url", "image_url": {"url": data_url(b"\xff\xd8\xff\xe0 no picture", "image/jpeg")}}
    text = text_part("What is the total?")
    response = ask(client, text, broken, response_format=schema_of(total=NUMBER))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == "messages[0].content[1].image_url.url"
    with client_of_app(tmp_path, weights_dir=str(tmp_path)) as asking:
        asking.base_url = asking.base_url.join("/v1")
        people = sample("photo_people.jpg", "image/jpeg")
        count = text_part("How many people are there, and what do they wear?")
        for fields in ({"response_format": schema_of(count=INTEGER)}, {}):
            error = error_of(ask(asking, count, people, **fields), 503, "engine_unavailable")
            assert "object_detection" in error["message"]


def test_what_is_in_a_picture_is_what_is_written_there_where_nothing_finds_objects(tmp_path: Path) -> None:
    receipt = sample("receipt_001.jpg", "image/jpeg")
    with client_of_app(tmp_path, weights_dir=str(tmp_path)) as client:
        client.base_url = client.base_url.join("/v1")
        body = ask(client, text_part("What is in this picture?"), receipt).json()
        read, unseen = body["precontext"]
        assert (read["name"], unseen["name"], unseen["result"]) == ("ocr", "object_detection", None)
        assert body["choices"][0]["message"]["content"] == read["result"]["extracted_text"]
        [warning] = [one for one in body["warnings"] if one.startswith("No objects were looked for")]
        assert warning == as_sent(NO_OBJECTS.format(unseen["error"]))
        people = sample("photo_people.jpg", "image/jpeg")
        for question, photo in (("How many bags are in this picture?", receipt), ("Describe this picture.", people)):
            error = error_of(ask(client, text_part(question), photo), 503, "engine_unavailable")
            assert "object_detection" in error["message"]
