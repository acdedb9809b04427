"""Wrong types and ranges, and how the error names the field."""

import json
from typing import Any

import pytest

from app.errors import BadRequest
from app.wire.parse import LARGE_BYTES, MAX_NESTING, parse
from app.wire.request import ChatRequest
from app.wire.responses import ResponsesRequest
from tests.conftest import each_case

MESSAGE = {"role": "user", "content": "hi"}
CALL = {"id": "a", "function": {"name": "get_weather", "arguments": "{}"}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}


def texts(count: int) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "hi"}] * count}


def with_link(kind: str, link: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": kind, kind: link}]}


def problem(**fields: Any) -> BadRequest:
    body = {"model": "interfaze-beta", "messages": [MESSAGE], **fields}
    with pytest.raises(BadRequest) as refusal:
        parse(ChatRequest, json.dumps(body, ensure_ascii=False).encode())
    return refusal.value


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n": 2}, "Field 'n': Input should be less than or equal to 1, not 2"),
        ({"messages": []}, "Field 'messages': Expected at least 1 item, not 0"),
        ({"tools": [NAMED] * 129}, "Field 'tools': Expected at most 128 items, not 129"),
        ({"messages": [MESSAGE] * 2049}, "Field 'messages': Expected at most 2048 items, not 2049"),
        ({"messages": [texts(2049)]}, "Field 'messages[0].content': Expected at most 2048 items, not 2049"),
        (
            {"messages": [texts(3)] * 683},
            "Field 'messages': Expected at most 2048 content parts and calls in all messages together, not 2049",
        ),
        (
            {"messages": [texts(2000), {"role": "assistant", "tool_calls": [CALL] * 49}]},
            "Field 'messages': Expected at most 2048 content parts and calls in all messages together, not 2049",
        ),
        ({"stop": ["x"] * 40_000}, "Field 'stop': Expected at most 16 items, not 40000"),
        ({"messages": [{"rol": "user"}]}, "Field 'messages[0].role': Field required. Is 'rol' a misspelling of it?"),
    ],
)
def test_a_message_names_the_field_the_limit_and_the_value(fields: dict[str, Any], message: str) -> None:
    assert problem(**fields).message == message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f", "description": "x" * 3_000_000}}]),
        ("tools", [{"type": "function", "function": {"name": "f", "parameters": {"é" * 1_500_000: {}}}}]),
        ("response_format", {"type": "json_schema", "json_schema": {"schema": {"const": "x" * 3_000_000}}}),
    ],
)
def test_definitions_have_at_most_a_megabyte_of_text(field: str, value: Any) -> None:
    error = problem(**{field: value})
    assert (error.message, error.param) == (f"Field '{field}': Has 2.9 MB of text; the limit is 1 MB", field)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (dict.fromkeys("abcdefghijklmnopq", "x"), "Field 'metadata': Expected at most 16 items, not 17"),
        ({"a": "x" * 513}, "Field 'metadata.a': String should have at most 512 characters, not 513"),
        ({"a": "x" * LARGE_BYTES}, "Field 'metadata.a': String should have at most 512 characters"),
        (["a"], "Field 'metadata': Input should be an object, not an array"),
    ],
)
def test_a_message_about_metadata_counts_what_is_too_much(metadata: Any, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(ResponsesRequest, json.dumps({"model": "auto", "input": "hi", "metadata": metadata}).encode())
    assert refusal.value.message == message


def test_a_body_that_is_nested_too_deep_is_told_the_limit() -> None:
    def nested(levels: int) -> bytes:
        """The body's own object is one of them."""
        return b'{"model": "auto", "messages": [], "deep": %b}' % (b"[" * (levels - 1) + b"]" * (levels - 1))

    for levels, message, code in (
        (MAX_NESTING, "Field 'messages': Expected at least 1 item, not 0", "invalid_request"),
        (MAX_NESTING + 1, "Invalid JSON: nested more than 201 levels deep at line 1 column ", "invalid_json"),
    ):
        with pytest.raises(BadRequest) as refusal:
            parse(ChatRequest, nested(levels))
        assert refusal.value.message.startswith(message)
        assert refusal.value.code == code


def test_the_misspelt_name_of_a_missing_field_is_named() -> None:
    for size in (0, LARGE_BYTES):
        with pytest.raises(BadRequest) as refusal:
            parse(ChatRequest, json.dumps({"model": "auto", "mesages": [MESSAGE], "user": "x" * size}).encode())
        assert refusal.value.message == "Field 'messages': Field required. Is 'mesages' a misspelling of it?"


@each_case(
    ("fields", "param"),
    [
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 32001}, "max_tokens"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": 5}}]}]},
            "messages[0].content[0].file.file_data",
        ),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream_options": {}, "stream": False}, "stream_options"),
        ({"stream_options": {}, "stream": None}, "stream_options"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        *(
            ({"tools": [{"type": "function", "function": {"name": name}}]}, "tools[0].function.name")
            for name in ("", "get weather", "get_weather\n", "a.b", "ö", "x" * 65)
        ),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "required", "tools": []}, "tool_choice"),
        ({"tool_choice": NAMED}, "tool_choice"),
        ({"tool_choice": NAMED, "tools": [{"type": "function", "function": {"name": "get_time"}}]}, "tool_choice"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"stop": 5}, "stop"),
        ({"stop": [5]}, "stop[0]"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop[1]"),
        ({"messages": [with_link("image_url", 5)]}, "messages[0].content[0].image_url"),
        ({"messages": [with_link("image_url", {"url": 5})]}, "messages[0].content[0].image_url.url"),
        (
            {"messages": [with_link("image_url", {"url": "A" * 300_000, "detail": 5})]},
            "messages[0].content[0].image_url.detail",
        ),
        ({"messages": [with_link("video_url", {})]}, "messages[0].content[0].video_url.url"),
    ],
)
def test_the_field_is_named_by_its_path(fields: dict[str, Any], param: str) -> None:
    error = problem(**fields)
    assert error.param == param
    assert f"'{param}'" in error.message


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"temperature": "hot"}, "a valid number, not 'hot'"),
        ({"stream": "maybe"}, "a valid boolean, not 'maybe'"),
        ({"stream": 5}, "a valid boolean, not 5"),
        ({"max_tokens": True}, "a valid integer, not true"),
        ({"model": None}, "a valid string, not null"),
        ({"stop": {"a": 1}}, "a string or a list of strings, not an object"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 5}]}]}, "a valid string, not 5"),
    ],
)
def test_a_value_of_a_wrong_type_is_quoted(fields: dict[str, Any], reason: str) -> None:
    assert problem(**fields).message.endswith(f": Input should be {reason}")


