"""Structured answers of the full model, against a scripted LLM: bare, valid, or refused."""

import json

import pytest

from tests.conftest import each_case
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    error_of,
    picture_of,
    prompt_text,
    schema_of,
    system,
    text_part,
)
from tests.kit.servers.llm_server import Reply

JSON_OBJECT = {"type": "json_object"}
TOTAL = schema_of(total={"type": "number"})
QUESTION = "The total is 9.00. What is the total?"


def test_a_valid_answer_comes_back_as_it_was_written(model: FullModel) -> None:
    model.script(Reply('{"total": 9.00}'))
    assert content_of(model.ask(QUESTION, response_format=TOTAL)) == '{"total": 9.00}'


def test_an_llm_that_decodes_under_a_schema_gets_it_and_is_told_it_too(model: FullModel) -> None:
    model.script(Reply('{"total": 9}'))
    model.ask(QUESTION, response_format={**TOTAL, "json_schema": {**TOTAL["json_schema"], "strict": True}})
    [prompt] = model.prompts
    schema = TOTAL["json_schema"]["schema"]
    sent = {"name": "answer", "schema": schema, "strict": True}
    assert prompt["response_format"] == {"type": "json_schema", "json_schema": sent}
    assert json.dumps(schema) in prompt["messages"][0]["content"]


@each_case(
    ("response_format", "first", "words"),
    [
        (TOTAL, '{"sum": 9}', "'total' is a required property"),
        (TOTAL, "Nine.", "not valid JSON"),
        (JSON_OBJECT, "[9]", "it must be a JSON object"),
    ],
)
def test_an_invalid_answer_is_asked_for_once_more_with_the_validators_words(
    model: FullModel, response_format: Json, first: str, words: str
) -> None:
    model.script(Reply(first), Reply('{"total": 9}'))
    assert content_of(model.ask(QUESTION, response_format=response_format)) == '{"total": 9}'
    again = model.prompts[1]
    assert again["messages"][:-2] == model.prompts[0]["messages"]
    said, complaint = again["messages"][-2:]
    assert said == {"role": "assistant", "content": first}
    assert complaint["role"] == "user"
    assert words in complaint["content"]
    assert again.get("response_format") == model.prompts[0].get("response_format")


@each_case(
    ("response_format", "answer", "stream"),
    [(TOTAL, '{"sum": 9}', False), (TOTAL, "Nine.", True), (JSON_OBJECT, "[1]", True), (JSON_OBJECT, "", False)],
)
def test_an_answer_invalid_twice_is_an_error_and_never_an_answer(
    model: FullModel, response_format: Json, answer: str, stream: bool
) -> None:
    model.script(Reply(answer), Reply(answer))
    response = model.ask(QUESTION, response_format=response_format, stream=stream)
    error = error_of(response, 500, "schema_not_satisfied")
    assert error["type"] == "internal_error"
    assert len(model.prompts) == 2


def test_a_stream_shows_nothing_of_the_answer_that_failed(model: FullModel) -> None:
    model.script(Reply('```json\n{"total": "nine"}\n```'), Reply('```json\n{"total": 9}\n```'))
    streamed = model.stream(QUESTION, response_format=TOTAL)
    assert streamed.text == '{"total": 9}'
    assert streamed.finish_reasons == ["stop"]


def test_a_run_task_with_a_schema_that_constrains_is_the_full_models(model: FullModel) -> None:
    model.script(Reply('{"total": 9}'))
    response = model.ask(system("<task>ocr</task>"), [picture_of("Total 9.00")], response_format=TOTAL)
    body = response.json()
    assert json.loads(content_of(response)) == {"total": 9}
    assert [entry["name"] for entry in body["precontext"]] == ["ocr"]
    assert "Total 9.00" in prompt_text(model.prompts[0])
    assert "<task>" not in prompt_text(model.prompts[0])


@each_case(
    "response_format",
    [
        None,
        # z.object({}), as Vercel's AI SDK and OpenAI's own helpers send it.
        schema_of(),
        {"type": "json_schema", "json_schema": {"schema": {"type": "object", "x-ui": {"width": 2}, "proprties": {}}}},
    ],
)
def test_a_run_task_with_an_open_schema_asks_no_llm(model: FullModel, response_format: Json | None) -> None:
    model.script()
    content = content_of(
        model.ask(system("<task>ocr</task>"), [picture_of("Total 9.00")], response_format=response_format)
    )
    assert json.loads(content)["result"]["extracted_text"] == "Total 9.00"
    assert model.prompts == []


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
