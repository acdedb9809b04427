"""The client's tools, against a scripted LLM: passed on, and their calls passed back."""

from tests.conftest import each_case
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    error_of,
)
from tests.kit.servers.llm_server import Call, Reply

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get_temperature",
        "description": "Of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
NAMED = {"type": "function", "function": {"name": "get_temperature"}}
OTHER = {"type": "function", "function": {"name": "get_rain"}}
QUESTION = "How warm is it in Oslo and in Rome?"
OSLO = Call("get_temperature", '{"city": "Oslo"}', id="call_a")
ROME = Call("get_temperature", '{"city": "Rome"}', id="call_b")
BYPASS = {"x-interfaze-bypass-moa": "true"}


def test_two_turns_with_the_tools_results_in_the_history(model: FullModel) -> None:
    model.script(Reply(tool_calls=[OSLO, ROME]), Reply("Oslo -3, Rome 12."))
    first = model.ask(QUESTION, tools=[WEATHER], headers=BYPASS).json()["choices"][0]["message"]
    assert [call["id"] for call in first["tool_calls"]] == ["call_a", "call_b"]
    results = [
        {"role": "tool", "tool_call_id": "call_a", "content": "-3"},
        {"role": "tool", "tool_call_id": "call_b", "content": "12"},
    ]
    second = model.ask(QUESTION, first, *results, tools=[WEATHER], headers=BYPASS)
    assert content_of(second) == "Oslo -3, Rome 12."
    assert second.json()["choices"][0]["finish_reason"] == "stop"
    user, assistant, *rest = model.prompts[1]["messages"]
    assert user == {"role": "user", "content": QUESTION}
    assert assistant["tool_calls"] == first["tool_calls"]
    assert assistant["content"] is None
    assert rest == results


@each_case(("choice", "tools"), [("required", []), ("required", None), (NAMED, []), (OTHER, [WEATHER])])
def test_a_choice_that_cannot_be_honoured_is_refused(
    model: FullModel, choice: str | Json, tools: list[Json] | None
) -> None:
    model.script()
    error = error_of(model.ask(QUESTION, tools=tools, tool_choice=choice), 400, "invalid_request")
    assert error["param"] == "tool_choice"
    assert model.prompts == []