def test_unknown_fields_and_nulls_are_accepted() -> None:
    body = {
        "model": "interfaze-beta",
        "messages": [MESSAGE],
        "top_k": 5,
        "temperature": None,
        "tools": None,
        "stream": None,
        "parallel_tool_calls": None,
        "store": True,
    }
    assert parse(ChatRequest, json.dumps(body).encode()).model == "interfaze-beta"


LONG = "QUJD" * 100_000


def large(*parts: Any, **fields: Any) -> bytearray:
    message = {"role": "user", "content": [{"type": "text", "text": LONG}, *parts]}
    return bytearray(json.dumps({"model": "m", "messages": [message], **fields}).encode())


def test_a_long_string_is_read_wherever_it_stands() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": LONG}}
    schema = {"name": "s", "schema": {"properties": {"a": {"description": LONG}}}}
    request = parse(
        ChatRequest,
        large(
            tools=[{"type": "function", "function": {"name": "f", "parameters": {"enum": [LONG, "short"]}}}],
            response_format={"type": "json_schema", "json_schema": schema},
            extra={"deep": [LONG]},
            stop=[LONG],
        ),
    ).model_dump(by_alias=True)
    assert request["messages"][0]["content"][0]["text"] == LONG
    assert request["tools"][0]["function"]["parameters"] == {"enum": [LONG, "short"]}
    assert request["response_format"]["json_schema"]["schema"] == schema["schema"]
    assert request["extra"] == {"deep": [LONG]}
    assert request["stop"] == [LONG]
    body = bytearray(json.dumps({"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}]}).encode())
    [message] = parse(ChatRequest, body).messages
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == LONG
