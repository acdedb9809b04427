"""Specialists that the LLM calls by itself: run here, shown to it as data, never seen by the client."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    picture_of,
    precontext_in,
    prompt_text,
    schema_of,
    serving_full_model,
    serving_sign,
    text_part,
)
from tests.llm_server import Call, Reply
from tests.origin import Origin

SERIES = "date,sold\n2026-01-01,10\n2026-01-02,12\n2026-01-03,11\n2026-01-04,13\n2026-01-05,12\n"
WITH_SERIES: list[Json | str | list[Json]] = [
    [
        text_part("Forecast the next 2 days of this."),
        {"type": "file", "file": {"file_data": data_url(SERIES.encode(), "text/csv"), "filename": "sold.csv"}},
    ]
]
"""Planned is a forecast alone, which nothing here can run: whether the file is read is for the LLM to say."""
WEATHER: Json = {"type": "function", "function": {"name": "get_temperature", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with serving_sign() as origin:
        yield origin


@pytest.fixture(scope="module")
def model(remembering: None) -> Iterator[FullModel]:
    with serving_full_model(fetch_allow="127.0.0.1/32") as model:
        yield model


def tools_of(prompt: Json) -> list[str]:
    return [tool["function"]["name"] for tool in prompt.get("tools", ())]


def reading(number: Any = 1, id_: str = "call_1") -> Call:
    """A call of our reader, for the user's input of that number."""
    return Call("openfaze_ocr", json.dumps({"input": number}), id=id_)


def test_the_llms_call_becomes_precontext_and_the_client_never_sees_it(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply("13 and 14."))
    body = model.ask(*WITH_SERIES).json()
    [choice] = body["choices"]
    assert choice["message"] == {"role": "assistant", "content": "13 and 14."}
    assert choice["finish_reason"] == "stop"
    forecast, ocr = body["precontext"]
    assert list(forecast) == ["name", "result", "error"]
    assert forecast["result"] is None
    assert ocr["name"] == "ocr"
    assert "2026-01-02,12" in ocr["result"]["extracted_text"]


def test_the_result_is_a_fenced_message_after_the_llms_own_call(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading(id_="call_x")]), Reply("13."))
    model.ask(*WITH_SERIES)
    first, second = model.prompts
    assert tools_of(first) == ["openfaze_ocr"]
    assert second["messages"][:-2] == first["messages"]
    asked, result = second["messages"][-2:]
    assert asked["tool_calls"][0]["id"] == result["tool_call_id"] == "call_x"
    opening, *shown, closing = result["content"].splitlines()
    assert opening == f"{closing} result 2: ocr"
    assert "\n".join(shown) == SERIES.strip()
    assert f"`{closing}`" in first["messages"][0]["content"]


def test_the_fence_is_explained_even_when_nothing_was_planned(model: FullModel, origin: Origin) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply("Platform nine."))
    response = model.ask(f"What would one see at `{origin.url('/sign.png')}`?")
    assert [entry["name"] for entry in response.json()["precontext"]] == ["ocr"]
    system, _, _, result = model.prompts[1]["messages"]
    fence = result["content"].splitlines()[-1]
    assert system["role"] == "system"
    assert f"`{fence}`" in system["content"]
    assert result["content"] == f"{fence} result 1: ocr\nPlatform nine\n{fence}"


def test_an_input_that_a_plan_has_read_is_not_offered_again(model: FullModel) -> None:
    model.script(Reply("A sign."))
    model.ask([text_part("What does it say?"), picture_of("Platform nine")])
    assert "openfaze_ocr" not in tools_of(model.prompts[0])


def test_a_plain_question_offers_no_reader(model: FullModel) -> None:
    model.script(Reply("Hi."))
    model.ask("Hello")
    assert "tools" not in model.prompts[0]


def test_bypassing_offers_none(model: FullModel) -> None:
    model.script(Reply("No."))
    model.ask(*WITH_SERIES, headers={"x-interfaze-bypass-moa": "true"})
    assert "tools" not in model.prompts[0]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_temperature"}}])
def test_a_forced_call_is_the_clients_and_never_ours(model: FullModel, choice: str | Json) -> None:
    model.script(Reply(tool_calls=[Call("get_temperature")]))
    model.ask(*WITH_SERIES, tools=[WEATHER], tool_choice=choice)
    assert tools_of(model.prompts[0]) == ["get_temperature"]


def test_none_forbids_the_clients_tools_and_not_our_specialists(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply("13."))
    assert content_of(model.ask(*WITH_SERIES, tools=[WEATHER], tool_choice="none")) == "13."
    assert tools_of(model.prompts[0]) == ["openfaze_ocr"]


def test_several_calls_of_one_turn_each_get_their_result(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading(1, "call_a"), reading(7, "call_b")]), Reply("13."))
    body = model.ask(*WITH_SERIES).json()
    results = model.prompts[1]["messages"][-2:]
    assert [result["tool_call_id"] for result in results] == ["call_a", "call_b"]
    assert SERIES.strip() in results[0]["content"]
    assert "failed: There is no input 7; there are 1." in results[1]["content"]
    assert ["error" in entry for entry in body["precontext"]] == [True, False, True]
    assert [entry["result"] is None for entry in body["precontext"]] == [True, False, True]


@pytest.mark.parametrize("arguments", ["{", "[]", '{"page": 1}', '{"input": "1"}', '{"input": 0}'])
def test_arguments_that_do_not_fit_are_told_to_the_llm_which_goes_on(model: FullModel, arguments: str) -> None:
    model.script(Reply(tool_calls=[Call("openfaze_ocr", arguments)]), Reply("Sorry."))
    response = model.ask(*WITH_SERIES)
    assert content_of(response) == "Sorry."
    assert "failed: " in model.prompts[1]["messages"][-1]["content"]


