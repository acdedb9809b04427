"""Where the fields of an answer come from, over HTTP: a scripted LLM answers, the real OCR has read."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    error_of,
    picture_of,
    schema_of,
    serving_full_model,
    text_part,
)
from tests.llm_server import Call, Reply
from tests.pages import Box
from tests.unit.tasks.extraction.test_evidence_pages import SHARE_TO_FIND, TRUE_LINES, stands_within

STRING = {"type": "string"}
PLATFORM = schema_of(platform=STRING, vat_id=STRING)
SAID = [text_part("Which platform?"), picture_of("Departs from platform nine")]
ANSWER = Reply('{"platform": "nine", "vat_id": "DE811193231"}')


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model() as model:
        yield model


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


def test_no_llm_is_asked_and_none_is_told(model: FullModel) -> None:
    model.script(ANSWER, ANSWER)
    model.ask(SAID, response_format=PLATFORM, evidence=True)
    model.ask(SAID, response_format=PLATFORM)
    told, untold = model.prompts
    assert "evidence" not in told
    assert told.keys() == untold.keys()


@pytest.mark.parametrize("fields", [{"response_format": PLATFORM}, {"evidence": True}])
def test_without_a_schema_or_unasked_there_is_none(model: FullModel, fields: Json) -> None:
    model.script(ANSWER)
    assert not model.ask(SAID, **fields).json().keys() & {"evidence", "unsupported"}


def test_a_call_of_a_tool_has_none(model: FullModel) -> None:
    model.script(Reply(tool_calls=[Call("look_up")]))
    tool = {"type": "function", "function": {"name": "look_up"}}
    assert "evidence" not in model.ask(SAID, response_format=PLATFORM, evidence=True, tools=[tool]).json()


def test_where_nothing_was_read_every_field_is_unsupported(model: FullModel) -> None:
    model.script(ANSWER)
    body = model.ask("Which platform?", response_format=PLATFORM, evidence=True).json()
    assert (body["evidence"], body["unsupported"]) == ({}, ["/platform", "/vat_id"])


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


@pytest.mark.shared
@pytest.mark.deep
def test_the_fields_of_the_sample_receipts_point_at_their_lines(model: FullModel, shared: Path) -> None:
    wrong, asked = [], 0
    for number, rows in TRUE_LINES.items():
        sample = shared / "samples" / f"receipt_{number:03d}.jpg"
        fields = json.loads(sample.with_suffix(".fields.json").read_text())
        model.script(Reply(json.dumps({**fields, "vat_id": "DE811193231"})))
        image = {"type": "image_url", "image_url": {"url": data_url(sample.read_bytes(), "image/jpeg")}}
        response = model.ask(
            [text_part("What was bought where, and for how much?"), image],
            response_format=schema_of(**dict.fromkeys(fields, STRING), vat_id=STRING),
            evidence=True,
        )
        assert json.loads(content_of(response)) == {**fields, "vat_id": "DE811193231"}
        assert "/vat_id" in response.json()["unsupported"]
        boxes = boxes_of(sample.with_suffix(".boxes.csv"))
        for field, lines in rows.items():
            asked += 1
            true = [boxes[line] for line in lines]
            # A total may be printed more than once; an address goes over several lines.
            places = [[box] for box in true] if field == "total" else [true]
            found = response.json()["evidence"].get(f"/{field}")
            if found is None or not any(stands_within(found, place) for place in places):
                wrong.append((number, field, found))
    assert len(wrong) <= (1 - SHARE_TO_FIND) * asked, wrong


def boxes_of(table: Path) -> list[Box]:
    """Left, top, right, bottom of each row's line."""
    with table.open(newline="") as rows:
        corners = [[float(value) for value in row[:8]] for row in csv.reader(rows)]
    return [(row[0], row[1], row[4], row[5]) for row in corners]
