"""Requests to /v1/responses become chat requests."""

import json
from typing import Any

import pytest

from app.errors import BadRequest
from app.wire.parse import parse
from app.wire.request import MAX_DEFINITIONS, ChatRequest, NamedToolChoice
from app.wire.responses import ResponsesRequest, convert_request

WEATHER = {"type": "function", "name": "weather"}
TIDES = {"type": "function", "name": "tides"}
PATCH = {"type": "custom", "name": "patch"}


def in_namespace(name: str, *tools: Any) -> Any:
    return {"type": "namespace", "name": name, "tools": list(tools)}


def converted(tools: list[Any], choice: Any) -> ChatRequest:
    body = {"model": "auto", "input": "Hi.", "tools": tools, "tool_choice": choice}
    return convert_request(ResponsesRequest.model_validate(body)).chat


def forced(tools: list[Any], **named: str) -> str:
    choice = converted(tools, {"type": "function", **named}).tool_choice
    assert isinstance(choice, NamedToolChoice)
    return choice.function.name


def allowed(tools: list[Any], *named: Any) -> list[str]:
    choice = {"type": "allowed_tools", "mode": "required", "tools": list(named)}
    return [tool.function.name for tool in converted(tools, choice).tools or ()]


@pytest.mark.parametrize(
    "named", [{"name": "weather"}, {"name": "weather", "namespace": "maps"}, {"name": "maps__weather"}]
)
def test_a_tool_of_a_namespace_may_be_forced(named: dict[str, str]) -> None:
    assert forced([in_namespace("maps", WEATHER, PATCH), TIDES], **named) == "maps__weather"


def test_a_forced_name_that_several_namespaces_have_is_refused() -> None:
    tools = [in_namespace("maps", WEATHER), in_namespace("sea", WEATHER)]
    with pytest.raises(BadRequest, match="'weather'; choose from: maps__weather, sea__weather") as refused:
        forced(tools, name="weather")
    assert refused.value.param == "tool_choice"


@pytest.mark.parametrize("named", [{"name": "wind"}, {"name": "weather", "namespace": "sea"}])
def test_a_forced_tool_that_is_not_offered_is_refused(named: dict[str, str]) -> None:
    with pytest.raises(BadRequest, match="not in 'tools'") as refused:
        forced([in_namespace("maps", WEATHER)], **named)
    assert refused.value.param == "tool_choice"


def test_more_tools_than_may_be_offered_are_refused_before_any_is_looked_for() -> None:
    tools = [
        in_namespace(f"n{place}", *[{**WEATHER, "name": f"t{number}"} for number in range(128)]) for place in range(9)
    ]
    with pytest.raises(BadRequest, match="at most 1024 tools in all namespaces together, not 1152") as refused:
        allowed(tools, WEATHER)
    assert refused.value.param == "tools"


def test_allowed_tools_are_found_by_either_name_and_in_their_namespace_alone() -> None:
    tools = [in_namespace("maps", WEATHER, PATCH), in_namespace("sea", WEATHER), TIDES]
    assert allowed(tools, WEATHER) == ["maps__weather", "sea__weather"]
    assert allowed(tools, {**WEATHER, "namespace": "sea"}, TIDES) == ["sea__weather", "tides"]
    assert allowed(tools, {**WEATHER, "name": "maps__weather"}, PATCH) == ["maps__weather", "maps__patch"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tools": [{"type": "function", "name": "f", "description": "x" * MAX_DEFINITIONS}]}, "tools"),
        ({"tools": [{"type": "web_search", "other": [{"x" * MAX_DEFINITIONS: 1}]}]}, "tools"),
        ({"text": {"format": {"type": "text", "description": "x" * MAX_DEFINITIONS}}}, "text.format"),
        ({"tool_choice": {"type": "function", "name": "f", "other": "x" * MAX_DEFINITIONS}}, "tool_choice"),
    ],
)
def test_what_a_response_repeats_has_at_most_a_megabyte(fields: dict[str, Any], field: str) -> None:
    body = json.dumps({"model": "auto", "input": "Hi", **fields}).encode()
    with pytest.raises(BadRequest, match=r"Has 1\.1 MB of text; the limit is 1 MB") as refused:
        parse(ResponsesRequest, body)
    assert refused.value.param == field
    fewer = json.dumps({"model": "auto", "input": "Hi", **fields}).replace("x" * 1000, "", 1)
    assert parse(ResponsesRequest, fewer.encode())


def test_errors_and_evidence_have_the_names_of_the_clients_fields() -> None:
    parts = [{"type": "input_image", "image_url": "x"}]
    items = [{"type": "reasoning"}, {"role": "user", "content": "Hi."}, {"role": "user", "content": parts}]
    body = {"model": "auto", "instructions": "Be brief.", "input": items}
    converted_request = convert_request(ResponsesRequest.model_validate(body))

    def renamed(param: str) -> tuple[str, str | None]:
        error = BadRequest(f"'{param}' is wrong.", param=param).renamed(converted_request.field_names)
        return error.message, error.param

    for chat_name, own_name in {
        "messages": "input",
        "messages[0].content": "instructions",
        "messages[2].content[0].image_url": "input[2].content[0].image_url",
        "response_format.json_schema.schema.type": "text.format.schema.type",
        "/total": "/total",
    }.items():
        assert renamed(chat_name) == (f"'{own_name}' is wrong.", own_name)
    assert converted_request.pointer("/messages/1/content") == "/input/1/content"
    assert converted_request.pointer("/result/text") == "/result/text"
