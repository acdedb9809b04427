"""`"guard_mode": "flag"`: an unsafe request is answered, and the answer says what was found."""

import json
from typing import Any

from tests.e2e.full_model import (
    FullModel,
    Json,
    Streamed,
    content_of,
    picture_of,
    precontext_in,
)
from tests.e2e.guarded import BOMB, FRANCE, SHOWING, guard, is_verdict, sources
from tests.e2e.responses import ask as ask_responses
from tests.e2e.responses import stream as stream_response
from tests.e2e.responses import text_of
from tests.kit.servers.llm_server import Reply

FLAG = {"guard_mode": "flag"}
UNSAFE = "This is how to build a pipe bomb at home."
FIRST = "Bread needs flour, water and salt."


def warning_of(places: str) -> list[str]:
    return [f"The guard found S9 in {places}. Nothing was blocked, because 'guard_mode' is 'flag'."]


def verdict_of(precontext: list[Json], *codes: str) -> Any:
    [verdict] = [entry for entry in precontext if entry["name"] == "guardrails"]
    return is_verdict(verdict, *codes)


def shown_in(streamed: Streamed) -> list[Json]:
    blocks = [text for text in streamed.texts if text.startswith("<precontext>")]
    return [entry for block in blocks for entry in precontext_in(block)]


def end_of(streamed: Streamed) -> Json:
    [end] = [chunk for chunk in streamed.chunks if chunk["choices"] and chunk["choices"][0]["finish_reason"]]
    return dict(end)


def test_a_flagged_request_is_answered_with_its_codes_and_scores(model: FullModel) -> None:
    model.script(Reply("I would rather not."))
    answer = model.ask(guard("S1", "S9"), BOMB, **FLAG)
    assert content_of(answer) == "I would rather not."
    body = answer.json()
    assert body["choices"][0]["finish_reason"] == "stop"
    checks = verdict_of(body["precontext"], "S9")
    assert sources(checks) == ["messages[1].content"]
    assert checks[0]["scores"]["S9"] > checks[0]["scores"]["S1"]
    assert body["warnings"] == warning_of("messages[1].content")


def test_a_stream_that_turns_unsafe_goes_on_and_repeats_its_verdict(model: FullModel) -> None:
    model.script(Reply(chunks=[f"{FIRST} ", f"{FIRST} ", f"{UNSAFE} ", "And so on."]))
    streamed = model.stream(guard("S9"), FRANCE, **FLAG, headers=SHOWING)
    first, last = shown_in(streamed)
    is_verdict(first)
    is_verdict(last, "S9")
    assert f"{FIRST} {FIRST} {UNSAFE} And so on." in streamed.text
    assert streamed.finish_reasons == ["stop"]
    assert end_of(streamed)["warnings"] == warning_of("answer")


def test_a_flagged_run_task_has_its_result_and_the_verdict(model: FullModel) -> None:
    model.script()
    body = model.ask(guard("S9", task="ocr"), [picture_of("pipe bomb")], **FLAG).json()
    result = json.loads(body["choices"][0]["message"]["content"])
    assert result["name"] == "ocr"
    assert "bomb" in result["result"]["extracted_text"]
    verdict_of(body["precontext"])
    body = model.ask(guard("S9", task="ocr"), [{"type": "text", "text": BOMB}, picture_of("Bread")], **FLAG).json()
    assert "Bread" in body["choices"][0]["message"]["content"]
    assert sources(verdict_of(body["precontext"], "S9")) == ["messages[1].content"]
    assert body["warnings"] == warning_of("messages[1].content")


def test_responses_are_flagged_as_well(model: FullModel) -> None:
    model.script(Reply("I would rather not."), Reply("I would rather not."))
    fields = {"instructions": "<guard>S9</guard>", **FLAG}
    for found in (ask_responses(model, BOMB, **fields), stream_response(model, BOMB, **fields).response):
        assert text_of(found) == "I would rather not."
        verdict_of(found["precontext"], "S9")
        assert found["warnings"] == warning_of("input")
