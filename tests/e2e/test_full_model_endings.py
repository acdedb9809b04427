"""How an LLM's answer may end, and in what forms it may come: filtered, refused, with a call beside its words."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.e2e import responses
from tests.e2e.full_model import FullModel, Json, content_of, schema_of
from tests.e2e.guarded import FRANCE, guard, is_blocked
from tests.e2e.responses import serving_responses
from tests.llm_replies import DONE, Call
from tests.llm_server import Reply

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


def test_a_refusal_that_was_kept_is_one_again(model: FullModel) -> None:
    model.script(REFUSED)
    first, kept = model.ask("Which town?"), model.ask("Which town?")
    assert kept.json()["vcache"]
    assert kept.json()["choices"] == first.json()["choices"]
    assert refusal_in(model.stream("Which town?").chunks) == "I will not do this."


def test_a_refusal_to_call_what_must_be_called_is_an_answer(model: FullModel) -> None:
    model.script(REFUSED)
    message = message_of(model, "What time is it now?", tools=[TOOL], tool_choice="required")
    assert message["refusal"] == "I will not do this."


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


@pytest.mark.parametrize("arguments", ["", " ", "\n"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_call_without_arguments_has_an_empty_object(model: FullModel, arguments: str, count: int) -> None:
    reply = Reply(tool_calls=[Call("now", arguments, f"call_{number}") for number in range(count)])
    model.script(*[reply] * 4)
    question = f"What time is it in {count} cities?{arguments!r}"
    calls = message_of(model, question, tools=[TOOL])["tool_calls"]
    assert [json.loads(call["function"]["arguments"]) for call in calls] == [{}] * count
    pieces: dict[int, str] = {}
    for piece in model.stream(f"{question}!", tools=[TOOL]).tool_calls:
        pieces[piece["index"]] = pieces.get(piece["index"], "") + piece["function"]["arguments"]
    assert [json.loads(text) for text in pieces.values()] == [{}] * count
    response = responses.ask(model, question, tools=[RESPONSES_TOOL])
    assert [json.loads(item["arguments"]) for item in response["output"]] == [{}] * count
    streamed = responses.stream(model, f"{question}!", tools=[RESPONSES_TOOL])
    assert len(streamed.of("function_call_arguments.done")) == count


def test_a_call_without_arguments_in_the_history_reaches_the_llm_as_json(model: FullModel) -> None:
    model.script(Reply("Noon."))
    call = {"id": "a", "type": "function", "function": {"name": "now", "arguments": ""}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    model.ask("What time is it?", said, {"role": "tool", "tool_call_id": "a", "content": "12:00"}, tools=[TOOL])
    assert model.prompts[0]["messages"][1]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_content_may_be_a_list_of_parts(model: FullModel) -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "It is in Peru."}]}
    streamed = of_chunks(
        chunk(content=[thinking]), chunk(content=[{"type": "text", "text": "Li"}]), chunk(content="ma."), chunk("stop")
    )
    parts = [thinking, {"type": "text", "text": "Lima."}, {"type": "reference", "reference_ids": [1]}]
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": parts}, "finish_reason": "stop"}]}
    model.script(streamed, Reply(body=json.dumps(body).encode()))
    answer = model.ask("Which capital?", reasoning_effort="high").json()
    assert (answer["reasoning"], answer["choices"][0]["message"]["content"]) == ("It is in Peru.", "Lima.")
    answer = model.ask("Which capital is it?", reasoning_effort="high").json()
    assert (answer["reasoning"], answer["choices"][0]["message"]["content"]) == ("It is in Peru.", "Lima.")
    assert any("reference" in warning for warning in answer["warnings"])


def test_a_byte_order_mark_before_the_answer_is_no_part_of_it(model: FullModel) -> None:
    mark = b"\xef\xbb\xbf"
    whole = {"choices": [{"index": 0, "message": {"content": "Lima."}, "finish_reason": "stop"}]}
    model.script(
        of_chunks(chunk(content="Li"), chunk("stop", content="ma."), before=mark),
        Reply(body=mark + json.dumps(whole).encode()),
    )
    assert content_of(model.ask("Which capital has Peru?")) == "Lima."
    assert content_of(model.ask("And what is its capital?")) == "Lima."
