"""Where the fields of an answer come from, over HTTP: a scripted LLM answers, the real OCR has read."""

import json

import pytest

from tests.e2e.full_model import (
    FullModel,
    error_of,
    picture_of,
    schema_of,
    text_part,
)
from tests.kit.servers.llm_server import Reply

STRING = {"type": "string"}
PLATFORM = schema_of(platform=STRING, vat_id=STRING)
SAID = [text_part("Which platform?"), picture_of("Departs from platform nine")]
ANSWER = Reply('{"platform": "nine", "vat_id": "DE811193231"}')


def test_each_field_has_its_words_and_place_and_an_invented_one_is_unsupported(model: FullModel) -> None:
    model.script(ANSWER)
    body = model.ask(SAID, response_format=PLATFORM, evidence=True).json()
    assert list(body)[-3:] == ["choices", "evidence", "unsupported"]
    assert body["unsupported"] == ["/vat_id"]
    assert list(body["evidence"]) == ["/platform"]
    found = body["evidence"]["/platform"]
    word = body["precontext"][found["precontext"]]["result"]["sections"][0]["lines"][0]["words"][-1]
    assert (found["text"], word["text"]) == ("nine", "nine")
    assert (found["bounds"], found["confidence"]) == (word["bounds"], word["confidence"])


def test_a_stream_carries_the_same_evidence_on_the_chunk_that_ends_it(model: FullModel) -> None:
    model.script(ANSWER, ANSWER)
    whole = model.ask(SAID, response_format=PLATFORM, evidence=True).json()
    *others, last = model.stream(SAID, response_format=PLATFORM, evidence=True).chunks
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (last["evidence"], last["unsupported"]) == (whole["evidence"], whole["unsupported"])
    assert not any(chunk.keys() & {"evidence", "unsupported"} for chunk in others)


def test_verbatim_leaves_out_what_nothing_supports(model: FullModel) -> None:
    model.script(ANSWER)
    or_null = schema_of(platform=STRING, vat_id={"anyOf": [STRING, {"type": "null"}]})
    body = model.ask(SAID, response_format=or_null, verbatim=True).json()
    assert json.loads(body["choices"][0]["message"]["content"]) == {"platform": "nine", "vat_id": None}
    assert (list(body["evidence"]), body["unsupported"]) == (["/platform"], ["/vat_id"])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_verbatim_fails_where_that_may_not_be_left_out(model: FullModel, stream: bool) -> None:
    model.script(ANSWER, ANSWER)
    answer = model.ask(SAID, response_format=PLATFORM, verbatim=True, stream=stream)
    error = error_of(answer, 400, "not_verbatim")
    assert (error["param"], error["type"]) == ("/vat_id", "invalid_request_error")
    assert "'/vat_id'" in error["message"]


def test_every_field_that_was_read_has_a_probability(model: FullModel) -> None:
    model.script(Reply('{"platform": "nine", "city": "Berlin"}'))
    said = [text_part("Which platform? For Berlin."), picture_of("Departs from platform nine")]
    shape = schema_of(platform=STRING, city=STRING)
    evidence = model.ask(said, response_format=shape, evidence=True).json()["evidence"]
    assert 0 < evidence["/platform"]["probability"] <= 1
    assert (evidence["/city"]["name"], "precontext" in evidence["/city"]) == ("request", False)
