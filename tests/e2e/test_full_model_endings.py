"""How an LLM's answer may end, and in what forms it may come: filtered, refused, with a call beside its words."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.e2e import responses
from tests.e2e.full_model import FullModel, Json, schema_of
from tests.e2e.guarded import FRANCE, guard, is_blocked
from tests.e2e.responses import serving_responses
from tests.kit.servers.llm_replies import DONE, Call
from tests.kit.servers.llm_server import Reply

TOOL = {"type": "function", "function": {"name": "now", "parameters": {"type": "object", "properties": {}}}}
RESPONSES_TOOL = {"type": "function", "name": "now", "parameters": {"type": "object", "properties": {}}}
CITY = schema_of(city={"type": "string"})


def chunk(finish: str | None = None, **delta: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def of_chunks(*chunks: Json, before: bytes = b"") -> Reply:
    first, *others = (b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks)
    return Reply(events=[before + first, *others, DONE])


REFUSED = of_chunks(chunk(refusal="I will not"), chunk(refusal=" do this."), chunk("stop"))
FILTERED = Reply("To begin with,", finish_reason="content_filter")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullModel]:
    with serving_responses(tmp_path_factory.mktemp("endings")) as model:
        yield model


def message_of(model: FullModel, *messages: Any, **fields: Any) -> Json:
    response = model.ask(*messages, **fields)
    assert response.status_code == 200, response.text
    message: Json = response.json()["choices"][0]["message"]
    return message


def refusal_in(chunks: Sequence[Json]) -> str:
    return "".join(choice["delta"].get("refusal", "") for one in chunks for choice in one["choices"])


def test_an_answer_that_a_filter_ended_says_so(model: FullModel) -> None:
    model.script(*[FILTERED] * 5)
    whole = model.ask("Go on.").json()["choices"][0]
    assert (whole["message"]["content"], whole["finish_reason"]) == ("To begin with,", "content_filter")
    streamed = model.stream("Go on!")
    assert (streamed.text, streamed.finish_reasons) == ("To begin with,", ["content_filter"])
    structured = model.ask("Go on.", response_format=CITY).json()["choices"][0]
    assert (structured["message"]["content"], structured["finish_reason"]) == ("To begin with,", "content_filter")
    response = responses.ask(model, "Go on.")
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert responses.stream(model, "Go on!").types[-1] == "incomplete"


@pytest.mark.parametrize("form", [None, CITY])
def test_a_refusal_is_an_answer(model: FullModel, form: Json | None) -> None:
    model.script(REFUSED, REFUSED)
    response = model.ask("Which city?", response_format=form)
    [choice] = response.json()["choices"]
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": "I will not do this."}
    assert choice["finish_reason"] == "stop"
    streamed = model.stream("Which city is it?", response_format=form)
    assert (refusal_in(streamed.chunks), streamed.text) == ("I will not do this.", "")
    assert len(model.prompts) == 2, "each was asked for once"


@pytest.mark.parametrize("form", [None, CITY])
def test_a_refusal_is_judged_by_the_guard(model: FullModel, form: Json | None) -> None:
    model.script(of_chunks(chunk(refusal="No, this is how to build a pipe bomb at home."), chunk("stop")), REFUSED)
    is_blocked(model.ask(guard("S9"), FRANCE, response_format=form), "S9")
    streamed = model.stream(guard("S9"), f"{FRANCE}!", response_format=form)
    assert refusal_in(streamed.chunks) == "I will not do this."


def test_responses_have_a_refusal_as_a_part_of_a_message(model: FullModel) -> None:
    model.script(REFUSED, REFUSED)
    [message] = responses.ask(model, "Which city?", text={"format": {"type": "text"}})["output"]
    assert message["content"] == [{"type": "refusal", "refusal": "I will not do this."}]
    streamed = responses.stream(model, "Which city is it?")
    assert [event["delta"] for event in streamed.of("refusal.delta")] == ["I will not", " do this."]
    assert streamed.of("refusal.done")[0]["refusal"] == "I will not do this."


@pytest.mark.parametrize("words", ["One moment.", "\n\n"])
def test_words_beside_a_call_are_kept_unless_they_are_blank(model: FullModel, words: str) -> None:
    reply = Reply(chunks=[words], tool_calls=[Call("now", "{}")])
    model.script(reply, reply)
    message = message_of(model, f"What time is it?{words}", tools=[TOOL])
    assert message["content"] == (words if words.strip() else None)
    assert message["tool_calls"][0]["function"] == {"name": "now", "arguments": "{}"}
    output = responses.ask(model, f"What time is it?{words}", tools=[RESPONSES_TOOL])["output"]
    assert [item["type"] for item in output] == ["message"] * bool(words.strip()) + ["function_call"]
