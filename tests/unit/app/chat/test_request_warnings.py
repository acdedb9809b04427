"""What a caller is told of fields and tags that have no effect."""

import json
from typing import Any

from app.chat.directives import read_directives, warnings_of
from app.wire.parse import parse
from app.wire.request import ChatRequest
from tests.conftest import each_case

NO_DIRECTIVES = read_directives([])


def told(**fields: Any) -> list[str]:
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}], **fields}
    return list(warnings_of(parse(ChatRequest, json.dumps(body).encode()), NO_DIRECTIVES))


@each_case(
    ("sent", "meant"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("max-completion-tokens", "max_completion_tokens"),
        ("sed", "seed"),
        ("web_search_option", "web_search_options"),
        ("response_fromat", "response_format"),
    ],
)
def test_a_misspelt_field_is_named_with_the_one_that_is_meant(sent: str, meant: str) -> None:
    assert told(**{sent: 1}) == [f"Field '{sent}' is not known and has no effect. Did you mean '{meant}'?"]


def test_fields_within_others_are_named_by_their_path() -> None:
    assert told(stream=True, stream_options={"include_usge": True}) == [
        "Field 'stream_options.include_usge' is not known and has no effect. "
        "Did you mean 'stream_options.include_usage'?"
    ]
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {}, "strct": True}}
    [sentence] = told(response_format=form)
    assert "Did you mean 'response_format.json_schema.strict'?" in sentence
    [sentence] = told(tools=[{"type": "function", "function": {"name": "f", "paramaters": {}}}])
    assert "Did you mean 'tools[0].function.parameters'?" in sentence
    picture = {"type": "file", "file": {"file_data": "SGVsbG8h", "filname": "a.txt"}}
    [sentence] = told(messages=[{"role": "user", "content": "hi"}, {"role": "user", "content": [picture]}])
    assert "Did you mean 'messages[1].content[0].file.filename'?" in sentence


@each_case(
    ("name", "value", "instead"),
    [
        ("functions", [{"name": "look_up"}], "send 'tools'"),
        ("function_call", "auto", "send 'tool_choice'"),
        ("modalities", ["text", "audio"], "answers are text"),
        ("audio", {"voice": "alloy"}, "answers are text"),
        ("prediction", {"type": "content", "content": "a"}, "the answer is written from scratch"),
        ("store", True, "only /v1/responses"),
        ("verbosity", "low", "say in words"),
        ("web_search_options", {"search_context_size": "low"}, "<task>web_search</task>"),
    ],
)
def test_fields_of_openais_that_would_change_the_answer_are_told_of(name: str, value: Any, instead: str) -> None:
    [sentence] = told(**{name: value})
    assert sentence.startswith(f"Field '{name}' has no effect here: ")
    assert instead in sentence


@each_case(
    "name",
    [
        "top_a",
        "repetition_penalty",
        "provider",
        "thinking",
        "best_of",
        "extra_body",
        "",
    ],
)
def test_other_servers_fields_resemble_nothing(name: str) -> None:
    assert told(**{name: 1}) == []
