"""The client's tools, against a scripted LLM: passed on, and their calls passed back; and other forms of requests."""

import pytest
from fastapi.routing import APIRoute

from app.main import create_app
from app.settings import Settings
from tests.conftest import each_case
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
    error_of,
)
from tests.kit.servers.llm_server import Call, Reply
from tests.kit.servers.server import for_all_servers

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


TOOLS = [{"type": "function", "function": {"name": name}} for name in ("now", "weather", "news")]


@each_case(
    "refused",
    [
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I will not do this."}]},
        {"role": "assistant", "content": None, "refusal": "I will not do this."},
        {"role": "assistant", "refusal": "I will not do this."},
    ],
)
def test_the_llm_reads_a_refusal_in_the_history(model: FullModel, refused: Json) -> None:
    model.script(Reply("Fine."))
    assert content_of(model.ask("Do this.", refused, "Then do that.")) == "Fine."
    assert model.prompts[0]["messages"][1] == {"role": "assistant", "content": "I will not do this."}


def allowed(mode: str, *names: str) -> Json:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_only_allowed_tools_are_offered(model: FullModel, mode: str) -> None:
    model.script(Reply(tool_calls=[Call("news", "{}")]))
    response = model.ask("What is new?", tools=TOOLS, tool_choice=allowed(mode, "now", "news"))
    assert response.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "news"
    assert [tool["function"]["name"] for tool in model.prompts[0]["tools"]] == ["now", "news"]
    assert model.prompts[0]["tool_choice"] == mode


def test_head_is_answered_on_every_route_that_can_be_got(model: FullModel) -> None:
    app = create_app(Settings(_env_file=None, **for_all_servers()))
    routes = [route for route in app.routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())]
    assert len(routes) > 10
    for route in routes:
        path = route.path.replace("{name:path}", "main.js").replace("{model:path}", "auto")
        while "{" in path:
            path = path[: path.index("{")] + "x" + path[path.index("}") + 1 :]
        headed, got = model.client.head(path), model.client.get(path)
        if path not in ("/", "/docs", "/openapi.json"):
            assert headed.status_code == got.status_code, path
        assert headed.content == b""
        assert headed.status_code != 405, path
    assert model.client.head("/v1/models").headers["content-type"] == "application/json"
    assert model.client.head("/v1/chat/completions").status_code == 405
