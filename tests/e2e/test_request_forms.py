"""Forms in which clients send usual requests: parts, choices of tools, encodings, methods and headers."""

import pytest
from fastapi.routing import APIRoute

from app.main import create_app
from app.settings import Settings
from tests.conftest import each_case
from tests.e2e.full_model import (
    FullModel,
    Json,
    content_of,
)
from tests.kit.servers.llm_replies import Call
from tests.kit.servers.llm_server import Reply
from tests.kit.servers.server import for_all_servers

TOOLS = [{"type": "function", "function": {"name": name}} for name in ("now", "weather", "news")]


# Parts.


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


# Tools.


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


# Bytes, methods and headers.


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
