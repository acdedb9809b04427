"""`<task>` and `<guard>`, in system messages only, and what a caller is told of fields and tags without an effect."""

import json
from typing import Any

import pytest

from app.chat.directives import read_directives, warnings_of
from app.errors import BadRequest
from app.wire.parse import parse
from app.wire.request import ChatRequest
from models.safety.guard import CODES
from tests.conftest import each_case


@each_case(
    ("text", "task"),
    [
        ("<task>ocr</task>", "ocr"),
        ("<TASK>ocr</TASK>", "ocr"),
        ("<task>stt</task>", "stt"),
        ("<task>ocr</task> <task>translate</task>", "ocr"),
        ("<task>ocr", None),
        ("<task>  </task>", None),
        ("", None),
    ],
)
def test_the_first_task_named_in_a_closed_tag_counts(text: str, task: str | None) -> None:
    assert read_directives([text]).task == task


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("<task>ocr</task>", ()),
        ("<task>ocr</task> <task>translate</task> <task>forecast</task>", ("translate", "forecast")),
        ("<task>ocr</task> <task> OCR </task> <task></task>", ()),
        ("<task>stt</task> <task>speech_to_text</task>", ()),
    ],
)
def test_other_tasks_of_later_tags_are_ignored(text: str, ignored: tuple[str, ...]) -> None:
    assert read_directives(text.split()).ignored == ignored


def test_the_tags_are_taken_out_of_what_the_llm_sees() -> None:
    directives = read_directives(["<task>ocr</task> <guard>S1</guard>\nBe brief.", "<task>stt</task>"])
    assert directives.system == ("Be brief.",)


def test_several_tasks_in_a_tag_are_refused_with_their_names() -> None:
    with pytest.raises(BadRequest, match="only one task may be specified per request, got 2: ocr, translate"):
        read_directives(["<task>ocr, translate</task>"])


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadRequest, match=r"'code_sandbox': this server runs it only with OPENFAZE_CODE_SANDBOX=on\. "):
        read_directives(["<task>code_sandbox</task>"])
    with pytest.raises(BadRequest, match="invalid task 'sing'. Supported tasks: ocr, object_detection, gui_detection"):
        read_directives(["<task>sing</task>"])


@each_case(
    ("text", "guard"),
    [
        ("<guard>S1</guard>", ("S1",)),
        ("<guard>S1 S2\nS3</guard>", ("S1", "S2", "S3")),
        ("<guard>ALL</guard>", CODES),
        ("<guard></guard>", ()),
        ("<guardrails>Be kind.</guardrails> <guard>S1</guard>", ("S1",)),
    ],
)
def test_guard_codes_are_read_in_any_case_and_separation(text: str, guard: tuple[str, ...]) -> None:
    assert read_directives([text]).guard == guard


@each_case(
    "text",
    [
        "<guard>S9",
        "S9</guard>",
        "< guard>S9</guard>",
        '<guard mode="x">S9</guard>',
        "<guard>S1</guard> <guard>S9<guard>",
        "<guard:S9>",
    ],
)
def test_a_guard_that_is_not_understood_is_refused_and_never_passed_over(text: str) -> None:
    with pytest.raises(BadRequest, match="'<guard' in an unknown form; write <guard>S1, S9</guard>"):
        read_directives([text])


def test_an_unknown_guard_code_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(BadRequest, match=r"invalid guard code 'S99'\. Valid codes: S1, .*S15_IMAGE, ALL"):
        read_directives(["<guard>S1, S99</guard>"])
    with pytest.raises(BadRequest) as failure:
        read_directives([f"<guard>{'S' * 1_000_000}</guard>"])
    assert len(failure.value.message) < 300


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
