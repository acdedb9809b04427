"""Specialists that the LLM calls by itself: run here, shown to it as data, never seen by the client."""

import json
from typing import Any

from tests.e2e.conftest import data_url
from tests.e2e.full_model import (
    FullModel,
    Json,
    precontext_in,
    text_part,
)
from tests.kit.servers.llm_server import Call, Reply

SERIES = "date,sold\n2026-01-01,10\n2026-01-02,12\n2026-01-03,11\n2026-01-04,13\n2026-01-05,12\n"
WITH_SERIES: list[Json | str | list[Json]] = [
    [
        text_part("Forecast the next 2 days of this."),
        {"type": "file", "file": {"file_data": data_url(SERIES.encode(), "text/csv"), "filename": "sold.csv"}},
    ]
]
"""Planned is a forecast alone, which nothing here can run: whether the file is read is for the LLM to say."""
WEATHER: Json = {"type": "function", "function": {"name": "get_temperature", "parameters": {"type": "object"}}}


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


def test_the_clients_tool_called_in_the_same_turn_goes_to_the_client_alone(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading(), Call("get_temperature", '{"city": "Oslo"}', id="call_t")]))
    body = model.ask(*WITH_SERIES, tools=[WEATHER]).json()
    [choice] = body["choices"]
    [call] = choice["message"]["tool_calls"]
    assert (call["id"], call["function"]["arguments"]) == ("call_t", '{"city": "Oslo"}')
    assert choice["finish_reason"] == "tool_calls"
    assert len(model.prompts) == 1


def test_a_stream_shows_all_precontext_before_the_answer(model: FullModel) -> None:
    model.script(Reply(tool_calls=[reading()]), Reply("It is 13."))
    streamed = model.stream(*WITH_SERIES, headers={"x-show-additional-info": "true"})
    first, *rest = streamed.texts
    shown = precontext_in(first)
    assert [entry["name"] for entry in shown] == ["forecast", "ocr"]
    assert "".join(rest) == "It is 13."
