"""What a caller is told of fields and tags that have no effect."""

import json
from difflib import SequenceMatcher
from typing import Any

import pytest

from app.chat.directives import read_directives
from app.chat.request_warnings import warnings_of
from app.chat.tool_loop import PASSED_ON
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
        ("Temperature", "temperature"),
        ("max_token", "max_tokens"),
        ("maxTokens", "max_tokens"),
        ("max-completion-tokens", "max_completion_tokens"),
        ("respons_format", "response_format"),
        ("sed", "seed"),
        ("logit_bia", "logit_bias"),
        ("web_search_option", "web_search_options"),
        ("evidance", "evidence"),
        ("response_fromat", "response_format"),
        ("tool_choise", "tool_choice"),
    ],
)
def test_a_misspelt_field_is_named_with_the_one_that_is_meant(sent: str, meant: str) -> None:
    assert told(**{sent: 1}) == [f"Field '{sent}' is not known and has no effect. Did you mean '{meant}'?"]


@pytest.mark.parametrize("system", ["<task>ocr", "ocr</task>", "<TASK>ocr</task", "<task>ocr<task>"])
def test_half_a_tag_is_told_of(system: str) -> None:
    body = {"model": "auto", "messages": [{"role": "system", "content": system}, {"role": "user", "content": "hi"}]}
    request = parse(ChatRequest, json.dumps(body).encode())
    [sentence] = warnings_of(request, read_directives([system]))
    assert "an incomplete <task> tag" in sentence


def test_a_tag_in_a_users_message_is_told_of() -> None:
    [sentence] = told(messages=[{"role": "user", "content": "<task>ocr</task> Read it."}])
    assert "an effect only in a system message" in sentence
    assert told(messages=[{"role": "user", "content": "a <task> is work"}]) == []


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


@each_case("name", ["store", "service_tier", "verbosity", "prompt_cache_key", *PASSED_ON])
def test_fields_of_openais_need_no_word(name: str) -> None:
    assert told(**{name: None}) == []


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
    ("name", "value"),
    [("functions", []), ("modalities", ["text"]), ("store", False), ("verbosity", "medium"), ("function_call", "none")],
)
def test_values_of_theirs_that_ask_for_nothing_need_no_word(name: str, value: Any) -> None:
    assert told(**{name: value}) == []


def test_several_are_told_in_one_order() -> None:
    told_of = [sentence.split("'")[1] for sentence in told(functions=[{}], audio={"voice": "a"}, store=True)]
    assert told_of == ["audio", "functions", "store"]


@each_case(
    "name",
    [
        "top_a",
        "min_tokens",
        "repetition_penalty",
        "guided_json",
        "provider",
        "reasoning",
        "thinking",
        "num_ctx",
        "best_of",
        "stop_token_ids",
        "extra_body",
        "input",
        "",
        "🦊",
    ],
)
def test_other_servers_fields_resemble_nothing(name: str) -> None:
    assert told(**{name: 1}) == []


def test_where_the_field_itself_was_sent_another_name_is_no_mistake() -> None:
    assert told(models=["a"], mode="fast") == []
    assert told(temprature=1, temperature=1) == []


def test_what_standard_fields_a_schema_has_is_the_callers_business() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "a", "description": "b", "schema": {"propertys": {}}}}
    assert told(response_format=form) == []


def test_of_many_thousand_fields_few_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = set()
    plain = SequenceMatcher.set_seq2

    def counting(matcher: "SequenceMatcher[str]", name: str) -> None:
        compared.add(name)
        plain(matcher, name)

    monkeypatch.setattr(SequenceMatcher, "set_seq2", counting)
    assert told(**{f"{'temperature' * 4}{number}": 1 for number in range(1000)}) == []
    sentences = told(**{f"temperature{number}": 1 for number in range(45_000)})
    assert 0 < len(compared) <= 17  # a new matcher is given an empty name first
    assert len(sentences) <= 16


def test_several_task_tags_are_told_with_the_one_that_counts() -> None:
    request = parse(ChatRequest, b'{"model": "auto", "messages": [{"role": "user", "content": "hi"}]}')
    directives = read_directives(["<task>ocr</task>", "<task>stt</task><task>translate</task>"])
    assert list(warnings_of(request, directives)) == [
        "There are several <task> tags: only the first, 'ocr', is used; ignored: 'stt', 'translate'."
    ]