def test_the_clients_tool_called_in_the_same_turn_goes_to_the_client_alone(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading(), Call("get_temperature", '{"city": "Oslo"}', id="call_t")]))
    body = model.ask(*WITH_SERIES, tools=[WEATHER]).json()
    [choice] = body["choices"]
    [call] = choice["message"]["tool_calls"]
    assert (call["id"], call["function"]["arguments"]) == ("call_t", '{"city": "Oslo"}')
    assert choice["finish_reason"] == "tool_calls"
    assert len(model.prompts) == 1


def test_the_same_turn_streamed_numbers_the_clients_call_from_zero(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading(), Call("get_temperature", '{"city": "Oslo"}', id="call_t")]))
    streamed = model.stream(*WITH_SERIES, tools=[WEATHER])
    assert {piece["index"] for piece in streamed.tool_calls} == {0}
    assert streamed.tool_calls[0]["function"]["name"] == "get_temperature"


def test_after_specialists_the_llm_may_call_the_clients_tool(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply(tool_calls=[Call("get_temperature", id="call_t")]))
    body = model.ask(*WITH_SERIES, tools=[WEATHER]).json()
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert [entry["name"] for entry in body["precontext"]] == ["forecast", "ocr"]


def test_four_rounds_are_run_and_then_the_llm_must_answer(model: FullModel) -> None:
    model.script(*[Reply(tool_calls=[reading()]) for _ in range(4)], Reply("13."))
    body = model.ask(*WITH_SERIES, tools=[WEATHER]).json()
    assert body["choices"][0]["message"]["content"] == "13."
    assert [tools_of(prompt) for prompt in model.prompts] == [
        *[["get_temperature", "openfaze_ocr"]] * 4,
        ["get_temperature"],
    ]
    assert [entry["name"] for entry in body["precontext"]] == ["forecast", *["ocr"] * 4]


def test_an_llm_that_never_stops_calling_has_not_answered(model: FullModel) -> None:
    model.script(by_body=lambda body: Reply(tool_calls=[reading()]))
    response = model.ask(*WITH_SERIES)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "upstream_unavailable")
    assert "openfaze_" not in response.text
    assert len(model.prompts) == 5


def test_usage_counts_the_internal_rounds(model: FullModel) -> None:
    used = {"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}
    model.script(Reply(tool_calls=[reading()], usage=used), Reply("13.", usage=used))
    usage = model.ask(*WITH_SERIES).json()["usage"]
    assert usage == {"prompt_tokens": 40, "completion_tokens": 8, "total_tokens": 48}


def test_a_schema_holds_for_the_last_round(model: FullModel) -> None:
    model.script(Reply("Let me read it.", tool_calls=[reading()]), Reply('{"next": 13}'))
    response = model.ask(*WITH_SERIES, response_format=schema_of(next={"type": "number"}))
    assert content_of(response) == '{"next": 13}'


def test_words_before_a_specialist_and_after_it_do_not_run_together(model: FullModel) -> None:
    replies = (Reply("Let me read it.", tool_calls=[reading()]), Reply("It is 13."))
    model.script(*replies)
    assert content_of(model.ask(*WITH_SERIES)) == "Let me read it.\n\nIt is 13."
    model.script(*replies)
    assert model.stream(*WITH_SERIES).text == "Let me read it.\n\nIt is 13."


def test_a_stream_shows_all_precontext_before_the_answer(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply("It is 13."))
    streamed = model.stream(*WITH_SERIES, headers={"x-show-additional-info": "true"})
    first, *rest = streamed.texts
    shown = precontext_in(first)
    assert [entry["name"] for entry in shown] == ["forecast", "ocr"]
    assert "".join(rest) == "It is 13."


def test_precontext_never_stands_within_the_reasoning(model: FullModel) -> None:
    model.script(Reply(reasoning="I must read.", tool_calls=[reading()]), Reply("It is 13.", reasoning="They grow."))
    text = model.stream(*WITH_SERIES, headers={"x-show-additional-info": "true"}, reasoning_effort="low").text
    thoughts = [part.partition("</think>")[0] for part in text.split("<think>")[1:]]
    assert "".join(thoughts) == "I must read.They grow."
    assert text.endswith("</think>It is 13.")


def test_urls_that_the_user_did_not_point_to_are_never_opened(model: FullModel, origin: Origin) -> None:
    """The reader takes numbers of inputs; there is no way to name an address."""
    model.script(
        Reply(tool_calls=[Call("openfaze_ocr", json.dumps({"input": origin.url("/secret.png")}))]), Reply("No.")
    )
    assert content_of(model.ask(*WITH_SERIES)) == "No."
    assert "/secret.png" not in origin.seen


def test_a_result_longer_than_the_context_is_shortened_for_the_llm_alone() -> None:
    first = date(2020, 1, 1)
    rows = [f"{first + timedelta(days=number)},7" for number in range(2000)]
    table = data_url("\n".join(["date,sold", *rows]).encode(), "text/csv")
    file = {"type": "file", "file": {"file_data": table, "filename": "sold.csv"}}
    with serving_full_model(llm_context_tokens=2000) as model:
        model.script(Reply(tool_calls=[reading()]), Reply("13."))
        body = model.ask([text_part("Forecast the next 2 days of this."), file]).json()
        assert body["precontext"][1]["result"]["extracted_text"].count(",7") == 2000
        assert len(prompt_text(model.prompts[1])) < 2000 * 4
